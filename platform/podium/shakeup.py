"""What the reveal changed: public against private rank, who overfitted, and what is chance."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from podium import leaderboard
from podium.boardrules import PRIVATE, PUBLIC, Rules
from podium.leaderboard import Reader
from podium.models import BoardEntry, Competition, Evaluation
from podium.models.record import now

FAR = 2.0  # standard errors beyond the field's own gap: more than chance explains
Z = 1.959963984540054


@dataclass(frozen=True)
class Shift:
    """One team: its ranks and scores on both boards, and how far chance explains the way between.

    `gap` is by how much the submission that stood on the public board scored worse on the private
    part; `surprise` is that beyond the field's median, in standard errors; None where an interval
    is missing. `by_chance` says whether the public rank lies in the interval of the private one.
    """

    team: str
    is_me: bool
    public_rank: int | None
    private_rank: int
    public_score: float | None
    private_score: float
    gap: float | None
    surprise: float | None
    rank_low: int | None
    rank_high: int | None

    @property
    def climb(self) -> int | None:
        """Ranks gained by the reveal; negative: lost."""
        return None if self.public_rank is None else self.public_rank - self.private_rank

    @property
    def by_chance(self) -> bool | None:
        """Whether test rows drawn again could as well have given the public rank."""
        if self.public_rank is None or self.rank_low is None or self.rank_high is None:
            return None
        return self.rank_low <= self.public_rank <= self.rank_high

    @property
    def is_overfitted(self) -> bool:
        """Whether its score fell by more than chance and the field explain."""
        return self.surprise is not None and self.surprise > FAR


@dataclass(frozen=True)
class Shakeup:
    """All teams from the first on the private board on; the field in three numbers."""

    shifts: list[Shift]
    median_gap: float | None
    agreement: float | None  # Spearman's correlation of both ranks

    @property
    def overfitted(self) -> int:
        """How many teams fell by more than chance explains."""
        return sum(one.is_overfitted for one in self.shifts)


def read(session: Session, competition: Competition, reader: Reader) -> Shakeup:
    """Compare both boards. Whether the reader may see the private one is the caller's to know."""
    rules = Rules.of(competition, now())
    rows = _rows(session, competition, rules)
    names = leaderboard.names_of(session, competition, (one[0].team_id for one in rows), reader)
    private = _ranks([entry for entry, *_ in rows])
    standing = [entry for _, entry, _ in rows if entry is not None]
    public = dict(zip((one.team_id for one in standing), _ranks(standing), strict=True))
    gaps = [_gap(entry, other, rules) for _, entry, other in rows]
    known = [gap for gap, _ in filter(None, gaps)]
    median = statistics.median(known) if known else None
    shifts = [
        Shift(
            team=names[final.team_id][0],
            is_me=final.team_id == reader.team_id,
            public_rank=public.get(final.team_id),
            private_rank=rank,
            public_score=None if shown is None else shown.score,
            private_score=final.score,
            gap=None if gap is None else gap[0],
            surprise=_surprise(gap, median),
            rank_low=final.rank_low,
            rank_high=final.rank_high,
        )
        for (final, shown, _), rank, gap in zip(rows, private, gaps, strict=True)
    ]
    shifts.sort(key=lambda one: one.private_rank)
    return Shakeup(shifts, median, _agreement(shifts))


Row = tuple[BoardEntry, BoardEntry | None, Evaluation | None]


def _rows(session: Session, competition: Competition, rules: Rules) -> Sequence[Row]:
    """Each team's private entry, its public one, and that one's score on the private part."""
    shown = aliased(BoardEntry)
    query = (
        select(BoardEntry, shown, Evaluation)
        .outerjoin(
            shown,
            (shown.team_id == BoardEntry.team_id)
            & (shown.competition_id == BoardEntry.competition_id)
            & (shown.split == PUBLIC),
        )
        .outerjoin(
            Evaluation,
            (Evaluation.submission_id == shown.submission_id)
            & (Evaluation.split == PRIVATE)
            & (Evaluation.metric == rules.metric)
            & Evaluation.in_force,
        )
        .where(
            BoardEntry.competition_id == competition.id,
            BoardEntry.split == PRIVATE,
            BoardEntry.ranked,
        )
    )
    return [(final, entry, other) for final, entry, other in session.execute(query)]


def _ranks(entries: Sequence[BoardEntry]) -> list[int]:
    """The rank of each entry among these; equal places share one."""
    places = [(one.order_key, one.received_at) for one in entries]
    first: dict[tuple[float, object], int] = {}
    for rank, place in enumerate(sorted(places), 1):
        first.setdefault(place, rank)
    return [first[place] for place in places]


def _gap(
    shown: BoardEntry | None, other: Evaluation | None, rules: Rules
) -> tuple[float, float | None] | None:
    """How much worse the private score of the same submission is, and its standard error."""
    if shown is None or other is None:
        return None
    gap = shown.score - other.value if rules.higher_is_better else other.value - shown.score
    ends = (shown.low, shown.high, other.low, other.high)
    if None in ends:
        return gap, None
    low, high, other_low, other_high = (float(end) for end in ends if end is not None)
    return gap, math.hypot(high - low, other_high - other_low) / (2 * Z)


def _surprise(gap: tuple[float, float | None] | None, median: float | None) -> float | None:
    if gap is None or median is None or not gap[1]:
        return None
    return (gap[0] - median) / gap[1]


def _agreement(shifts: Sequence[Shift]) -> float | None:
    pairs = [(one.public_rank, one.private_rank) for one in shifts if one.public_rank is not None]
    public, private = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(set(public)) < 2 or len(set(private)) < 2:
        return None
    return statistics.correlation(public, private)
