"""Competitions as competitors see them: find, list, join, and what is open now."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, case, func, select, true, update
from sqlalchemy.orm import Session

from podium import deadlines
from podium.accounts import HOST, Caller
from podium.errors import BadRequestError, ClosedError, NoAccessError, NotFoundError
from podium.models import (
    AuditEntry,
    Challenge,
    ChallengeFile,
    Competition,
    Membership,
    Team,
    User,
)
from podium.models.record import now

LEVELS = ("beginner", "intermediate", "advanced")
LONGEST_REASON = 500


class Status(StrEnum):
    """Whether a competition takes submissions, and if not, why."""

    DRAFT = "draft"
    PREPARING = "preparing"
    BROKEN = "broken"
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Listed:
    """A competition in a list, with what the list tells of it."""

    competition: Competition
    status: Status
    joined: bool


def status(competition: Competition, moment: datetime, due_at: datetime | None = None) -> Status:
    """The status at `moment`, for somebody who is due then (None: when everybody is).

    What is taken late is taken while it is open; the last moment itself is open.
    """
    ends_at = deadlines.accepted_until(competition, due_at or competition.closes_at)
    if competition.is_draft:
        return Status.DRAFT
    if competition.challenge.state != "ready":
        preparing = competition.challenge.state == "preparing"
        return Status.PREPARING if preparing else Status.BROKEN
    if competition.opens_at and moment < competition.opens_at:
        return Status.UPCOMING
    if (ends_at and moment > ends_at) or competition.final_began_at is not None:
        return Status.CLOSED
    return Status.OPEN


def find(session: Session, slug: str) -> Competition:
    """The competition of this slug, else NotFoundError with the nearest slug."""
    competition = session.scalar(select(Competition).where(Competition.slug == slug))
    if competition is None:
        raise _unknown(session, slug)
    return competition


def _unknown(session: Session, slug: str) -> NotFoundError:
    """The same words for what is not there and for what is not for these eyes."""
    public = session.scalars(select(Competition.slug).where(sight_of(None)))
    near = difflib.get_close_matches(slug, public, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `podium competitions list` lists all."
    return NotFoundError(f"There is no competition {slug!r}.{hint}")


def need_sight(session: Session, slug: str, caller: Caller | None) -> None:
    """Raise NotFoundError unless this caller may know of the competition; asked of every route."""
    if session.scalar(select(Competition.id).where(Competition.slug == slug, sight_of(caller))):
        return
    raise _unknown(session, slug)


def sight_of(caller: Caller | None) -> ColumnElement[bool]:
    """The competitions that a caller may know of, as a condition."""
    if caller is None:
        return Competition.is_draft.is_(False) & Competition.course_id.is_(None)
    if caller.is_admin:
        return true()
    staff = [course_id for course_id, rights in caller.courses.items() if "see" in rights]
    own = Competition.course_id.is_(None) & (Competition.host_id == caller.id)
    return case(
        (Competition.is_draft, own | Competition.course_id.in_(staff)),
        else_=Competition.course_id.is_(None) | Competition.course_id.in_(caller.courses),
    )


def in_sight(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller may know of this competition, as `sight_of` says."""
    course_id = competition.course_id
    if caller is None:
        return course_id is None and not competition.is_draft
    if caller.is_admin:
        return True
    if not competition.is_draft:
        return course_id is None or course_id in caller.courses
    if course_id is None:
        return competition.host_id == caller.id
    return "see" in caller.courses.get(course_id, ())


def listed(
    session: Session,
    *,
    caller: Caller | None = None,
    level: str | None = None,
    search: str | None = None,
    mine: bool = False,
) -> list[Listed]:
    """Competitions from beginner to advanced; practice before courses, then by title and slug."""
    query = select(Competition, Membership.id).outerjoin(
        Membership,
        (Membership.competition_id == Competition.id)
        & (Membership.user_id == (caller.id if caller else 0)),
    )
    query = query.where(sight_of(caller))
    if search:
        pattern = f"%{search.lower()}%"
        query = query.where(
            func.lower(Competition.title).like(pattern) | Competition.slug.like(pattern)
        )
    if mine:
        query = query.where(Membership.id.is_not(None))
    moment = now()
    found = [
        Listed(competition, status(competition, moment), membership is not None)
        for competition, membership in session.execute(query)
        if level is None or competition.challenge.spec["level"] == level
    ]
    return sorted(found, key=_list_order)


def _list_order(item: Listed) -> tuple[int, bool, str, str]:
    competition = item.competition
    level = LEVELS.index(competition.challenge.spec["level"])
    return (level, not competition.is_practice, competition.title, competition.slug)


def team_of(session: Session, competition_id: int, user_id: int | None) -> Team | None:
    """The team this person competes in, or None before joining."""
    return session.scalar(
        select(Team)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.competition_id == competition_id, Membership.user_id == user_id)
    )


def need_team(session: Session, competition: Competition, caller: Caller) -> Team:
    """The caller's team, else NoAccessError that says how to join."""
    team = team_of(session, competition.id, caller.id)
    if team is None:
        raise NoAccessError(
            f"You have not joined {competition.slug!r}. Join on its page or with "
            f"`podium competitions join {competition.slug}`.",
            code="not_joined",
        )
    return team


def join(session: Session, competition: Competition, caller: Caller) -> Team:
    """Make the caller a team of one; joining again changes nothing.

    Raises ClosedError, or NoAccessError where staff lets people in one by one.
    """
    # The lock on the user makes two parallel clicks one membership.
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    team = team_of(session, competition.id, caller.id)
    if team is not None:
        return team
    due_at = deadlines.of_person(session, competition, caller.id)
    if status(competition, now(), due_at) is Status.CLOSED:
        raise ClosedError(
            f"{competition.title} ended at {competition.closes_at:%d %b %Y %H:%M} UTC."
        )
    need_door(competition, caller)
    return found_team(session, competition, caller)


def need_door(competition: Competition, caller: Caller) -> None:
    """Raise NoAccessError where staff lets people in one by one; its staff just enters."""
    if competition.asks_first and not is_staff(competition, caller):
        raise NoAccessError(
            f"{competition.title} lets people in one by one. Ask on its page or with `podium "
            f"competitions join {competition.slug}`; its host answers.",
            code="asks_first",
        )


def found_team(session: Session, competition: Competition, caller: Caller | User) -> Team:
    """Make a team of this person alone, who is in none; it is called as they are."""
    team = Team(
        competition_id=competition.id,
        name=_free_name(session, competition.id, caller.handle),
        leader_id=caller.id,
    )
    session.add(team)
    session.flush()
    session.add(Membership(competition_id=competition.id, team_id=team.id, user_id=caller.id))
    count_teams(session, competition.id, 1)
    return team


def count_teams(session: Session, competition_id: int, more: int) -> None:
    """Note that a competition has more teams, or fewer."""
    session.execute(
        update(Competition)
        .where(Competition.id == competition_id)
        .values(team_count=Competition.team_count + more)
        .execution_options(synchronize_session=False)
    )


def _free_name(session: Session, competition_id: int, handle: str) -> str:
    """The handle, or with a number where a team is called so."""
    taken = set(
        session.scalars(
            select(Team.name).where(
                Team.competition_id == competition_id, Team.name.startswith(handle, autoescape=True)
            )
        )
    )
    if handle not in taken:
        return handle
    return next(name for n in count(2) if (name := f"{handle} {n}") not in taken)


def text(session: Session, competition: Competition) -> str:
    """What students read about it, in Markdown: the host's own words, else the challenge's."""
    return session.scalars(
        select(func.coalesce(Competition.text, Challenge.text))
        .join(Challenge, Challenge.id == Competition.challenge_id)
        .where(Competition.id == competition.id)
    ).one()


def may(competition: Competition, caller: Caller | None, right: str) -> bool:
    """Whether the caller has a right here: of a course by the role in it, else as its host.

    Admins have all.
    """
    if caller is None or "host" not in caller.scopes:
        return False
    if caller.is_admin:
        return True
    if competition.course_id is None:
        return competition.host_id == caller.id
    return right in caller.courses.get(competition.course_id, ())


def need_right(competition: Competition, caller: Caller, right: str) -> None:
    """Raise NoAccessError unless the caller has this right here."""
    if may(competition, caller, right):
        return
    if may(competition, caller, "see"):
        raise NoAccessError(
            f"Your course does not allow its assistants this (the right {right!r}). An "
            "instructor can change it on the course's page."
        )
    raise NoAccessError(
        f"Only the host of {competition.slug!r} may do this, with a token of scope 'host'."
    )


def is_host(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller hosts this competition: its host, its course's instructors, admins."""
    return may(competition, caller, HOST)


def need_host(competition: Competition, caller: Caller) -> None:
    """Raise NoAccessError unless the caller hosts this competition."""
    need_right(competition, caller, HOST)


def is_staff(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller sees everybody's submissions and private scores here."""
    return may(competition, caller, "see")


def sees_private(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller may see private scores and the private board: its staff, then all."""
    return competition.revealed_at is not None or is_staff(competition, caller)


def need_private(competition: Competition, caller: Caller | None) -> None:
    """Raise NoAccessError unless the caller may see private scores."""
    if not sees_private(competition, caller):
        raise NoAccessError(
            f"The private board of {competition.slug} is not revealed yet. Hosts see it; you can "
            "see the public one.",
            code="not_revealed",
        )


def files(session: Session, competition: Competition) -> Sequence[ChallengeFile]:
    """What can be downloaded, by name: nothing that lies among the private files."""
    return session.scalars(
        select(ChallengeFile)
        .where(
            ChallengeFile.challenge_id == competition.challenge_id,
            ChallengeFile.file_key.not_like("%/private/%"),
        )
        .order_by(ChallengeFile.name)
    ).all()


def file(session: Session, competition: Competition, name: str) -> ChallengeFile:
    """One file by name, else NotFoundError that lists the names."""
    offered = files(session, competition)
    for item in offered:
        if item.name == name:
            return item
    names = ", ".join(item.name for item in offered) or "none yet"
    raise NotFoundError(f"{competition.slug} has no file {name!r}. Its files: {names}.")


def need_zone(name: str) -> str:
    """A time zone's name as it came; BadRequestError if there is none of it."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequestError(
            f"{name!r} is no time zone. Write one like Europe/Berlin.", field="time_zone"
        ) from None


def need_moment(moment: datetime | None, field: str) -> datetime | None:
    """A moment as it came; BadRequestError if it does not say its zone."""
    if moment is not None and moment.tzinfo is None:
        raise BadRequestError(
            f"{moment.isoformat()} has no time zone. Write it like 2026-12-01T18:00+01:00.",
            field=field,
        )
    return moment


def note_download(session: Session, competition: Competition, caller: Caller) -> None:
    """Remember that the caller, who takes part, has fetched a file."""
    session.execute(
        update(Membership)
        .where(
            Membership.competition_id == competition.id,
            Membership.user_id == caller.id,
            Membership.downloaded_at.is_(None),
        )
        .values(downloaded_at=now())
        .execution_options(synchronize_session=False)
    )


def has_downloaded(session: Session, competition: Competition, caller: Caller | None) -> bool:
    """Whether there is nothing to note of a download by this caller."""
    first = select(Membership.id).where(
        Membership.competition_id == competition.id,
        Membership.user_id == (caller.id if caller else 0),
        Membership.downloaded_at.is_(None),
    )
    return session.scalar(first) is None


def audit(
    session: Session,
    caller: Caller | None,
    action: str,
    competition: Competition,
    reason: str = "",
    subject: str = "",
    **detail: object,
) -> None:
    """Write into the audit log what a host (or None: Podium itself) did to a competition."""
    session.add(
        AuditEntry(
            user_id=caller.id if caller else None,
            action=action,
            subject=f"{subject or 'competition'}:{competition.slug}",
            reason=reason[:LONGEST_REASON],
            detail=detail,
        )
    )


def audited(
    session: Session, competition: Competition, most: int
) -> Sequence[tuple[AuditEntry, str | None]]:
    """What was done to a competition, the latest first, each with who did it."""
    subject = AuditEntry.subject
    rows = session.execute(
        select(AuditEntry, User.handle)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(
            subject.endswith(f":{competition.slug}", autoescape=True)
            | subject.contains(f":{competition.slug}/", autoescape=True)
        )
        .order_by(AuditEntry.id.desc())
        .limit(most)
    )
    return [(entry, handle) for entry, handle in rows]
