"""Makes the queue agree with the database, again and again. The database is right."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from podium import attempts
from podium.installation import Installation
from podium.models import Submission
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN
from podium.submissions import QUEUE_OF_KIND
from podium.verdicts import State

# A row younger than this is being offered by the process that accepted it.
GRACE = timedelta(seconds=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repairs:
    """What one pass found and mended."""

    reclaimed: int  # attempts whose worker fell silent
    offered: int  # waiting submissions that were not in the queue


def reconcile(installation: Installation) -> Repairs:
    """One pass: give back what silent workers hold, offer what waits and is not in the queue."""
    moment = now()
    with installation.database.reading() as session:
        silent = attempts.lost(session, moment)
    if silent:
        with installation.database.writing() as session:
            silent = attempts.lost(session, moment)  # again, under the lock
            attempts.reclaim(session, silent, installation.config.max_attempts)
    with installation.database.reading() as session:
        waiting = session.execute(
            select(Submission.id, Submission.attempt, Submission.kind)
            .where(
                IS_OPEN,
                Submission.state == State.QUEUED,
                Submission.received_at < moment - GRACE,
                or_(Submission.not_before.is_(None), Submission.not_before <= moment),
            )
            .order_by(Submission.received_at, Submission.id)
        ).all()
    offered = 0
    queued = {queue: installation.queue.waiting(queue) for queue in set(QUEUE_OF_KIND.values())}
    for submission_id, attempt, kind in waiting:
        queue = QUEUE_OF_KIND[kind]
        if submission_id not in queued[queue]:
            installation.queue.enqueue(queue, submission_id, attempt)
            offered += 1
    return Repairs(len(silent), offered)


def serve(installation: Installation) -> None:
    """Reconcile for ever; trouble with a server is said once per pass and tried again."""
    while True:
        try:
            repairs = reconcile(installation)
            if repairs.reclaimed or repairs.offered:
                log.warning(
                    "gave back %s attempts of silent workers, offered %s waiting submissions",
                    repairs.reclaimed,
                    repairs.offered,
                )
        except (SQLAlchemyError, RedisError) as error:
            log.warning("pass failed, tried again in a moment: %s", error)
        time.sleep(installation.config.reconcile_s)
