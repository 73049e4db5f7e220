"""What fields of a form say: moments of a zone, whole numbers, words; with the field's name."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from podium.errors import BadRequestError


def moment(text: str, zone: ZoneInfo, name: str) -> datetime | None:
    """A moment of a form, of this zone unless it names one; None if it is empty."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadRequestError(
            f"{text!r} is no moment. Give a date and a time.", field=name
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def number(form: Mapping[str, str], name: str) -> int | None:
    """A whole number of a form; None if it is empty."""
    text = form.get(name, "").strip()
    if text and not text.isdigit():
        raise BadRequestError(f"{name} is a whole number, not {text!r}.", field=name)
    return int(text) if text else None


def is_on(form: Mapping[str, str], name: str) -> bool:
    """Whether a box is ticked."""
    return form.get(name, "") in ("1", "true", "on")
