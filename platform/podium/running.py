"""WHERE A SUBMITTED MODEL, BUNDLE OR AGENT IS RUN: on a run worker, in the sandbox, nowhere else.

Knows nothing of the web or the database: files in, files and a saying out.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from podium.errors import FaultError
from podium.sandbox import Outcome


class Hand(Protocol):
    """Who holds a run: hears what it prints, and may end it."""

    let_go: threading.Event

    def hear(self, text: str) -> None:
        """Add what was printed."""


@dataclass(frozen=True)
class Desk:
    """The files of one run."""

    file: Path  # what was submitted
    inputs: Path  # folder of the public files it reads
    outputs: Path  # folder for what it writes
    work: Path  # folder for whatever is made in between

    @classmethod
    def make(cls, folder: Path) -> "Desk":
        """An empty desk in an empty folder."""
        desk = cls(folder / "file", folder / "inputs", folder / "outputs", folder / "work")
        for each in (desk.inputs, desk.outputs, desk.work):
            each.mkdir()
        return desk


@dataclass(frozen=True)
class Said:
    """How a run ended, in the words of `podium.assignments.Report`, and what it wrote."""

    outcome: str
    reason: str = ""
    details: list[dict[str, Any]] = field(default_factory=list)
    output: Path | None = None
    ended: Outcome | None = None

    def as_json(self, log_tail: str) -> dict[str, Any]:
        """As the web takes it."""
        said: dict[str, Any] = {
            "outcome": self.outcome,
            "reason": self.reason,
            "details": self.details,
            "log": log_tail,
        }
        if self.ended is not None:
            said["wall_s"], said["cpu_s"] = self.ended.wall_s, self.ended.cpu_s
            said["memory_bytes"] = round(self.ended.peak_memory_mib * (1 << 20))
        return said


def run(assignment: dict[str, Any], desk: Desk, hand: Hand) -> Said:
    """Run what was submitted, by its kind; SandboxError or FaultError if we cannot."""
    kinds: dict[str, Run] = {}
    kind: str = assignment["kind"]
    if kind not in kinds:
        raise FaultError(f"This worker runs {', '.join(kinds)}; it was given {kind!r}.")
    return kinds[kind](assignment, desk, hand)


Run = Callable[[dict[str, Any], Desk, Hand], Said]
