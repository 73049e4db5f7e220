"""Where one run is worked on: its files, its sandboxes, who hears it, and how it ended."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from podium.sandbox import Limits, Outcome
from podium.sandbox.job import Device
from podium.sandbox.pool import Stock
from podium.sandbox.runner import Runner as Confiner
from podium.sandbox.served import Load, Served, boot, serving_job


class Hand(Protocol):
    """Who holds a run: hears what it prints, and may end it."""

    @property
    def let_go(self) -> threading.Event:
        """Set when the run is to end at once."""

    def hear(self, text: str) -> None:
        """Add what was printed."""


@dataclass(frozen=True)
class Desk:
    """The files of one run, how it is confined and on which GPUs."""

    file: Path  # what was submitted
    inputs: Path  # folder of the public files it reads
    outputs: Path  # folder for what it writes
    confiner: Confiner
    gpus: tuple[Device, ...] = ()
    stock: Stock | None = None  # warm sandboxes, if any are kept

    @classmethod
    def make(
        cls,
        folder: Path,
        confiner: Confiner,
        gpus: tuple[Device, ...] = (),
        stock: Stock | None = None,
    ) -> "Desk":
        """An empty desk in an empty folder."""
        desk = cls(folder / "file", folder / "inputs", folder / "outputs", confiner, gpus, stock)
        for each in (desk.inputs, desk.outputs):
            each.mkdir()
        folder.chmod(0o755)  # the sandbox runs as somebody else
        return desk

    def takes(self, limits: Limits) -> Callable[[], Served] | None:
        """What gives a warm sandbox with these limits, if any are kept here."""
        stock = self.stock
        return None if stock is None else lambda: stock.take(limits)

    def serve(self, load: Load, limits: Limits, hand: Hand) -> Served:
        """A sandbox of its own with this code handed over: a warm one if there is one."""
        take = self.takes(limits)
        if take is None:
            served = boot(self.confiner, serving_job(self.confiner, limits, gpus=self.gpus))
        else:
            served = take()
        served.load(load, hand.hear, hand.let_go)
        return served

    def agent(self, load: Load, limits: Limits, hand: Hand) -> Callable[[], Served]:
        """What the referee calls when it needs the agent, for the first time or again."""
        return lambda: self.serve(load, limits, hand)


@dataclass(frozen=True)
class Side:
    """One agent of an episode: its submission, what it earned, what it did wrong."""

    submission_id: int
    score: float
    fault: str = ""


@dataclass(frozen=True)
class Played:
    """One episode as a run worker reports it; `number` is that of its hidden seed."""

    number: int
    steps: int
    result: str
    sides: tuple[Side, ...]  # in the order of the seats
    replay_bytes: int  # of the replays of a run, which lie one behind the other


@dataclass(frozen=True)
class Said:
    """How a run ended, in the words of `podium.assignments.Report`, and what it wrote."""

    outcome: str
    reason: str = ""
    details: list[dict[str, Any]] = field(default_factory=list)
    output: Path | None = None
    ended: Outcome | None = None
    episodes: tuple[Played, ...] = ()
    replays: bytes = field(default=b"", repr=False)  # in the order of the episodes

    def as_json(self, log_tail: str) -> dict[str, Any]:
        """As the web takes it."""
        said: dict[str, Any] = {
            "outcome": self.outcome,
            "reason": self.reason,
            "details": self.details,
            "log": log_tail,
            "episodes": [asdict(episode) for episode in self.episodes],
        }
        if self.ended is not None:
            said["wall_s"], said["cpu_s"] = self.ended.wall_s, self.ended.cpu_s
            said["memory_bytes"] = round(self.ended.peak_memory_mib * (1 << 20))
        return said


def limits_of(rules: Mapping[str, Any]) -> Limits:
    """The sandbox's limits, as `[run.limits]` of challenge.toml says them."""
    known = {one.name for one in fields(Limits)}
    return Limits(**{name: value for name, value in rules["limits"].items() if name in known})
