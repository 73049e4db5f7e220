"""The list of workers: who is online, on which machine and device, and who is to drain."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from podium import __version__
from podium.errors import NotFoundError
from podium.models import WorkerProcess
from podium.models.record import now
from podium.sandbox.environment import packages

SILENT = timedelta(minutes=1)  # for so long: something is wrong with it
RECONCILE = "reconcile"  # reconcilers are listed as workers of this queue


@dataclass(frozen=True)
class Card:
    """What a worker says of itself."""

    name: str
    queue: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    version: str = __version__
    device: str = "cpu"  # or the name of a GPU
    memory_mib: int = 0  # of the GPU
    driver: str = ""
    tags: tuple[str, ...] = ()
    trouble: str = ""  # why it takes no work
    warm: int = 0  # sandboxes that wait, with the MiB that they hold together
    warm_mib: int = 0
    packages: Mapping[str, str] = field(default_factory=dict)  # of its environment, on arrival


def default_name(queue: str) -> str:
    """A name for a worker started by hand: host, queue and process."""
    return f"{socket.gethostname()}-{queue}-{os.getpid()}"


def enter(session: Session, card: Card) -> None:
    """Enter a worker that begins, whatever an earlier one of its name left."""
    session.merge(_row(card))


def beat(session: Session, card: Card) -> bool:
    """A worker says that it lives; True if it is to drain."""
    row = session.get(WorkerProcess, card.name)
    if row is None:  # cleared away while it was frozen
        row = session.merge(_row(card))
    row.heartbeat_at = now()
    row.trouble = card.trouble
    row.warm, row.warm_mib = card.warm, card.warm_mib
    return row.is_draining


def leave(session: Session, name: str) -> None:
    """Strike a worker that ends in order off the list."""
    session.execute(delete(WorkerProcess).where(WorkerProcess.name == name))


def drain(session: Session, names: Sequence[str], queue: str | None) -> list[str]:
    """Ask workers to end after their work: those named, of a queue, or (neither) all.

    Returns who was asked; NotFoundError for a name that is not in the list.
    """
    query = select(WorkerProcess).where(WorkerProcess.queue != RECONCILE)
    if names:
        query = query.where(WorkerProcess.name.in_(names))
    if queue:
        query = query.where(WorkerProcess.queue == queue)
    found = session.scalars(query.order_by(WorkerProcess.name)).all()
    unknown = set(names) - {one.name for one in found}
    if unknown:
        raise NotFoundError(f"No worker {sorted(unknown)[0]!r} is listed. The admin page has all.")
    for one in found:
        one.is_draining = True
    return [one.name for one in found]


def online(session: Session, queues: Sequence[str], lease_s: float) -> Sequence[WorkerProcess]:
    """The workers of some queues that were heard within a lease."""
    return session.scalars(
        select(WorkerProcess).where(
            WorkerProcess.heartbeat_at > now() - timedelta(seconds=lease_s),
            WorkerProcess.queue.in_(queues),
        )
    ).all()


def environment(session: Session, queue: str) -> dict[str, str]:
    """The packages that code of a queue runs with: those of the worker that came last.

    Where none has come yet, those of this process: `podium up` runs both from one environment.
    """
    found = session.scalar(
        select(WorkerProcess)
        .where(WorkerProcess.queue == queue)
        .order_by(WorkerProcess.started_at.desc())
        .limit(1)
    )
    return dict(found.packages) if found is not None and found.packages else packages()


def fits(resources: Mapping[str, Any], worker: Card | WorkerProcess) -> bool:
    """Whether a worker has what `[resources]` of a challenge asks for."""
    memory, tags = resources.get("gpu_memory_mib", 0), resources.get("tags", ())
    if worker.queue.endswith("-gpu") and memory > worker.memory_mib:
        return False
    return set(tags) <= set(worker.tags)


def wanted(queue: str, resources: Mapping[str, Any]) -> str:
    """A worker that fits, in words."""
    memory, tags = resources.get("gpu_memory_mib", 0), resources.get("tags", ())
    worker = "a GPU" if queue.endswith("-gpu") else f"a worker of the queue {queue!r}"
    having = [f"{memory / 1000:.0f} GB"] if memory and queue.endswith("-gpu") else []
    having += [f"the tag {tag!r}" for tag in tags]
    return f"{worker} with {' and '.join(having)}" if having else worker


def forgotten(session: Session, before: datetime) -> Sequence[str]:
    """Workers that died without leaving the list, long ago."""
    return session.scalars(
        select(WorkerProcess.name).where(WorkerProcess.heartbeat_at < before)
    ).all()


def _row(card: Card) -> WorkerProcess:
    moment = now()
    return WorkerProcess(
        **asdict(card) | {"tags": list(card.tags)},
        started_at=moment,
        heartbeat_at=moment,
        is_draining=False,
    )
