"""What every way of confining a program has in common: it starts a tree of processes."""

from pathlib import Path
from typing import Protocol

from podium.sandbox.gauge import Usage
from podium.sandbox.job import Job
from podium.sandbox.outputs import Collected


class Tree(Protocol):
    """A started program and everything it starts, seen from outside."""

    log_fd: int  # what it prints
    exit_fd: int  # readable once its first process has ended
    to_fd: int | None  # its stdin and stdout, if the job has a channel
    from_fd: int | None

    def usage(self) -> Usage:
        """What it uses now, and what the kernel refused it."""

    def kill(self) -> None:
        """End every process of it at once. May be called at any time, and again."""

    def finish(self) -> int:
        """Wait until the last process has gone; returns the exit status of the first.

        It is negative, the signal, only if the sandbox itself was killed.
        """

    def collect(self, target: Path) -> Collected:
        """Take the files out of /out, after `finish`."""

    def close(self) -> None:
        """Give back all that was held for it on this machine."""


class Runner(Protocol):
    """A way of confining programs."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def python(self) -> str:
        """The interpreter's path inside."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is weaker here than it could be, with how to mend it."""

    def start(self, job: Job) -> Tree:
        """Start a job. Raises SandboxError if that cannot be done here."""
