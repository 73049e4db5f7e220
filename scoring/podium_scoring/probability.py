"""Metrics of probabilities: predictions (n, k) for k classes, or (n,) for class 1 of two.

Answers are classes from 0, the places of the columns. Rows of (n, k) are taken to sum to 1; files
are brought to it as they are read. Ranks and thresholds treat equal probabilities as equal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, Detail, SubmissionError
from podium_scoring.units import Floats, Integers, Interval, Linear, Sums, Units, Weighted

AVERAGES = ("macro", "weighted")
BLOCK_ROWS = 1 << 12
SMALLEST = float(np.finfo(np.float64).eps)  # a probability of 0 counts as this
Probabilities = NDArray[Any]


def log_loss(predictions: Probabilities, answers: Integers) -> Sums:
    """Mean of -ln of the probability of the true class: 0 is best.

    Probabilities are kept 2.2e-16 away from 0 and 1. Equals scikit-learn's to 1e-12. Source:
    Good 1952.
    """
    given, truth = _fitting(predictions, answers)
    losses = np.empty(len(given))
    for start in range(0, len(given), BLOCK_ROWS):  # read once, and checked while in the cache
        rows = slice(start, start + BLOCK_ROWS)
        _check_finite(given[rows], start)
        losses[rows] = _of_truth(given[rows], truth[rows])
    _check_bounds(losses)
    np.clip(losses, SMALLEST, 1 - SMALLEST if given.ndim == 1 else 1.0, out=losses)
    np.log(losses, out=losses)
    np.negative(losses, out=losses)
    return Sums(losses[:, None], lambda sums, n: sums[..., 0] / n)


def brier(predictions: Probabilities, answers: Integers) -> Sums:
    """Mean over rows of Σ (probability - truth)² over the classes, halved for two: 0 is best.

    For one column, (probability - truth)². Equals scikit-learn's to 1e-12. Source: Brier 1950.
    """
    given, truth = _bounded(predictions, answers)
    if given.ndim == 1:
        losses = (given - truth) ** 2
    else:
        chance = _of_truth(given, truth)
        losses = np.einsum("ij,ij->i", given, given) + 1 - 2 * chance
        losses /= 2 if given.shape[1] == 2 else 1
    return Sums(losses[:, None], lambda sums, n: sums[..., 0] / n)


def top_k_accuracy(predictions: Probabilities, answers: Integers, *, k: int = 5) -> Sums:
    """Share of rows whose true class is among the k most probable: 0 to 1, 1 is best.

    Ties count as the mean over their orders. Equals scikit-learn's to 1e-12 without ties.
    """
    given, truth = _bounded(predictions, answers)
    if given.ndim == 1:
        given = np.column_stack([1 - given, given])
    if not k >= 1:
        raise ChallengeError(f"k is {k!r}. It counts the classes that may be named: 1 or more.")
    chance = _of_truth(given, truth)[:, None]
    above, tied = (given > chance).sum(axis=1), (given == chance).sum(axis=1)
    right = np.clip((k - above) / tied, 0.0, 1.0)
    is_share = bool(np.isin(right, (0.0, 1.0)).all())
    return Sums(right[:, None], lambda sums, n: sums[..., 0] / n, is_share=is_share)


def roc_auc(predictions: Probabilities, answers: Integers, *, average: str = "macro") -> "Area":
    """Chance that a row of a class is given more for it than a row of none: 0 to 1, 1 is best.

    Ties count half. Of more than two classes each against the rest; `average` is macro (their
    mean) or weighted (by their rows). Equals scikit-learn's to 1e-12. The interval is DeLong's,
    by each row's influence. Source: Mann and Whitney 1947; DeLong et al. 1988.
    """
    given, truth = _finite(predictions, answers)
    sides = _against_rest(given, truth)
    for _, is_one in sides:
        if is_one.all() or not is_one.any():
            raise ChallengeError(
                "The answers have one class only, or a class without rows. AUC needs both sides."
            )
    return Area(sides, _weights(given, truth, average))


def average_precision(
    predictions: Probabilities, answers: Integers, *, average: str = "macro"
) -> Units:
    """Mean precision at the rows of a class, in the order of their probability: 1 is best.

    Σ (R_i - R_(i-1)) P_i over the distinct probabilities; of more than two classes as `roc_auc`.
    Equals scikit-learn's to 1e-12. Source: Buckley and Voorhees 2000.
    """
    given, truth = _finite(predictions, answers)
    curves = [_Curve(scores, is_one) for scores, is_one in _against_rest(given, truth)]
    shares = _weights(given, truth, average)

    def at(weights: Floats) -> float:
        return float(sum(w * curve.at(weights) for w, curve in zip(shares, curves, strict=True)))

    return Weighted(len(truth), at)


def calibration_error(predictions: Probabilities, answers: Integers, *, bins: int = 15) -> Weighted:
    """Mean distance of confidence from the share that is right, in bins of confidence: 0 is best.

    Of several classes confidence is the largest probability and right whether its class is true;
    of one column confidence is its probability, right whether class 1 is true. Bins are of equal
    width, closed above. To 1e-12. The interval is centred, as the error of a resample is larger.
    Source: Guo et al. 2017; Naeini et al. 2015.
    """
    if bins < 1:
        raise ChallengeError(f"bins is {bins!r}. There is one at least.")
    given, truth = _bounded(predictions, answers)
    if given.ndim == 1:
        confidence, right = given, truth.astype(np.float64)
    else:
        best = given.argmax(axis=1)
        confidence, right = given[np.arange(len(given)), best], (best == truth) * 1.0
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = right - confidence

    def at(weights: Floats) -> float:
        sums = np.bincount(place, gap * weights, minlength=bins)
        return float(np.abs(sums).sum() / weights.sum())

    return Weighted(len(truth), at, centred=True)


class _Curve:
    """The rows of a class among all, in falling order of their probability."""

    def __init__(self, scores: Floats, is_one: NDArray[np.bool_]) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
        self.is_one = is_one[self.order]

    def at(self, weights: Floats) -> float:
        """Average precision with a weight for each row; NaN without a row of the class."""
        drawn = weights[self.order]
        hits = np.cumsum(drawn * self.is_one)[self.ends]
        taken = np.cumsum(drawn)[self.ends]
        if not hits[-1]:
            return float("nan")
        precision = np.divide(hits, taken, out=np.zeros_like(taken), where=taken > 0)
        return float(np.diff(hits, prepend=0.0) @ precision / hits[-1])


@dataclass(frozen=True)
class Area:
    """Areas under the curves of classes against the rest, put together; the unit is the row."""

    sides: list[tuple[Floats, NDArray[np.bool_]]]  # of a class its scores and its rows
    weights: Floats

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.sides[0][0])

    def value(self) -> float:
        """The area."""
        areas = [
            _below(np.sort(scores[is_one]), np.sort(scores[~is_one])).mean() / (~is_one).sum()
            for scores, is_one in self.sides
        ]
        return float(self.weights @ np.array(areas))

    def linear(self) -> Linear:
        """The area with the influence of each row."""
        effects = np.zeros(self.n)
        for weight, (scores, is_one) in zip(self.weights, self.sides, strict=True):
            ones, rest = scores[is_one], scores[~is_one]
            below = _below(ones, np.sort(rest)) / len(rest)
            above = 1 - _below(rest, np.sort(ones)) / len(ones)
            area = below.mean()
            effects[is_one] += weight * (below - area) * (self.n / len(ones))
            effects[~is_one] += weight * (above - area) * (self.n / len(rest))
        return Linear(self.value(), effects, 0.0, 1.0)

    def interval(self, seed: int) -> Interval:
        """DeLong's, the same for every seed."""
        return self.linear().interval(seed)

    def losses(self) -> Floats:
        """The area and each row's influence."""
        return self.linear().losses()


def _below(scores: Floats, ordered: Floats) -> Floats:
    """How many of the ordered are below each score, equal ones counting half.

    Sorted scores are looked up several times faster.
    """
    low = np.searchsorted(ordered, scores, side="left")
    below = low.astype(np.float64)
    tied = np.flatnonzero(ordered[np.minimum(low, len(ordered) - 1)] == scores)
    if len(tied):
        high = np.searchsorted(ordered, scores[tied], side="right")
        below[tied] = (low[tied] + high) / 2
    return below


def _against_rest(given: Floats, truth: Integers) -> list[tuple[Floats, NDArray[np.bool_]]]:
    """Each class's probabilities and its rows; of two classes the second only."""
    if given.ndim == 1:
        return [(given, truth == 1)]
    if given.shape[1] == 2:
        return [(given[:, 1], truth == 1)]
    return [(given[:, place], truth == place) for place in range(given.shape[1])]


def _weights(given: Floats, truth: Integers, average: str) -> Floats:
    if average not in AVERAGES:
        raise ChallengeError(f"average is {average!r}. Choose one of {', '.join(AVERAGES)}.")
    if given.ndim == 1 or given.shape[1] == 2:
        return np.ones(1)
    if average == "macro":
        return np.full(given.shape[1], 1 / given.shape[1])
    return np.bincount(truth, minlength=given.shape[1]) / len(truth)


def _of_truth(given: Floats, truth: Integers) -> Floats:
    """The probability of each row's true class."""
    if given.ndim == 1:
        return np.where(truth == 1, given, 1 - given)
    flat: Floats = given.ravel()[np.arange(0, given.size, given.shape[1]) + truth]
    return flat


def _fitting(predictions: Probabilities, answers: Any) -> tuple[Floats, Integers]:
    """Probabilities and classes whose shapes fit each other."""
    given, truth = np.asarray(predictions, np.float64), np.asarray(answers)
    if given.ndim not in (1, 2) or len(given) != len(truth):
        raise SubmissionError(
            f"Probabilities have shape {given.shape}. Give {len(truth)} rows of one for each class."
        )
    if truth.dtype.kind not in "iub":
        raise ChallengeError(f"True classes are {truth.dtype}. They are numbers from 0.")
    classes = 2 if given.ndim == 1 else given.shape[1]
    if truth.min() < 0 or truth.max() >= classes:
        raise ChallengeError(
            f"A true class is {truth.max() if truth.max() >= classes else truth.min()}. There are "
            f"probabilities of {classes}, from 0."
        )
    return given, truth


def _finite(predictions: Probabilities, answers: Any) -> tuple[Floats, Integers]:
    """As `_fitting`, where only the order of probabilities counts; a strange row is named."""
    given, truth = _fitting(predictions, answers)
    _check_finite(given)
    return given, truth


def _bounded(predictions: Probabilities, answers: Any) -> tuple[Floats, Integers]:
    """As `_fitting`, and every probability is one; the first strange row is named."""
    given, truth = _fitting(predictions, answers)
    _check_bounds(given)
    return given, truth


def _check_finite(given: Floats, first_row: int = 0) -> None:
    if not np.isfinite(np.vdot(given, given)):  # one pass, by which nothing strange slips
        strange = ~np.isfinite(given)
        if strange.any():
            row = int(np.argwhere(strange)[0][0])
            _refuse(first_row + row, given[row][strange[row]], "a finite number")


def _check_bounds(given: Floats) -> None:
    if not (given.min() >= 0 and given.max() <= 1):
        strange = ~((given >= 0) & (given <= 1))
        row = int(np.argwhere(strange)[0][0])
        _refuse(row, given[row][strange[row]], "a number from 0 to 1")


def _refuse(row: int, values: Floats, expected: str) -> None:
    got = str(values.flat[0])
    raise SubmissionError(
        f"Row {row + 1} has {got}. It must be {expected}.", [Detail(row + 1, None, expected, got)]
    )
