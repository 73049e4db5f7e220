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

from podium.competitions import Status, status
from podium.errors import ClosedError, LimitError
from podium.models import Competition, Extension, Grant, Submission, Team
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
    closes_at: datetime | None  # for this team


def day_start(moment: datetime, time_zone: str) -> datetime:
    """When the day of `moment` began in that zone, in UTC."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(moment.astimezone(zone).date(), time(), zone).astimezone(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """The day of `moment` in that zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def extended_to(session: Session, team_id: int) -> datetime | None:
    """A team's own deadline, if a host gave it one; the last one given is in force."""
    return session.scalar(
        select(Extension.closes_at)
        .where(Extension.team_id == team_id)
        .order_by(Extension.id.desc())
        .limit(1)
    )


def status_for(
    session: Session, competition: Competition, team: Team | None, moment: datetime
) -> Status:
    """The status of a competition for one team, or for those who have none."""
    own = extended_to(session, team.id) if team else None
    return status(competition, moment, own)


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
    granted, granted_today = session.execute(
        select(
            func.coalesce(func.sum(Grant.submissions), 0),
            func.coalesce(func.sum(Grant.submissions).filter(Grant.day == day), 0),
        ).where(Grant.team_id == team_id)
    ).one()
    daily_limit = competition.daily_limit + granted_today
    total_limit = None if competition.total_limit is None else competition.total_limit + granted
    left = [("daily", daily_limit - today)]
    if total_limit is not None:
        left.append(("total", total_limit - total))
    name, allowed = min(left, key=lambda pair: pair[1])
    limited_by = name if allowed <= 0 else None
    own = extended_to(session, team_id)
    standing = status(competition, moment, own)
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
        closes_at=max(filter(None, (competition.closes_at, own)), default=None),
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
        case Status.CLOSED:
            raise ClosedError(
                f"The deadline of {competition.title} was "
                f"{closes_at:%Y-%m-%d %H:%M:%S} UTC; this arrived at "
                f"{moment:%Y-%m-%d %H:%M:%S} UTC."
            )
