"""Invitations: the open doors into teams, for one person or for whoever has a link."""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from podium import entries, notifications, teams
from podium.accounts import Caller, find_user
from podium.competitions import Status, need_door, status, team_of
from podium.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    LimitError,
    NotFoundError,
)
from podium.models import Competition, Invitation, Membership, Team, User
from podium.models.record import now

CODE_BYTES = 18
MOST_INVITATIONS = 20  # open at once, of a team


def open_to(session: Session, competition: Competition, caller: Caller) -> Sequence[Invitation]:
    """The open invitations of a person, the latest first."""
    return session.scalars(
        select(Invitation)
        .join(Team, Team.id == Invitation.team_id)
        .where(
            Team.competition_id == competition.id,
            Invitation.user_id == caller.id,
            Invitation.ended_at.is_(None),
        )
        .options(joinedload(Invitation.team))
        .order_by(Invitation.id.desc())
    ).all()


def invite(
    session: Session, competition: Competition, caller: Caller, handle: str | None
) -> tuple[Invitation, str | None]:
    """Open a door for a person, or (without a handle) for whoever has the link's code.

    Second, the code: it is told once, only its digest is kept. The leader invites.
    """
    caller.need("submit")
    team = teams.need_own(session, competition, caller)
    teams.need_leader(team, caller)
    teams.need_changes(competition, now())
    teams.need_size(session, competition, team, 1)
    open_ = session.scalar(
        select(func.count()).where(Invitation.team_id == team.id, Invitation.ended_at.is_(None))
    )
    if (open_ or 0) >= MOST_INVITATIONS:
        raise LimitError(f"{team.name} has {open_} open invitations, as many as may be.")
    if handle is None:
        code = secrets.token_urlsafe(CODE_BYTES)
        invitation = Invitation(team_id=team.id, digest=_digest(code), invited_by=caller.id)
        session.add(invitation)
        session.flush()
        return invitation, code
    user = find_user(session, handle)
    if (theirs := team_of(session, competition.id, user.id)) and theirs.id == team.id:
        raise ConflictError(f"{user.handle} is in {team.name} already.")
    known = session.scalar(
        select(Invitation).where(
            Invitation.team_id == team.id,
            Invitation.user_id == user.id,
            Invitation.ended_at.is_(None),
        )
    )
    if known is not None:
        return known, None
    invitation = Invitation(team_id=team.id, user_id=user.id, invited_by=caller.id)
    session.add(invitation)
    session.flush()
    notifications.tell(
        session,
        notifications.INVITATION,
        [user.id],
        f"{caller.handle} invites you into {team.name}, in {competition.title}.",
        f"/c/{competition.slug}/team",
        key=f"invitation:{invitation.id}",
    )
    return invitation, None


def withdraw(session: Session, competition: Competition, caller: Caller) -> int:
    """Close all open invitations of the own team; returns how many."""
    caller.need("submit")
    team = teams.need_own(session, competition, caller)
    teams.need_leader(team, caller)
    closed = session.scalars(
        update(Invitation)
        .where(Invitation.team_id == team.id, Invitation.ended_at.is_(None))
        .values(ended_at=now())
        .returning(Invitation.id)
    )
    return len(closed.all())


def behind(session: Session, competition: Competition, code: str) -> Team:
    """The team that a link's code opens, else NotFoundError."""
    invitation = _of_code(session, competition, code)
    return session.get_one(Team, invitation.team_id)


def accept(
    session: Session,
    competition: Competition,
    caller: Caller,
    *,
    team_name: str | None = None,
    code: str | None = None,
) -> Team:
    """Enter the team that has invited the caller, or whose link was used.

    Whoever has handed something in alone brings it along, by the rule of merging. Raises
    NotFoundError without an invitation, ConflictError from a team of several, LimitError where
    the size or the quota is passed, ClosedError when it is too late.
    """
    caller.need("submit")
    # The person before the team: what two parallel clicks of one person must share.
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    if code is not None:
        invitation = _of_code(session, competition, code)
    else:
        invitation = _of_person(session, competition, caller, team_name)
    moment = now()
    own = team_of(session, competition.id, caller.id)
    if own is None and status(competition, moment) is Status.CLOSED:
        raise ClosedError(f"{competition.title} is over.")
    if own is None:
        need_door(competition, caller)
    teams.need_changes(competition, moment)
    held = {one.id: one for one in entries.hold(session, invitation.team_id, own.id if own else 0)}
    team = held[invitation.team_id]
    if team.merged_into_id is not None:
        raise ConflictError("This team has become part of another. Ask for a new invitation.")
    if own is not None and own.id == team.id:
        raise ConflictError(f"You are in {team.name} already.")
    teams.need_size(session, competition, team, 1)
    if own is None:
        session.add(Membership(competition_id=competition.id, team_id=team.id, user_id=caller.id))
    else:
        if len(teams.members(session, own)) > 1:
            raise ConflictError(
                f"You are in {own.name} with others. Leave it first, or let both leaders merge "
                "the teams."
            )
        teams.unite(session, competition, team, own, moment)
    if invitation.user_id is not None:
        invitation.ended_at = moment
    session.flush()
    entries.refresh(session, competition, [team.id], moment)
    return team


def _of_code(session: Session, competition: Competition, code: str) -> Invitation:
    invitation = session.scalar(
        select(Invitation)
        .join(Team, Team.id == Invitation.team_id)
        .where(
            Team.competition_id == competition.id,
            Invitation.digest == _digest(code),
            Invitation.ended_at.is_(None),
        )
    )
    if invitation is None:
        raise NotFoundError(
            "This link does not open a team of this competition, or not any more. Ask for a new "
            "one."
        )
    return invitation


def _of_person(
    session: Session, competition: Competition, caller: Caller, team_name: str | None
) -> Invitation:
    found = open_to(session, competition, caller)
    if team_name is not None:
        found = [one for one in found if one.team.name == team_name]
    elif len(found) > 1:
        names = ", ".join(one.team.name for one in found)
        raise BadRequestError(f"Several teams have invited you: {names}. Say which.", field="team")
    if not found:
        raise NotFoundError(
            f"You are not invited by {team_name!r} in {competition.slug}."
            if team_name
            else f"You are not invited in {competition.slug}."
        )
    return found[0]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
