"""Keeps a quick agent on its referee's processor.

The two never work at the same time, and to wake the other on another processor takes longer than
most agents think: 100 µs a question instead of 25 were measured on a virtual machine. An agent
that thinks for long is left where the kernel puts it.
"""

import os
from pathlib import Path

import numpy as np

from podium.sandbox.inside.frames import PLACE
from podium.sandbox.link import Link

QUICK_S, SLOW_S = 0.0005, 0.002  # the mean time of a question, to come together and to part
WEIGHT = 0.05  # of the last question in that mean
PROCESSOR = 36  # which field of a thread's `stat` behind its name says where it runs


class Lockstep:
    """The calling thread and an agent, on one processor as long as the agent is quick."""

    def __init__(self) -> None:
        self._free = os.sched_getaffinity(0)
        self._is_bound = False
        self._link: Link | None = None
        self._mean_s = SLOW_S

    def meet(self, link: Link) -> None:
        """From now on it is about the agent at this link."""
        self.release()
        self._link, self._mean_s = link, SLOW_S

    def took(self, seconds: float) -> None:
        """Note what a question took, and move both if that says so."""
        self._mean_s += WEIGHT * (seconds - self._mean_s)
        if not self._is_bound and self._mean_s < QUICK_S:
            self._is_bound = True
            self._go({_processor()})
        elif self._is_bound and self._mean_s > SLOW_S:
            self._go(self._free)
            self._is_bound = False

    def release(self) -> None:
        """The thread may go wherever it could before; the agent is about to end."""
        if self._is_bound:
            os.sched_setaffinity(0, self._free)
            self._is_bound = False

    def _go(self, processors: set[int]) -> None:
        os.sched_setaffinity(0, processors)
        if self._link is not None:
            self._link.post(PLACE, {"processors": np.array(sorted(processors))})


def _processor() -> int:
    """Where the calling thread runs."""
    stat = Path("/proc/thread-self/stat").read_text(encoding="utf-8", errors="replace")
    return int(stat.rpartition(")")[2].split()[PROCESSOR])
