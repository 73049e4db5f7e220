"""Shapes of what run workers and the server tell each other."""

from typing import Any, Literal

from pydantic import Field

from podium.web.api.shapes import Detail, Shape


class WorkerCard(Shape):
    """What a run worker says of itself; `memory_mib` is of its GPU, `trouble` why it is idle.

    `warm` sandboxes wait and hold `warm_mib`; `packages` of its environment are said on arrival.
    """

    name: str = Field(min_length=1, max_length=200)
    queue: Literal["run", "run-gpu", "match"]
    host: str = Field(max_length=200)
    pid: int = Field(ge=0, le=2**31 - 1)
    version: str = Field(max_length=50)
    device: str = Field("cpu", max_length=200)
    memory_mib: int = Field(0, ge=0, le=2**31 - 1)
    driver: str = Field("", max_length=100)
    tags: list[str] = Field([], max_length=50)
    trouble: str = Field("", max_length=2000)
    warm: int = Field(0, ge=0, le=10_000)
    warm_mib: int = Field(0, ge=0, le=2**31 - 1)
    packages: dict[str, str] = Field({}, max_length=5000)


class Input(Shape):
    """A file that a run reads."""

    name: str
    size_bytes: int
    sha256: str


class Pairing(Shape):
    """A match: the opponent's submission and file, and the hidden seed with its number."""

    opponent: int
    sha256: str
    number: int
    seed: int


class Assignment(Shape):
    """A submission for a run worker; `token` speaks for this attempt in `Podium-Attempt`."""

    token: str
    submission_id: int
    number: int
    competition: str
    kind: str
    file_name: str
    size_bytes: int
    sha256: str
    inputs: list[Input]
    run: dict[str, Any]
    output: str
    columns: list[str]
    device: str
    seeds: list[tuple[int, int]]
    matches: list[Pairing]


class Assignments(Shape):
    """At most one."""

    items: list[Assignment]


class BeatRequest(Shape):
    """A heartbeat; with the token and the log's end of what is in hand."""

    card: WorkerCard
    token: str | None = None
    log: str | None = Field(None, max_length=1 << 19)


class Beat(Shape):
    """Whether the worker is to end, and whether its attempt is still the current one."""

    is_draining: bool
    is_in_force: bool


class Side(Shape):
    """One agent's part in an episode."""

    submission_id: int
    score: float = Field(allow_inf_nan=False)
    fault: str = Field("", max_length=20_000)


class Played(Shape):
    """An episode, its sides in the order of the seats."""

    number: int
    steps: int = Field(ge=0)
    result: str = Field(max_length=20_000)
    sides: list[Side] = Field(min_length=1, max_length=2)
    replay_bytes: int = Field(ge=0)


class ReportRequest(Shape):
    """How an attempt ended, in the words of `verdicts`, or `ran`, `fault`, `returned`."""

    outcome: Literal[
        "ran",
        "invalid",
        "exception",
        "time_limit",
        "memory_limit",
        "output_limit",
        "process_limit",
        "protocol",
        "fault",
        "returned",
    ]
    reason: str = Field("", max_length=20_000)
    details: list[Detail] = Field([], max_length=20)
    log: str = Field("", max_length=1 << 19)
    wall_s: float | None = Field(None, ge=0)
    cpu_s: float | None = Field(None, ge=0)
    memory_bytes: int | None = Field(None, ge=0, le=2**62)
    episodes: list[Played] = Field([], max_length=5000)


class Reported(Shape):
    """Whether the report was taken; it is not when the attempt was over already."""

    is_taken: bool
