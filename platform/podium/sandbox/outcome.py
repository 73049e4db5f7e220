"""How a sandboxed run ended: the closed set of causes and the record that carries them."""

from dataclasses import dataclass
from enum import StrEnum


class SandboxError(Exception):
    """The sandbox itself could not do its part: ours, never the fault of the program in it."""


class Cause(StrEnum):
    """Why a run ended; the names are those of the verdicts."""

    OK = "ok"
    EXCEPTION = "exception"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROCESS_LIMIT = "process_limit"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Ended:
    """A cause, the sentence that is shown, and the number that was hit if it was a limit."""

    cause: Cause
    reason: str
    limit: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What is known of a run after its last process has gone.

    `exit_status` is the shell's: 128 and more is a signal. `peak_memory_mib` is the largest sum
    seen over all processes, or the largest single process if that is more. `log` holds stdout and
    stderr in the order in which they came; `truncated` says that there was more.
    """

    cause: Cause
    reason: str
    limit: float | None
    exit_status: int
    wall_s: float
    cpu_s: float
    peak_memory_mib: float
    log: str
    truncated: bool
    files: tuple[str, ...] = ()  # what was taken out of /out, relative, in order
    refused: tuple[str, ...] = ()  # what was not, and why, in words

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with status 0, within all limits."""
        return self.cause is Cause.OK

    def last_lines(self, count: int = 40) -> str:
        """The end of the log, where an exception is told."""
        return "\n".join(self.log.splitlines()[-count:])
