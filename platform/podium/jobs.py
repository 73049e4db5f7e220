"""The one function that RQ may run, nothing in, nothing out: it does what is next on the bench."""

from typing import Protocol


class Bench(Protocol):
    """Where a worker process works: what `podium.worker` needs of every kind of it."""

    queue: str
    name: str  # unique among living workers, the same after a restart

    def arrive(self) -> None:
        """Enter the list of workers, and give back what an earlier process of this name held."""

    def work(self) -> None:
        """Do the piece of work whose turn it is, if any may begin."""

    def beat(self) -> bool:
        """Say that this worker lives and prolong what it holds; True if it is to drain."""

    def leave(self) -> None:
        """Leave the list of workers."""


_bench: Bench | None = None


def attach(bench: Bench) -> None:
    """Tell this process where it works."""
    global _bench
    _bench = bench


def work() -> None:
    """Do what is next."""
    if _bench is None:
        raise RuntimeError("Jobs run in `podium worker`, which attaches a bench first.")
    _bench.work()
