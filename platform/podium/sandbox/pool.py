"""Sandboxes that wait, interpreter and packages already imported, each for one use.

Importing torch takes longer than most submissions run. Nothing is shared between students: a
sandbox that has served is thrown away, and another is started behind.
"""

import importlib.util
import logging
import threading
from collections import deque
from types import TracebackType

from podium.sandbox.job import Bind, Device
from podium.sandbox.limits import Limits
from podium.sandbox.outcome import SandboxError
from podium.sandbox.runner import Runner
from podium.sandbox.served import Served, boot, serving_job

PAUSE_S = 5.0  # after a failed start
HEAVY = "torch"
ROOM_MIB = 512  # with less memory the package alone would be too much

log = logging.getLogger(__name__)


class Pool:
    """At most `size` waiting sandboxes that hold at most `memory_mib` together.

    All have the same limits and binds: what differs between submissions comes by the link.
    """

    def __init__(
        self,
        runner: Runner,
        limits: Limits,
        *,
        preload: tuple[str, ...] = ("torch",),
        binds: tuple[Bind, ...] = (),
        gpus: tuple[Device, ...] = (),
        size: int = 2,
        memory_mib: int = 1024,
    ) -> None:
        self._runner = runner
        self._job = serving_job(runner, limits, preload, binds, gpus)
        self._memory_mib = memory_mib
        self._allowed = size
        self._waiting: deque[Served] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._filler = threading.Thread(target=self._fill, name="sandbox-pool", daemon=True)
        self._filler.start()

    def __len__(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @property
    def held_mib(self) -> float:
        """What those that wait hold together."""
        with self._changed:
            return sum(served.sandbox.memory_mib for served in self._waiting)

    def take(self) -> Served:
        """A sandbox of one's own, to be closed after use: a warm one, or else a cold one, now."""
        with self._changed:
            while self._waiting:
                served = self._waiting.popleft()
                self._changed.notify_all()
                if not served.sandbox.has_ended:
                    return served
                served.close()
        return boot(self._runner, self._job)

    def wait_until_full(self, limit_s: float) -> bool:
        """Wait until as many stand ready as may; False if that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiting) >= self._allowed, limit_s)

    def close(self) -> None:
        """End all that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._filler.join()
        for served in self._waiting:
            served.close()
        self._waiting.clear()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _fill(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or len(self._waiting) < self._allowed)
                if self._closed:
                    return
            try:
                served = boot(self._runner, self._job)
            except SandboxError as error:
                log.error("no sandbox could be warmed: %s", error)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, PAUSE_S)
                continue
            with self._changed:
                room = int(self._memory_mib // max(1.0, served.sandbox.memory_mib))
                self._allowed = min(self._allowed, room)
                if len(self._waiting) < self._allowed:
                    self._waiting.append(served)
                else:
                    served.close()
                self._changed.notify_all()


class Stock:
    """The warm sandboxes of one worker, for the limits that were asked for last.

    Submissions of one competition come in flocks: the first one starts cold and lets a pool be
    filled behind it. Another competition's limits close that pool and open another.
    """

    def __init__(
        self, runner: Runner, *, size: int, memory_mib: int, gpus: tuple[Device, ...] = ()
    ) -> None:
        self._runner = runner
        self._size, self._memory_mib, self._gpus = size, memory_mib, gpus
        self._limits: Limits | None = None
        self._pool: Pool | None = None

    def take(self, limits: Limits) -> Served:
        """A sandbox with these limits, to be closed after use."""
        if self._pool is None or limits != self._limits:
            self.close()
            self._limits = limits
            self._pool = Pool(
                self._runner,
                limits,
                preload=_worth_importing(limits),
                gpus=self._gpus,
                size=self._size,
                memory_mib=self._memory_mib,
            )
        return self._pool.take()

    @property
    def held(self) -> tuple[int, float]:
        """How many wait now, and the MiB that they hold together."""
        pool = self._pool
        return (0, 0.0) if pool is None else (len(pool), pool.held_mib)

    def close(self) -> None:
        """End all that wait."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def _worth_importing(limits: Limits) -> tuple[str, ...]:
    fits = limits.memory_mib >= ROOM_MIB and importlib.util.find_spec(HEAVY) is not None
    return (HEAVY,) if fits else ()
