"""How many submissions a team may still make. The submissions themselves are the ledger.

A submission that waits or is being scored reserves a try, one that was scored or failed by its
own fault has used it, and every other end gives it back; nothing is counted anywhere else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.competitions import Status, status
from podium.errors import ClosedError, LimitError
from podium.models import Competition, Submission
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


def day_start(moment: datetime, time_zone: str) -> datetime:
    """When the day of `moment` began in that zone, in UTC."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(moment.astimezone(zone).date(), time(), zone).astimezone(UTC)


def of_team(session: Session, competition: Competition, team_id: int, moment: datetime) -> Limits:
    """The limits in force for a team at `moment`."""
    start = day_start(moment, competition.time_zone)
    total, today = session.execute(
        select(
            func.count(),
            func.count().filter(Submission.received_at >= start),
        ).where(Submission.team_id == team_id, Submission.state.in_(HOLDS_QUOTA))
    ).one()
    left = [("daily", competition.daily_limit - today)]
    if competition.total_limit is not None:
        left.append(("total", competition.total_limit - total))
    name, allowed = min(left, key=lambda pair: pair[1])
    limited_by = name if allowed <= 0 else None
    standing = status(competition, moment)
    if standing is not Status.OPEN:
        allowed, limited_by = 0, standing.value
    return Limits(
        used_today=today,
        daily_limit=competition.daily_limit,
        allowed_now=max(0, allowed),
        total=total,
        total_limit=competition.total_limit,
        # A day of 23 or 25 hours ends where the next local day begins.
        resets_at=day_start(start + timedelta(hours=30), competition.time_zone),
        limited_by=limited_by,
    )


def need_room(session: Session, competition: Competition, team_id: int, moment: datetime) -> None:
    """Raise ClosedError or LimitError unless the team may submit at `moment`."""
    need_open(competition, moment)
    limits = of_team(session, competition, team_id, moment)
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


def need_open(competition: Competition, moment: datetime) -> None:
    """Raise ClosedError unless the competition takes submissions at `moment`."""
    match status(competition, moment):
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
                f"{competition.closes_at:%Y-%m-%d %H:%M:%S} UTC; this arrived at "
                f"{moment:%Y-%m-%d %H:%M:%S} UTC."
            )
