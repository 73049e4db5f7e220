"""Looks at the processes and files of a running sandbox from outside.

Everything is read through descriptors into the sandbox's own /proc and file systems. Those on the
file systems stay good after the last process has gone: that is how output is taken out of them.
"""

import contextlib
import os
import time
from dataclasses import dataclass

from podium.sandbox.cgroups import Group
from podium.sandbox.job import OUT, SCRATCH

WRITABLE = (OUT, SCRATCH, "/tmp", "/dev/shm")
TICKS = os.sysconf("SC_CLK_TCK")
KIB = 1024


@dataclass(frozen=True)
class Usage:
    """What a sandbox uses now. Memory counts processes and files; bytes throughout."""

    memory: int = 0
    largest_process: int = 0  # the most that one process has ever held
    cpu_s: float = 0.0
    tasks: int = 0
    disk: int = 0
    out: int = 0
    files: int = 0
    is_full: bool = False  # a file system has no room left
    out_of_memory: int = 0
    refused_forks: int = 0


@dataclass(frozen=True)
class Space:
    """How much of one file system in memory is used."""

    used: int
    files: int
    is_full: bool


class Gauge:
    """Measures one sandbox; `root` is its root folder as seen from here."""

    def __init__(self, root: str, group: Group | None) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY
        self._group = group
        self._proc = -1
        self.folders: dict[str, int] = {}
        try:
            for name in WRITABLE:
                self.folders[name] = os.open(root + name, flags)
            self._proc = os.open(root + "/proc", flags)
        except OSError:
            self.close()
            raise
        self._empty = {name: _space(fd).files for name, fd in self.folders.items()}
        self._cpu_s = 0.0

    def read(self, memory_limit: int) -> Usage:
        """Measure now. Above the limit shared pages are counted again, exactly, so once each."""
        spaces = {name: _space(fd) for name, fd in self.folders.items()}
        files = sum(space.files - self._empty[name] for name, space in spaces.items())
        held = sum(space.used for space in spaces.values())
        processes = self._processes()
        cpu_s = sum(process.cpu_s for process in processes)
        memory = sum(p.anonymous for p in processes) + max(held, sum(p.shared for p in processes))
        out_of_memory = refused_forks = 0
        if self._group is not None:
            counted = self._group.counted()
            memory = counted.memory
            cpu_s = cpu_s if counted.cpu_s is None else counted.cpu_s
            out_of_memory, refused_forks = counted.out_of_memory, counted.refused_forks
        elif memory > memory_limit:
            memory = self._proportional(held)
        self._cpu_s = max(self._cpu_s, cpu_s)
        return Usage(
            memory=memory,
            largest_process=max((process.most for process in processes), default=0),
            cpu_s=self._cpu_s,
            tasks=sum(process.threads for process in processes if process.pid != "1"),
            disk=held - spaces[OUT].used,
            out=spaces[OUT].used,
            files=files,
            is_full=any(space.is_full for space in spaces.values()),
            out_of_memory=out_of_memory,
            refused_forks=refused_forks,
        )

    def close(self) -> None:
        """Let go of the file systems; their memory is free again."""
        for fd in (*self.folders.values(), self._proc):
            if fd >= 0:
                os.close(fd)
        self.folders = {}
        self._proc = -1

    def _processes(self) -> list["_Process"]:
        found = []
        with contextlib.suppress(OSError):  # the namespace has gone
            for name in os.listdir(self._proc):
                if name.isdigit() and (process := self._process(name)):
                    found.append(process)
        return found

    def _process(self, pid: str) -> "_Process | None":
        try:
            status = self._text(f"{pid}/status")
            stat = self._text(f"{pid}/stat")
        except OSError:  # it ended while the list was read
            return None
        facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        times = stat.rpartition(")")[2].split()[11:15]
        return _Process(
            pid,
            _kib(facts, "RssAnon"),
            _kib(facts, "RssShmem"),
            _kib(facts, "VmHWM"),
            int(facts["Threads"]),
            sum(map(int, times)) / TICKS,
        )

    def _proportional(self, held: int) -> int:
        """Memory with every shared page counted once."""
        anonymous = shared = 0
        for name in os.listdir(self._proc):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError):
                rows = self._text(f"{name}/smaps_rollup").splitlines()[1:]
                facts = dict(row.split(":", 1) for row in rows)
                anonymous += _kib(facts, "Pss_Anon")
                shared += _kib(facts, "Pss_Shmem")
        return anonymous + max(held, shared)

    def _text(self, path: str) -> str:
        fd = os.open(path, os.O_RDONLY, dir_fd=self._proc)
        with open(fd, encoding="utf-8", errors="replace") as file:
            return file.read()


@dataclass(frozen=True)
class _Process:
    pid: str
    anonymous: int
    shared: int
    most: int
    threads: int
    cpu_s: float


def _space(fd: int) -> Space:
    facts = os.fstatvfs(fd)
    used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
    return Space(used, facts.f_files - facts.f_ffree, facts.f_bfree == 0)


def _kib(facts: dict[str, str], name: str) -> int:
    """Kernel threads and zombies have no such line."""
    return int(facts[name].split()[0]) * KIB if name in facts else 0


def wait_for(root: str, init: int, limit_s: float) -> None:
    """Wait until the sandbox has its own root: `/proc/PID/root` is ours until it has pivoted.

    Raises ProcessLookupError if it ends before, TimeoutError after `limit_s`.
    """
    end = time.monotonic() + limit_s
    ours = os.stat("/")
    while True:
        try:
            there = os.stat(root)
            if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) and all(
                os.path.isdir(root + name) for name in (*WRITABLE, "/proc/1")
            ):
                return
        except FileNotFoundError:
            raise ProcessLookupError(f"process {init} has gone") from None
        if time.monotonic() > end:
            raise TimeoutError(f"The sandbox was not ready after {limit_s} s.")
        time.sleep(0.0003)
