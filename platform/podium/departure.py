"""Leaving for good: what of a person is erased, and what stays for the sake of fair boards.

Erased: name, address, password, sign-ins, links to a provider, tokens, notifications, mails, files
on their way, texts of discussions and messages of submissions. Kept under "deleted account": the
scores and submitted files of teams, since others were ranked against them and they may have to be
scored again; the place on a class list, without its account, since the list is the course's.
"""

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from podium import arrivals, entries, signins
from podium.accounts import INSTRUCTOR, NO_PASSWORD, revoke_tokens
from podium.errors import ConflictError
from podium.models import (
    Competition,
    Course,
    Enrolment,
    EntryRequest,
    Identity,
    Invitation,
    Mail,
    Membership,
    Notification,
    Post,
    Proof,
    Submission,
    Team,
    User,
)
from podium.models.record import now


def leave(session: Session, user_id: int) -> None:
    """Erase a person; ConflictError where somebody would be left without a responsible one."""
    user = session.get_one(User, user_id, with_for_update=True)
    _need_successors(session, user)
    called = f"deleted account {user.id}"  # no handle can be this: it has spaces
    for team in session.scalars(
        select(Team)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
    ).all():
        _leave_team(session, user, team, called)
    for table in (Mail, Proof, Notification, EntryRequest, Identity):
        session.execute(delete(table).where(table.user_id == user.id))
    session.execute(delete(Mail).where(Mail.recipient == user.email))
    session.execute(update(Post).where(Post.user_id == user.id).values(text="", deleted_at=now()))
    session.execute(update(Submission).where(Submission.user_id == user.id).values(message=""))
    session.execute(update(Enrolment).where(Enrolment.user_id == user.id).values(user_id=None))
    session.execute(
        update(Invitation)
        .where(Invitation.user_id == user.id, Invitation.ended_at.is_(None))
        .values(ended_at=now())
    )
    arrivals.drop_all(session, user.id)
    revoke_tokens(session, user.id)
    signins.end_all(session, user.id)
    user.handle, user.email = called, f"deleted-{user.id}@podium.invalid"
    user.password_hash, user.role = NO_PASSWORD, "student"
    user.told_by, user.deleted_at, user.unconfirmed = None, now(), False


def _need_successors(session: Session, user: User) -> None:
    if user.role == "admin":
        admins = session.scalar(select(func.count()).where(User.role == "admin"))
        if admins == 1:
            raise ConflictError("You are the only admin. Make another one first.")
    own = select(Enrolment.course_id).where(
        Enrolment.user_id == user.id, Enrolment.role == INSTRUCTOR
    )
    alone = session.scalars(
        select(Course.title)
        .join(Enrolment, Enrolment.course_id == Course.id)
        .where(Course.id.in_(own), Enrolment.role == INSTRUCTOR)
        .group_by(Course.id, Course.title)
        .having(func.count() == 1)
    ).all()
    if alone:
        raise ConflictError(
            f"You are the only instructor of {', '.join(alone)}. Name another one first."
        )


def _leave_team(session: Session, user: User, team: Team, called: str) -> None:
    others = session.scalars(
        select(Membership.user_id)
        .where(Membership.team_id == team.id, Membership.user_id != user.id)
        .order_by(Membership.id)
    ).all()
    if not others:
        team.name = called  # one team of a person in a competition: it is free
    else:
        session.execute(
            delete(Membership).where(Membership.team_id == team.id, Membership.user_id == user.id)
        )
        if team.leader_id == user.id:
            team.leader_id = others[0]
    competition = session.get_one(Competition, team.competition_id)
    entries.touch(session, competition.id)
