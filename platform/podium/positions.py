"""How many entries of a board stand before a place, without counting them one by one.

A board is cut into segments of at most a thousand ranked entries, each with its count: a
position is the sum of the counts before a segment and a short walk within it. Reading any page
and any rank costs the same on a board of a hundred teams and of a hundred thousand.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from podium.models import BoardEntry, BoardSegment

MOST = 1000  # entries of a segment before it is cut in two
FIRST = (float("-inf"), datetime(1, 1, 1, tzinfo=UTC))

# What orders teams; entries that are equal in both share a rank and a segment.
Place = tuple[float, datetime]


@dataclass(frozen=True)
class Positions:
    """The segments of one board at one moment, from best to worst."""

    competition_id: int
    split: str
    lows: Sequence[Place]  # the least place of each segment
    before: Sequence[int]  # ranked entries before each segment
    total: int

    def slice(self, session: Session, offset: int, count: int) -> Sequence[BoardEntry]:
        """Ranked entries from position `offset` (0 is the best) on."""
        count = min(count, self.total - offset)
        if count <= 0:
            return []
        segment = bisect_right(self.before, offset) - 1
        return session.scalars(
            select(BoardEntry)
            .where(*_ranked(self.competition_id, self.split), _at_or_after(self.lows[segment]))
            .order_by(BoardEntry.order_key, BoardEntry.received_at, BoardEntry.submission_id)
            .offset(offset - self.before[segment])
            .limit(count)
        ).all()

    def rank(self, session: Session, place: Place) -> int:
        """One more than the ranked entries that are strictly better."""
        segment = bisect_right(self.lows, place) - 1
        if segment < 0:
            return 1
        better = tuple_(BoardEntry.order_key, BoardEntry.received_at) < tuple_(*place)
        within = session.scalar(
            select(func.count()).where(
                *_ranked(self.competition_id, self.split),
                _at_or_after(self.lows[segment]),
                better,
            )
        )
        return 1 + self.before[segment] + (within or 0)


def read(session: Session, competition_id: int, split: str) -> Positions:
    """The positions of a board now."""
    rows = session.execute(
        select(BoardSegment.low_key, BoardSegment.low_received_at, BoardSegment.entries)
        .where(BoardSegment.competition_id == competition_id, BoardSegment.split == split)
        .order_by(BoardSegment.low_key, BoardSegment.low_received_at)
    ).all()
    sums = list(accumulate((entries for _, _, entries in rows), initial=0))
    return Positions(competition_id, split, [(key, at) for key, at, _ in rows], sums[:-1], sums[-1])


def add(session: Session, entry: BoardEntry, most: int = MOST) -> None:
    """Count a ranked entry at its place. The caller holds the competition's lock.

    A segment of more than `most` entries is cut in two.
    """
    segment = _segment_of(session, entry.competition_id, entry.split, _place(entry))
    if segment is None:
        segment = BoardSegment(
            competition_id=entry.competition_id,
            split=entry.split,
            low_key=FIRST[0],
            low_received_at=FIRST[1],
            entries=0,
        )
        session.add(segment)
    segment.entries += 1
    session.flush()
    if segment.entries > most:
        _cut(session, segment)


def remove(session: Session, entry: BoardEntry) -> None:
    """Forget a ranked entry at its place, before it is moved or deleted."""
    segment = _segment_of(session, entry.competition_id, entry.split, _place(entry))
    assert segment is not None
    segment.entries -= 1


def fill(
    session: Session,
    competition_id: int,
    split: str,
    places: Sequence[Place],
    most: int = MOST,
) -> None:
    """Make the segments of a board anew from its ranked places, given from best to worst."""
    session.execute(
        delete(BoardSegment).where(
            BoardSegment.competition_id == competition_id, BoardSegment.split == split
        )
    )
    cuts = [0]
    for index, place in enumerate(places):
        is_full = index - cuts[-1] >= max(1, most // 2)  # half, so that the next one is no cut
        if is_full and place != places[index - 1]:
            cuts.append(index)
    rows = [
        {
            "competition_id": competition_id,
            "split": split,
            "low_key": places[start][0] if start else FIRST[0],
            "low_received_at": places[start][1] if start else FIRST[1],
            "entries": end - start,
        }
        for start, end in zip(cuts, [*cuts[1:], len(places)], strict=True)
        if end > start
    ]
    if rows:
        session.execute(insert(BoardSegment), rows)


def _cut(session: Session, segment: BoardSegment) -> None:
    """Cut a segment in two at its middle, but never between equal places."""
    low = (segment.low_key, segment.low_received_at)
    positions = read(session, segment.competition_id, segment.split)
    at = positions.lows.index(low)
    (middle,) = positions.slice(session, positions.before[at] + segment.entries // 2, 1)
    if _place(middle) == low:
        return
    kept = positions.rank(session, _place(middle)) - 1 - positions.before[at]
    if not kept:
        return
    session.add(
        BoardSegment(
            competition_id=segment.competition_id,
            split=segment.split,
            low_key=middle.order_key,
            low_received_at=middle.received_at,
            entries=segment.entries - kept,
        )
    )
    session.execute(update(BoardSegment).where(BoardSegment.id == segment.id).values(entries=kept))


def _segment_of(
    session: Session, competition_id: int, split: str, place: Place
) -> BoardSegment | None:
    low = tuple_(BoardSegment.low_key, BoardSegment.low_received_at)
    return session.scalar(
        select(BoardSegment)
        .where(
            BoardSegment.competition_id == competition_id,
            BoardSegment.split == split,
            low <= tuple_(*place),
        )
        .order_by(BoardSegment.low_key.desc(), BoardSegment.low_received_at.desc())
        .limit(1)
    )


def _ranked(competition_id: int, split: str) -> tuple[ColumnElement[bool], ...]:
    return (
        BoardEntry.competition_id == competition_id,
        BoardEntry.split == split,
        BoardEntry.ranked.is_(True),
    )


def _at_or_after(place: Place) -> ColumnElement[bool]:
    return tuple_(BoardEntry.order_key, BoardEntry.received_at) >= tuple_(*place)


def _place(entry: BoardEntry) -> Place:
    return (entry.order_key, entry.received_at)
