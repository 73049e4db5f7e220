"""Languages that Podium speaks besides English, and their catalogs of messages."""

import functools
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ENGLISH = "en"  # the language of the sources
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
CATALOGS = Path(__file__).parent / "catalogs"
LETTERS = re.compile(r"[^\W\d_]{2}")
PLACE = re.compile(r"\{(\w+)\}")
# What filters say; see `podium.web.pages.display`.
SPOKEN = (
    *("just now", "{said} ago", "in {said}", "{n} s", "{n} min", "{n} h", "{n} days"),
    *("Running", "Scoring", "Queued", "Cancelled", "Auto", "Light", "Dark"),
    *("Beginner", "Intermediate", "Advanced", "Gold", "Silver", "Bronze"),
    *("Draft", "Upcoming", "Open", "Closed", "Preparing", "Broken", "Ended", "Final"),
    *("Checked", "Scheduled", "Revealed", "Anchors", "Thresholds", "uploading"),
    *("Student", "Assistant", "Instructor", "Perfect", "Sample", "Random", "Baseline"),
    # Values of sentences; see `podium.sayings`.
    *("queued", "running", "scoring", "scored", "invalid", "failed", "cancelled", "error"),
    *("student", "assistant", "instructor", "admin", "ready", "preparing", "broken", "draw"),
    *("public", "private", "run", "score", "predictions", "model", "code", "agent"),
    *("image classification", "text classification", "object detection", "translation"),
    *("response selection", "image generation", "recommendation"),
    *("reinforcement learning", "games of two players", "classification", "regression"),
    *("and", "or", "nothing", "text", "semicolons", "tabs", "bars"),
    *("day", "days"),
    *("it is scored", "it failed", "the file does not fit"),
    *("an error of ours, it was not counted", "the deadline has passed"),
    # Of Python's reader of CSV.
    *(
        "unexpected end of data",
        "',' expected after '\"'",
        "field larger than field limit (131072)",
    ),
)


@functools.cache
def catalog(name: str) -> dict[str, str]:
    """The messages of a language; none for English, which is their own."""
    return {str(one.id): str(one.string) for one in file_of(name) if one.id and not one.fuzzy}


def file_of(name: str) -> Catalog:
    """A language's catalog as it is committed; an empty one for English."""
    file = CATALOGS / f"{name}.po"
    if not file.is_file():
        return Catalog()
    with file.open("rb") as read:
        return read_po(read)
