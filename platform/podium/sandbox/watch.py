"""Watches a started tree until it has ended: clock, memory, processes, disk, log, cancelling."""

import codecs
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from podium.sandbox.gauge import Usage
from podium.sandbox.gpumemory import GpuMemory
from podium.sandbox.limits import Limits
from podium.sandbox.outcome import Cause, Ended, Outcome, SandboxError
from podium.sandbox.outputs import Collected
from podium.sandbox.runner import Tree

MIB = 1 << 20
TICK_S = 0.02
CHUNK = 1 << 16
SIGNALS = {
    128 + signal.SIGXCPU: Cause.TIME_LIMIT,
    128 + signal.SIGXFSZ: Cause.OUTPUT_LIMIT,
}

OnLog = Callable[[str], None]


class Watch:
    """Follows one tree to its end. Until `begin` no time counts but that of getting ready."""

    def __init__(self, tree: Tree, limits: Limits, gpu_memory: GpuMemory) -> None:
        self._tree = tree
        self._limits = limits
        self._gpu_memory = gpu_memory
        self._on_log: OnLog | None = None
        self._stop: threading.Event | None = None
        self._outputs: Path | None = None
        self._cancelled: Ended | None = None
        self._log = bytearray()
        self._printed = 0
        self._told = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._most_memory = 0
        self._began_s: float | None = None
        self._cpu_before_s = 0.0

    def begin(
        self,
        on_log: OnLog | None = None,
        stop: threading.Event | None = None,
        outputs: Path | None = None,
    ) -> None:
        """Start the clock: from here on wall and CPU time count, and the caller is told."""
        self._on_log = on_log
        self._stop = stop
        self._outputs = outputs
        self._cpu_before_s = self._tree.usage().cpu_s
        self._began_s = time.monotonic()

    def cancel(self, ended: Ended) -> None:
        """End it for a reason of the caller's; the first reason stays."""
        if self._cancelled is None:
            self._cancelled = ended
        self._tree.kill()

    def follow(self) -> Outcome:
        """Watch until the last process has gone, then take what lies in /out if it is wanted."""
        ended = self._until_exit()
        if ended is not None:
            self._tree.kill()
        status = self._tree.finish()
        wall_s = self._wall_s()
        self._drain()
        self._tell()
        usage = self._measure()
        # What the caller or the clock ended is told as such; a limit that the kernel enforced,
        # also when the program ended by itself before the supervisor looked.
        ended = self._cancelled or ended or self._breach(usage)
        if ended is None and status < 0:  # a program's own death is told by a status of 128 + n
            raise SandboxError(f"The sandbox was killed from outside, by signal {-status}.")
        ended = ended or self._verdict(status, usage)
        collected = self._tree.collect(self._outputs) if self._outputs else Collected()
        return Outcome(
            cause=ended.cause,
            reason=ended.reason,
            limit=ended.limit,
            exit_status=status if status >= 0 else 128 - status,
            wall_s=wall_s,
            cpu_s=max(0.0, usage.cpu_s - self._cpu_before_s),
            peak_memory_mib=self._most_memory / MIB,
            log=self._log.decode(errors="replace"),
            truncated=self._printed > len(self._log),
            files=tuple(collected.files),
            refused=tuple(collected.refused),
        )

    def _until_exit(self) -> Ended | None:
        poll = select.poll()
        poll.register(self._tree.log_fd, select.POLLIN)
        poll.register(self._tree.exit_fd, select.POLLIN)
        next_look = time.monotonic()
        while True:
            wait_s = max(0.0, next_look - time.monotonic())
            ready = dict(poll.poll(wait_s * 1000))
            if self._tree.log_fd in ready:
                if not self._read_log():
                    poll.unregister(self._tree.log_fd)  # closed; the program may go on
                if ended := self._flood():
                    return ended
            if self._tree.exit_fd in ready:
                return None
            if self._stop is not None and self._stop.is_set():
                return Ended(Cause.CANCELLED, "It was cancelled.")
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + TICK_S
                if ended := self._late() or self._breach(self._measure()):
                    return ended

    def _measure(self) -> Usage:
        usage = self._tree.usage()
        self._most_memory = max(self._most_memory, usage.memory, usage.largest_process)
        return usage

    def _wall_s(self) -> float:
        return 0.0 if self._began_s is None else time.monotonic() - self._began_s

    def _late(self) -> Ended | None:
        limit = self._limits.wall_s
        if self._wall_s() > limit:
            reason = f"It ran longer than the time limit of {limit:g} s."
            return Ended(Cause.TIME_LIMIT, reason, limit)
        return None

    def _flood(self) -> Ended | None:
        limit = self._limits.log_kib
        if self._printed > limit << 10:
            reason = f"It printed more than {limit} KiB. Print less, for example once an epoch."
            return Ended(Cause.OUTPUT_LIMIT, reason, limit)
        return None

    def _breach(self, usage: Usage) -> Ended | None:
        """The first limit that is broken, in the order in which one leads to another."""
        limits = self._limits
        if usage.refused_forks or usage.tasks > limits.processes:
            return Ended(
                Cause.PROCESS_LIMIT,
                f"It started more than {limits.processes} processes and threads.",
                limits.processes,
            )
        if usage.files > limits.files:
            return Ended(
                Cause.OUTPUT_LIMIT, f"It made more than {limits.files:,} files.", limits.files
            )
        if usage.out_of_memory or usage.memory > limits.memory_mib * MIB:
            return Ended(
                Cause.MEMORY_LIMIT,
                f"It needed more than {limits.memory_mib} MiB of memory. Files in /scratch, /tmp, "
                "/dev/shm and /out count too.",
                limits.memory_mib,
            )
        if self._gpu_memory.taken() > limits.gpu_memory_mib * MIB:
            return Ended(
                Cause.MEMORY_LIMIT,
                f"It held more than {limits.gpu_memory_mib} MiB on the GPU. Smaller batches often "
                "help.",
                limits.gpu_memory_mib,
            )
        if usage.disk > limits.disk_mib * MIB:
            return self._disk_full()
        if usage.cpu_s - self._cpu_before_s > limits.cpu_s:
            return self._cpu_spent()
        return None

    def _verdict(self, status: int, usage: Usage) -> Ended:
        """What the exit status says, seen together with what was full."""
        if usage.is_full:
            return self._disk_full()
        if status == 0:
            return Ended(Cause.OK, "It ended by itself.")
        if status == 128 + signal.SIGXCPU:
            return self._cpu_spent()
        if status > 128:
            name = signal.strsignal(status - 128) or f"signal {status - 128}"
            return Ended(Cause.EXCEPTION, f"It was ended by a signal ({name}).")
        return Ended(Cause.EXCEPTION, f"It ended with status {status}. Its log says where.")

    def _disk_full(self) -> Ended:
        limits = self._limits
        reason = (
            f"It filled its disk: /scratch, /tmp and /dev/shm hold {limits.disk_mib} MiB together, "
            f"/out holds {limits.output_mib} MiB."
        )
        return Ended(Cause.OUTPUT_LIMIT, reason, limits.disk_mib)

    def _cpu_spent(self) -> Ended:
        limit = self._limits.cpu_s
        reason = f"It used more than {limit:g} s of processor time."
        return Ended(Cause.TIME_LIMIT, reason, limit)

    def _read_log(self) -> bool:
        """Take what is there; False at its end."""
        try:
            block = os.read(self._tree.log_fd, CHUNK)
        except BlockingIOError:
            return True
        if not block:
            return False
        room = max(0, (self._limits.log_kib << 10) - self._printed)
        self._printed += len(block)
        self._log += block[:room]
        self._tell()
        return True

    def _tell(self) -> None:
        """Hand on what was printed since the last time, also what came before `begin`."""
        if self._on_log is None or self._told == len(self._log):
            return
        text = self._decoder.decode(bytes(self._log[self._told :]))
        self._told = len(self._log)
        if text:
            self._on_log(text)

    def _drain(self) -> None:
        """What still lies in the pipe after everybody has gone: 64 KiB at most, a pipe's size."""
        for _ in range(2):
            before = self._printed
            if not self._read_log() or self._printed == before:
                return
