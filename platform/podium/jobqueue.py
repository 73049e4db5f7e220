"""The queue in Redis: ids only, as hints. What is to be done stands in the database."""

import logging
from collections.abc import Iterable

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

QUEUES = ("score", "score-gpu", "run", "run-gpu", "match")
# What a worker of each queue calls; a worker refuses every other function.
FUNCTIONS = {"score": "podium.jobs.score"}
JOB_TIMEOUT_S = 900  # the last resort; limits of a challenge end earlier
FAILED_JOBS_KEPT_S = 3600

log = logging.getLogger(__name__)


class ListedJob(Job):
    """A job that runs only functions of the list, whatever was written into Redis."""

    @property
    def func(self):  # type: ignore[no-untyped-def]  # RQ declares no type here
        """The function, or PermissionError if it is not on the list."""
        if self.func_name not in FUNCTIONS.values() or self.instance:
            raise PermissionError(f"{self.func_name!r} is not a function that workers may run.")
        return super().func


class JobQueue:
    """Puts ids in, tells what waits. Every method may raise redis' RedisError."""

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

    def enqueue(self, queue: str, submission_id: int, attempt: int = 0) -> None:
        """Ask a worker of `queue` for the attempt after `attempt`; asking twice does no harm."""
        self.rq(queue).enqueue(
            FUNCTIONS[queue],
            submission_id,
            job_id=f"submission-{submission_id}-{attempt + 1}",
            result_ttl=0,
            failure_ttl=FAILED_JOBS_KEPT_S,
        )

    def offer(self, queue: str, submission_id: int, attempt: int = 0) -> bool:
        """Enqueue, or say in the log that the reconciler will have to: never raises."""
        try:
            self.enqueue(queue, submission_id, attempt)
        except RedisError as error:
            log.warning("queue not reached, submission %s waits: %s", submission_id, error)
            return False
        return True

    def waiting(self, queue: str) -> set[int]:
        """Ids of the submissions that wait in Redis for a worker of `queue`."""
        return set(_submission_ids(self.rq(queue).get_job_ids()))

    def ping(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(self.connection.ping())
        except RedisError:
            return False


def _submission_ids(job_ids: Iterable[str]) -> Iterable[int]:
    return (int(job_id.split("-")[1]) for job_id in job_ids if job_id.startswith("submission-"))
