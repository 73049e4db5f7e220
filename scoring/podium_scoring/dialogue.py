"""Dialogue metrics: choosing the reply among candidates, and the variety of generated replies.

For the choice, predictions are scores (n contexts, m candidates) and answers the places of the
true replies, from 0. Equal scores share their places: the value is the mean over all orders of
the tied, so that a constant score earns chance and nothing more.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring import ranking
from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.relevance import Relevance
from podium_scoring.units import Floats, Linear, Sums


def recall_at_k(predictions: Any, answers: Any, *, k: int = 1) -> Sums:
    """Share of contexts whose true reply is among the k best candidates: 0 to 1, 1 is best.

    For lists of items with sets of relevant ones it is the recommender's recall. Exact but for
    rounding (1e-12). Source: Lowe et al. 2015.
    """
    if not _is_choice(answers):
        return ranking.recall_at_k(predictions, answers, k=k)
    above, tied = _places(predictions, answers)
    if k < 1:
        raise ChallengeError(f"k is {k!r}. It counts the candidates that may be named: 1 or more.")
    recall = np.clip((k - above) / tied, 0.0, 1.0)
    sure = bool(np.isin(recall, (0.0, 1.0)).all())
    return Sums(recall[:, None], lambda sums, n: sums[..., 0] / n, is_share=sure)


def mrr(predictions: Any, answers: Any, *, k: int = 0) -> Sums:
    """Mean of 1 / place of the true reply: up to 1, the best; the k best count, all for k = 0.

    For lists of items with sets of relevant ones, 1 / place of the first relevant item. Computed
    to 1e-12. Source: Voorhees 1999.
    """
    if not _is_choice(answers):
        return ranking.mrr(predictions, answers, k=k)
    above, tied = _places(predictions, answers)
    most = np.shape(predictions)[1]
    place = np.arange(1, most + 1)
    worth = np.where(place <= (k or most), 1 / place, 0.0)
    total = np.concatenate([[0.0], np.cumsum(worth)])  # of the first places
    reciprocal = (total[above + tied] - total[above]) / tied
    return Sums(reciprocal[:, None], lambda sums, n: sums[..., 0] / n)


def distinct_n(predictions: Sequence[str], answers: Any = None, *, n: int = 2) -> Linear:
    """Different n-grams of all replies together over all their n-grams: 0 to 1, more is richer.

    Words are parted by blanks, in lower case; replies without an n-gram are legal, and if none
    has one the value is 0. The answers play no part. The interval is the jackknife's over replies,
    as a resample repeats replies. Exact. Source: Li et al. 2016.
    """
    if n < 1:
        raise ChallengeError(f"n is {n!r}. It is the length of the n-grams: 1 or more.")
    for place, reply in enumerate(predictions, start=1):
        if not isinstance(reply, str):
            raise SubmissionError(f"Reply {place} is {reply!r}. Every reply must be a text.")
    grams = [_grams(reply.lower().split(), n) for reply in predictions]
    replies_with = Counter(gram for one in grams for gram in one)
    kinds = len(replies_with)
    totals = np.array([sum(one.values()) for one in grams], np.float64)
    own = np.array([sum(replies_with[gram] == 1 for gram in one) for one in grams], np.float64)
    total = float(totals.sum())
    value = kinds / total if total else 0.0
    rest = total - totals
    without = np.divide(kinds - own, rest, out=np.full(len(rest), value), where=rest > 0)
    return Linear(value, (len(grams) - 1) * (value - without), 0.0, 1.0)


def _grams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _is_choice(answers: Any) -> bool:
    """Whether the answers are places of true replies, one number each."""
    return (
        not isinstance(answers, Relevance)
        and len(answers) > 0
        and isinstance(answers[0], int | np.integer)
    )


def _places(
    predictions: Any, answers: Sequence[int] | NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many candidates score above the true reply, and how many as much, itself included."""
    try:
        scores: Floats = np.asarray(predictions, np.float64)
    except (TypeError, ValueError) as error:
        raise SubmissionError(f"The scores are no table of numbers: {error}.") from error
    truth = np.asarray(answers)
    if scores.ndim != 2 or len(scores) != len(truth):
        raise SubmissionError(
            f"The scores have shape {scores.shape}. Give one row for each of the {len(truth)} "
            "contexts and one column for each candidate."
        )
    strange = ~np.isfinite(scores)
    if strange.any():
        row, column = np.argwhere(strange)[0]
        raise SubmissionError(
            f"Row {row + 1} has {scores[row, column]} for candidate {column + 1}. "
            "Give every candidate a finite score."
        )
    if truth.min() < 0:
        raise ChallengeError(f"An answer is {int(truth.min())}. Candidates count from 0.")
    if truth.max() >= scores.shape[1]:
        raise SubmissionError(
            f"There are {scores.shape[1]} candidates in a row. The answers name candidate "
            f"{truth.max() + 1}. Score all of them."
        )
    true = scores[np.arange(len(scores)), truth][:, None]
    return (scores > true).sum(axis=1), (scores == true).sum(axis=1)
