"""Disqualification: by hand, with a reason, to be lifted again; all of it in the audit log."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import entries
from podium.accounts import Caller
from podium.competitions import audit, find, need_right
from podium.errors import BadRequestError, ConflictError, NotFoundError
from podium.models import Competition, Submission, Team

LONGEST_REASON = 500


def disqualify_team(session: Session, caller: Caller, slug: str, name: str, reason: str) -> Team:
    """Take all of a team off the boards; its members read the reason.

    Raises NoAccessError, NotFoundError, BadRequestError without a reason, ConflictError if it is
    disqualified already.
    """
    competition, team = _team(session, caller, slug, name)
    reason = _need_reason(reason)
    if team.disqualified:
        raise ConflictError(f"{name} is disqualified already: {team.disqualified}")
    team.disqualified = reason
    _done(session, caller, competition, team, "team.disqualify", reason)
    return team


def reinstate_team(session: Session, caller: Caller, slug: str, name: str, reason: str) -> Team:
    """Undo that: the team is back where its submissions put it."""
    competition, team = _team(session, caller, slug, name)
    if not team.disqualified:
        raise ConflictError(f"{name} is not disqualified.")
    team.disqualified = ""
    _done(session, caller, competition, team, "team.reinstate", reason)
    return team


def disqualify_submission(
    session: Session, caller: Caller, submission_id: int, reason: str
) -> Submission:
    """Let one submission count for nothing; its team falls back on its others."""
    competition, team, submission = _submission(session, caller, submission_id)
    reason = _need_reason(reason)
    if submission.disqualified:
        raise ConflictError(
            f"Submission {submission_id} is disqualified already: {submission.disqualified}"
        )
    submission.disqualified = reason
    _done(session, caller, competition, team, "submission.disqualify", reason, submission_id)
    return submission


def reinstate_submission(
    session: Session, caller: Caller, submission_id: int, reason: str
) -> Submission:
    """Undo that."""
    competition, team, submission = _submission(session, caller, submission_id)
    if not submission.disqualified:
        raise ConflictError(f"Submission {submission_id} is not disqualified.")
    submission.disqualified = ""
    _done(session, caller, competition, team, "submission.reinstate", reason, submission_id)
    return submission


def _team(session: Session, caller: Caller, slug: str, name: str) -> tuple[Competition, Team]:
    competition = find(session, slug)
    need_right(competition, caller, "judge")
    team_id = session.scalar(
        select(Team.id).where(
            Team.competition_id == competition.id,
            Team.name == name,
            Team.is_baseline.is_(False),
            Team.merged_into_id.is_(None),
        )
    )
    if team_id is None:
        raise NotFoundError(f"{slug} has no team {name!r}.")
    (team,) = entries.hold(session, team_id)
    return competition, team


def _submission(
    session: Session, caller: Caller, submission_id: int
) -> tuple[Competition, Team, Submission]:
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NotFoundError(f"There is no submission {submission_id}.")
    need_right(submission.competition, caller, "judge")
    team = entries.hold_of(session, submission_id)
    session.refresh(submission)
    return submission.competition, team, submission


def _need_reason(reason: str) -> str:
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise BadRequestError("Say why: the team reads it.", field="reason")
    return reason


def _done(
    session: Session,
    caller: Caller,
    competition: Competition,
    team: Team,
    action: str,
    reason: str,
    submission_id: int | None = None,
) -> None:
    entries.refresh(session, competition, [team.id])
    audit(session, caller, action, competition, reason, team=team.name, submission=submission_id)
