"""Numbers of the installation as a whole, for those who watch it."""

from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from podium.errors import FaultError
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.models import Submission, WorkerProcess
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN
from podium.verdicts import OPEN, State


@dataclass(frozen=True)
class Numbers:
    """Counts at one moment; `queued` is None while the queue's server does not answer."""

    submissions: dict[str, int]  # by state
    workers: dict[str, int]  # online, by queue
    queued: dict[str, int] | None  # ids that wait for a worker, by queue


def read(installation: Installation) -> Numbers:
    """Count everything now."""
    with installation.database.reading() as session:
        return Numbers(
            submissions=dict.fromkeys(State, 0) | _by_state(session),
            workers=dict.fromkeys(QUEUES, 0) | _online(session, installation.config.lease_s),
            queued=_queued(installation),
        )


def open_submissions(session: Session) -> dict[str, int]:
    """How many submissions are waiting or worked on, by state; cheap however many have ended."""
    return dict.fromkeys(OPEN, 0) | _by_state(session, only_open=True)


def troubles(installation: Installation) -> dict[str, str]:
    """What does not answer, with the reason; empty when all is well."""
    found = {}
    try:
        with installation.database.reading() as session:
            session.scalar(select(func.count()).select_from(WorkerProcess))
    except SQLAlchemyError as error:
        found["database"] = type(error).__name__
    if not installation.queue.ping():
        found["queue"] = "The Redis or Valkey server does not answer."
    try:
        installation.storage.check()
    except FaultError as error:
        found["storage"] = error.message
    return found


def _by_state(session: Session, *, only_open: bool = False) -> dict[str, int]:
    query = select(Submission.state, func.count()).group_by(Submission.state)
    if only_open:
        query = query.where(IS_OPEN)
    return {name: count for name, count in session.execute(query)}


def _online(session: Session, lease_s: float) -> dict[str, int]:
    query = (
        select(WorkerProcess.queue, func.count())
        .where(WorkerProcess.heartbeat_at > now() - timedelta(seconds=lease_s))
        .group_by(WorkerProcess.queue)
    )
    return {name: count for name, count in session.execute(query)}


def _queued(installation: Installation) -> dict[str, int] | None:
    try:
        return {queue: installation.queue.rq(queue).count for queue in QUEUES}
    except RedisError:
        return None
