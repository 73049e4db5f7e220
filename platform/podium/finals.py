"""Finals: the submissions of a team that decide its private rank, and what counts without any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium import boardrules, deadlines, entries
from podium.accounts import Caller
from podium.boardrules import Rules
from podium.competitions import need_team
from podium.errors import BadRequestError, ClosedError, ConflictError, LimitError
from podium.models import Competition, Submission, Team
from podium.models.record import now
from podium.verdicts import OPEN, State


@dataclass(frozen=True)
class Finals:
    """What a team has selected and what would count if it ended now, by the ids."""

    most: int
    selected: list[int]
    counting: list[int]
    closes_at: datetime | None
    is_open: bool


def of_team(session: Session, competition: Competition, team: Team) -> Finals:
    """The finals of a team."""
    moment = now()
    closes_at = _closes_at(session, competition, team)
    selected = session.scalars(
        select(Submission.id)
        .where(Submission.team_id == team.id, Submission.selected)
        .order_by(Submission.id)
    ).all()
    rules = Rules.of(competition, moment)
    scored = entries.scored_of(session, competition, [team.id]).get(team.id, [])
    counted = boardrules.counted(scored, boardrules.PRIVATE, rules)
    counting = [one.id for one in boardrules.finals(counted, rules)]
    is_open = competition.revealed_at is None and (closes_at is None or moment <= closes_at)
    return Finals(competition.finals, list(selected), counting, closes_at, is_open)


def choose(
    session: Session, competition: Competition, caller: Caller, wanted: Sequence[int]
) -> Finals:
    """Let exactly these submissions be the finals of the caller's team; none is a choice too.

    Raises LimitError for more than may be, BadRequestError for what is not the team's or can
    have no score, ClosedError after the team's deadline.
    """
    team = _need_open(session, competition, caller)
    chosen = sorted(set(wanted))
    if len(chosen) > competition.finals:
        raise LimitError(
            f"You selected {len(chosen)} submissions. {competition.finals} may be final.",
            limited_by="finals",
        )
    for submission_id in chosen:
        _need_selectable(session, team, submission_id)
    return _write(session, competition, team, chosen)


def select_one(
    session: Session, caller: Caller, submission: Submission, *, selected: bool
) -> Finals:
    """Add a submission to the finals of its team, or take it out."""
    competition = submission.competition
    team = _need_open(session, competition, caller)
    if submission.team_id != team.id:
        raise ConflictError("Only members of its team select a submission.")
    query = select(Submission.id).where(Submission.team_id == team.id, Submission.selected)
    chosen = set(session.scalars(query))
    if not selected:
        return _write(session, competition, team, sorted(chosen - {submission.id}))
    if submission.id not in chosen and len(chosen) >= competition.finals:
        named = " and ".join(map(str, sorted(chosen)))
        raise LimitError(
            f"{named} {'are' if len(chosen) > 1 else 'is'} selected, as many as may be "
            f"({competition.finals}). Take one out first.",
            limited_by="finals",
        )
    _need_selectable(session, team, submission.id)
    return _write(session, competition, team, sorted(chosen | {submission.id}))


def _need_open(session: Session, competition: Competition, caller: Caller) -> Team:
    caller.need("submit")
    team = need_team(session, competition, caller)
    entries.hold(session, team.id)
    if need_team(session, competition, caller).id != team.id:
        raise ConflictError("Your team has just become part of another. Look again.")
    closes_at = _closes_at(session, competition, team)
    if competition.revealed_at or (closes_at is not None and now() > closes_at):
        until = closes_at or competition.revealed_at
        raise ClosedError(
            f"Finals of {competition.title} could be selected until {until:%Y-%m-%d %H:%M} UTC."
        )
    return team


def _need_selectable(session: Session, team: Team, submission_id: int) -> None:
    state = session.scalar(
        select(Submission.state).where(
            Submission.id == submission_id, Submission.team_id == team.id
        )
    )
    if state is None:
        raise BadRequestError(
            f"There is no submission {submission_id} of your team.", field="submissions"
        )
    if state != State.SCORED and state not in OPEN:
        raise BadRequestError(
            f"Submission {submission_id} ended as {state}: it has no score to count.",
            field="submissions",
        )


def _write(session: Session, competition: Competition, team: Team, chosen: Sequence[int]) -> Finals:
    own = update(Submission).where(Submission.team_id == team.id)
    quick = {"synchronize_session": False}
    session.execute(
        own.where(Submission.selected, Submission.id.not_in(chosen)).values(selected=False),
        execution_options=quick,
    )
    session.execute(
        own.where(Submission.id.in_(chosen)).values(selected=True), execution_options=quick
    )
    entries.refresh(session, competition, [team.id])
    return of_team(session, competition, team)


def _closes_at(session: Session, competition: Competition, team: Team) -> datetime | None:
    """The deadline of this team."""
    if competition.closes_at is None:
        return None
    return deadlines.accepted_until(competition, deadlines.of_team(session, competition, team.id))
