"""Makes the queue agree with the database, again and again. The database is right."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from podium import (
    arrivals,
    attempts,
    boardclock,
    checkup,
    postman,
    reminders,
    retention,
    turns,
    uncertainty,
    workers,
)
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.models import WorkerProcess
from podium.models.record import now
from podium.workers import RECONCILE, Card

MOST_WAKES = 1000  # a pass; more than workers can use until the next
FORGOTTEN = timedelta(minutes=10)  # workers that have been silent for so long leave the list

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repairs:
    """What one pass found and mended."""

    reclaimed: int  # attempts whose worker fell silent
    woken: int  # wake-ups that were missing in the queue


def reconcile(installation: Installation) -> Repairs:
    """One pass: give back what silent workers hold, wake workers for what waits unannounced."""
    moment = now()
    with installation.database.reading() as session:
        is_amiss = bool(
            attempts.lost(session, moment)
            or turns.lacking(session)
            or workers.forgotten(session, moment - FORGOTTEN)
        )
    reclaimed = _mend(installation, moment) if is_amiss else 0
    woken = 0
    for queue in QUEUES:
        with installation.database.reading() as session:
            waiting = turns.eligible(session, queue, moment, MOST_WAKES)
        missing = waiting - installation.queue.depth(queue) if waiting else 0
        if missing > 0:
            installation.queue.wake(queue, missing)
            woken += missing
    boardclock.tick(installation, moment)
    reminders.tick(installation, moment)
    arrivals.expire(installation, moment)
    _wake_for_intervals(installation, moment)
    return Repairs(reclaimed, woken)


def _wake_for_intervals(installation: Installation, moment: datetime) -> None:
    """Where a board has changed, ask a worker that has nothing to do how sure its order is."""
    with installation.database.reading() as session:
        is_due = (
            uncertainty.due(session, moment) is not None
            or checkup.due(session) is not None
            or retention.due(session, installation.config, moment) is not None
        )
    if is_due and not installation.queue.depth(uncertainty.QUEUE):
        installation.queue.wake(uncertainty.QUEUE)


def serve(installation: Installation) -> None:
    """Reconcile for ever; trouble with a server is said once per pass and tried again."""
    name = workers.default_name(RECONCILE)
    postman.start(installation)
    while True:
        trouble = ""
        try:
            repairs = reconcile(installation)
            if repairs.reclaimed or repairs.woken:
                log.warning(
                    "gave back %s attempts of silent workers, woke workers %s times",
                    repairs.reclaimed,
                    repairs.woken,
                )
        except RedisError as error:
            trouble = "The queue's server does not answer. Podium tries again every second."
            log.warning("pass failed, tried again in a moment: %s", error)
        except SQLAlchemyError as error:
            log.warning("pass failed, tried again in a moment: %s", error)
        try:
            _beat(installation, name, trouble)
        except SQLAlchemyError as error:
            log.warning("database not reached: %s", error)
        time.sleep(installation.config.reconcile_s)


def _mend(installation: Installation, moment: datetime) -> int:
    with installation.database.writing() as session:
        silent = attempts.lost(session, moment)  # again, under the lock
        attempts.reclaim(session, silent, installation.config.max_attempts)
        turns.mend(session)
        forgotten = workers.forgotten(session, moment - FORGOTTEN)
        session.execute(delete(WorkerProcess).where(WorkerProcess.name.in_(forgotten)))
    return len(silent)


def _beat(installation: Installation, name: str, trouble: str) -> None:
    """Say in the list of workers that this reconciler lives, and what keeps it from its work."""
    with installation.database.writing() as session:
        workers.beat(session, Card(name, RECONCILE, trouble=trouble))
