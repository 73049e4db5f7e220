"""A board as it was at some moment, and how the scores of its teams grew."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium import boardrules, entries, leaderboard
from podium.boardrules import HIDDEN, MEAN_RANK, PUBLIC, Rules, Scored
from podium.errors import BadRequestError
from podium.leaderboard import Page, Reader
from podium.models import Competition, Submission
from podium.models.record import now
from podium.verdicts import State

MOST_SUBMISSIONS = 200_000  # that a look back goes through
TOP = 10


@dataclass(frozen=True)
class Step:
    """A moment at which a team's score on the board became this."""

    at: datetime
    score: float


@dataclass(frozen=True)
class Progress:
    """How one team's, or one baseline's, score grew."""

    team: str
    rank: int | None
    is_me: bool
    is_baseline: bool
    steps: list[Step]


def as_of(
    session: Session,
    competition: Competition,
    moment: datetime,
    *,
    page: int = 1,
    per_page: int = leaderboard.PER_PAGE,
    reader: Reader = leaderboard.NOBODY,
) -> Page:
    """The public board of what had been received by `moment`, by the scores of today.

    Reads every submission: BadRequestError where there are more than 200,000, and where ranks in
    several metrics decide. Of a hidden board nothing is told; of a frozen one, nothing after it.
    """
    if competition.order_by == MEAN_RANK:
        raise BadRequestError(
            f"{competition.slug} is ordered by ranks in several metrics, which only the board of "
            "now tells.",
            field="at",
        )
    number = session.scalar(
        select(func.count()).where(
            Submission.competition_id == competition.id, Submission.state == State.SCORED
        )
    )
    if number and number > MOST_SUBMISSIONS:
        raise BadRequestError(
            f"{competition.slug} has {number:,} submissions; boards of the past are shown up to "
            f"{MOST_SUBMISSIONS:,}.",
            field="at",
        )
    rules = replace(Rules.of(competition, now()), since=None)
    if competition.window_days is not None:
        rules = replace(rules, since=moment - timedelta(days=competition.window_days))
    if competition.names == HIDDEN and not reader.is_host:
        return Page([], None, 0, 1, per_page, competition.board_revision)
    then = (
        (team_id, [one for one in scored if one.received_at <= moment])
        for team_id, scored in entries.all_scored(session, competition, rules)
    )
    board = boardrules.ranking(then, entries.baselines(session, competition.id), PUBLIC, rules)
    names = leaderboard.names_of(session, competition, (one.team_id for one in board), reader)
    rows = [
        leaderboard.Row(
            rank=one.rank,
            team=names[one.team_id][0],
            team_id=one.team_id,
            members=names[one.team_id][1],
            score=one.chosen.marks[PUBLIC].value,
            low=one.chosen.marks[PUBLIC].low,
            high=one.chosen.marks[PUBLIC].high,
            entries=len(one.entries),
            last_at=max(each.received_at for each in one.entries),
            is_baseline=one.rank is None,
            is_me=one.team_id == reader.team_id,
            submission_id=one.chosen.id,
            place=one.place,
        )
        for one in board
    ]
    total = sum(row.rank is not None for row in rows)
    pages = max(1, -(-total // per_page))
    page = max(1, min(page, pages))
    return Page(
        rows=_slice(rows, page, per_page, is_last=page == pages),
        mine=next((row for row in rows if row.is_me), None),
        total=total,
        page=page,
        per_page=per_page,
        revision=competition.board_revision,
    )


def _slice(
    rows: list[leaderboard.Row], page: int, per_page: int, *, is_last: bool
) -> list[leaderboard.Row]:
    """The ranked rows of a page, with the baselines that stand before them."""
    ranked = [index for index, row in enumerate(rows) if not row.is_baseline]
    first, end = (page - 1) * per_page, page * per_page
    start = ranked[first - 1] + 1 if first else 0
    return rows[start:] if is_last else rows[start : ranked[end - 1] + 1]


def progress(session: Session, competition: Competition, board: Page) -> list[Progress]:
    """How the scores of a page's first ten grew, the reader's own, and its baselines'."""
    ranked = [row for row in board.rows if not row.is_baseline][:TOP]
    shown = {row.team_id: row for row in ranked}
    if board.mine is not None:
        shown.setdefault(board.mine.team_id, board.mine)
    rules = replace(Rules.of(competition, now()), since=None)
    scored = entries.scored_of(session, competition, shown, (PUBLIC,))
    grown = [
        Progress(
            team=row.team,
            rank=row.rank,
            is_me=row.is_me,
            is_baseline=False,
            steps=steps(scored.get(team_id, ()), rules),
        )
        for team_id, row in shown.items()
    ]
    flat = [
        Progress(row.team, None, False, True, [Step(row.place[1], row.score)])
        for row in board.rows
        if row.is_baseline
    ]
    return grown + flat


def steps(scored: Iterable[Scored], rules: Rules) -> list[Step]:
    """The moments at which a team's best public score rose, with the scores."""
    found: list[Step] = []
    counted = boardrules.counted(list(scored), PUBLIC, rules)
    for one in sorted(counted, key=lambda each: (each.received_at, each.id)):
        mark = one.marks[PUBLIC]
        if mark.repeats is None and (
            not found
            or boardrules.order_key(mark.value, rules.higher_is_better)
            < boardrules.order_key(found[-1].score, rules.higher_is_better)
        ):
            found.append(Step(one.received_at, mark.value))
    return found
