"""Runs a job to its end, or holds it open for a caller that talks to it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from podium.sandbox.bubblewrap import Bubblewrap
from podium.sandbox.gpumemory import GpuMemory
from podium.sandbox.job import Bind, Device, Job
from podium.sandbox.limits import Limits
from podium.sandbox.outcome import Cause, Ended, Outcome
from podium.sandbox.runner import Runner, Tree
from podium.sandbox.watch import Watch


def run(
    command: Sequence[str],
    limits: Limits | None = None,
    *,
    binds: Sequence[Bind] = (),
    env: Mapping[str, str] | None = None,
    outputs: Path | None = None,
    on_log: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    gpus: Sequence[Device] = (),
    runner: Runner | None = None,
) -> Outcome:
    """Run an untrusted command to its end and say how it ended.

    It sees the system's programs, the Python environment, `binds` (read-only) and empty /scratch,
    /tmp and /out; no network, no other process, none of the caller's environment. `outputs` is an
    empty folder that receives the plain files left in /out. `on_log` is called with each piece of
    text as it is printed. Setting `stop`, from any thread, ends it with the cause `cancelled`.

    Raises SandboxError if it could not be started: then nothing of it has run.
    """
    job = Job(tuple(command), limits or Limits(), tuple(binds), dict(env or {}), gpus=tuple(gpus))
    with Sandbox(job, runner) as sandbox:
        sandbox.begin(on_log, stop, outputs)
        return sandbox.wait()


class Sandbox:
    """A started job. Its clock stands still until `begin`; leaving it ends whatever still runs."""

    def __init__(self, job: Job, runner: Runner | None = None) -> None:
        self.job = job
        gpu_memory = GpuMemory(job.gpus)  # measured before anything runs
        self._tree: Tree = (runner or Bubblewrap.here()).start(job)
        self._watch = Watch(self._tree, job.limits, gpu_memory)
        self._outcome: Future[Outcome] = Future()
        self._thread = threading.Thread(target=self._follow, name="sandbox-watch", daemon=True)
        self._thread.start()

    @property
    def to_fd(self) -> int:
        """The descriptor that its stdin reads from (jobs with a channel)."""
        return _channel(self._tree.to_fd)

    @property
    def from_fd(self) -> int:
        """The descriptor that its stdout writes to (jobs with a channel)."""
        return _channel(self._tree.from_fd)

    @property
    def has_ended(self) -> bool:
        """Whether the outcome is known."""
        return self._outcome.done()

    @property
    def memory_mib(self) -> float:
        """What it holds now."""
        return self._tree.usage().memory / (1 << 20)

    def begin(
        self,
        on_log: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        outputs: Path | None = None,
    ) -> None:
        """Start the clock. `on_log`, `stop` and `outputs` as for `run`."""
        self._watch.begin(on_log, stop, outputs)

    def end(self, cause: Cause = Cause.CANCELLED, reason: str = "It was cancelled.") -> None:
        """End all its processes; the outcome tells this cause unless it had ended before."""
        self._watch.cancel(Ended(cause, reason))

    def wait(self) -> Outcome:
        """How it ended, once it has. Raises what `on_log` raised."""
        return self._outcome.result()

    def close(self) -> None:
        """End it, and give back all that it held. Its descriptors are no longer good."""
        if not self.has_ended:
            self.end()
        self._thread.join()
        self._tree.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _follow(self) -> None:
        try:
            self._outcome.set_result(self._watch.follow())
        except BaseException as error:  # told to whoever waits; nothing may run on unwatched
            self._tree.kill()
            self._tree.finish()
            self._outcome.set_exception(error)


def _channel(fd: int | None) -> int:
    if fd is None:
        raise ValueError("This job has no channel. Start it with channel=True.")
    return fd
