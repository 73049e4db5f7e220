"""How sure an order is: rank intervals and groups of a board, from the teams' stored losses.

Every team is measured on the same units, so that one resample of the units serves all teams and
what is hard for everybody cancels out. The order itself stays what the scores say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError
from podium_scoring.units import LEVEL, RESAMPLES, Floats, Integers, weight_blocks

SURE = 0.95  # of resamples in which a team is better: separated


@dataclass(frozen=True)
class Standings:
    """Ranks of teams in the order in which they were given.

    `low` and `high` are the 95 % interval of the rank. Teams of one `group` are not separable
    from its first: groups count from 1, and group 1 is tied with the leader.
    """

    scores: Floats
    rank: Integers
    low: Integers
    high: Integers
    group: Integers

    @property
    def tied_with_leader(self) -> NDArray[np.bool_]:
        """Teams that are not separable from the first."""
        tied: NDArray[np.bool_] = self.group == 1
        return tied


def standings(
    losses: Sequence[Any] | Floats, *, higher_is_better: bool, seed: int = 0
) -> Standings:
    """Ranks with intervals and groups of teams, from `Units.losses` (n,) of each.

    S* = W Lᵀ / n for 1,000 resamples W ~ Multinomial(n, 1/n), the same for all teams; a rank's
    interval are the 2.5 % and 97.5 % quantiles of its resampled ranks, and A is separated from B
    if it is better in 95 % of the resamples. Equal scores share a rank. ChallengeError unless the
    teams have finite numbers of the same units.
    """
    lengths = {len(one) for one in losses}
    if len(lengths) != 1 or lengths == {0}:
        raise ChallengeError(f"The teams have losses of {sorted(lengths)} units. Give as many.")
    table: Floats = np.array(losses, np.float64)
    if not np.isfinite(table).all():
        raise ChallengeError("A loss is no finite number. Leave teams without a score out.")
    sign = -1.0 if higher_is_better else 1.0
    n = table.shape[1]
    scores = table.mean(axis=1)
    table -= table.mean()  # what all have in common costs digits
    draws = [weights @ table.T for weights in weight_blocks(seed, n, RESAMPLES)]
    drawn = sign * np.concatenate(draws) / n  # (resamples, teams), the lower the better
    ranks = _ranks(drawn)
    tail = (1 - LEVEL) / 2
    return Standings(
        scores,
        _ranks(sign * scores[None])[0],
        np.quantile(ranks, tail, axis=0, method="lower").astype(np.int64),
        np.quantile(ranks, 1 - tail, axis=0, method="higher").astype(np.int64),
        _groups(sign * scores, drawn),
    )


def _ranks(values: Floats) -> Integers:
    """Rank of each value in its row, the lowest first; equal ones share the first rank."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape).copy()
    place[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    ranks = np.empty_like(place)
    np.put_along_axis(ranks, order, np.maximum.accumulate(place, axis=1) + 1, axis=1)
    return ranks


def _groups(scores: Floats, drawn: Floats) -> Integers:
    """Down the order, a team opens a group when the group's first is better in 95 % of draws."""
    group = np.zeros(len(scores), np.int64)
    order = np.argsort(scores, kind="stable")
    number, first = 0, -1
    separated = np.ones(len(scores), np.bool_)
    for team in order.tolist():
        if separated[team]:
            number, first = number + 1, team
            separated = (drawn[:, [first]] < drawn).mean(axis=0) >= SURE
        group[team] = number
    return group
