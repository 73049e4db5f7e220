"""The queue in Redis: wake-ups, nothing else. What is to be done stands in the database.

A job says "something waits in this queue" and carries no id: the worker that gets it takes what
`podium.turns` says is next. So no job can be stale, no submission can be missed because its own
job was lost, and one wake-up too many costs a look.
"""

import logging

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

RUN_QUEUES = ("run", "run-gpu", "match")  # of workers that confine what they run
QUEUES = ("score", "score-gpu", *RUN_QUEUES)
FUNCTION = "podium.jobs.work"  # a worker refuses every other
JOB_TIMEOUT_S = -1  # none: each challenge has limits of its own
FAILED_JOBS_KEPT_S = 3600

log = logging.getLogger(__name__)


class ListedJob(Job):
    """A job that runs only the one function, whatever was written into Redis."""

    @property
    def func(self):  # type: ignore[no-untyped-def]  # RQ declares no type here
        """The function, or PermissionError for any but the one."""
        if self.func_name != FUNCTION or self.instance:
            raise PermissionError(f"{self.func_name!r} is not a function that workers may run.")
        return super().func


class JobQueue:
    """Wakes workers, tells how many wake-ups wait. Every method may raise redis' RedisError."""

    def __init__(self, url: str) -> None:
        self.connection: Redis = Redis.from_url(
            url, socket_connect_timeout=5, health_check_interval=30
        )

    def rq(self, queue: str) -> Queue:
        """RQ's own object for one of the queues."""
        return Queue(
            queue,
            connection=self.connection,
            serializer=JSONSerializer,
            job_class=ListedJob,
            default_timeout=JOB_TIMEOUT_S,
        )

    def wake(self, queue: str, count: int = 1) -> None:
        """Ask workers of `queue` to look `count` times for what is next."""
        rq = self.rq(queue)
        wakes = [
            rq.prepare_data(FUNCTION, result_ttl=0, failure_ttl=FAILED_JOBS_KEPT_S)
            for _ in range(count)
        ]
        rq.enqueue_many(wakes)

    def offer(self, queue: str) -> bool:
        """Wake a worker, or say in the log that the reconciler will have to: never raises."""
        try:
            self.wake(queue)
        except RedisError as error:
            log.warning("queue not reached, the reconciler will wake a worker: %s", error)
            return False
        return True

    def depth(self, queue: str) -> int:
        """How many wake-ups wait for a worker of `queue`."""
        return int(self.rq(queue).count)

    def ping(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(self.connection.ping())
        except RedisError:
            return False
