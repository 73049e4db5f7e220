"""Submitted code that waits for questions: a sandbox, our script in it, and a link to it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from podium.sandbox.arguments import RUNNER
from podium.sandbox.confinement import Sandbox
from podium.sandbox.inside.frames import ASK, LOAD, READY, Field
from podium.sandbox.job import CODE, DATA, Bind, Device, Job
from podium.sandbox.limits import Limits
from podium.sandbox.link import GoneError, Link, LinkError
from podium.sandbox.outcome import Cause, Outcome, SandboxError
from podium.sandbox.runner import Runner

BOOT_LIMIT_S = 60.0  # for the interpreter and the packages: ours, not the student's time
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True)
class Load:
    """What is served.

    Roles: `batch` (predict), `agent` (act), `script` (which reads `data` in /data), `model` (an
    ONNX `model.onnx`), and `weights` (a `model.safetensors` for the network that `build()` of the
    challenge's entry makes).
    """

    role: str
    files: Mapping[str, bytes]
    entry: str = ""
    providers: tuple[str, ...] = (CPU,)
    data: Mapping[str, bytes] = field(default_factory=dict)

    def fields(self) -> dict[str, Field]:
        """As the first frame carries it."""
        said: dict[str, Field] = {"role": self.role, "entry": self.entry}
        said["providers"] = ",".join(self.providers)
        places = {CODE: self.files, DATA: self.data}
        files: dict[str, Field] = {
            f"file:{place}/{name}": np.frombuffer(content, np.uint8)
            for place, named in places.items()
            for name, content in named.items()
        }
        return said | files


def serving_job(
    runner: Runner,
    limits: Limits,
    preload: tuple[str, ...] = (),
    binds: tuple[Bind, ...] = (),
    gpus: tuple[Device, ...] = (),
) -> Job:
    """Our script, waiting for its first frame, with these packages imported."""
    command = (runner.python, "-s", "-E", "-u", f"{RUNNER}/serve.py", *preload)
    return Job(command, limits, binds, channel=True, gpus=gpus)


def boot(runner: Runner, job: Job) -> "Served":
    """Start the script and wait until its packages are imported. Raises SandboxError."""
    sandbox = Sandbox(job, runner)
    link = Link(sandbox.to_fd, sandbox.from_fd)
    try:
        link.expect(READY, BOOT_LIMIT_S)
    except LinkError as error:
        sandbox.end()
        said = sandbox.wait().last_lines(5)
        sandbox.close()
        raise SandboxError(f"The sandbox's own script did not get ready: {error} {said}") from None
    except BaseException:
        sandbox.close()
        raise
    return Served(sandbox, link)


def launch(
    runner: Runner,
    job: Job,
    load: Load,
    on_log: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> "Served":
    """A cold sandbox with the code handed over, as the referee wants its agents started."""
    served = boot(runner, job)
    served.load(load, on_log, stop)
    return served


@dataclass
class Served:
    """A loaded program. Leaving it ends the program."""

    sandbox: Sandbox
    link: Link

    def load(
        self,
        load: Load,
        on_log: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        outputs: Path | None = None,
    ) -> None:
        """Hand over the code; from here on its time counts. Its answer is awaited by `ready`.

        `outputs` as for `run`.
        """
        self.sandbox.begin(on_log, stop, outputs)
        self.link.post(LOAD, load.fields())

    def ready(self, limit_s: float) -> None:
        """Wait until it is loaded. Raises LinkError."""
        self.link.expect(READY, limit_s)

    def ask(self, fields: Mapping[str, Field], expected: int, limit_s: float) -> dict[str, Field]:
        """One question and its answer. Raises LinkError."""
        return self.link.ask(ASK, fields, expected, limit_s)

    def failed(self, error: LinkError) -> Outcome:
        """End it because of this error, and tell what really happened."""
        if isinstance(error, GoneError):
            outcome = self.sandbox.wait()
            if outcome.ok:
                reason = "It ended with status 0 before it had answered everything."
                return replace(outcome, cause=Cause.PROTOCOL, reason=reason)
            return outcome
        self.sandbox.end(error.cause, str(error))
        outcome = self.sandbox.wait()
        if outcome.cause in (Cause.OK, Cause.EXCEPTION):  # it may have ended before we did it
            return replace(outcome, cause=error.cause, reason=str(error))
        return outcome

    def finished(self) -> Outcome:
        """End it because everything has been answered."""
        self.sandbox.end(Cause.OK, "It answered everything.")
        return self.sandbox.wait()

    def close(self) -> None:
        """End it and give back what it held."""
        self.sandbox.close()

    def __enter__(self) -> "Served":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
