"""What a host changes of a competition as a whole: title, dates, limits, the course it is of.

Options of the board (deadline, names, finals, …) are `boardoptions`; `change` takes both.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import boardoptions, courses, entries, medals
from podium.accounts import HOST, Caller
from podium.boardrules import NAMED
from podium.competitions import audit, find, is_host, need_host, need_moment, need_zone
from podium.errors import BadRequestError, ConflictError
from podium.models import Competition
from podium.storage import Storage

LONGEST_TITLE = 80
LONGEST_TEXT = 200_000
MOST = {"daily_limit": 1000, "total_limit": 100_000}
LATE = {"grace_minutes": 24 * 60, "late_hours": 60 * 24, "late_percent": 100}  # from 0 on
LONGEST_SEASON = 40
OPTIONS = ("title", "opens_at", "time_zone", "season", "asks_first", *MOST, *LATE)


def hosted(session: Session, caller: Caller) -> list[Competition]:
    """What the caller may edit, by title."""
    found = session.scalars(select(Competition).order_by(Competition.title, Competition.slug))
    return [one for one in found if is_host(one, caller)]


def change(
    session: Session,
    storage: Storage,
    caller: Caller,
    slug: str,
    wanted: Mapping[str, Any],
    reason: str = "",
) -> Competition:
    """Set some options of a competition or of its board; what is left out stays. Audited.

    `course` is the short name of a course in which the caller is an instructor, or None to let
    everybody see it. Raises NoAccessError, NotFoundError, BadRequestError or ConflictError.
    """
    competition = find(session, slug)
    need_host(competition, caller)
    own = {name: value for name, value in wanted.items() if name in OPTIONS}
    board = {name: value for name, value in wanted.items() if name in boardoptions.OPTIONS}
    fitted = {name: _fit(name, value) for name, value in own.items()}
    changed = {name: value for name, value in fitted.items() if getattr(competition, name) != value}
    before = {name: getattr(competition, name) for name in changed}
    for name, value in changed.items():
        setattr(competition, name, value)
    if changed:
        detail: dict[str, Any] = {
            name: [_plain(before[name]), _plain(value)] for name, value in changed.items()
        }
        audit(session, caller, "competition.edit", competition, reason, **detail)
    if "course" in wanted:
        _move(session, caller, competition, wanted["course"], reason)
    if board:
        boardoptions.change(session, storage, caller, slug, board, reason)
    _need_order(competition)
    _need_names(competition)
    if "season" in changed:
        medals.refresh(session, competition)
        entries.touch(session, competition.id)
    return competition


def _move(
    session: Session, caller: Caller, competition: Competition, slug: str | None, reason: str
) -> None:
    """Make a competition a course's own; from a course, only its instructors take it."""
    course = courses.find(session, slug, caller) if slug else None
    if course is not None:
        courses.need_right(course, caller, HOST)
        if competition.is_practice and not caller.is_admin:
            raise ConflictError(
                f"{competition.slug} is everybody's practice. Host the challenge anew for your "
                "course."
            )
    if competition.course_id == (course.id if course else None):
        return
    competition.course_id = course.id if course else None
    if course is None:
        competition.host_id = caller.id
    audit(session, caller, "competition.course", competition, reason, course=slug)


def _fit(name: str, value: Any) -> Any:
    if name == "title":
        value = " ".join(str(value).split())
        if not 1 <= len(value) <= LONGEST_TITLE:
            raise BadRequestError(
                f"The title has {len(value)} characters. Use 1 to {LONGEST_TITLE}.", field=name
            )
    if name == "season":
        return _fit_season(value)
    if name == "opens_at":
        return need_moment(value, name)
    if name == "time_zone":
        return need_zone(value)
    if name == "asks_first":
        return bool(value)
    is_number = name in MOST and not (value is None and name == "total_limit")
    if is_number and not (isinstance(value, int) and 1 <= value <= MOST[name]):
        raise BadRequestError(f"{name} is 1 to {MOST[name]}, not {value!r}.", field=name)
    if name in LATE and not (isinstance(value, int) and 0 <= value <= LATE[name]):
        raise BadRequestError(f"{name} is 0 to {LATE[name]}, not {value!r}.", field=name)
    return value


def _fit_season(value: Any) -> str:
    name = " ".join(str(value or "").split())
    if len(name) > LONGEST_SEASON or "/" in name:
        raise BadRequestError(
            f"A season has a name like 2026 or Spring 2027, without slashes and of at most "
            f"{LONGEST_SEASON} characters, not {name!r}.",
            field="season",
        )
    return name


def _need_names(competition: Competition) -> None:
    if competition.season and competition.names != NAMED:
        raise BadRequestError(
            f"The board of {competition.slug} does not show names, and a season would. Show them, "
            "or let it count for none.",
            field="season",
        )


def _need_order(competition: Competition) -> None:
    if (
        competition.opens_at
        and competition.closes_at
        and competition.opens_at >= competition.closes_at
    ):
        raise BadRequestError(
            f"{competition.slug} would close at {competition.closes_at:%Y-%m-%d %H:%M} UTC, before "
            f"it opens at {competition.opens_at:%Y-%m-%d %H:%M} UTC.",
            field="closes_at",
        )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def set_text(
    session: Session, caller: Caller, slug: str, text: str | None, reason: str = ""
) -> Competition:
    """Give a competition a text of its own (Markdown); None: the challenge's again. Audited."""
    competition = find(session, slug)
    need_host(competition, caller)
    if text is not None:
        text = text.replace("\r\n", "\n").strip() + "\n"
        if not 2 <= len(text) <= LONGEST_TEXT:
            raise BadRequestError(
                f"The text has {len(text)} characters. It has 1 to {LONGEST_TEXT:,}.", field="text"
            )
    competition.text = text
    audit(session, caller, "competition.text", competition, reason, characters=len(text or ""))
    return competition
