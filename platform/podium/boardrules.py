"""What a board counts, in which order, since when and under which names: a competition's choices.

Plain values in, plain values out. `podium.entries` applies the rules to evaluations.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from podium.models import Challenge, Competition
from podium_scoring.grading import Choice

PUBLIC, PRIVATE = "public", "private"
SPLITS = (PUBLIC, PRIVATE)
NAMED, PSEUDONYMOUS, HIDDEN = "named", "pseudonymous", "hidden"
NAMES = {
    NAMED: "everybody sees the teams' names",
    PSEUDONYMOUS: "others see made-up names; hosts and the team itself the real one",
    HIDDEN: "only hosts see the board; a team sees its own score",
}
FIRST, MEAN_RANK = "first", "mean_rank"
ORDERS = {
    FIRST: "the first metric decides",
    MEAN_RANK: "the mean of a team's ranks in all metrics decides",
}
NONE, LADDER = "none", "ladder"
ANTI_OVERFIT = {
    NONE: "every public score is shown as it is",
    LADDER: "a public score is shown if it is better than the team's best by more than chance",
}

Place = tuple[float, datetime, int]  # compares as the board does: smaller is better


@dataclass(frozen=True)
class Rules:
    """How entries are chosen and ordered, at one moment.

    `others` are the metrics beside the first, each with whether higher is better. What was
    received before `since` (the window) or from `frozen_at` on (the freeze) is not on the public
    board.
    """

    metric: str
    higher_is_better: bool
    others: tuple[tuple[str, bool], ...] = ()
    finals: int = 2
    order_by: str = FIRST
    since: datetime | None = None
    frozen_at: datetime | None = None

    @classmethod
    def of(
        cls, competition: Competition, moment: datetime, challenge: Challenge | None = None
    ) -> Self:
        """The rules of a competition at `moment`, with another challenge's metric if given."""
        said = (challenge or competition.challenge).spec["metric"]
        first, *others = [Choice.of(said), *map(Choice.of, said.get("also") or ())]
        days = competition.window_days
        return cls(
            metric=first.name,
            higher_is_better=first.record.higher_is_better,
            others=tuple((one.name, one.record.higher_is_better) for one in others),
            finals=competition.finals,
            order_by=competition.order_by,
            since=None if days is None else moment - timedelta(days=days),
            frozen_at=None if competition.revealed_at else competition.freezes_at,
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A score on one split; `repeats` is the earlier one that the Ladder shows instead."""

    value: float
    low: float | None = None
    high: float | None = None
    repeats: float | None = None

    @property
    def shown(self) -> float:
        """What its team is told."""
        return self.value if self.repeats is None else self.repeats


@dataclass(frozen=True, slots=True)
class Scored:
    """A scored submission as the rules look at it."""

    id: int
    received_at: datetime
    selected: bool
    marks: dict[str, Mark]  # by split


def order_key(score: float, higher_is_better: bool) -> float:
    """A number that grows from best to worst; ValueError for NaN and infinity."""
    if not math.isfinite(score):
        raise ValueError(f"A score of {score} cannot be ranked.")
    return -score if higher_is_better else score


def counted(scored: Iterable[Scored], split: str, rules: Rules) -> list[Scored]:
    """The submissions that are entries of this board: scored on its split, in its time."""
    return [
        one
        for one in scored
        if split in one.marks
        and (rules.since is None or one.received_at >= rules.since)
        and (split == PRIVATE or rules.frozen_at is None or one.received_at < rules.frozen_at)
    ]


def best(entries: Sequence[Scored], split: str, rules: Rules) -> Scored | None:
    """The entry that stands for its team, of those that are `counted`.

    On the public board the best that is shown; on the private one the best of the finals.
    """
    if split == PRIVATE:
        entries = finals(entries, rules)
    else:
        entries = [one for one in entries if one.marks[PUBLIC].repeats is None]
    return min(
        entries,
        key=lambda one: _place(one.marks[split].value, one, rules),
        default=None,
    )


def finals(scored: Sequence[Scored], rules: Rules) -> list[Scored]:
    """What counts in the end: the selected ones, or if none is, those best on public."""
    chosen = [one for one in scored if one.selected] or list(scored)
    shown = [one for one in chosen if PUBLIC in one.marks]
    ordered = sorted(shown, key=lambda one: _place(one.marks[PUBLIC].shown, one, rules))
    # Of a split that has no public part nothing is known beforehand: the earliest count.
    rest = sorted((one for one in chosen if PUBLIC not in one.marks), key=lambda one: one.id)
    return [*ordered, *rest][: rules.finals]


def _place(score: float, one: Scored, rules: Rules) -> Place:
    return (order_key(score, rules.higher_is_better), one.received_at, one.id)


@dataclass(frozen=True, slots=True)
class Placed:
    """A team's place in a ranking made at once; `rank` is None for baselines."""

    team_id: int
    rank: int | None
    place: Place
    chosen: Scored
    entries: Sequence[Scored]


def ranking(
    scored: Iterable[tuple[int, Sequence[Scored]]], baselines: Set[int], split: str, rules: Rules
) -> list[Placed]:
    """A whole board by the first metric, from what each team has; equal places share a rank."""
    found = []
    for team_id, all_ in scored:
        entries = counted(all_, split, rules)
        chosen = best(entries, split, rules)
        if chosen is not None:
            place = _place(chosen.marks[split].value, chosen, rules)
            found.append((place, team_id, chosen, entries))
    found.sort(key=lambda one: one[:2])
    board: list[Placed] = []
    total, rank, last = 0, 0, None
    for place, team_id, chosen, entries in found:
        is_ranked = team_id not in baselines
        if is_ranked:
            total += 1
            if place[:2] != last:
                rank, last = total, place[:2]
        board.append(Placed(team_id, rank if is_ranked else None, place, chosen, entries))
    return board


def mean_ranks(columns: Sequence[Sequence[float | None]]) -> list[float]:
    """The mean over the columns of each row's rank among the rows, the least key first.

    Equal keys share a rank; a row without a key comes after all that have one.

    >>> mean_ranks([[1.0, 2.0, 2.0], [5.0, None, 4.0]])
    [1.5, 2.5, 1.5]
    """
    sums = [0.0] * len(columns[0])
    for column in columns:
        keys = [math.inf if key is None else key for key in column]
        first: dict[float, int] = {}
        for rank, key in enumerate(sorted(keys), 1):
            first.setdefault(key, rank)
        for row, key in enumerate(keys):
            sums[row] += first[key]
    return [total / len(columns) for total in sums]


ADJECTIVES = (
    *("amber", "bold", "brisk", "calm", "clear", "clever", "coral", "crisp", "deep", "distant"),
    *("early", "even", "fair", "fleet", "gentle", "golden", "hidden", "keen", "late", "light"),
    *(
        "merry",
        "narrow",
        "noble",
        "patient",
        "plain",
        "quiet",
        "rapid",
        "silver",
        "steady",
        "sunny",
    ),
    *("tidy", "wide"),
)
ANIMALS = (
    *("badger", "beaver", "bison", "crane", "curlew", "dolphin", "eagle", "falcon", "ferret"),
    *("finch", "fox", "gecko", "heron", "ibex", "jackdaw", "kestrel", "lark", "lynx", "marten"),
    *("newt", "osprey", "otter", "owl", "panda", "petrel", "plover", "raven", "seal", "stork"),
    *("tapir", "tern", "wren"),
)


def pseudonym(secret: int, team_id: int) -> str:
    """A made-up name that stays with a team and tells nothing about it.

    >>> pseudonym(1, 7) == pseudonym(1, 7) != pseudonym(2, 7)
    True
    """
    digest = hashlib.sha256(f"{secret}:{team_id}".encode()).digest()
    number = int.from_bytes(digest[2:6]) % 1000
    return f"{ADJECTIVES[digest[0] % 32]} {ANIMALS[digest[1] % 32]} {number:03}"
