"""What a waiting submission's team is told: its place, the estimated wait, and why it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import turns, workers
from podium.models import Attempt, Competition, Submission, WorkerProcess
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN
from podium.verdicts import State
from podium.workers import RECONCILE

RECENT_ATTEMPTS = 200  # of a queue: what the estimate is made from
UNKNOWN_S = 1.0  # an attempt where none has ended yet
WAKING_S = 0.02  # from the queue to the start, and the writing of the result


@dataclass(frozen=True)
class Place:
    """Place in the queue, 1 for next; seconds until the start, None if nobody knows; why."""

    position: int
    eta_s: float | None
    reason: str


def place(session: Session, submission: Submission, lease_s: float) -> Place | None:
    """Where a submission stands; None if it does not wait. Workers silent for longer are gone.

    The estimate: the work ahead by the mean of each competition's recent attempts, half of what
    is at work now, shared by the workers that are online.
    """
    if submission.state != State.QUEUED:
        return None
    moment = now()
    ahead = turns.ahead(session, submission)
    position = sum(ahead.values()) + 1
    online = workers.online(session, (submission.queue, RECONCILE), lease_s)
    resources = submission.competition.challenge.spec.get("resources", {})
    serving = [
        one
        for one in online
        if one.queue == submission.queue and not one.trouble and workers.fits(resources, one)
    ]
    reason = _reason(session, submission, moment, serving, online)
    if not serving:
        return Place(position, None, reason)
    typical = _typical(session, submission.queue)
    rest = sum(
        typical.get(competition_id, typical[None]) / 2
        for competition_id in _at_work(session, submission.queue)
    )
    work = sum(
        count * (typical.get(competition_id, typical[None]) + WAKING_S)
        for competition_id, count in ahead.items()
    )
    eta_s = (rest + work) / len(serving)
    if submission.not_before is not None:
        eta_s = max(eta_s, (submission.not_before - moment).total_seconds())
    return Place(position, round(eta_s, 1), reason)


def _reason(
    session: Session,
    submission: Submission,
    moment: datetime,
    serving: Sequence[WorkerProcess],
    online: Sequence[WorkerProcess],
) -> str:
    """Why it does not begin now, if something other than its turn keeps it."""
    if submission.not_before is not None and submission.not_before > moment:
        return (
            f"After a fault of Podium's it is tried again at {submission.not_before:%H:%M:%S} UTC."
        )
    troubles = [one.trouble for one in online if one.trouble]
    if troubles:
        return troubles[0]
    if not serving:
        resources = submission.competition.challenge.spec.get("resources", {})
        wanted = workers.wanted(submission.queue, resources)
        return f"It waits for {wanted}; none is online. It starts as soon as one is."
    most = session.scalar(
        select(Competition.team_running).where(Competition.id == submission.competition_id)
    )
    running = turns.at_work(session, submission.team_id)
    if most is not None and running >= most:
        return f"Your team has {running} at work, as many as may be. It starts when one ends."
    return ""


def _typical(session: Session, queue: str) -> dict[int | None, float]:
    """Mean seconds of the recent attempts of a queue, by competition; None for all together."""
    rows = session.execute(
        select(Submission.competition_id, Attempt.started_at, Attempt.ended_at)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(Attempt.queue == queue, Attempt.ended_at.is_not(None))
        .order_by(Attempt.ended_at.desc())
        .limit(RECENT_ATTEMPTS)
    )
    spent: dict[int | None, list[float]] = {}
    for competition_id, start, end in rows:
        assert end is not None
        for key in (competition_id, None):
            spent.setdefault(key, []).append((end - start).total_seconds())
    means: dict[int | None, float] = {key: sum(all_) / len(all_) for key, all_ in spent.items()}
    return {None: UNKNOWN_S} | means


def _at_work(session: Session, queue: str) -> Sequence[int]:
    """Competitions of the submissions that are at work in a queue."""
    return session.scalars(
        select(Submission.competition_id).where(
            IS_OPEN,
            Submission.state.in_((State.RUNNING, State.SCORING)),
            Submission.queue == queue,
        )
    ).all()
