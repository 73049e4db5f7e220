"""How values are written for people: times, numbers, sizes, Markdown; and what every page knows."""

import functools
import hashlib
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from babel.dates import get_month_names
from flask import Flask, g, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from podium import __version__, monitoring, notifications
from podium.models.record import now
from podium.verdicts import State, Verdict
from podium.web import installation
from podium.web.pages import markup
from podium.web.words import language, translated

THEMES = ("auto", "light", "dark")
ERROR_TITLES = {
    400: "That request does not fit",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "That collides with what is there",
    413: "Too large",
    422: "The file does not fit",
    429: "Limit reached",
    500: "Something went wrong on our side",
    503: "Not ready",
}
MOST_DECIMALS = 6


def init_app(app: Flask) -> None:
    """Register the filters by their names, and what the frame of every page shows."""
    app.jinja_env.filters.update(
        utc=utc,
        zoned=zoned,
        ago=ago,
        score=score,
        ordinal=ordinal,
        duration=duration,
        size=size,
        plainly=plainly,
        markdown=markdown,
        talk=markup.render,
        verdict_title=lambda code: translated(Verdict(code).meaning.title),
        error_title=lambda status: translated(ERROR_TITLES.get(status, ERROR_TITLES[500])),
    )
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    theme = request.cookies.get("theme")
    return {
        "caller": g.get("caller"),
        "theme": theme if theme in THEMES[1:] else None,
        "version": __version__,
        "static": static,
        **_counts(),
    }


def _counts() -> dict[str, Any]:
    """What the bar counts: the queue's work, and what the reader has not read."""
    caller = g.get("caller")
    try:
        with installation().database.reading() as session:
            return {
                "queue": _at_work(session),
                "bell": notifications.unread(session, caller.id) if caller else 0,
            }
    except SQLAlchemyError:  # this may be the page that says that the database is away
        return {"queue": {"working": 0, "waiting": 0}, "bell": 0}


def queue() -> dict[str, int]:
    """How many submissions are worked on and how many wait."""
    with installation().database.reading() as session:
        return _at_work(session)


def _at_work(session: Session) -> dict[str, int]:
    counts = monitoring.open_submissions(session)
    return {
        "working": counts[State.RUNNING] + counts[State.SCORING],
        "waiting": counts[State.QUEUED],
    }


def static(name: str) -> str:
    """The address of a static file, with its content's digest: it may be cached for ever."""
    return url_for("static", filename=name, v=_digest(name))


@functools.cache
def _digest(name: str) -> str:
    file = Path(__file__).parent.parent / "static" / name
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def utc(moment: datetime) -> str:
    """A time with its zone: "24 Nov 2026, 11:50 UTC"."""
    return f"{written(moment.astimezone(UTC))} UTC"


def zoned(moment: datetime, zone: str) -> str:
    """A time in a zone that is named: "24 Nov 2026, 12:50 (Europe/Berlin)"."""
    return f"{written(moment.astimezone(ZoneInfo(zone)))} ({zone})"


def written(moment: datetime) -> str:
    """Day and time of day in the reader's language, without a zone."""
    return f"{day(moment)} {moment.year}, {moment:%H:%M}"


def day(moment: datetime) -> str:
    """Day and month in the reader's language: "24 Nov"."""
    chosen = language()
    return f"{moment.day}{'.' if chosen == 'de' else ''} {months(chosen)[moment.month]}"


@functools.cache
def months(name: str) -> dict[int, str]:
    """The short names of the months, by number, in a language."""
    return dict(get_month_names("abbreviated", locale=name))


def ago(moment: datetime) -> str:
    """A time relative to now: "3 min ago", "in 2 days"."""
    seconds = (now() - moment).total_seconds()
    if abs(seconds) < 10:
        return translated("just now")
    said = duration(abs(seconds))
    return translated("{said} ago" if seconds > 0 else "in {said}", said=said)


def duration(seconds: float) -> str:
    """A span in its largest fitting unit.

    >>> duration(0.4), duration(90), duration(7200), duration(200000)
    ('1 s', '2 min', '2 h', '2 days')
    """
    if seconds < 60:
        return str(translated("{n} s", n=max(1, round(seconds))))
    for limit, unit, word in ((3600, 60, "min"), (86400, 3600, "h"), (math.inf, 86400, "days")):
        if seconds < limit:
            return str(translated(f"{{n}} {word}", n=round(seconds / unit)))
    raise ValueError(f"{seconds} is no span of time.")


def ordinal(number: int) -> str:
    """A place in words.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 21, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '21st', '112th']
    """
    if language() != "en":
        return f"{number}."
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def score(value: float, low: float | None = None, high: float | None = None) -> str:
    """A score with the decimals that its interval supports: ⌈-log10(half-width)⌉, plus one.

    >>> score(0.97123, 0.96, 0.98), score(0.5), score(41.2345, 40.0, 42.0)
    ('0.971', '0.5000', '41.2')
    """
    decimals = 4
    if low is not None and high is not None and high > low:
        decimals = math.ceil(-math.log10((high - low) / 2)) + 1
    return f"{value:.{min(max(decimals, 0), MOST_DECIMALS)}f}"


def size(count: int) -> str:
    """Bytes in the unit that fits.

    >>> size(312), size(31567), size(2909695)
    ('312 B', '31.6 kB', '2.9 MB')
    """
    for unit, word in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {word}"
    return f"{count} B"


def plainly(value: Any) -> str:
    """What a log kept of an act, in a line for people.

    >>> plainly({"closes_at": [None, "2026-12-01T18:00"], "finals": [2, 3], "course": None})
    'closes_at none → 2026-12-01T18:00, finals 2 → 3'
    >>> plainly([{"name": "top", "percent": 100.0, "baseline": None}, {"name": "low"}])
    'name top, percent 100; name low'
    >>> plainly(True), plainly(["ada", "bob", "cy"]), plainly({})
    ('yes', 'ada; bob; cy', '')
    """
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict():
            kept = ((key, one) for key, one in value.items() if one is not None)
            return ", ".join(f"{key} {plainly(one)}" for key, one in kept)
        case [before, after] if not isinstance(before, dict):  # of a change
            return f"{plainly(before)} → {plainly(after)}"
        case list() | tuple():
            return "; ".join(map(plainly, value))
    return str(value)


@functools.lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """A host's or a challenge's Markdown as safe HTML; a leading title is dropped.

    The page has its own h1, so that the text's sections are h2 as written.
    """
    text = re.sub(r"\A\s*# [^\n]*\n", "", text)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    tables = html.replace("<table>", '<div class="scroll" tabindex="0" role="region"><table>')
    clean = nh3.clean(
        tables.replace("</table>", "</table></div>"),
        attributes={"div": {"class", "tabindex", "role"}, "a": {"href"}, "img": {"src", "alt"}},
    )
    return Markup(clean)
