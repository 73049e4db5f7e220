"""Numbers of the installation as a whole, for those who watch it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import TextClause, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, selectinload

from podium import workers
from podium.errors import FaultError
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.models import Attempt, Submission, WorkerProcess
from podium.models.record import now
from podium.models.submission import ENDED, WAITING
from podium.models.submission import OPEN as IS_OPEN
from podium.verdicts import OPEN, State

RECENT = timedelta(hours=1)
MOST_RECENT = 2000  # attempts of a queue that its durations are read from
STUCK = timedelta(minutes=15)  # without a change of state


@dataclass(frozen=True)
class Pace:
    """Seconds, of the attempts of a queue that ended within the last hour."""

    p50_s: float
    p95_s: float


@dataclass(frozen=True)
class QueueNumbers:
    """One queue at one moment."""

    name: str
    waiting: int
    oldest_s: float | None  # the longest wait of those who wait
    woken: int | None  # wake-ups in Redis; None while it does not answer
    at_work: int
    workers: int  # online and not in trouble
    outcomes: dict[str, int]  # of the attempts that ended within the last hour
    pace: Pace | None  # of those attempts; None if there was none


@dataclass(frozen=True)
class Numbers:
    """Counts at one moment."""

    submissions: dict[str, int]  # by state
    queues: list[QueueNumbers]
    workers: Sequence[WorkerProcess]  # all that are listed
    moment: datetime


def read(installation: Installation) -> Numbers:
    """Count everything now."""
    woken = _woken(installation)
    with installation.database.reading() as session:
        return Numbers(
            submissions=dict.fromkeys(State, 0)
            | _by_state(session, IS_OPEN)
            | _by_state(session, ENDED),
            queues=[_queue(installation, session, name, woken.get(name)) for name in QUEUES],
            workers=session.scalars(select(WorkerProcess).order_by(WorkerProcess.name)).all(),
            moment=now(),
        )


def open_submissions(session: Session) -> dict[str, int]:
    """How many submissions are waiting or worked on, by state; cheap however many have ended."""
    return dict.fromkeys(OPEN, 0) | _by_state(session, IS_OPEN)


def in_hand(session: Session) -> dict[str, int]:
    """The submission that each worker has in hand, by the worker's name."""
    rows = session.execute(
        select(Attempt.worker, Attempt.submission_id).where(Attempt.ended_at.is_(None))
    )
    return {worker: submission_id for worker, submission_id in rows}


def stuck(session: Session, most: int) -> Sequence[Submission]:
    """Open submissions that have been waiting or worked on for long, the oldest first."""
    return session.scalars(
        select(Submission)
        .where(IS_OPEN, Submission.received_at < now() - STUCK)
        .options(selectinload(Submission.competition), selectinload(Submission.team))
        .order_by(Submission.received_at, Submission.id)
        .limit(most)
    ).all()


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


def _by_state(session: Session, which: TextClause) -> dict[str, int]:
    query = select(Submission.state, func.count()).where(which).group_by(Submission.state)
    return {name: count for name, count in session.execute(query)}


def _queue(
    installation: Installation, session: Session, name: str, woken: int | None
) -> QueueNumbers:
    waiting, oldest = session.execute(
        select(func.count(), func.min(Submission.received_at)).where(
            WAITING, Submission.queue == name
        )
    ).one()
    at_work = session.scalar(
        select(func.count()).where(
            IS_OPEN,
            Submission.state.in_((State.RUNNING, State.SCORING)),
            Submission.queue == name,
        )
    )
    ended = _recent(session, name)
    serving = workers.online(session, (name,), installation.config.lease_s)
    return QueueNumbers(
        name=name,
        waiting=waiting,
        oldest_s=(now() - oldest).total_seconds() if oldest else None,
        woken=woken,
        at_work=at_work or 0,
        workers=sum(not one.trouble for one in serving),
        outcomes=_outcomes(session, name),
        pace=_pace(ended),
    )


def _outcomes(session: Session, queue: str) -> dict[str, int]:
    rows = session.execute(
        select(Attempt.outcome, func.count())
        .where(Attempt.queue == queue, Attempt.ended_at >= now() - RECENT)
        .group_by(Attempt.outcome)
    )
    return {outcome or "": count for outcome, count in rows}


def _recent(session: Session, queue: str) -> list[float]:
    """Seconds of the last attempts of a queue."""
    rows = session.execute(
        select(Attempt.started_at, Attempt.ended_at)
        .where(Attempt.queue == queue, Attempt.ended_at >= now() - RECENT)
        .order_by(Attempt.ended_at.desc())
        .limit(MOST_RECENT)
    )
    return [(end - start).total_seconds() for start, end in rows if end is not None]


def _pace(seconds: list[float]) -> Pace | None:
    if not seconds:
        return None
    if len(seconds) == 1:
        return Pace(seconds[0], seconds[0])
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return Pace(cuts[9], cuts[18])


def _woken(installation: Installation) -> dict[str, int]:
    try:
        return {queue: installation.queue.depth(queue) for queue in QUEUES}
    except RedisError:
        return {}
