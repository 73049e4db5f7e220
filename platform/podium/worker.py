"""A worker process: serves one queue, keeps its leases alive, goes on where it was killed."""

import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Sequence

from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from podium import __version__, attempts, jobs, judging
from podium.errors import ConfigError, NotFoundError
from podium.installation import Installation
from podium.jobqueue import FUNCTIONS, ListedJob
from podium.jobs import Bench
from podium.models import WorkerProcess
from podium.models.record import now

log = logging.getLogger(__name__)


def serve(installation: Installation, queue: str, name: str, *, burst: bool = False) -> None:
    """Work until asked to stop (SIGTERM ends after the current job) or, in burst, until empty.

    `name` is unique among living workers and the same after a restart: what an earlier process
    of this name left open is given back at once, without waiting for its lease to run out.
    """
    if queue not in FUNCTIONS:
        raise ConfigError(
            f"No worker serves the queue {queue!r} yet. Queues: {', '.join(FUNCTIONS)}."
        )
    judging.warm_up()
    bench = Bench(installation, queue, name)
    heart = Heart(bench)
    heart.register()
    jobs.attach(bench)
    _take_over(bench)
    heart.start()
    # In one process, without a fork: libraries and answers stay warm, and a job costs 3 ms.
    # RQ's own name is new at each start, for Redis may still list the one that was killed.
    worker = SimpleWorker(
        [installation.queue.rq(queue)],
        name=f"{name}-{uuid.uuid4().hex[:8]}",
        connection=installation.queue.connection,
        serializer=JSONSerializer,
        job_class=ListedJob,
    )
    worker.log_result_lifespan = False
    try:
        worker.work(burst=burst, logging_level="WARNING")
    finally:
        heart.stop()


def default_name(queue: str) -> str:
    """A name for a worker started by hand: host, queue and process."""
    return f"{socket.gethostname()}-{queue}-{os.getpid()}"


def drain(session: Session, names: Sequence[str], queue: str | None) -> list[str]:
    """Ask workers to end after their work: those named, of a queue, or (neither) all.

    Returns who was asked; NotFoundError for a name that is not in the list.
    """
    query = select(WorkerProcess).where(WorkerProcess.queue.in_(FUNCTIONS))
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


def _take_over(bench: Bench) -> None:
    here = bench.installation
    with here.database.writing() as session:
        left = attempts.held_by(session, bench.worker)
        again = attempts.reclaim(session, left, here.config.max_attempts)
    for submission_id in again:
        log.warning("submission %s: an attempt was cut off", submission_id)
        here.queue.offer(bench.queue)


class Heart(threading.Thread):
    """Says at a steady beat that this worker lives, and prolongs the lease it holds.

    A worker that is to drain is asked to end, which it does after what it has in hand.
    """

    def __init__(self, bench: Bench) -> None:
        super().__init__(name="heart", daemon=True)
        self._bench = bench
        self._stopped = threading.Event()

    def register(self) -> None:
        """Enter this process into the table of workers."""
        with self._bench.installation.database.writing() as session:
            session.merge(self._row())

    def _row(self) -> WorkerProcess:
        return WorkerProcess(
            name=self._bench.worker,
            queue=self._bench.queue,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started_at=now(),
            heartbeat_at=now(),
            is_draining=False,
        )

    def run(self) -> None:
        """Beat until stopped; a database that does not answer is tried again at the next beat."""
        beat_s = self._bench.installation.config.heartbeat_s
        while not self._stopped.wait(beat_s):
            try:
                if self.beat():
                    log.info("draining: ending after what is in hand")
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
            except SQLAlchemyError as error:
                log.warning("heartbeat failed, next in %s s: %s", beat_s, error)

    def beat(self) -> bool:
        """One heartbeat; True if this worker was asked to drain."""
        bench = self._bench
        with bench.installation.database.writing() as session:
            row = session.get(WorkerProcess, bench.worker)
            if row is None:  # cleared away while this process was frozen
                row = session.merge(self._row())
            row.heartbeat_at = now()
            held = bench.holds
            if held is not None:
                attempts.renew(session, held, bench.installation.config.lease_s)
            return row.is_draining

    def stop(self) -> None:
        """Leave the table of workers."""
        self._stopped.set()
        if self.is_alive() and self is not threading.current_thread():
            self.join(timeout=5)
        with self._bench.installation.database.writing() as session:
            session.execute(delete(WorkerProcess).where(WorkerProcess.name == self._bench.worker))
