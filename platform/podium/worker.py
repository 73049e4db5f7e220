"""A worker process: serves one queue, keeps its leases alive, goes on where it was killed."""

import logging
import os
import signal
import threading
import uuid

from requests import RequestException
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from podium import jobs
from podium.errors import PodiumError
from podium.jobqueue import JobQueue, ListedJob
from podium.jobs import Bench

REDIS_WAIT_S = 2.0  # between two looks whether a Redis that went away is back

log = logging.getLogger(__name__)


def serve(bench: Bench, queue: JobQueue, heartbeat_s: float, *, burst: bool = False) -> None:
    """Work until asked to stop or, in burst, until the queue is empty.

    SIGTERM ends it after the work in hand; a second one gives that work back.
    """
    bench.arrive()
    jobs.attach(bench)
    heart = Heart(bench, heartbeat_s)
    heart.start()
    # In one process, without a fork: libraries and answers stay warm, and a job costs 3 ms.
    # RQ's own name is new at each start, for Redis may still list the one that was killed.
    worker = SimpleWorker(
        [queue.rq(bench.queue)],
        name=f"{bench.name}-{uuid.uuid4().hex[:8]}",
        connection=queue.connection,
        serializer=JSONSerializer,
        job_class=ListedJob,
    )
    worker.log_result_lifespan = False
    worker.max_connection_wait_time = REDIS_WAIT_S
    try:
        worker.work(burst=burst, logging_level="WARNING")
    finally:
        heart.stop()
        bench.leave()


class Heart(threading.Thread):
    """Says at a steady beat that this worker lives, and prolongs the lease it holds.

    A worker that is to drain is asked to end, which it does after what it has in hand.
    """

    def __init__(self, bench: Bench, every_s: float) -> None:
        super().__init__(name="heart", daemon=True)
        self._bench = bench
        self._every_s = every_s
        self._stopped = threading.Event()

    def run(self) -> None:
        """Beat until stopped; a server that does not answer is asked again at the next beat."""
        while not self._stopped.wait(self._every_s):
            try:
                if self._bench.beat():
                    log.warning("draining: ending after what is in hand")
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
            except (SQLAlchemyError, PodiumError, RequestException) as error:
                log.warning("heartbeat failed, next in %s s: %s", self._every_s, error)

    def stop(self) -> None:
        """End the beat."""
        self._stopped.set()
        self.join(timeout=5)
