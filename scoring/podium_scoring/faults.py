"""What is wrong with a file, collected place by place, and how its parts are quoted."""

from dataclasses import dataclass, field
from typing import NoReturn

from podium_scoring.errors import MOST_DETAILS, Detail, SubmissionError

LONGEST_SHOWN = 40


@dataclass
class Faults:
    """Collects what is wrong, keeps the first 20 places by line, counts the rest.

    `place` is what the message calls a line: rows, entries and boxes are counted from 1 too.
    """

    details: list[Detail] = field(default_factory=list)
    count: int = 0
    place: str = "line"

    def add(self, line: int | None, column: str | None, expected: str, got: str) -> None:
        """Note one place."""
        self.count += 1
        if len(self.details) < 4 * MOST_DETAILS:
            self.details.append(Detail(line, column, expected, got))

    def skip(self, count: int) -> None:
        """Count places that are not worth keeping: there are enough before them."""
        self.count += count

    def check(self) -> None:
        """Raise SubmissionError if anything was noted."""
        if not self.count:
            return
        self.details.sort(key=lambda detail: (detail.line is None, detail.line or 0))
        kept = self.details[:MOST_DETAILS]
        first = str(kept[0])
        if kept[0].line is not None:
            first = first.replace("line", self.place, 1)
        others = ""
        if self.count > 1:
            others = f" There are {self.count - 1} more faults."
        message = f"{first[0].upper()}{first[1:]}.{others}"
        raise SubmissionError(message, kept, self.count - len(kept))


def refuse(message: str, line: int | None, column: str | None, expected: str, got: str) -> NoReturn:
    """Raise SubmissionError for a file with one fault that hides all others."""
    raise SubmissionError(message, [Detail(line, column, expected, got)])


def shown(text: str) -> str:
    """A field as it is quoted in messages: cut where it is long."""
    if text == "":
        return "nothing"
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
