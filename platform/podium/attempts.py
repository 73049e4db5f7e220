"""The way of a submission through its states: who may move it, and the leases of workers.

Every change of `Submission.state` after its acceptance happens in this module. An attempt's
number is a fence: what a worker reports is taken only while its attempt is still the current
one, so a worker that was frozen and thawed changes nothing.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from podium.models import Attempt, Submission
from podium.models.record import now
from podium.verdicts import TRANSITIONS, State, Verdict

BACKOFF_S = (1.0, 5.0, 15.0)  # before the second, third, … attempt after a fault of ours
STAGE_STATES = {"run": State.RUNNING, "score": State.SCORING}
# Outcomes of attempts that are ours, not the student's.
LOST, FAULT = "lost", "fault"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """A worker's right to work on one submission until it is lost or ended."""

    submission_id: int
    number: int
    stage: str
    worker: str


@dataclass(frozen=True)
class Ending:
    """How a submission ended, in words for people and, in `cause`, for the host."""

    verdict: Verdict
    reason: str = ""
    details: list[Any] = field(default_factory=list)
    more_details: int = 0
    cause: str = ""


def move(
    session: Session,
    submission_id: int,
    source: State,
    target: State,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Change one state into another if it still is `source`; False if it is not (any more)."""
    if target not in TRANSITIONS[source]:
        raise ValueError(f"A submission cannot go from {source} to {target}.")
    done = session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.state == source, *conditions)
        .values(state=target, **values)
        .returning(Submission.id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None


def take(
    session: Session, submission_id: int, stage: str, worker: str, lease_s: float
) -> Lease | None:
    """Begin the next attempt at a waiting submission; None if it is not waiting."""
    moment = now()
    taken = session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.state == State.QUEUED)
        .values(
            state=STAGE_STATES[stage],
            attempt=Submission.attempt + 1,
            started_at=func.coalesce(Submission.started_at, moment),
        )
        .returning(Submission.attempt)
        .execution_options(synchronize_session=False)
    ).scalar()
    if taken is None:
        return None
    session.add(
        Attempt(
            submission_id=submission_id,
            number=taken,
            stage=stage,
            worker=worker,
            started_at=moment,
            lease_until=moment + timedelta(seconds=lease_s),
        )
    )
    return Lease(submission_id, taken, stage, worker)


def renew(session: Session, worker: str, lease_s: float) -> None:
    """Prolong what a living worker holds."""
    session.execute(
        update(Attempt)
        .where(Attempt.worker == worker, Attempt.ended_at.is_(None))
        .values(lease_until=now() + timedelta(seconds=lease_s))
    )


def end(session: Session, lease: Lease, ending: Ending) -> bool:
    """Write a verdict; False, and no change, if the lease is not the current attempt any more."""
    moment = now()
    if not move(
        session,
        lease.submission_id,
        STAGE_STATES[lease.stage],
        ending.verdict.meaning.state,
        Submission.attempt == lease.number,
        verdict=ending.verdict,
        reason=ending.reason,
        details=ending.details,
        more_details=ending.more_details,
        ended_at=moment,
    ):
        log.warning(
            "submission %s: result of attempt %s came too late, dropped",
            lease.submission_id,
            lease.number,
        )
        return False
    _close(session, lease.submission_id, lease.number, ending.verdict.meaning.state, ending.cause)
    return True


def give_back(
    session: Session, lease: Lease, outcome: str, cause: str, max_attempts: int
) -> State | None:
    """End an attempt that failed through no fault of the student's.

    The submission waits again, or ends in `error` after `max_attempts` such attempts.
    Returns its new state; None if the attempt was not the current one.
    """
    faults = session.scalar(
        select(func.count()).where(
            Attempt.submission_id == lease.submission_id, Attempt.outcome.in_((LOST, FAULT))
        )
    )
    tries = (faults or 0) + 1
    fenced = Submission.attempt == lease.number
    source = STAGE_STATES[lease.stage]
    if tries >= max_attempts:
        target = State.ERROR
        moved = move(
            session,
            lease.submission_id,
            source,
            target,
            fenced,
            verdict=Verdict.PLATFORM_FAULT,
            reason=f"Podium tried {tries} times and failed each time. This is ours to mend.",
            ended_at=now(),
        )
    else:
        target = State.QUEUED
        wait = timedelta(seconds=BACKOFF_S[min(tries, len(BACKOFF_S)) - 1])
        moved = move(
            session,
            lease.submission_id,
            source,
            target,
            fenced,
            # A worker that was killed says nothing about the next one: no wait.
            not_before=now() + wait if outcome == FAULT else None,
        )
    if not moved:
        return None
    _close(session, lease.submission_id, lease.number, outcome, cause)
    return target


def lost(session: Session, moment: datetime) -> list[Lease]:
    """Attempts whose worker has been silent past its lease."""
    return _leases(session, Attempt.lease_until < moment)


def held_by(session: Session, worker: str) -> list[Lease]:
    """Attempts that a worker of this name left open."""
    return _leases(session, Attempt.worker == worker)


def reclaim(session: Session, leases: list[Lease], max_attempts: int) -> list[int]:
    """Give back what dead workers held; returns the ids that wait again."""
    again = []
    for lease in leases:
        cause = f"worker {lease.worker} fell silent"
        if give_back(session, lease, LOST, cause, max_attempts) is State.QUEUED:
            again.append(lease.submission_id)
        else:  # ended meanwhile, or a later attempt is current: only this attempt is over
            _close(session, lease.submission_id, lease.number, LOST, cause)
    return again


def _leases(session: Session, condition: ColumnElement[bool]) -> list[Lease]:
    rows = session.scalars(select(Attempt).where(Attempt.ended_at.is_(None), condition))
    return [Lease(row.submission_id, row.number, row.stage, row.worker) for row in rows]


def _close(session: Session, submission_id: int, number: int, outcome: str, cause: str) -> None:
    session.execute(
        update(Attempt)
        .where(
            Attempt.submission_id == submission_id,
            Attempt.number == number,
            Attempt.ended_at.is_(None),
        )
        .values(ended_at=now(), outcome=outcome, cause=cause)
    )
