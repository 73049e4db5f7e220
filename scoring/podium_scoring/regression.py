"""Metrics of numbers: predictions and answers are arrays of n finite floats."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, Detail, SubmissionError
from podium_scoring.units import Floats, Sums, Weighted


def rmse(predictions: Any, answers: Any) -> Sums:
    """Root mean squared error: 0 is best. Equals scikit-learn's to 1e-12. Source: definition."""
    given, truth = _checked(predictions, answers)
    squares = (given - truth) ** 2
    return Sums(squares[:, None], lambda sums, n: np.sqrt(sums[..., 0] / n))


def mae(predictions: Any, answers: Any) -> Sums:
    """Mean absolute error: 0 is best. Equals scikit-learn's to 1e-12. Source: definition."""
    given, truth = _checked(predictions, answers)
    return _mean(np.abs(given - truth))


def mape(predictions: Any, answers: Any) -> Sums:
    """Mean of |difference| / |answer|, 0.1 for ten percent: 0 is best.

    ChallengeError where an answer is 0. Equals scikit-learn's to 1e-12. Source: definition.
    """
    given, truth = _checked(predictions, answers)
    if not truth.all():
        raise ChallengeError(
            f"Answer {int((truth == 0).argmax()) + 1} is 0, and mape divides by it. Choose another "
            "metric."
        )
    return _mean(np.abs((given - truth) / truth))


def rmsle(predictions: Any, answers: Any) -> Sums:
    """Root mean squared difference of ln(1 + value): 0 is best.

    Values are above -1; declare `low = 0` for the column. Equals scikit-learn's to 1e-12.
    """
    given, truth = _checked(predictions, answers)
    if truth.min() <= -1:
        raise ChallengeError(f"An answer is {truth.min():g}. rmsle needs values above -1.")
    if given.min() <= -1:
        row = int((given <= -1).argmax())
        _refuse(row, f"{given[row]:g}", "a number above -1")
    squares = (np.log1p(given) - np.log1p(truth)) ** 2
    return Sums(squares[:, None], lambda sums, n: np.sqrt(sums[..., 0] / n))


def r2(predictions: Any, answers: Any) -> Sums:
    """1 - squared error / squared deviation of the answers: to 1, the best; 0 is their mean.

    ChallengeError where all answers are equal. Equals scikit-learn's to 1e-12. Source: Wright
    1921.
    """
    given, truth = _checked(predictions, answers)
    centred = truth - truth.mean()
    if not centred.any():
        raise ChallengeError("All answers are equal, and r2 compares with their spread.")
    values = np.stack([(given - truth) ** 2, centred, centred**2], axis=1)

    def reduce(sums: Floats, n: int) -> Floats:
        spread = sums[..., 2] - sums[..., 1] ** 2 / n
        share = np.divide(sums[..., 0], spread, out=np.full_like(spread, np.nan), where=spread > 0)
        return 1 - share

    return Sums(values, reduce)


def spearman(predictions: Any, answers: Any) -> Weighted:
    """Correlation of the ranks of both, ties sharing theirs: -1 to 1, 1 is best.

    0 where all predictions are equal. Equals scipy's to 1e-12. Source: Spearman 1904.
    """
    given, truth = _checked(predictions, answers)
    if (truth == truth[0]).all():
        raise ChallengeError("All answers are equal, and spearman compares their order.")
    first, second = _ranks(given), _ranks(truth)

    def at(weights: Floats) -> float:
        a, b = first(weights), second(weights)
        total = weights.sum()
        a, b = a - weights @ a / total, b - weights @ b / total
        spread = float(np.sqrt((weights @ a**2) * (weights @ b**2)))
        return float(weights @ (a * b)) / spread if spread > 0 else 0.0

    return Weighted(len(truth), at)


def _ranks(values: Floats) -> Callable[[Floats], Floats]:
    """Gives the rank of each row, equal values sharing their mean, with a weight for each."""
    _, group = np.unique(values, return_inverse=True)
    size = int(group.max()) + 1

    def ranks(weights: Floats) -> Floats:
        drawn = np.bincount(group, weights, minlength=size)
        middle = np.cumsum(drawn) - drawn / 2
        found: Floats = middle[group]
        return found

    return ranks


def _mean(losses: Floats) -> Sums:
    return Sums(losses[:, None], lambda sums, n: sums[..., 0] / n)


def _checked(predictions: Any, answers: Any) -> tuple[Floats, NDArray[np.float64]]:
    """Finite numbers of one length; the first strange row is named."""
    given, truth = np.asarray(predictions, np.float64), np.asarray(answers, np.float64)
    if given.shape != truth.shape or given.ndim != 1:
        raise SubmissionError(
            f"Predictions have shape {given.shape}. Give one number for each of {len(truth)} rows."
        )
    if not np.isfinite(truth).all():
        raise ChallengeError("An answer is no finite number.")
    strange = ~np.isfinite(given)
    if strange.any():
        row = int(strange.argmax())
        _refuse(row, str(given[row]), "a finite number")
    return given, truth


def _refuse(row: int, got: str, expected: str) -> None:
    raise SubmissionError(
        f"Row {row + 1} has {got}. It must be {expected}.", [Detail(row + 1, None, expected, got)]
    )
