"""The other way of confining a program: docker or podman, plain, with gVisor, or with GPUs.

For machines where an administrator trusts containers more than namespaces of our own, or where the
environment of a challenge comes as an image. The engine enforces the limits; which one was hit is
read from the kernel's counts when the program has ended. A container outlives a killed worker by
its time limit at most: its first process is a clock.
"""

import contextlib
import os
import secrets
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from podium.sandbox.arguments import INSIDE, MIB, RUNNER
from podium.sandbox.gauge import Usage
from podium.sandbox.job import CODE, DATA, OUT, SCRATCH, Device, Job
from podium.sandbox.outcome import SandboxError
from podium.sandbox.outputs import CHUNK, Collected

NOBODY = "65534:65534"
ENGINE_LIMIT_S = 60.0
CLOCK_SLACK_S = 60
SHARED_PROCESSES = 4096
# What the kernel counts, as a container sees it: version 2 in one folder, version 1 in several.
COUNTS = (
    *(f"/sys/fs/cgroup/{name}" for name in ("memory.events", "memory.peak", "pids.events")),
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/memory/memory.oom_control",
    "/sys/fs/cgroup/memory/memory.max_usage_in_bytes",
    "/sys/fs/cgroup/pids/pids.events",
    "/sys/fs/cgroup/cpuacct/cpuacct.usage",
)


@dataclass(frozen=True)
class Container:
    """A container engine (`docker` or `podman`) and an image that holds Python and the packages.

    `runtime` is the engine's name for another runtime: `runsc` is gVisor.
    """

    engine: str
    image: str
    runtime: str | None = None
    python: str = "python3"
    name: str = "container"
    notes: tuple[str, ...] = (
        "In containers, memory and processes are counted when the program has ended, and a full "
        "disk is told as an exception.",
    )

    def start(self, job: Job) -> "ContainerTree":
        """Start a container and the job in it."""
        return ContainerTree(self, job)

    def create_command(self, job: Job, name: str) -> list[str]:
        """The command line that starts the container, with nothing in it but a clock."""
        limits = job.limits
        files = f"rw,nosuid,nodev,mode=1777,size={limits.disk_mib * MIB}"
        parts = [self.engine, "run", "--detach", "--rm", "--name", name]
        if self.runtime:
            parts += ["--runtime", self.runtime]
        parts += ["--network", "none", "--read-only", "--user", NOBODY, "--cap-drop", "ALL"]
        parts += ["--security-opt", "no-new-privileges", "--ipc", "private"]
        parts += ["--hostname", "sandbox", "--log-driver", "none"]
        parts += ["--memory", f"{limits.memory_mib}m", "--memory-swap", f"{limits.memory_mib}m"]
        parts += ["--pids-limit", str(limits.processes + 1), "--cpus", str(limits.cores)]
        parts += ["--ulimit", "core=0", "--ulimit", f"cpu={int(limits.cpu_s) + 1}"]
        # The user is shared by all containers: the engine's group counts, not the user id.
        parts += ["--ulimit", "nofile=1024", "--ulimit", f"nproc={SHARED_PROCESSES}"]
        parts += ["--shm-size", f"{limits.disk_mib}m"]
        for folder in (SCRATCH, "/tmp"):
            parts += ["--tmpfs", f"{folder}:{files}"]
        parts += ["--tmpfs", f"{OUT}:rw,nosuid,nodev,mode=1777,size={limits.output_mib * MIB}"]
        for place in (CODE, DATA):
            if not any(f"{bind.target}/".startswith(f"{place}/") for bind in job.binds):
                parts += ["--tmpfs", f"{place}:{files}"]
        if job.gpus:
            parts += self._gpus(job.gpus)
        parts += ["--volume", f"{INSIDE}:{RUNNER}:ro"]
        for bind in job.binds:
            parts += ["--volume", f"{bind.source}:{bind.target}:ro"]
        parts += ["--env", f"HOME={SCRATCH}", "--env", f"OMP_NUM_THREADS={limits.cores}"]
        for key, value in job.env.items():
            parts += ["--env", f"{key}={value}"]
        clock_s = int(limits.wall_s) + CLOCK_SLACK_S
        return [*parts, "--workdir", SCRATCH, self.image, "sleep", str(clock_s)]

    def _gpus(self, gpus: tuple[Device, ...]) -> list[str]:
        """Docker has a flag of its own; podman takes devices by their CDI names."""
        if self.engine.endswith("docker"):
            return ["--gpus", f'"device={",".join(str(gpu.index) for gpu in gpus)}"']
        return [part for gpu in gpus for part in ("--device", f"nvidia.com/gpu={gpu.index}")]


class ContainerTree:
    """One container and the program in it."""

    def __init__(self, runner: Container, job: Job) -> None:
        self._engine = runner.engine
        self._limits = job.limits
        self.name = f"podium-{os.getpid()}-{secrets.token_hex(4)}"
        self.to_fd: int | None = None
        self.from_fd: int | None = None
        self._call(*runner.create_command(job, self.name)[1:])
        self._held = contextlib.ExitStack()
        self._held.callback(self._call, "rm", "--force", self.name, check=False)
        self._held.callback(self.kill)  # podman's rm waits ten seconds for a polite end
        reading, writing = os.pipe()
        self._held.callback(os.close, reading)
        pipe = subprocess.PIPE
        command = [self._engine, "exec", "--interactive", self.name, *job.command]
        self._process = subprocess.Popen(
            command,
            stdin=pipe if job.channel else subprocess.DEVNULL,
            stdout=pipe if job.channel else writing,
            stderr=writing,
        )
        os.close(writing)
        os.set_blocking(reading, False)
        self.log_fd = reading
        self.exit_fd = os.pidfd_open(self._process.pid)
        self._held.callback(os.close, self.exit_fd)
        if self._process.stdin is not None and self._process.stdout is not None:
            self._held.enter_context(self._process.stdin)
            self._held.enter_context(self._process.stdout)
            self.to_fd = self._process.stdin.fileno()
            self.from_fd = self._process.stdout.fileno()
        self._usage = Usage()

    def usage(self) -> Usage:
        """Only what the engine tells at the end: asking takes it a second."""
        return self._usage

    def kill(self) -> None:
        """End the container, and the client that may wait for us to read its log."""
        self._call("kill", self.name, check=False)
        self._process.kill()

    def finish(self) -> int:
        """Wait for the program, then end what it left running beside it."""
        status = self._process.wait()
        # What it left running goes first: it may hold the places that the next call needs.
        self._call("exec", self.name, "sh", "-c", "kill -9 -1", check=False)
        self._usage = counted(self._call("exec", self.name, "grep", "-H", "", *COUNTS, check=False))
        return status

    def collect(self, target: Path) -> Collected:
        """Take the plain files out of /out, as a stream that is read with the same suspicion."""
        limits = self._limits
        collected = Collected(left_bytes=limits.output_mib * MIB, left_files=limits.files)
        command = [self._engine, "exec", self.name, "tar", "-C", OUT, "-cf", "-", "."]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        ) as process:
            with (
                contextlib.suppress(tarfile.ReadError),  # the container has been ended
                tarfile.open(fileobj=process.stdout, mode="r|") as archive,
            ):
                unpack(archive, target, collected)
            process.kill()
        return collected

    def close(self) -> None:
        """Remove the container."""
        self._held.close()

    def _call(self, *arguments: str, check: bool = True) -> str:
        try:
            done = subprocess.run(
                [self._engine, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ENGINE_LIMIT_S,
            )
        except FileNotFoundError:
            raise SandboxError(
                f"There is no {self._engine} here. Install it, or use bubblewrap."
            ) from None
        except subprocess.TimeoutExpired:
            raise SandboxError(f"{self._engine} did not answer for {ENGINE_LIMIT_S} s.") from None
        if check and done.returncode != 0:
            raise SandboxError(
                f"{self._engine} {arguments[0]} failed: {done.stderr.strip()[-500:]}"
            )
        return done.stdout


def counted(lines: str) -> Usage:
    """What the files of COUNTS say, as `grep -H` prints them: one `file:line` a line."""
    table: dict[str, int] = {}
    for line in lines.splitlines():
        file, _, fact = line.partition(":")
        name, _, value = fact.rpartition(" ")
        if value.isdigit():  # a limit that is not set says `max`
            table[f"{file.rpartition('/')[2]} {name}".strip()] = int(value)
    nanoseconds = table.get("cpuacct.usage", 1000 * table.get("cpu.stat usage_usec", 0))
    return Usage(
        memory=table.get("memory.peak", table.get("memory.max_usage_in_bytes", 0)),
        cpu_s=nanoseconds / 1e9,
        out_of_memory=table.get("memory.events oom_kill", 0)
        + table.get("memory.oom_control oom_kill", 0),
        refused_forks=table.get("pids.events max", 0),
    )


def unpack(archive: tarfile.TarFile, target: Path, collected: Collected) -> None:
    """Plain files with plain relative names, up to what may still be taken."""
    for member in archive:
        path = PurePosixPath(member.name)
        if member.isdir():
            continue
        if path.is_absolute() or ".." in path.parts or not member.name.isprintable():
            collected.refuse(member.name, "has a name that leads elsewhere.")
        elif not member.isreg():
            collected.refuse(member.name, "is neither a file nor a folder.")
        elif member.size > collected.left_bytes or not collected.left_files:
            collected.refuse(member.name, "is more than what may still come out.")
        else:
            source = archive.extractfile(member)
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as kept:
                while source is not None and (block := source.read(CHUNK)):
                    kept.write(block)
            collected.left_bytes -= member.size
            collected.left_files -= 1
            collected.files.append(str(path))
    collected.files.sort()
