"""Reminders: whoever competes hears of their deadline a day before, everybody's or their own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, union
from sqlalchemy.orm import Session

from podium import deadlines, notifications
from podium.installation import Installation
from podium.models import Competition, Extension, Membership, Notification, Team

AHEAD = timedelta(days=1)


def tick(installation: Installation, moment: datetime) -> int:
    """Remind of what is near and was not reminded of; how many people were."""
    with installation.database.reading() as session:
        found = due(session, moment)
    count = 0
    for competition_id, due_at in found:
        with installation.database.writing() as session:
            count += remind(session, session.get_one(Competition, competition_id), due_at)
    return count


def due(session: Session, moment: datetime) -> Sequence[tuple[int, datetime]]:
    """Competitions and deadlines in them, everybody's and given ones, that are within a day.

    Those that somebody was reminded of are left out.
    """
    given_in = func.coalesce(Extension.competition_id, Team.competition_id)
    both = union(
        select(Competition.id.label("id"), Competition.closes_at.label("due_at")),
        select(given_in, Extension.closes_at).outerjoin(Team, Team.id == Extension.team_id),
    ).subquery()
    near = session.execute(
        select(both.c.id, both.c.due_at)
        .join(Competition, Competition.id == both.c.id)
        .where(
            both.c.due_at > moment,
            both.c.due_at <= moment + AHEAD,
            Competition.is_draft.is_(False),
        )
    )
    return [
        (id_, due_at)
        for id_, due_at in near
        if not session.scalar(select(exists().where(Notification.key == _key(id_, due_at))))
    ]


def remind(session: Session, competition: Competition, due_at: datetime) -> int:
    """Tell everybody whose deadline this is; how many are told."""
    own = deadlines.of_teams(session, competition)
    people = [
        user_id
        for user_id, team_id in session.execute(
            select(Membership.user_id, Membership.team_id).where(
                Membership.competition_id == competition.id
            )
        )
        if own.get(team_id, competition.closes_at) == due_at
    ]
    return notifications.tell(
        session,
        notifications.DEADLINE,
        people,
        f"{competition.title} {'ends' if due_at == competition.closes_at else 'ends for you'} on "
        f"{due_at:%-d %b %Y, %H:%M} UTC.",
        f"/c/{competition.slug}/",
        key=_key(competition.id, due_at),
    )


def _key(competition_id: int, due_at: datetime) -> str:
    """Another one for another deadline: who was given more time is reminded again."""
    return f"deadline:{competition_id}:{due_at:%Y-%m-%dT%H:%M}"
