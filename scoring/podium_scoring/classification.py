"""Metrics of classes: predictions and answers are arrays of n classes, as integers or strings.

All but accuracy come from a table of counts of pairs, true and predicted; a class counts if a row
is of it or is said to be.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError
from podium_scoring.units import Confusion, Floats, Integers, Sums

Classes = NDArray[Any]
AVERAGES = ("macro", "micro", "weighted")
MOST_SPAN = 1024  # of integer classes that are numbered by their value

Reduce = Callable[[Floats, Floats, Floats, Floats], Floats]
Share = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]  # above and below the line


def accuracy(predictions: Classes, answers: Classes) -> Sums:
    """Share of rows that are right: 0 to 1, 1 is best. Exact. Source: definition."""
    right = (np.asarray(predictions) == np.asarray(answers)).astype(np.float64)
    return Sums(right[:, None], lambda sums, n: sums[..., 0] / n, is_share=True)


def balanced_accuracy(predictions: Classes, answers: Classes) -> Confusion:
    """Mean over the true classes of the share of their rows that are right: 0 to 1, 1 is best.

    Equals scikit-learn's to 1e-12. Source: Brodersen et al. 2010.
    """
    return _counted(predictions, answers, _balanced)


def precision(predictions: Classes, answers: Classes, *, average: str = "macro") -> Confusion:
    """Share of the rows said to be of a class that are of it: 0 to 1, 1 is best.

    `average` is macro (the mean of the classes), micro (all rows together) or weighted (by the
    classes' true rows); a class that nothing is said to be counts 0. Equals scikit-learn's to
    1e-12. Source: definition.
    """
    return _counted(predictions, answers, _averaged(_precision, average))


def recall(predictions: Classes, answers: Classes, *, average: str = "macro") -> Confusion:
    """Share of the rows of a class that are said to be of it: 0 to 1, 1 is best.

    `average` as in `precision`; a class without rows counts 0. Equals scikit-learn's to 1e-12.
    """
    return _counted(predictions, answers, _averaged(_recall, average))


def f1_macro(predictions: Classes, answers: Classes) -> Confusion:
    """Mean F1 over the classes that occur in either: 0 to 1, 1 is best.

    2·TP / (2·TP + FP + FN) of each class. Equals scikit-learn's to 1e-12. Source: definition.
    """
    return _counted(predictions, answers, _averaged(_f1, "macro"))


def f1_micro(predictions: Classes, answers: Classes) -> Confusion:
    """F1 of all rows together, which is the accuracy where a row has one class: 1 is best."""
    return _counted(predictions, answers, _averaged(_f1, "micro"))


def f1_weighted(predictions: Classes, answers: Classes) -> Confusion:
    """Mean F1 over the classes, weighted by their true rows: 0 to 1, 1 is best."""
    return _counted(predictions, answers, _averaged(_f1, "weighted"))


def matthews(predictions: Classes, answers: Classes) -> Confusion:
    """Correlation of predicted and true classes: -1 to 1, 1 is best; 0 if one side is constant.

    Equals scikit-learn's to 1e-12. Source: Gorodkin 2004.
    """
    return _counted(predictions, answers, _matthews)


def quadratic_kappa(predictions: Classes, answers: Classes) -> Confusion:
    """Agreement of whole grades beyond chance, by squared distance: to 1, the best; 0 is chance.

    1 - Σ (said - true)² / the same if both sides were drawn apart; 1 where both are one and the
    same grade. Equals scikit-learn's to 1e-12 where the grades have no gaps. Source: Cohen 1968.
    """
    truth, said, grades = _codes(predictions, answers)
    if grades.dtype.kind not in "iu":
        raise ChallengeError("quadratic_kappa compares grades: declare classes as integers.")
    place = (grades - grades[0]).astype(np.float64)

    def reduce(right: Floats, truth: Floats, predicted: Floats, cost: Floats) -> Floats:
        n = truth.sum(axis=-1)
        chance = (truth + predicted) @ place**2 - 2 * (truth @ place) * (predicted @ place) / n
        kappa: Floats = 1 - np.divide(cost, chance, out=np.zeros_like(cost), where=chance > 0)
        return kappa

    return Confusion.of(
        truth, said, len(grades), reduce, lambda true, guess: (place[true] - place[guess]) ** 2
    )


def _counted(predictions: Classes, answers: Classes, reduce: Reduce) -> Confusion:
    truth, said, names = _codes(predictions, answers)
    return Confusion.of(truth, said, len(names), reduce)


def _codes(predictions: Classes, answers: Classes) -> tuple[Integers, Integers, Classes]:
    """True and predicted classes as numbers from 0, and the classes by number."""
    said, true = np.asarray(predictions), np.asarray(answers)
    if said.dtype == np.int64 and true.dtype == np.int64:
        # Seen without a sign a negative class is huge: one pass finds both ends.
        most = max(int(said.view(np.uint64).max()), int(true.view(np.uint64).max()))
        if most < MOST_SPAN:
            return true, said, np.arange(most + 1)
    if said.dtype.kind in "iu" and true.dtype.kind in "iu":
        low = min(int(said.min()), int(true.min()))
        span = max(int(said.max()), int(true.max())) - low + 1
        if span <= MOST_SPAN:
            names = np.arange(low, low + span)
            return (true - low, said - low, names) if low else (true, said, names)
    names, codes = np.unique(np.concatenate([true, said]), return_inverse=True)
    return codes[: len(true)], codes[len(true) :], names


def _averaged(shares: Share, average: str) -> Reduce:
    """Of each class `above` / `below`, put together."""
    if average not in AVERAGES:
        raise ChallengeError(f"average is {average!r}. Choose one of {', '.join(AVERAGES)}.")

    def reduce(right: Floats, truth: Floats, predicted: Floats, cost: Floats) -> Floats:
        above, below = shares(right, truth, predicted)
        if average == "micro":
            return _ratio(above.sum(axis=-1), below.sum(axis=-1))
        each = _ratio(above, below)
        weights = truth if average == "weighted" else (truth + predicted > 0) * 1.0
        return _ratio((each * weights).sum(axis=-1), weights.sum(axis=-1))

    return reduce


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return ratio


def _precision(right: Floats, truth: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    return right, predicted


def _recall(right: Floats, truth: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    return right, truth


def _f1(right: Floats, truth: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    return 2 * right, truth + predicted  # 2·TP + FP + FN


def _balanced(right: Floats, truth: Floats, predicted: Floats, cost: Floats) -> Floats:
    share: Floats = _ratio(right, truth).sum(axis=-1) / (truth > 0).sum(axis=-1)
    return share


def _matthews(right: Floats, truth: Floats, predicted: Floats, cost: Floats) -> Floats:
    n = truth.sum(axis=-1)
    above = right.sum(axis=-1) * n - (truth * predicted).sum(axis=-1)
    spread = (n**2 - (truth**2).sum(axis=-1)) * (n**2 - (predicted**2).sum(axis=-1))
    return _ratio(above, np.sqrt(spread))
