"""Tries the sandbox of this machine before anything is trusted to it, and says what to mend.

Nobody is believed: not that bubblewrap is there, not that the kernel honours what it is asked for.
Real programs try to get out and to take more than they may. Fail closed: with one problem, no
submitted code is run.
"""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from podium.sandbox.arguments import RUNNER
from podium.sandbox.bubblewrap import Bubblewrap
from podium.sandbox.confinement import run
from podium.sandbox.limits import Limits
from podium.sandbox.outcome import Cause, SandboxError
from podium.sandbox.runner import Runner

FORKS = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
MEMORY = "held = []\nwhile True:\n    held.append(bytearray(4 << 20))\n"
FLOOD = "while True:\n    print('x' * 1000)\n"
SLEEP = "import time\ntime.sleep(60)\n"
SMALL = Limits(wall_s=10, cpu_s=10, memory_mib=128, processes=16, disk_mib=16, output_mib=16)


@dataclass(frozen=True)
class Health:
    """What the self-test found. Problems forbid running submitted code; notes do not."""

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether submitted code may be run here."""
        return not self.problems


@dataclass(frozen=True)
class Breach:
    """A program that must be ended with this cause."""

    what: str
    program: str
    cause: Cause
    limits: Limits


BREACHES = (
    Breach("memory", MEMORY, Cause.MEMORY_LIMIT, SMALL),
    Breach("processes", FORKS, Cause.PROCESS_LIMIT, SMALL),
    Breach("output", FLOOD, Cause.OUTPUT_LIMIT, SMALL),
    Breach("time", SLEEP, Cause.TIME_LIMIT, Limits(wall_s=0.3)),
)


def selftest(runner: Runner | None = None) -> Health:
    """Run the probes (about two seconds); never raises for what is wrong with the machine."""
    try:
        chosen = runner or Bubblewrap.here()
        python = chosen.python
        problems = _escapes(chosen, python)
        if not problems:  # a bomb is set off only where walls were found to hold
            problems = [said for breach in BREACHES for said in _breach(chosen, python, breach)]
    except (SandboxError, OSError, KeyError) as error:
        return Health((_told(error),))
    return Health(tuple(problems), chosen.notes)


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return (
            f"There is no table of system calls for {error}. Use a machine with x86_64 or aarch64."
        )
    return str(error)


def _escapes(runner: Runner, python: str) -> list[str]:
    with _targets() as targets:
        outcome = run(
            [python, "-I", f"{RUNNER}/probes.py"],
            Limits(wall_s=20),
            env={"PROBES": json.dumps(targets)},
            runner=runner,
        )
    lines = outcome.log.splitlines()
    if not outcome.ok or lines[-1:] != ["done"]:
        return [f"The probes did not run to their end. {outcome.reason} {outcome.last_lines(3)}"]
    mend = f"Do not run submitted code here; this runner ({runner.name}) does not confine it."
    return [f"From inside the sandbox, {line}. {mend}" for line in lines[:-1]]


def _breach(runner: Runner, python: str, breach: Breach) -> list[str]:
    outcome = run([python, "-I", "-c", breach.program], breach.limits, runner=runner)
    if outcome.cause is breach.cause:
        return []
    return [
        f"The limit of {breach.what} does not hold: a program that breaks it ended with "
        f"{outcome.cause.value!r} ({outcome.reason})"
    ]


@contextmanager
def _targets() -> Iterator[dict[str, object]]:
    """Things of this machine that must not be reached from inside."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        file = folder / "secret"
        file.write_text("secret")
        file.chmod(0o644)
        leak = os.open(file, os.O_RDONLY)
        held.callback(os.close, leak)
        os.set_inheritable(leak, True)
        path, abstract = str(folder / "socket"), f"podium-probe-{secrets.token_hex(4)}"
        for address in (path, "\0" + abstract):
            link = held.enter_context(socket.socket(socket.AF_UNIX))
            link.bind(address)
            link.listen()
        os.chmod(path, 0o777)
        port = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        yield {
            "file": str(file),
            "socket": path,
            "abstract": abstract,
            "port": port,
            "leak": leak,
        }
