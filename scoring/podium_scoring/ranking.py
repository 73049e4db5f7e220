"""Recommendation metrics: each user's ranked items against the items that were relevant.

Predictions are n lists of items, the best first: an array (n, depth), sequences of any lengths or
texts of items with blanks between them. Answers are n collections of relevant items: sets,
sequences, texts, or mappings of item to gain; `Relevance.of(answers)` prepares them for many
submissions. Users without a relevant item are left out of the means; the unit is the user.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from podium_scoring.errors import ChallengeError
from podium_scoring.relevance import Lists, Relevance
from podium_scoring.units import Floats, Linear, Sums


def ndcg(predictions: Any, answers: Any, *, k: int = 10, exponential: bool = False) -> Sums:
    """Normalised discounted cumulative gain of the first k: 0 to 1, 1 is best.

    Mean over users of Σ gain_i / log2(i + 1) over that of the best order; `exponential` takes
    2^gain - 1 for the gain. Equals trec_eval's ndcg_cut to 1e-12. Source: Järvelin and
    Kekäläinen 2002; Burges et al. 2005.
    """
    gains, truth = _gains(predictions, answers, k)
    best = truth.best(k)
    if exponential:
        gains, best = np.exp2(gains) - 1, np.exp2(best) - 1
    discount = 1 / np.log2(np.arange(2, k + 2))
    return _mean((gains @ discount)[truth.judged] / (best @ discount)[truth.judged])


def map_at_k(predictions: Any, answers: Any, *, k: int = 10, capped: bool = True) -> Sums:
    """Mean average precision of the first k: 0 to 1, 1 is best.

    Mean over users of Σ precision at each hit, over min(k, relevant items); with `capped` off,
    over all relevant items, as trec_eval's map_cut (equal to 1e-12). Source: definition; the
    capped form is usual in competitions.
    """
    gains, truth = _gains(predictions, answers, k)
    hits = gains > 0
    precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    wanted = np.minimum(truth.counts, k) if capped else truth.counts
    return _mean((precision * hits).sum(axis=1)[truth.judged] / wanted[truth.judged])


def precision_at_k(predictions: Any, answers: Any, *, k: int = 10) -> Sums:
    """Mean over users of the share of the k places that hold a relevant item: 1 is best.

    A list shorter than k counts as filled up with misses. Equals trec_eval's P to 1e-12.
    """
    gains, truth = _gains(predictions, answers, k)
    return _mean((gains > 0).sum(axis=1)[truth.judged] / k)


def recall_at_k(predictions: Any, answers: Any, *, k: int = 10) -> Sums:
    """Mean over users of the share of their relevant items among the first k: 1 is best.

    Equals trec_eval's recall to 1e-12.
    """
    gains, truth = _gains(predictions, answers, k)
    return _mean((gains > 0).sum(axis=1)[truth.judged] / truth.counts[truth.judged])


def hit_rate(predictions: Any, answers: Any, *, k: int = 10) -> Sums:
    """Share of users with a relevant item among the first k: 0 to 1, 1 is best. Exact."""
    gains, truth = _gains(predictions, answers, k)
    hits = np.any(gains > 0, axis=1)[truth.judged].astype(np.float64)
    return Sums(hits[:, None], _first_mean, is_share=True)


def mrr(predictions: Any, answers: Any, *, k: int = 0) -> Sums:
    """Mean over users of 1 / place of the first relevant item, 0 without one: 1 is best.

    Only the first k places count, all for k = 0. Equals trec_eval's recip_rank to 1e-12.
    """
    gains, truth = _gains(predictions, answers, k)
    hits = gains > 0
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1.0), 0.0)
    return _mean(first[truth.judged])


def coverage(predictions: Any, answers: Any, *, k: int = 10, catalogue: int = 0) -> Linear:
    """Share of the catalogue that is in somebody's first k: 0 to 1, 1 is best.

    `catalogue` is the number of items there are; 0 takes the distinct items of the answers, and
    then only those count. The interval is the jackknife's over users, as a resample would lose
    the items that only one user was shown. Exact. Source: Ge et al. 2010.
    """
    truth = Relevance.of(answers)
    lists = Lists.of(predictions, truth, k)
    size = catalogue or len(truth.known)
    counted = lists.real if catalogue else lists.real & np.isin(lists.items, truth.known)
    items, inverse, times = np.unique(lists.items[counted], return_inverse=True, return_counts=True)
    if len(items) > size:
        raise ChallengeError(
            f"The lists hold {len(items)} items, the catalogue has {size}. Correct `catalogue`."
        )
    users = np.nonzero(counted)[0]
    lost = np.bincount(users[times[inverse] == 1], minlength=len(truth)) / size
    return Linear(len(items) / size, (len(truth) - 1) * lost, 0.0, 1.0)


def novelty(
    predictions: Any,
    answers: Any,
    *,
    k: int = 10,
    popularity: Mapping[Any, float] | None = None,
) -> Sums:
    """Mean self-information of the first k in bits, -log2 of an item's popularity; more is newer.

    An item's popularity is the share of users who had it: `popularity` maps items to shares, or
    else the answers tell; an item that nobody had takes the least share. Users with an empty list
    count 0. Computed to 1e-12. Source: Zhou et al. 2010.
    """
    truth = Relevance.of(answers)
    lists = Lists.of(predictions, truth, k)
    shares = truth.popularity() if popularity is None else popularity
    if not shares or not all(0 < share <= 1 for share in shares.values()):
        raise ChallengeError("`popularity` must map items to shares above 0 and at most 1.")
    least = min(shares.values())
    items, place = np.unique(lists.items[lists.real], return_inverse=True)
    bits = -np.log2(np.array([shares.get(item, least) for item in items.tolist()]))
    users = np.nonzero(lists.real)[0]
    sums = np.bincount(users, bits[place], minlength=len(truth))
    return _mean(sums / np.maximum(lists.real.sum(axis=1), 1))


def _gains(predictions: Any, answers: Any, k: int) -> tuple[Floats, Relevance]:
    """Gains of the items in their places (users, k)."""
    truth = Relevance.of(answers)
    gains = truth.gain(Lists.of(predictions, truth, k).codes)
    missing = k - gains.shape[1]
    return (np.pad(gains, ((0, 0), (0, missing))) if missing > 0 else gains), truth


def _mean(values: Floats) -> Sums:
    return Sums(values[:, None], _first_mean)


def _first_mean(sums: Floats, n: int) -> Floats:
    return sums[..., 0] / n
