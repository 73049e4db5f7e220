"""How many submissions a team may still make. The submissions themselves are the ledger.

A submission that waits or is being scored reserves a try, one that was scored or failed by its
own fault has used it, and every other end gives it back; nothing is counted anywhere else.
What hosts grant a team is added on one local day and to the total.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium import deadlines
from podium.competitions import Status, status
from podium.errors import ClosedError, LimitError
from podium.models import Competition, Submission, Team
from podium.verdicts import HOLDS_QUOTA


@dataclass(frozen=True)
class Limits:
    """A team's numbers at one moment; `limited_by` is None while it may submit."""

    used_today: int
    daily_limit: int
    allowed_now: int
    total: int
    total_limit: int | None
    resets_at: datetime
    limited_by: str | None  # "daily", "total", or the status that closes the competition
    closes_at: datetime | None  # for this team: what comes later is late
    accepted_until: datetime | None  # with grace and late days
    days_late: int  # of what would be handed in now


def day_start(moment: datetime, time_zone: str) -> datetime:
    """When the day of `moment` began in that zone, in UTC."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(moment.astimezone(zone).date(), time(), zone).astimezone(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """The day of `moment` in that zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def status_for(
    session: Session, competition: Competition, team: Team | None, moment: datetime
) -> Status:
    """The status of a competition for one team, or for those who have none."""
    due_at = deadlines.of_team(session, competition, team.id) if team else None
    return status(competition, moment, due_at)


def of_team(session: Session, competition: Competition, team_id: int, moment: datetime) -> Limits:
    """The limits in force for a team at `moment`, with what hosts have granted it."""
    start = day_start(moment, competition.time_zone)
    total, today = session.execute(
        select(
            func.count(),
            func.count().filter(Submission.received_at >= start),
        ).where(Submission.team_id == team_id, Submission.state.in_(HOLDS_QUOTA))
    ).one()
    day = local_day(moment, competition.time_zone)
    granted = deadlines.granted(session, competition, team_id)
    daily_limit = competition.daily_limit + granted.get(day.isoformat(), 0)
    total_limit = competition.total_limit
    if total_limit is not None:
        total_limit += sum(granted.values())
    left = [("daily", daily_limit - today)]
    if total_limit is not None:
        left.append(("total", total_limit - total))
    name, allowed = min(left, key=lambda pair: pair[1])
    limited_by = name if allowed <= 0 else None
    due_at = deadlines.of_team(session, competition, team_id)
    standing = status(competition, moment, due_at)
    if standing is not Status.OPEN:
        allowed, limited_by = 0, standing.value
    return Limits(
        used_today=today,
        daily_limit=daily_limit,
        allowed_now=max(0, allowed),
        total=total,
        total_limit=total_limit,
        # A day of 23 or 25 hours ends where the next local day begins.
        resets_at=day_start(start + timedelta(hours=30), competition.time_zone),
        limited_by=limited_by,
        closes_at=due_at,
        accepted_until=deadlines.accepted_until(competition, due_at),
        days_late=deadlines.days_late(competition, due_at, moment),
    )


def need_room(session: Session, competition: Competition, team_id: int, moment: datetime) -> None:
    """Raise ClosedError or LimitError unless the team may submit at `moment`."""
    limits = of_team(session, competition, team_id, moment)
    need_open(competition, moment, limits.closes_at)
    if limits.limited_by == "daily":
        raise LimitError(
            f"The daily limit of {limits.daily_limit} submissions is reached "
            f"({limits.used_today} used). It resets at {limits.resets_at:%Y-%m-%d %H:%M} UTC.",
            limited_by="daily",
            resets_at=limits.resets_at,
        )
    if limits.limited_by == "total":
        raise LimitError(
            f"The total limit of {limits.total_limit} submissions is reached.",
            limited_by="total",
        )


def need_open(competition: Competition, moment: datetime, closes_at: datetime | None) -> None:
    """Raise ClosedError unless the competition takes submissions at `moment`.

    `closes_at` is the deadline of the team that asks.
    """
    match status(competition, moment, closes_at):
        case Status.DRAFT:
            raise ClosedError(f"{competition.title} is a draft. Publish it first.")
        case Status.PREPARING:
            raise ClosedError(f"{competition.title} is being prepared. Try again in a minute.")
        case Status.BROKEN:
            raise ClosedError(
                f"{competition.title} cannot take submissions: its data could not be prepared. "
                "The host can see why."
            )
        case Status.UPCOMING:
            raise ClosedError(
                f"{competition.title} opens at {competition.opens_at:%Y-%m-%d %H:%M} UTC."
            )
        case Status.CLOSED if competition.final_began_at is not None:
            raise ClosedError(
                f"The final round of {competition.title} has begun: nobody enters its pool any "
                "more."
            )
        case Status.CLOSED:
            raise ClosedError(
                f"The deadline of {competition.title} was {closes_at:%Y-%m-%d %H:%M:%S} UTC"
                f"{_late_words(competition, closes_at)}; this arrived at "
                f"{moment:%Y-%m-%d %H:%M:%S} UTC."
            )


def _late_words(competition: Competition, closes_at: datetime | None) -> str:
    until = deadlines.accepted_until(competition, closes_at)
    if until is None or until == closes_at:
        return ""
    return f", with what is taken late until {until:%Y-%m-%d %H:%M:%S} UTC"
