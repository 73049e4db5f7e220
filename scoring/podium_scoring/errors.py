"""What can go wrong when scoring, and whose move it is.

ScoringError
├── SubmissionError    the student's file: shown to the student as it stands
└── ChallengeError     the host's answers, metric or options: shown to the host

Every other exception is a fault of ours and is never turned into one of these.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MOST_DETAILS = 20


@dataclass(frozen=True)
class Detail:
    """One place in a file: line (1 is the first), column name, what fits there, what is there."""

    line: int | None
    column: str | None
    expected: str
    got: str

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line is not None else []
        where += [f"column {self.column!r}"] if self.column is not None else []
        place = ", ".join(where)
        said = f"expected {self.expected}, got {self.got}"
        return f"{place}: {said}" if place else said


class ScoringError(Exception):
    """Base of both; `details` holds at most 20 places, `more` counts the rest."""

    def __init__(self, message: str, details: Iterable[Detail] = (), more: int = 0) -> None:
        kept = list(details)
        super().__init__(message)
        self.message = message
        self.details: tuple[Detail, ...] = tuple(kept[:MOST_DETAILS])
        self.more = more + max(0, len(kept) - MOST_DETAILS)


class SubmissionError(ScoringError):
    """The file breaks the published format."""


class ChallengeError(ScoringError):
    """The challenge is at fault: its answers, its metric or an option of it."""
