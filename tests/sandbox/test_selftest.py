"""The self-test passes the real sandbox and finds out what does not confine."""

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from podium.sandbox import Bubblewrap, Job, SandboxError, selftest
from podium.sandbox.arguments import INSIDE, explain
from podium.sandbox.gauge import Usage
from podium.sandbox.outputs import Collected


def test_the_sandbox_of_this_machine_holds(runner):
    assert selftest(runner).problems == ()


def test_without_control_groups_it_holds_too_and_says_what_is_weaker(runner):
    health = selftest(replace(runner, groups=None))
    assert health.ok
    assert "systemd-run" in health.notes[0]


@dataclass(frozen=True)
class Unconfined:
    """A runner that starts programs as they are, as nobody: what a broken sandbox would be."""

    python: str
    name: str = "unconfined"
    notes: tuple[str, ...] = ()

    def start(self, job: Job) -> "UnconfinedTree":
        return UnconfinedTree(job)


class UnconfinedTree:
    to_fd = from_fd = None

    def __init__(self, job: Job) -> None:
        self.log_fd, log = os.pipe()
        command = [part.replace("/runner", str(INSIDE)) for part in job.command]
        user = 65534 if os.geteuid() == 0 else None  # it writes where it may
        self._process = subprocess.Popen(
            command,
            env={**job.env},
            stdout=log,
            stderr=log,
            cwd="/",
            close_fds=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        os.close(log)
        os.set_blocking(self.log_fd, False)
        self.exit_fd = os.pidfd_open(self._process.pid)

    def usage(self) -> Usage:
        return Usage()

    def kill(self) -> None:
        self._process.kill()

    def finish(self) -> int:
        return self._process.wait()

    def collect(self, target: Path) -> Collected:
        return Collected()

    def close(self) -> None:
        os.close(self.log_fd)
        os.close(self.exit_fd)


@pytest.fixture
def unconfined():
    """With a Python that nobody may run too; the probes are read from the checkout."""
    return Unconfined("/usr/bin/python3")


def test_a_runner_that_confines_nothing_is_found_out(unconfined):
    problems = "\n".join(selftest(unconfined).problems)
    for words in (
        "memfd_create is allowed",
        "a file of the machine can be read",
        "AF_INET",
        "AF_UNIX '/",
        "AF_UNIX '\\x00podium-probe",
        "a descriptor of the worker is open",
        "Do not run submitted code here",
    ):
        assert words in problems


def test_probes_that_cannot_run_are_a_problem(runner):
    broken = replace(runner, environment=replace(runner.environment, prefix=Path("/nowhere")))
    assert not selftest(broken).ok


def test_what_bubblewrap_says_comes_with_what_to_do():
    said = explain("bwrap: setting up uid map: Permission denied")
    assert "AppArmor" in said
    assert "readable" in explain("bwrap: Can't find source path /x: Permission denied")


def test_a_sandbox_that_cannot_start_is_a_problem_in_words(runner):
    missing = replace(runner, environment=replace(runner.environment, interpreter=Path("/nowhere")))
    health = selftest(missing)
    assert "/nowhere" in health.problems[0]
    with pytest.raises(SandboxError, match="/nowhere"):
        missing.start(Job(("true",)))


def test_the_default_is_made_for_this_machine():
    assert Bubblewrap.here().python.endswith("/bin/python")
