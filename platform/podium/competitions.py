"""Competitions as competitors see them: find, list, join, and what is open now."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium.accounts import Caller
from podium.errors import ClosedError, NoAccessError, NotFoundError
from podium.models import Challenge, ChallengeFile, Competition, Membership, Team, User
from podium.models.record import now

LEVELS = ("beginner", "intermediate", "advanced")


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
    team = Team(competition_id=competition.id, name=caller.handle)
    session.add(team)
    session.flush()
    session.add(Membership(competition_id=competition.id, team_id=team.id, user_id=caller.id))
    session.execute(
        update(Competition)
        .where(Competition.id == competition.id)
        .values(team_count=Competition.team_count + 1)
    )
    return team


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
    """Whether the caller may see private scores and the private board: its hosts."""
    return is_host(competition, caller)


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
