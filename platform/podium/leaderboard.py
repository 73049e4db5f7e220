"""WHERE A BOARD IS RANKED: the order of the materialised entries, and what a page of them shows.

Order: score at full precision in the metric's direction (or the mean of ranks, where a
competition says so), then the earlier reception of the scoring submission, then its id. What
stands for a team is chosen in `boardrules` and kept in `entries`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from podium import boardrules, medals, positions
from podium.boardrules import HIDDEN, NAMED, PRIVATE, PUBLIC, Place
from podium.models import BoardEntry, Competition, Membership, Team, User
from podium.positions import Positions

PER_PAGE = 50


@dataclass(frozen=True)
class Row:
    """One line of a board; `rank` is None for baselines, and where the board is hidden.

    `rank_low` to `rank_high` is the 95 % interval of the rank, `tie_group` 1 what is not separable
    from the first; None where not computed. `change` is how many ranks it rose since the day
    began. `others` are the scores of the other metrics.
    """

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
    others: Mapping[str, float] = field(default_factory=dict)
    change: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    tie_group: int | None = None
    medal: str = ""  # gold, silver or bronze, on a final board that counts for a season

    @property
    def tied_with_leader(self) -> bool | None:
        """Whether it is not separable from the first; None where not computed."""
        return None if self.tie_group is None else self.tie_group == 1


@dataclass(frozen=True)
class Reader:
    """Who looks at a board: a team's member or nobody's, and whether every name may be seen."""

    team_id: int | None = None
    is_host: bool = False


NOBODY = Reader()


def tag(competition: Competition, reader: Reader, *asked: object) -> str:
    """What decides all that a reader sees of a board: equal tags, equal content."""
    parts = (competition.id, competition.board_revision, reader.team_id or 0, int(reader.is_host))
    return "-".join(str(part).replace(" ", "") for part in (*parts, *asked))


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


def read(
    session: Session,
    competition: Competition,
    *,
    split: str = PUBLIC,
    page: int = 1,
    per_page: int = PER_PAGE,
    reader: Reader = NOBODY,
) -> Page:
    """One page of the board; its cost does not grow with the number of teams.

    Of a hidden board all but hosts see their own row only, without its rank. Whether the reader
    may see the split is the caller's to know.
    """
    mine = _entry_of(session, competition.id, split, reader.team_id)
    if competition.names == HIDDEN and not reader.is_host:
        own = _rows(session, competition, [(mine, None)] if mine else [], reader)
        return Page([], own[0] if own else None, 0, 1, per_page, competition.board_revision)
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
    listed = [*zip(entries, ranks, strict=True), *((entry, None) for entry in among)]
    listed.sort(key=lambda pair: (_place(pair[0]), pair[1] or 0))
    extra = [(mine, board.rank(session, _place(mine)[:2]) if mine.ranked else None)] if mine else []
    rows = _rows(session, competition, [*listed, *extra], reader, board.total)
    return Page(
        rows=rows[: len(listed)],
        mine=rows[-1] if mine else None,
        total=board.total,
        page=page,
        per_page=per_page,
        revision=competition.board_revision,
    )


def find(
    session: Session, competition: Competition, split: str, text: str, reader: Reader, most: int
) -> list[Row]:
    """The ranked rows whose team's name has this text, from best to worst.

    Where names are made up, only those that the reader sees are searched.
    """
    if competition.names != NAMED and not reader.is_host:
        return []
    entries = session.scalars(
        select(BoardEntry)
        .join(Team, Team.id == BoardEntry.team_id)
        .where(
            BoardEntry.competition_id == competition.id,
            BoardEntry.split == split,
            BoardEntry.ranked,
            Team.name.icontains(text, autoescape=True),
        )
        .order_by(BoardEntry.order_key, BoardEntry.received_at, BoardEntry.submission_id)
        .limit(most)
    ).all()
    board = positions.read(session, competition.id, split)
    ranked = [(entry, board.rank(session, _place(entry)[:2])) for entry in entries]
    return _rows(session, competition, ranked, reader, board.total)


def rank_of(session: Session, competition_id: int, split: str, team_id: int) -> int | None:
    """A team's rank; None if it has none."""
    entry = _entry_of(session, competition_id, split, team_id)
    if entry is None or not entry.ranked:
        return None
    return positions.read(session, competition_id, split).rank(session, _place(entry)[:2])


def ranked_teams(session: Session, competition_id: int, split: str) -> int:
    """How many teams have a rank."""
    return positions.read(session, competition_id, split).total


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
        .join(Competition, Competition.id == BoardEntry.competition_id)
        .where(
            BoardEntry.competition_id.in_(competition_ids),
            _counts_now(),
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
    """A person's score and rank in each of several competitions, where there is one.

    Where the board is hidden, the score without the rank.
    """
    rows = session.execute(
        select(BoardEntry, Competition.names)
        .join(Competition, Competition.id == BoardEntry.competition_id)
        .join(Membership, Membership.team_id == BoardEntry.team_id)
        .where(
            Membership.user_id == user_id,
            BoardEntry.competition_id.in_(competition_ids),
            _counts_now(),
        )
    ).all()
    found = {}
    for entry, names in rows:
        rank = None
        if names != HIDDEN:
            board = positions.read(session, entry.competition_id, entry.split)
            rank = board.rank(session, _place(entry)[:2])
        found[entry.competition_id] = Standing(entry.score, entry.low, entry.high, rank)
    return found


def _counts_now() -> ColumnElement[bool]:
    """The board that counts: the public one, after the reveal the private one."""
    split = case((Competition.revealed_at.is_(None), PUBLIC), else_=PRIVATE)
    return BoardEntry.split == split


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


def _entry_of(
    session: Session, competition_id: int, split: str, team_id: int | None
) -> BoardEntry | None:
    if team_id is None:
        return None
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


def names_of(
    session: Session, competition: Competition, team_ids: Iterable[int], reader: Reader
) -> dict[int, tuple[str, list[str]]]:
    """What a reader calls each of some teams, and their members where they may be known."""
    wanted = set(team_ids)
    seen = wanted
    if competition.names != NAMED and not reader.is_host:
        seen = wanted & {reader.team_id}
    names: dict[int, tuple[str, list[str]]] = {}
    for team_id, name, is_baseline in session.execute(
        select(Team.id, Team.name, Team.is_baseline).where(Team.id.in_(wanted))
    ):
        if is_baseline or team_id in seen:
            names[team_id] = (name, [])
        else:
            names[team_id] = (boardrules.pseudonym(competition.challenge.seed, team_id), [])
    for team_id, handle in session.execute(
        select(Membership.team_id, User.handle)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id.in_(seen))
        .order_by(Membership.id)
    ):
        names[team_id][1].append(handle)
    return names


def _rows(
    session: Session,
    competition: Competition,
    listed: Sequence[tuple[BoardEntry, int | None]],
    reader: Reader,
    teams: int = 0,
) -> list[Row]:
    names = names_of(session, competition, (entry.team_id for entry, _ in listed), reader)
    return [
        Row(
            rank=rank,
            team=names[entry.team_id][0],
            team_id=entry.team_id,
            members=names[entry.team_id][1],
            score=entry.score,
            low=entry.low,
            high=entry.high,
            entries=entry.entries,
            last_at=entry.last_at,
            is_baseline=not entry.ranked,
            is_me=entry.team_id == reader.team_id,
            submission_id=entry.submission_id,
            place=_place(entry),
            others=entry.others,
            change=entry.rank_before - rank if rank and entry.rank_before else None,
            rank_low=entry.rank_low if rank else None,
            rank_high=entry.rank_high if rank else None,
            tie_group=entry.tie_group if rank else None,
            medal=medals.on_board(competition, entry.split, rank, teams),
        )
        for entry, rank in listed
    ]
