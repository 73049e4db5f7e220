"""What is to be run: a command, what it may see, and what it may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from podium.sandbox.limits import Limits

CODE, DATA, OUT, SCRATCH = "/code", "/data", "/out", "/scratch"


@dataclass(frozen=True)
class Bind:
    """A file or folder of this machine that the program may read at `target`, and not write."""

    source: Path
    target: str

    def __post_init__(self) -> None:
        parts = self.target.split("/")
        if not self.target.startswith("/") or not all(parts[1:]) or {".", ".."} & set(parts):
            raise ValueError(f"{self.target!r} is no place for a bind. Say an absolute plain path.")


@dataclass(frozen=True)
class Device:
    """An NVIDIA device: its number with the driver, and the number of its file /dev/nvidiaN.

    They differ where a container was given some devices of its machine only.
    """

    index: int
    minor: int
    uuid: str = ""


@dataclass(frozen=True)
class Job:
    """One run of one command.

    With `channel` its stdin and stdout belong to the caller (frames) and only stderr is its log;
    otherwise stdin is empty and both outputs are the log. The environment holds what is needed
    to find Python, and `env`; nothing of the caller's environment comes along.
    """

    command: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    binds: tuple[Bind, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    channel: bool = False
    gpus: tuple[Device, ...] = ()  # one job a device at a time
