"""What a host allows one team: extra submissions and a later deadline, with who and why."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import limits
from podium.accounts import Caller
from podium.competitions import find, need_moment, need_right
from podium.errors import BadRequestError, NotFoundError
from podium.models import AuditEntry, Competition, Extension, Grant, Team
from podium.models.record import now

MOST_GRANTED = 1000
LONGEST_REASON = 500


def grant(
    session: Session, caller: Caller, slug: str, team_name: str, submissions: int, reason: str
) -> Team:
    """Give a team extra submissions today (a day of the competition's zone) and in all.

    Raises NoAccessError, NotFoundError, or BadRequestError for a number that is not 1 to 1000.
    """
    competition = find(session, slug)
    need_right(competition, caller, "allow")
    if not 1 <= submissions <= MOST_GRANTED:
        raise BadRequestError(
            f"Cannot grant {submissions} submissions. Grant 1 to {MOST_GRANTED}.",
            field="submissions",
        )
    team = _team(session, competition, team_name)
    day = limits.local_day(now(), competition.time_zone)
    session.add(
        Grant(
            team_id=team.id,
            day=day,
            submissions=submissions,
            reason=reason[:LONGEST_REASON],
            granted_by=caller.id,
        )
    )
    detail = {"submissions": submissions, "day": day.isoformat()}
    _audit(session, caller, "team.grant", competition, team, reason, detail)
    return team


def extend(
    session: Session, caller: Caller, slug: str, team_name: str, until: datetime, reason: str
) -> Team:
    """Give a team a deadline of its own; it counts where it is later than everybody's.

    Raises NoAccessError, NotFoundError, or BadRequestError where there is no deadline.
    """
    competition = find(session, slug)
    need_right(competition, caller, "allow")
    if competition.closes_at is None:
        raise BadRequestError(
            f"{competition.title} has no deadline, so there is nothing to extend.", field="until"
        )
    need_moment(until, "until")
    team = _team(session, competition, team_name)
    session.add(
        Extension(
            team_id=team.id, closes_at=until, reason=reason[:LONGEST_REASON], granted_by=caller.id
        )
    )
    _audit(session, caller, "team.extend", competition, team, reason, {"until": until.isoformat()})
    return team


def _team(session: Session, competition: Competition, name: str) -> Team:
    # The lock settles with `submissions.accept`, which counts under it.
    team = session.scalar(
        select(Team)
        .where(
            Team.competition_id == competition.id,
            Team.name == name,
            Team.is_baseline.is_(False),
        )
        .with_for_update()
    )
    if team is None:
        raise NotFoundError(
            f"{competition.slug} has no team {name!r}. "
            f"`podium leaderboard {competition.slug}` lists those that have a score."
        )
    return team


def _audit(
    session: Session,
    caller: Caller,
    action: str,
    competition: Competition,
    team: Team,
    reason: str,
    detail: dict[str, object],
) -> None:
    session.add(
        AuditEntry(
            user_id=caller.id,
            action=action,
            subject=f"team:{competition.slug}/{team.name}",
            reason=reason[:LONGEST_REASON],
            detail=detail,
        )
    )
