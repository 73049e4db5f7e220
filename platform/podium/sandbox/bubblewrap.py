"""Starts a program in bubblewrap and holds on to its tree of processes."""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from podium.sandbox import arguments, cgroups, outputs, seccomp
from podium.sandbox.arguments import MIB
from podium.sandbox.cgroups import Group
from podium.sandbox.environment import Environment
from podium.sandbox.gauge import Gauge, Usage, wait_for
from podium.sandbox.job import OUT, Job
from podium.sandbox.outcome import SandboxError
from podium.sandbox.slots import Slot

START_LIMIT_S = 20.0
OPEN_FILES = 1024
# Where no group counts, the kernel's own limits hold back what grows faster than the supervisor
# looks: address space bounds one process (torch alone maps some hundred MiB it never touches).
ADDRESS_SPACE_SLACK_MIB = 4096
CPU_SLACK_S = 60  # importing packages comes before the clock runs
PROCESS_SLACK = 16  # above what is counted, so that the count is what ends the run

GROUPS_HELP = (
    "No control groups can be made here, so limits of memory and processes are watched 50 times a "
    "second instead of being enforced by the kernel. To mend it: run the worker as root, or by "
    "`systemd-run --user --scope -p Delegate=yes`, or in a container with a writable "
    "/sys/fs/cgroup."
)

T = TypeVar("T")


@dataclass(frozen=True)
class Bubblewrap:
    """The default way: namespaces by bubblewrap, a system call filter, limits by the kernel.

    `groups` says where control groups may be made; None leaves counting to the supervisor.
    """

    environment: Environment
    groups: cgroups.Place | None
    name: str = "bubblewrap"

    @classmethod
    def here(cls) -> "Bubblewrap":
        """As this machine allows it: own environment, control groups where they can be made."""
        return cls(Environment.current(), cgroups.find())

    @property
    def python(self) -> str:
        """The interpreter of the environment; it has the same path inside."""
        return self.environment.python

    @property
    def notes(self) -> tuple[str, ...]:
        """That nobody but the supervisor counts, where it is so."""
        return (GROUPS_HELP,) if self.groups is None else ()

    def start(self, job: Job) -> "BubblewrapTree":
        """Start a job. It has not run an instruction before its limits hold."""
        return BubblewrapTree(job, self.environment, self.groups)


class BubblewrapTree:
    """One bubblewrap, the init process of its namespaces and what runs below."""

    def __init__(self, job: Job, environment: Environment, groups: cgroups.Place | None) -> None:
        self._limits = job.limits
        self._held = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._init: int | None = None
        self._group: Group | None = None
        self.to_fd: int | None = None
        self.from_fd: int | None = None
        with contextlib.ExitStack() as started:
            started.callback(self.close)
            started.callback(self._abandon)
            self._start(job, environment, groups)
            started.pop_all()  # it runs: nothing to undo

    def _start(self, job: Job, environment: Environment, groups: cgroups.Place | None) -> None:
        uid = self._held.enter_context(Slot()).uid if arguments.mode() == "A" else None
        with contextlib.ExitStack() as theirs:  # ends of pipes that only the child keeps
            self.log_fd, log = self._from_child(theirs)
            info, info_fd = self._from_child(theirs)
            block_fd, block = self._to_child(theirs)
            filter_fd = _filled_pipe(seccomp.program())
            theirs.callback(os.close, filter_fd)
            stdin, stdout = subprocess.DEVNULL, log
            if job.channel:
                stdin, self.to_fd = self._to_child(theirs)
                self.from_fd, stdout = self._from_child(theirs)
            fds = {"filter_fd": filter_fd, "info_fd": info_fd, "block_fd": block_fd}
            command = arguments.command_line(job, environment, uid=uid, **fds)
            self._process = _in_a_lasting_thread(
                lambda: subprocess.Popen(
                    command,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=log,
                    pass_fds=tuple(fds.values()),
                    env={},  # /proc/1/environ shows it inside
                    cwd="/",
                )
            )
        os.set_blocking(self.log_fd, False)
        self.exit_fd = self._hold(os.pidfd_open(self._process.pid))
        init = self._child_pid(info)
        try:
            self._init = self._hold(os.pidfd_open(init))
            wait_for(f"/proc/{init}/root", init, START_LIMIT_S)
            self._group = self._make_group(groups)
            self._gauge = Gauge(f"/proc/{init}/root", self._group)
            self._held.callback(self._gauge.close)
            self._restrict(init, bool(job.gpus))
        except (ProcessLookupError, FileNotFoundError):  # its /proc has gone with it
            raise self._not_started() from None
        os.write(block, b"x")

    def usage(self) -> Usage:
        """What it uses now."""
        return self._gauge.read(self._limits.memory_mib * MIB)

    def kill(self) -> None:
        """End the init process of the namespace: the kernel ends the rest with it."""
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def finish(self) -> int:
        """Wait for the program, then end what it left running in the background."""
        if self._process is None or self._init is None:
            raise SandboxError("The sandbox was not started.")
        status = self._process.wait()
        self.kill()
        _wait_readable(self._init, START_LIMIT_S)
        with contextlib.suppress(ChildProcessError):  # ours only where orphans come to us
            os.waitid(os.P_PIDFD, self._init, os.WEXITED | os.WNOHANG)
        return status

    def collect(self, target: Path) -> outputs.Collected:
        """Take the files out of /out: its file system lives as long as we hold it."""
        limits = self._limits
        return outputs.collect(
            self._gauge.folders[OUT], target, limits.output_mib * MIB, limits.files
        )

    def close(self) -> None:
        """Give back descriptors, the memory of its files, the control group and the user id."""
        self._held.close()

    def _make_group(self, groups: cgroups.Place | None) -> Group | None:
        if groups is None:
            return None
        # bubblewrap's init process counts too.
        group = Group(groups, self._limits.memory_mib, self._limits.processes + 1)
        self._held.callback(group.close)
        return group

    def _restrict(self, init: int, has_gpu: bool) -> None:
        """Set the limits of the kernel from outside, on the one process that there is yet."""
        limits = self._limits
        file_size = max(limits.disk_mib, limits.output_mib) * MIB
        cpu_s = int(limits.cpu_s) + CPU_SLACK_S
        ceilings = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: cpu_s,
            resource.RLIMIT_FSIZE: file_size,
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_NPROC: limits.processes + PROCESS_SLACK,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
        }
        if self._group is None and not has_gpu:  # CUDA maps hundreds of GB
            ceilings[resource.RLIMIT_AS] = (limits.memory_mib + ADDRESS_SPACE_SLACK_MIB) * MIB
        for what, ceiling in ceilings.items():
            resource.prlimit(init, what, (ceiling, ceiling))
        Path(f"/proc/{init}/oom_score_adj").write_text("1000")  # the first to go, not the worker
        if self._group is not None:
            self._group.add(init)

    def _child_pid(self, info: int) -> int:
        text = b""
        while b"}" not in text:
            if not _wait_readable(info, START_LIMIT_S):
                raise SandboxError(f"bubblewrap said nothing for {START_LIMIT_S} s.")
            block = os.read(info, 4096)
            if not block:
                raise self._not_started()
            text += block
        return int(json.loads(text)["child-pid"])

    def _not_started(self) -> SandboxError:
        """What bubblewrap said; it has ended or is about to."""
        if self._process is not None:
            self._process.wait(START_LIMIT_S)
        with contextlib.suppress(BlockingIOError):
            words = os.read(self.log_fd, 4096).decode(errors="replace").strip()
            return SandboxError(f"The sandbox did not start: {arguments.explain(words)}")
        return SandboxError("The sandbox did not start, and bubblewrap did not say why.")

    def _abandon(self) -> None:
        """After a failed start."""
        self.kill()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _from_child(self, theirs: contextlib.ExitStack) -> tuple[int, int]:
        """A pipe that we read: our end is held until `close`, the child's until it has started."""
        reading, writing = os.pipe()
        theirs.callback(os.close, writing)
        return self._hold(reading), writing

    def _to_child(self, theirs: contextlib.ExitStack) -> tuple[int, int]:
        """A pipe that we write."""
        reading, writing = os.pipe()
        theirs.callback(os.close, reading)
        return reading, self._hold(writing)

    def _hold(self, fd: int) -> int:
        self._held.callback(os.close, fd)
        return fd


def _filled_pipe(content: bytes) -> int:
    """The reading end of a pipe that holds this content and then ends."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def _wait_readable(fd: int, limit_s: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(int(limit_s * 1000)))


_threads: dict[int, ThreadPoolExecutor] = {}
_threads_lock = threading.Lock()


def _in_a_lasting_thread(start: Callable[[], T]) -> T:
    """Start a process from a thread that lives as long as this process.

    The kernel's parent-death signal fires when the *thread* that started a child ends: a sandbox
    started from a request's thread would die with the request. One thread a process (a forked
    child needs its own).
    """
    with _threads_lock:
        spawner = _threads.setdefault(os.getpid(), ThreadPoolExecutor(1, "sandbox-spawner"))
    return spawner.submit(start).result()
