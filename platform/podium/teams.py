"""Teams: who is in one, what it is called, how people go, and how two become one.

Whatever changes who belongs to a team is decided under the locks of the person and of the teams
(in the order of their ids), so that no size limit and no quota is passed between two clicks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from podium import deadlines, entries, limits, notifications
from podium.accounts import Caller, find_user
from podium.competitions import (
    Status,
    count_teams,
    found_team,
    need_door,
    need_team,
    status,
    team_of,
)
from podium.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    LimitError,
    NoAccessError,
    NotFoundError,
)
from podium.models import (
    Competition,
    Extension,
    Grant,
    Invitation,
    Membership,
    MergeRequest,
    Submission,
    Team,
    User,
)
from podium.models.record import now
from podium.verdicts import HOLDS_QUOTA

NAME_CHARACTERS = (2, 40)


@dataclass(frozen=True)
class Member:
    """A person in a team."""

    handle: str
    is_leader: bool
    joined_at: datetime


@dataclass(frozen=True)
class Card:
    """A team as its members see it: who is in it, who is asked, with whom it may merge."""

    team: Team
    members: list[Member]
    submissions: int  # that count
    invited: list[str]  # handles
    links: int  # open ones
    asked: list[str]  # teams that this one has asked to merge
    asked_by: list[str]


def card(session: Session, team: Team) -> Card:
    """What the members of a team see of it."""
    open_ = session.execute(
        select(User.handle, Invitation.id)
        .select_from(Invitation)
        .outerjoin(User, User.id == Invitation.user_id)
        .where(Invitation.team_id == team.id, Invitation.ended_at.is_(None))
        .order_by(Invitation.id)
    ).all()
    asked = select(Team.name).join(MergeRequest, MergeRequest.other_id == Team.id)
    asked_by = select(Team.name).join(MergeRequest, MergeRequest.team_id == Team.id)
    return Card(
        team=team,
        members=members(session, team),
        submissions=_counting(session, [team.id]),
        invited=[handle for handle, _ in open_ if handle is not None],
        links=sum(handle is None for handle, _ in open_),
        asked=list(session.scalars(asked.where(MergeRequest.team_id == team.id))),
        asked_by=list(session.scalars(asked_by.where(MergeRequest.other_id == team.id))),
    )


def members(session: Session, team: Team) -> list[Member]:
    """Who is in a team, the longest there first."""
    rows = session.execute(
        select(User.handle, User.id, Membership.joined_at)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id == team.id)
        .order_by(Membership.id)
    )
    return [Member(handle, user_id == team.leader_id, at) for handle, user_id, at in rows]


def name(session: Session, competition: Competition, caller: Caller, wanted: str) -> Team:
    """Create a team, or name the own one: whoever has not joined becomes a team of one.

    Raises BadRequestError for an unfit name, ConflictError for a taken one.
    """
    caller.need("submit")
    wanted = " ".join(wanted.split())
    least, most = NAME_CHARACTERS
    if not least <= len(wanted) <= most or not wanted.isprintable():
        raise BadRequestError(
            f"The name {wanted!r} does not fit: {least} to {most} printable characters.",
            field="name",
        )
    team = _own(session, competition, caller) or _found(session, competition, caller)
    need_leader(team, caller)
    taken = session.scalar(
        select(Team.id).where(
            Team.competition_id == competition.id,
            func.lower(Team.name) == wanted.lower(),
            Team.id != team.id,
        )
    )
    if taken is not None:
        raise ConflictError(f"A team is called {wanted!r} already. Choose another.", field="name")
    team.name = wanted
    entries.touch(session, competition.id)
    return team


def leave(session: Session, competition: Competition, caller: Caller) -> Team:
    """Leave a team for one of the caller's own; returns the new one.

    A team that has handed something in stays together: else whoever leaves would begin with a
    fresh quota and all that the team has learned.
    """
    caller.need("submit")
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    team = need_own(session, competition, caller)
    need_changes(competition, now())
    others = [one for one in members(session, team) if one.handle != caller.handle]
    if not others:
        raise ConflictError(f"You are alone in {team.name}. There is nobody to leave.")
    if _counting(session, [team.id]):
        raise ConflictError(
            f"{team.name} has handed something in, and stays together. Your host can help."
        )
    session.execute(
        delete(Membership).where(
            Membership.competition_id == competition.id, Membership.user_id == caller.id
        )
    )
    if team.leader_id == caller.id:
        team.leader_id = find_user(session, others[0].handle).id
    entries.touch(session, competition.id)
    return found_team(session, competition, caller)


def merge(
    session: Session, competition: Competition, caller: Caller, other_name: str
) -> Team | None:
    """Ask another team to become one, or agree if it has asked: then returns the one team.

    The team that asked first keeps its name and leader. Both leaders must want it.
    """
    caller.need("submit")
    own = need_team(session, competition, caller)
    other = session.scalar(
        select(Team).where(
            Team.competition_id == competition.id,
            Team.name == other_name,
            Team.is_baseline.is_(False),
            Team.merged_into_id.is_(None),
        )
    )
    if other is None:
        raise NotFoundError(f"{competition.slug} has no team {other_name!r}.")
    if other.id == own.id:
        raise BadRequestError("That is your own team.", field="team")
    moment = now()
    need_changes(competition, moment)
    held = {one.id: one for one in entries.hold(session, own.id, other.id)}
    own, other = held[own.id], held[other.id]
    if need_team(session, competition, caller).id != own.id or other.merged_into_id is not None:
        raise ConflictError("One of the teams has changed just now. Look again.")
    need_leader(own, caller)
    _need_room(session, competition, own, other, moment)
    asked = session.scalar(
        select(MergeRequest).where(
            MergeRequest.team_id == other.id, MergeRequest.other_id == own.id
        )
    )
    if asked is None:
        known = select(MergeRequest.id).where(
            MergeRequest.team_id == own.id, MergeRequest.other_id == other.id
        )
        if session.scalar(known) is None:
            session.add(MergeRequest(team_id=own.id, other_id=other.id, asked_by=caller.id))
            notifications.tell(
                session,
                notifications.INVITATION,
                notifications.leader(session, other.id),
                f"{own.name} asks {other.name} to become one team, in {competition.title}.",
                f"/c/{competition.slug}/team",
            )
        return None
    unite(session, competition, other, own, moment)
    session.flush()
    entries.refresh(session, competition, [other.id, own.id], moment)
    return other


def need_changes(competition: Competition, moment: datetime) -> None:
    """Raise ClosedError after the last moment at which teams may change."""
    if competition.revealed_at is not None:
        raise ClosedError(f"{competition.title} is revealed. Its teams stay as they are.")
    until = competition.merges_until or competition.closes_at
    if until is not None and moment > until:
        raise ClosedError(
            f"Teams of {competition.title} could change until {until:%Y-%m-%d %H:%M} UTC."
        )


def _need_room(
    session: Session, competition: Competition, team: Team, other: Team, moment: datetime
) -> None:
    """Raise LimitError unless two teams may be one: by people, and by what they handed in."""
    need_size(session, competition, team, len(members(session, other)))
    together = _counting(session, [team.id, other.id])
    since = competition.opens_at or competition.created_at
    zone = competition.time_zone
    days = (limits.local_day(moment, zone) - limits.local_day(since, zone)).days + 1
    granted = sum(
        number
        for one in (team, other)
        for number in deadlines.granted(session, competition, one.id).values()
    )
    allowed = competition.daily_limit * days + granted
    said = f"{competition.daily_limit} a day for {days} days"
    if competition.total_limit is not None and competition.total_limit + granted < allowed:
        allowed = competition.total_limit + granted
        said = f"{competition.total_limit} in all"
    if together > allowed:
        raise LimitError(
            f"{team.name} and {other.name} have handed in {together} together. One team may have "
            f"{allowed} by now ({said}), so they cannot be merged yet.",
            limited_by="merge",
        )


def unite(
    session: Session, competition: Competition, stays: Team, goes: Team, moment: datetime
) -> None:
    """Give all that one team has to the other; both are held."""
    _need_room(session, competition, stays, goes, moment)
    later = _later_deadline(session, competition, stays, goes)
    # Keys are only unique within a team: those of the other one get its number in front.
    session.execute(
        update(Submission)
        .where(Submission.team_id == goes.id, Submission.idempotency_key.is_not(None))
        .values(idempotency_key=f"{goes.id}:" + Submission.idempotency_key)
        .execution_options(synchronize_session=False)
    )
    for owned in (Submission, Membership, Grant):
        session.execute(
            update(owned)
            .where(owned.team_id == goes.id)
            .values(team_id=stays.id)
            .execution_options(synchronize_session=False)
        )
    if later is not None:
        session.add(Extension(team_id=stays.id, closes_at=later, reason=f"merged with {goes.name}"))
    session.execute(
        update(Invitation)
        .where(Invitation.team_id == goes.id, Invitation.ended_at.is_(None))
        .values(ended_at=moment)
    )
    session.execute(
        delete(MergeRequest).where(
            MergeRequest.team_id.in_((stays.id, goes.id))
            | MergeRequest.other_id.in_((stays.id, goes.id))
        )
    )
    _trim_finals(session, competition, stays)
    goes.merged_into_id = stays.id
    goes.leader_id = None
    if goes.disqualified and not stays.disqualified:
        stays.disqualified = goes.disqualified
    count_teams(session, competition.id, -1)
    session.flush()
    entries.refresh(session, competition, [goes.id], moment)


def _later_deadline(
    session: Session, competition: Competition, stays: Team, goes: Team
) -> datetime | None:
    """The deadline of the team that goes, if a host made it later than that of the other."""
    own, other = (deadlines.of_team(session, competition, one.id) for one in (stays, goes))
    return other if own is not None and other is not None and other > own else None


def _trim_finals(session: Session, competition: Competition, team: Team) -> None:
    """Two full selections are more than one team may have: then nothing is selected."""
    selected = select(func.count()).where(Submission.team_id == team.id, Submission.selected)
    if (session.scalar(selected) or 0) > competition.finals:
        session.execute(
            update(Submission)
            .where(Submission.team_id == team.id, Submission.selected)
            .values(selected=False)
            .execution_options(synchronize_session=False)
        )


def _counting(session: Session, team_ids: Sequence[int]) -> int:
    """How many submissions of teams use up or reserve a try."""
    query = select(func.count()).where(
        Submission.team_id.in_(team_ids), Submission.state.in_(HOLDS_QUOTA)
    )
    return session.scalar(query) or 0


def need_size(session: Session, competition: Competition, team: Team, more: int) -> None:
    """Raise LimitError if a team would be too large with so many more."""
    size = len(members(session, team)) + more
    if size > competition.team_size:
        raise LimitError(
            f"{team.name} would have {size} members. A team of {competition.slug} may have "
            f"{competition.team_size}.",
            limited_by="team_size",
        )


def need_leader(team: Team, caller: Caller) -> None:
    """Raise NoAccessError unless the caller leads the team."""
    if team.leader_id is not None and team.leader_id != caller.id:
        raise NoAccessError(f"Only the leader of {team.name} may do this.")


def _own(session: Session, competition: Competition, caller: Caller) -> Team | None:
    """The caller's team, held; None before joining."""
    while (team := team_of(session, competition.id, caller.id)) is not None:
        (held,) = entries.hold(session, team.id)
        again = team_of(session, competition.id, caller.id)
        if again is not None and again.id == held.id:
            return held
    return None


def need_own(session: Session, competition: Competition, caller: Caller) -> Team:
    """The caller's team, held; NoAccessError before joining."""
    need_team(session, competition, caller)
    team = _own(session, competition, caller)
    assert team is not None  # nobody leaves a competition
    return team


def _found(session: Session, competition: Competition, caller: Caller) -> Team:
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    if status(competition, now()) is Status.CLOSED:
        raise ClosedError(f"{competition.title} is over.")
    if own := _own(session, competition, caller):
        return own
    need_door(competition, caller)
    return found_team(session, competition, caller)
