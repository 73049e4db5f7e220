"""WHERE A BOARD IS RANKED: the order, the materialised entries and what a page of them shows.

Order: score at full precision in the metric's direction, then the earlier reception of the
scoring submission, then its id. Nothing but finite scores is ever ranked.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from podium import positions
from podium.models import (
    BoardEntry,
    Competition,
    Evaluation,
    Membership,
    Submission,
    Team,
    User,
)
from podium.positions import Positions
from podium.verdicts import State

PUBLIC, PRIVATE = "public", "private"
PER_PAGE = 50

Place = tuple[float, datetime, int]  # compares as the board does: smaller is better


@dataclass(frozen=True)
class Row:
    """One line of a board; `rank` is None for baselines."""

    rank: int | None
    team: str
    team_id: int
    members: list[str]
    score: float
    low: float | None
    high: float | None
    entries: int
    last_at: datetime
    is_baseline: bool
    is_me: bool
    submission_id: int
    place: Place = field(repr=False)


@dataclass(frozen=True)
class Page:
    """A page of a board: ranked rows with the baselines that fall among them, and my own row."""

    rows: list[Row]
    mine: Row | None
    total: int  # ranked teams
    page: int
    per_page: int
    revision: int

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, math.ceil(self.total / self.per_page))


def order_key(score: float, higher_is_better: bool) -> float:
    """A number that grows from best to worst; ValueError for NaN and infinity."""
    if not math.isfinite(score):
        raise ValueError(f"A score of {score} cannot be ranked.")
    return -score if higher_is_better else score


def record(
    session: Session, submission: Submission, evaluation: Evaluation, *, higher_is_better: bool
) -> None:
    """Bring a team's entry up to date with a new evaluation, in the caller's transaction."""
    # Locks the team and then its board: entries and positions change one after the other.
    team = session.scalars(
        select(Team).where(Team.id == submission.team_id).with_for_update()
    ).one()
    session.execute(
        update(Competition)
        .where(Competition.id == submission.competition_id)
        .values(board_revision=Competition.board_revision + 1)
        .execution_options(synchronize_session=False)
    )
    entry = session.scalar(
        select(BoardEntry).where(
            BoardEntry.competition_id == submission.competition_id,
            BoardEntry.split == evaluation.split,
            BoardEntry.team_id == submission.team_id,
        )
    )
    key = order_key(evaluation.value, higher_is_better)
    is_new = entry is None
    if entry is None:
        entry = BoardEntry(
            competition_id=submission.competition_id,
            split=evaluation.split,
            team_id=team.id,
            ranked=not team.is_baseline,
            entries=0,
            last_at=submission.received_at,
        )
    entry.entries += 1
    entry.last_at = max(entry.last_at, submission.received_at)
    if not is_new and (key, submission.received_at, submission.id) >= _place(entry):
        return
    if entry.ranked and not is_new:
        positions.remove(session, entry)
    entry.submission_id = submission.id
    entry.score, entry.low, entry.high = evaluation.value, evaluation.low, evaluation.high
    entry.order_key = key
    entry.received_at = submission.received_at
    session.add(entry)
    session.flush()
    if entry.ranked:
        positions.add(session, entry)


def rebuild(
    session: Session, competition: Competition, *, metric: str, higher_is_better: bool
) -> int:
    """Make the public board anew from the evaluations; returns the number of scored submissions."""
    session.execute(
        delete(BoardEntry).where(
            BoardEntry.competition_id == competition.id, BoardEntry.split == PUBLIC
        )
    )
    positions.clear(session, competition.id, PUBLIC)
    rows = session.execute(
        select(Submission, Evaluation)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .where(
            Submission.competition_id == competition.id,
            Submission.state == State.SCORED,
            Evaluation.split == PUBLIC,
            Evaluation.metric == metric,
        )
        .order_by(Submission.id)
    ).all()
    for submission, evaluation in rows:
        record(session, submission, evaluation, higher_is_better=higher_is_better)
        session.flush()
    return len(rows)


def read(
    session: Session,
    competition: Competition,
    *,
    split: str = PUBLIC,
    page: int = 1,
    per_page: int = PER_PAGE,
    my_team_id: int | None = None,
) -> Page:
    """One page of the board; its cost does not grow with the number of teams."""
    board = positions.read(session, competition.id, split)
    page = max(1, min(page, max(1, math.ceil(board.total / per_page))))
    offset = (page - 1) * per_page
    # With the entry before the page: it tells whether a tie runs over the edge of the page.
    before = min(offset, 1)
    entries = board.slice(session, offset - before, per_page + before)
    previous, entries = (entries[0], entries[1:]) if before else (None, entries)
    ranks = _ranks(session, board, entries, offset, previous)
    is_last = offset + per_page >= board.total
    among = _among(_baselines(session, competition.id, split), previous, entries, last=is_last)
    mine = _entry_of(session, competition.id, split, my_team_id) if my_team_id else None
    listed = [*zip(entries, ranks, strict=True), *((entry, None) for entry in among)]
    listed.sort(key=lambda pair: (_place(pair[0]), pair[1] or 0))
    extra = [(mine, board.rank(session, _place(mine)[:2]) if mine.ranked else None)] if mine else []
    rows = _rows(session, [*listed, *extra], my_team_id)
    return Page(
        rows=rows[: len(listed)],
        mine=rows[-1] if mine else None,
        total=board.total,
        page=page,
        per_page=per_page,
        revision=competition.board_revision,
    )


@dataclass(frozen=True)
class Standing:
    """A score and, for a team, its rank."""

    score: float
    low: float | None
    high: float | None
    rank: int | None = None


def best_baselines(session: Session, competition_ids: Iterable[int]) -> dict[int, Standing]:
    """The best baseline of each of several competitions, where there is one."""
    found: dict[int, Standing] = {}
    entries = session.scalars(
        select(BoardEntry)
        .where(
            BoardEntry.competition_id.in_(competition_ids),
            BoardEntry.split == PUBLIC,
            BoardEntry.ranked.is_(False),
        )
        .order_by(BoardEntry.order_key)
    )
    for entry in entries:
        found.setdefault(entry.competition_id, Standing(entry.score, entry.low, entry.high))
    return found


def standings(
    session: Session, competition_ids: Iterable[int], user_id: int
) -> dict[int, Standing]:
    """A person's score and rank in each of several competitions, where there is one."""
    entries = session.scalars(
        select(BoardEntry)
        .join(Membership, Membership.team_id == BoardEntry.team_id)
        .where(
            Membership.user_id == user_id,
            BoardEntry.competition_id.in_(competition_ids),
            BoardEntry.split == PUBLIC,
        )
    )
    return {
        entry.competition_id: Standing(
            entry.score,
            entry.low,
            entry.high,
            positions.read(session, entry.competition_id, PUBLIC).rank(session, _place(entry)[:2]),
        )
        for entry in entries
    }


def _ranks(
    session: Session,
    board: Positions,
    entries: Sequence[BoardEntry],
    offset: int,
    previous: BoardEntry | None,
) -> list[int]:
    ranks: list[int] = []
    for index, entry in enumerate(entries):
        above = entries[index - 1] if index else previous
        if above is None or _place(entry)[:2] != _place(above)[:2]:
            ranks.append(offset + index + 1)
        else:
            ranks.append(ranks[-1] if index else board.rank(session, _place(entry)[:2]))
    return ranks


def _baselines(session: Session, competition_id: int, split: str) -> Sequence[BoardEntry]:
    return session.scalars(
        select(BoardEntry).where(
            BoardEntry.competition_id == competition_id,
            BoardEntry.split == split,
            BoardEntry.ranked.is_(False),
        )
    ).all()


def _entry_of(session: Session, competition_id: int, split: str, team_id: int) -> BoardEntry | None:
    return session.scalar(
        select(BoardEntry).where(
            BoardEntry.competition_id == competition_id,
            BoardEntry.split == split,
            BoardEntry.team_id == team_id,
        )
    )


def _place(entry: BoardEntry) -> Place:
    return (entry.order_key, entry.received_at, entry.submission_id)


def _among(
    baselines: Sequence[BoardEntry],
    previous: BoardEntry | None,
    entries: Sequence[BoardEntry],
    *,
    last: bool,
) -> list[BoardEntry]:
    """The baselines that fall on this page: after the page before it, up to its last row."""
    return [
        baseline
        for baseline in baselines
        if (previous is None or _place(baseline) > _place(previous))
        and (last or _place(baseline) < _place(entries[-1]))
    ]


def _rows(
    session: Session, listed: Iterable[tuple[BoardEntry, int | None]], my_team_id: int | None
) -> list[Row]:
    listed = list(listed)
    team_ids = {entry.team_id for entry, _ in listed}
    names = {
        team_id: name
        for team_id, name in session.execute(
            select(Team.id, Team.name).where(Team.id.in_(team_ids))
        )
    }
    members: dict[int, list[str]] = {team_id: [] for team_id in team_ids}
    for team_id, handle in session.execute(
        select(Membership.team_id, User.handle)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id.in_(team_ids))
        .order_by(Membership.id)
    ):
        members[team_id].append(handle)
    return [
        Row(
            rank=rank,
            team=names[entry.team_id],
            team_id=entry.team_id,
            members=members[entry.team_id],
            score=entry.score,
            low=entry.low,
            high=entry.high,
            entries=entry.entries,
            last_at=entry.last_at,
            is_baseline=not entry.ranked,
            is_me=entry.team_id == my_team_id,
            submission_id=entry.submission_id,
            place=_place(entry),
        )
        for entry, rank in listed
    ]
