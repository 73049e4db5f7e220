"""The functions that RQ may run, nothing in, nothing out; `jobqueue.FUNCTIONS` allows them."""

from dataclasses import dataclass

from podium import judging
from podium.attempts import Lease
from podium.installation import Installation


@dataclass
class Bench:
    """Where a worker process works, and what it has in hand."""

    installation: Installation
    queue: str
    worker: str
    holds: Lease | None = None


_bench: Bench | None = None


def attach(bench: Bench) -> None:
    """Tell this process whom it works for."""
    global _bench
    _bench = bench


def score() -> None:
    """Judge the submission whose turn it is, if any may begin."""
    if _bench is None:
        raise RuntimeError("Jobs run in `podium worker`, which attaches a bench first.")
    work = judging.take(_bench.installation, _bench.queue, _bench.worker)
    if work is None:
        return
    _bench.holds = work.lease
    try:
        judging.judge(_bench.installation, work)
    finally:  # what could not be written now is not held on to: its lease runs out
        _bench.holds = None
