"""Drivers that run cases as root (mode A) and as an unprivileged user (mode B)."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.sandbox import Bubblewrap, Limits
from podium.sandbox.served import Load, Served, boot, serving_job

collect_ignore = ["attack.py", "driver.py"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
# `A` as root, `B` as somebody else, `A watched` as root without control groups.
MODES = ("A", "A watched", "B") if os.geteuid() == 0 else ("B",)


def pytest_report_header() -> str:
    """Mode A needs root: say so where it is not run."""
    return f"sandbox: modes {', '.join(MODES)}" + ("" if "A" in MODES else " (mode A needs root)")


def unprivileged(command: list[str]) -> list[str]:
    """The command as a user without rights; as root by dropping them.

    Interpreter and checkout may lie below a closed folder (a root's home). For this command alone
    they are shown in a mount namespace of its own; nothing changes on the machine.
    """
    if os.geteuid() != 0:
        return command
    shown = [Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT]
    steps = ["set -e"]
    hidden: dict[Path, list[Path]] = {}
    for folder in shown:
        above = [*reversed(folder.parents)]
        closed = next((parent for parent in above if not parent.stat().st_mode & 0o001), None)
        if closed is not None:
            hidden.setdefault(closed, []).append(folder)
    for closed, folders in hidden.items():
        staged = {folder: tempfile.mkdtemp(prefix="stage-") for folder in folders}
        steps += [f"mount --bind {shlex.quote(str(a))} {b}" for a, b in staged.items()]
        steps.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(closed))}")
        for folder, stage in staged.items():
            steps.append(f"mkdir -p {shlex.quote(str(folder))}")
            steps.append(f"mount --move {stage} {shlex.quote(str(folder))}")
            steps.append(f"rmdir {stage}")
    steps.append(f"exec {shlex.join([*NOBODY, *command])}")
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(steps)]


class Driver:
    """A process that runs cases; started at the first one."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        command = [sys.executable, "-P", str(HERE / "driver.py")]
        self._process = subprocess.Popen(
            unprivileged(command) if mode == "B" else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.facts = self._read()

    def run(self, case: str) -> dict[str, Any]:
        """What became of a case."""
        return self._ask(case=case)

    def predict(self, code: str) -> dict[str, Any]:
        """What became of code that answers batches."""
        return self._ask(code=code)

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        request["groups"] = self.mode != "A watched"
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    @property
    def has_ended(self) -> bool:
        """A case that broke the driver must not break those that follow."""
        return self._process.poll() is not None

    def close(self) -> None:
        """It ends with its stdin."""
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the driver of mode {self.mode} ended with status {self._process.wait()}"
        return dict(json.loads(line))


@pytest.fixture(scope="session")
def runner() -> Bubblewrap:
    """The sandbox of whoever runs the tests."""
    return Bubblewrap.here()


@pytest.fixture
def python(runner: Bubblewrap) -> Callable[[str], list[str]]:
    """The command that runs some lines of Python."""
    return lambda lines: [runner.python, "-I", "-u", "-c", lines]


@pytest.fixture
def serve(runner: Bubblewrap) -> Iterator[Callable[..., Served]]:
    """Hands submitted code to a sandbox of its own; all are ended after the test."""
    with contextlib.ExitStack() as held:

        def start(
            role: str, code: str | bytes, limits: Limits | None = None, **options: Any
        ) -> Served:
            name = {"model": "model.onnx", "agent": "agent.py"}.get(role, "predict.py")
            content = code.encode() if isinstance(code, str) else code
            served = held.enter_context(boot(runner, serving_job(runner, limits or Limits())))
            served.load(Load(role, {name: content}, name), **options)
            return served

        yield start


@pytest.fixture(scope="session")
def drivers() -> Iterator[dict[str, Driver]]:
    started: dict[str, Driver] = {}
    yield started
    for driver in started.values():
        driver.close()


@pytest.fixture(params=MODES)
def driver(request: pytest.FixtureRequest, drivers: dict[str, Driver]) -> Driver:
    """One for each mode that this machine can run."""
    known = drivers.get(request.param)
    if known is not None and known.has_ended:
        known.close()
        known = None
    drivers[request.param] = known or Driver(request.param)
    return drivers[request.param]
