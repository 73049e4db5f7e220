"""What a host allows: extra submissions and a later deadline, with who and why.

To a team, a student, or a section of the course; how they go together is in `deadlines`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from podium import deadlines, limits
from podium.accounts import Caller, find_user
from podium.competitions import find, need_moment, need_right, team_of
from podium.errors import BadRequestError, NotFoundError
from podium.models import (
    AuditEntry,
    Competition,
    Enrolment,
    Extension,
    Grant,
    Membership,
    Team,
    User,
)
from podium.models.record import now

MOST_GRANTED = 1000
LONGEST_REASON = 500


@dataclass(frozen=True)
class Receiver:
    """To whom something is given: exactly one of the three."""

    team: str | None = None
    student: str | None = None  # a handle
    section: str | None = None

    def __post_init__(self) -> None:
        if sum(bool(one) for one in (self.team, self.student, self.section)) != 1:
            raise BadRequestError("Name a team, a student or a section: one of them.", field="team")

    def __str__(self) -> str:
        return self.team or self.student or f"section {self.section}"


def grant(
    session: Session, caller: Caller, slug: str, to: Receiver, submissions: int, reason: str
) -> Team | None:
    """Give extra submissions today (a day of the competition's zone) and in all.

    Returns the team it counts for, if it is one. Raises NoAccessError, NotFoundError, or
    BadRequestError for a number that is not 1 to 1000.
    """
    competition = find(session, slug)
    need_right(competition, caller, "allow")
    if not 1 <= submissions <= MOST_GRANTED:
        raise BadRequestError(
            f"Cannot grant {submissions} submissions. Grant 1 to {MOST_GRANTED}.",
            field="submissions",
        )
    team, columns = _receiver(session, competition, to)
    day = limits.local_day(now(), competition.time_zone)
    session.add(
        Grant(
            **columns,
            day=day,
            submissions=submissions,
            reason=reason[:LONGEST_REASON],
            granted_by=caller.id,
        )
    )
    detail = {"submissions": submissions, "day": day.isoformat()}
    _audit(session, caller, "grant", competition, to, reason, detail)
    return team


def extend(
    session: Session, caller: Caller, slug: str, to: Receiver, until: datetime, reason: str
) -> Team | None:
    """Give a deadline of its own; it counts where it is later than everybody's.

    Returns the team it counts for, if it is one. Raises NoAccessError, NotFoundError, or
    BadRequestError where there is no deadline.
    """
    competition = find(session, slug)
    need_right(competition, caller, "allow")
    if competition.closes_at is None:
        raise BadRequestError(
            f"{competition.title} has no deadline, so there is nothing to extend.", field="until"
        )
    need_moment(until, "until")
    team, columns = _receiver(session, competition, to)
    session.add(
        Extension(**columns, closes_at=until, reason=reason[:LONGEST_REASON], granted_by=caller.id)
    )
    detail: dict[str, object] = {"until": until.isoformat()}
    _audit(session, caller, "extend", competition, to, reason, detail)
    return team


def given(session: Session, competition: Competition) -> list[dict[str, Any]]:
    """All that hosts gave in a competition, the latest first: for staff to read."""
    found: list[dict[str, Any]] = []
    kinds: tuple[tuple[str, type[Extension] | type[Grant]], ...]
    kinds = (("deadline", Extension), ("submissions", Grant))
    for kind, table in kinds:
        value: Any = Extension.closes_at if table is Extension else Grant.submissions
        rows = session.execute(
            select(Team.name, User.handle, table.section, value, table.reason, table.granted_at)
            .select_from(table)
            .outerjoin(Team, Team.id == table.team_id)
            .outerjoin(User, User.id == table.user_id)
            .where(deadlines.given_in(table, competition))
        )
        found += [
            {
                "kind": kind,
                "to": team or student or f"section {section}",
                "value": given_,
                "reason": reason,
                "at": at,
            }
            for team, student, section, given_, reason, at in rows
        ]
    return sorted(found, key=lambda row: row["at"], reverse=True)


def _receiver(
    session: Session, competition: Competition, to: Receiver
) -> tuple[Team | None, dict[str, Any]]:
    """The team something counts for, and the columns that name who gets it."""
    if to.team:
        team = _team(session, competition, to.team)
        return team, {"team_id": team.id}
    if to.section:
        in_section = select(Enrolment.id).where(
            Enrolment.course_id == competition.course_id, Enrolment.section == to.section
        )
        if not session.scalar(select(in_section.exists())):
            raise NotFoundError(
                f"Nobody in the course of {competition.slug} is in a section {to.section!r}."
            )
        return None, {"competition_id": competition.id, "section": to.section}
    user = find_user(session, to.student or "")
    _need_belongs(session, competition, user.id, user.handle)
    return team_of(session, competition.id, user.id), {
        "competition_id": competition.id,
        "user_id": user.id,
    }


def _need_belongs(session: Session, competition: Competition, user_id: int, handle: str) -> None:
    """Only to students of the course, or where there is none to who has joined."""
    if competition.course_id is None:
        belongs = exists().where(
            Membership.competition_id == competition.id, Membership.user_id == user_id
        )
    else:
        belongs = exists().where(
            Enrolment.course_id == competition.course_id, Enrolment.user_id == user_id
        )
    if not session.scalar(select(belongs)):
        raise NotFoundError(f"{handle} does not take part in {competition.slug}.")


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
    verb: str,
    competition: Competition,
    to: Receiver,
    reason: str,
    detail: dict[str, object],
) -> None:
    kind = "team" if to.team else "student" if to.student else "section"
    session.add(
        AuditEntry(
            user_id=caller.id,
            action=f"{kind}.{verb}",
            subject=f"{kind}:{competition.slug}/{to.team or to.student or to.section}",
            reason=reason[:LONGEST_REASON],
            detail=detail,
        )
    )
