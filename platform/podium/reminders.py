"""Reminders: whoever competes hears of a deadline a day before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from podium import deadlines, notifications
from podium.installation import Installation
from podium.models import Competition, Membership, Notification

AHEAD = timedelta(days=1)


def tick(installation: Installation, moment: datetime) -> int:
    """Remind of what is near and was not reminded of; how many people were."""
    with installation.database.reading() as session:
        found = due(session, moment)
    count = 0
    for competition_id in found:
        with installation.database.writing() as session:
            count += remind(session, session.get_one(Competition, competition_id), moment)
    return count


def due(session: Session, moment: datetime) -> Sequence[int]:
    """Competitions that end within a day, whose competitors were not reminded."""
    near = session.scalars(
        select(Competition).where(
            Competition.closes_at > moment,
            Competition.closes_at <= moment + AHEAD,
            Competition.is_draft.is_(False),
        )
    ).all()
    return [
        one.id
        for one in near
        if not session.scalar(select(exists().where(Notification.key == _key(one))))
    ]


def remind(session: Session, competition: Competition, moment: datetime) -> int:
    """Tell everybody whose deadline is the competition's own."""
    assert competition.closes_at is not None
    later = deadlines.of_teams(session, competition)
    people = [
        user_id
        for user_id, team_id in session.execute(
            select(Membership.user_id, Membership.team_id).where(
                Membership.competition_id == competition.id
            )
        )
        if later.get(team_id, competition.closes_at) <= moment + AHEAD
    ]
    return notifications.tell(
        session,
        notifications.DEADLINE,
        people,
        f"{competition.title} ends on {competition.closes_at:%-d %b %Y, %H:%M} UTC.",
        f"/c/{competition.slug}/",
        key=_key(competition),
    )


def _key(competition: Competition) -> str:
    """Another one for another deadline: who was given more time is reminded again."""
    return f"deadline:{competition.id}:{competition.closes_at:%Y-%m-%dT%H:%M}"
