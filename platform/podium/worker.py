"""A worker process: serves one queue, keeps its leases alive, goes on where it was killed."""

import logging
import os
import socket
import threading
import uuid

from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from podium import __version__, attempts, jobs, judging
from podium.errors import ConfigError
from podium.installation import Installation
from podium.jobqueue import FUNCTIONS, ListedJob
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
    heart = Heart(installation, queue, name)
    heart.register()
    jobs.attach(installation, name)
    _take_over(installation, queue, name)
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


def _take_over(installation: Installation, queue: str, name: str) -> None:
    with installation.database.writing() as session:
        left = attempts.held_by(session, name)
        again = attempts.reclaim(session, left, installation.config.max_attempts)
    for lease in left:
        if lease.submission_id in again:
            log.warning("submission %s: attempt %s was cut off", lease.submission_id, lease.number)
            installation.queue.offer(queue, lease.submission_id, lease.number)


class Heart(threading.Thread):
    """Says at a steady beat that this worker lives, and prolongs the lease it holds."""

    def __init__(self, installation: Installation, queue: str, name: str) -> None:
        super().__init__(name="heart", daemon=True)
        self._installation = installation
        self._queue = queue
        self._worker = name
        self._stopped = threading.Event()

    def register(self) -> None:
        """Enter this process into the table of workers."""
        with self._installation.database.writing() as session:
            session.merge(
                WorkerProcess(
                    name=self._worker,
                    queue=self._queue,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    version=__version__,
                    started_at=now(),
                    heartbeat_at=now(),
                )
            )

    def run(self) -> None:
        """Beat until stopped; a database that does not answer is tried again at the next beat."""
        config = self._installation.config
        while not self._stopped.wait(config.heartbeat_s):
            try:
                with self._installation.database.writing() as session:
                    row = session.get(WorkerProcess, self._worker)
                    if row is not None:
                        row.heartbeat_at = now()
                    attempts.renew(session, self._worker, config.lease_s)
            except SQLAlchemyError as error:
                log.warning("heartbeat failed, next in %s s: %s", config.heartbeat_s, error)

    def stop(self) -> None:
        """Leave the table of workers."""
        self._stopped.set()
        self.join(timeout=5)
        with self._installation.database.writing() as session:
            session.execute(delete(WorkerProcess).where(WorkerProcess.name == self._worker))
