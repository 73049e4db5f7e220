"""A control group for each sandbox, version 2 or 1 as found, so that the kernel itself counts.

Not everyone may make one. Then the supervisor looks at the processes instead (`gauge`), which is
slower to notice and is said so by the self-test.
"""

import contextlib
import errno
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
PREFIX = "podium-"
CLOSE_LIMIT_S = 5.0
CONTROLLERS = ("memory", "pids")  # of version 1; moving a process into each costs milliseconds

_serial = itertools.count()


@dataclass(frozen=True)
class Counted:
    """What the kernel counted in a group; `memory` is bytes now, without reclaimable file pages."""

    memory: int
    cpu_s: float | None
    out_of_memory: int
    refused_forks: int


@dataclass(frozen=True)
class Place:
    """Where groups may be made: one folder (version 2), or one a controller (version 1)."""

    version: int
    folders: dict[str, Path]


class Group:
    """The group of one sandbox. `close` removes it; a killed owner's goes at the next `find`."""

    def __init__(self, place: Place, memory_mib: int, processes: int) -> None:
        self._place = place
        name = f"{PREFIX}{os.getpid()}-{_birth(os.getpid())}-{next(_serial)}"
        self._folders = {key: folder / name for key, folder in place.folders.items()}
        for folder in set(self._folders.values()):
            folder.mkdir()
        memory, pids = self._folders["memory"], self._folders["pids"]
        if place.version == 2:
            _write(memory / "memory.max", memory_mib * MIB)
            _write_if_there(memory / "memory.swap.max", 0)
            _write(memory / "memory.oom.group", 1)
        else:
            _write(memory / "memory.limit_in_bytes", memory_mib * MIB)
            _write_if_there(memory / "memory.memsw.limit_in_bytes", memory_mib * MIB)
        _write(pids / "pids.max", processes)

    def add(self, pid: int) -> None:
        """Put a process into the group; its children follow."""
        for folder in set(self._folders.values()):
            _write(folder / "cgroup.procs", pid)

    def counted(self) -> Counted:
        """What the kernel has counted so far."""
        memory, pids = self._folders["memory"], self._folders["pids"]
        stat = _table(memory / "memory.stat")
        forks = _table(pids / "pids.events").get("max", 0)
        if self._place.version == 2:
            held = stat["anon"] + stat["shmem"] + stat.get("kernel", 0)
            spent = _table(memory / "cpu.stat")["usage_usec"] / 1e6
            return Counted(held, spent, _table(memory / "memory.events")["oom_kill"], forks)
        held = stat["total_rss"] + stat.get("total_shmem", 0)
        return Counted(held, None, _table(memory / "memory.oom_control")["oom_kill"], forks)

    def close(self) -> None:
        """Remove it, once its last process has gone; the kernel may need a moment to see that."""
        end = time.monotonic() + CLOSE_LIMIT_S
        for folder in set(self._folders.values()):
            while True:
                try:
                    folder.rmdir()
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY or time.monotonic() > end:
                        raise
                    time.sleep(0.001)


def find(root: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> Place | None:
    """Where this process may make groups that limit memory and processes; None if nowhere.

    What killed owners left behind is removed on the way. `own` is the text of /proc/self/cgroup.
    """
    paths = {}
    for line in (own or Path("/proc/self/cgroup").read_text()).splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            paths[name] = path.lstrip("/")
    place = _version_2(root, paths.get("", "")) or _version_1(root, paths)
    for folder in set(place.folders.values()) if place else ():
        _sweep(folder)
    return place


def _version_2(root: Path, own: str) -> Place | None:
    """The nearest folder upwards that hands both controllers to its children."""
    for folder in (root / own, *(root / own).parents):
        handed = folder / "cgroup.subtree_control"
        if handed.is_file() and os.access(folder, os.W_OK):
            if {"memory", "pids"} <= set(handed.read_text().split()):
                return Place(2, {"memory": folder, "pids": folder})
            with contextlib.suppress(OSError):  # busy: processes sit in the folder itself
                _write(handed, "+memory +pids")
                return Place(2, {"memory": folder, "pids": folder})
        if folder == root:
            return None
    return None


def _version_1(root: Path, paths: dict[str, str]) -> Place | None:
    folders = {name: root / name / paths[name] for name in CONTROLLERS if name in paths}
    usable = {name: folder for name, folder in folders.items() if os.access(folder, os.W_OK)}
    return Place(1, usable) if len(usable) == len(CONTROLLERS) else None


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{PREFIX}*-*-*"):
        _, pid, birth, _ = left.name.split("-")
        if _birth(int(pid)) != birth:
            with contextlib.suppress(OSError):  # someone else removes it just now
                left.rmdir()


def _birth(pid: int) -> str:
    """When a process started, in clock ticks; empty if there is none. Tells reused ids apart."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]


def _table(file: Path) -> dict[str, int]:
    return {
        name: int(value) for name, value in (row.split() for row in file.read_text().splitlines())
    }


def _write(file: Path, value: object) -> None:
    file.write_text(str(value))


def _write_if_there(file: Path, value: object) -> None:
    """A kernel without swap accounting has no such file."""
    if file.exists():
        _write(file, value)
