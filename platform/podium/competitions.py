"""Competitions as competitors see them: find, list, join, and what is open now."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium.accounts import Caller
from podium.errors import ClosedError, NoAccessError, NotFoundError
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


def status(
    competition: Competition, moment: datetime, extended_to: datetime | None = None
) -> Status:
    """The status at `moment`, for a team with a later deadline; the deadline itself is open."""
    closes_at = competition.closes_at
    if closes_at and extended_to:
        closes_at = max(closes_at, extended_to)
    if competition.challenge.state != "ready":
        preparing = competition.challenge.state == "preparing"
        return Status.PREPARING if preparing else Status.BROKEN
    if competition.opens_at and moment < competition.opens_at:
        return Status.UPCOMING
    if closes_at and moment > closes_at:
        return Status.CLOSED
    return Status.OPEN


def find(session: Session, slug: str) -> Competition:
    """The competition of this slug, else NotFoundError with the nearest slug."""
    competition = session.scalar(select(Competition).where(Competition.slug == slug))
    if competition is None:
        near = difflib.get_close_matches(slug, session.scalars(select(Competition.slug)), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " `podium competitions list` lists all."
        raise NotFoundError(f"There is no competition {slug!r}.{hint}")
    return competition


def listed(
    session: Session,
    *,
    user_id: int | None = None,
    level: str | None = None,
    search: str | None = None,
    mine: bool = False,
) -> list[Listed]:
    """Competitions from beginner to advanced; practice before courses, then by title and slug."""
    query = select(Competition, Membership.id).outerjoin(
        Membership,
        (Membership.competition_id == Competition.id) & (Membership.user_id == (user_id or 0)),
    )
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
    """Make the caller a team of one; joining again changes nothing."""
    # The lock on the user makes two parallel clicks one membership.
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    team = team_of(session, competition.id, caller.id)
    if team is not None:
        return team
    if status(competition, now()) is Status.CLOSED:
        raise ClosedError(
            f"{competition.title} ended at {competition.closes_at:%d %b %Y %H:%M} UTC."
        )
    return found_team(session, competition, caller)


def found_team(session: Session, competition: Competition, caller: Caller) -> Team:
    """Make a team of the caller alone, who is in none; it is called as they are."""
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
    """What students read about it, in Markdown; not loaded with the competition."""
    return session.scalars(
        select(Challenge.text).where(Challenge.id == competition.challenge_id)
    ).one()


def is_host(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller hosts this competition (admins host all)."""
    if caller is None or "host" not in caller.scopes:
        return False
    return caller.is_admin or competition.host_id == caller.id


def need_host(competition: Competition, caller: Caller) -> None:
    """Raise NoAccessError unless the caller hosts this competition."""
    if not is_host(competition, caller):
        raise NoAccessError(
            f"Only the host of {competition.slug!r} may do this, with a token of scope 'host'."
        )


def sees_private(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller may see private scores and the private board: its hosts, then all."""
    return competition.revealed_at is not None or is_host(competition, caller)


def need_private(competition: Competition, caller: Caller | None) -> None:
    """Raise NoAccessError unless the caller may see private scores."""
    if not sees_private(competition, caller):
        raise NoAccessError(
            f"The private board of {competition.slug} is not revealed yet. Hosts see it; you can "
            "see the public one.",
            code="not_revealed",
        )


def files(session: Session, competition: Competition) -> Sequence[ChallengeFile]:
    """What can be downloaded, by name."""
    return session.scalars(
        select(ChallengeFile)
        .where(ChallengeFile.challenge_id == competition.challenge_id)
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
