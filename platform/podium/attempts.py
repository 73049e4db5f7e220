"""The way of a submission through its states: who may move it, and the leases of workers.

Every change of `Submission.state` after its acceptance happens in this module. An attempt's
number is a fence: what a worker reports is taken only while its attempt is still the current
one, so a worker that was frozen and thawed changes nothing.
"""

import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from podium import logs, notifications
from podium.models import Attempt, Competition, Submission, Transition
from podium.models.record import now
from podium.verdicts import TRANSITIONS, State, Verdict

BACKOFF_S = (1.0, 5.0, 15.0)  # before the second, third, … attempt after a fault of ours
LONG = timedelta(minutes=1)  # nobody is told of what they still look at
ENDED = {
    State.SCORED: "it is scored",
    State.FAILED: "it failed",
    State.INVALID: "the file does not fit",
    State.ERROR: "an error of ours, it was not counted",
}
STAGE_STATES = {"run": State.RUNNING, "score": State.SCORING}
# Outcomes of attempts beside the states that submissions end in: two that are ours, not the
# student's, one of a worker that was asked to end, and one of a stage that is done.
LOST, FAULT, RETURNED, RAN = "lost", "fault", "returned", "ran"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """A worker's right to work on one submission until it is lost or ended."""

    submission_id: int
    number: int
    stage: str
    worker: str


@dataclass(frozen=True)
class Spent:
    """What an attempt took: seconds of wall and CPU time, bytes of memory at its peak."""

    wall_s: float
    cpu_s: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Ending:
    """How a submission ended, in words for people and, in `cause`, for the host."""

    verdict: Verdict
    reason: str = ""
    details: list[Any] = field(default_factory=list)
    more_details: int = 0
    cause: str = ""
    spent: Spent | None = None


def move(
    session: Session,
    submission_id: int,
    source: State,
    target: State,
    *conditions: ColumnElement[bool],
    note: str = "",
    **values: Any,
) -> int | None:
    """Change one state into another if it still is `source`, and note it in the timeline.

    Returns the number of the current attempt; None, and no change, if the state is another.
    """
    if target not in TRANSITIONS[source]:
        raise ValueError(f"A submission cannot go from {source} to {target}.")
    attempt = session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.state == source, *conditions)
        .values(state=target, **values)
        .returning(Submission.attempt)
        .execution_options(synchronize_session=False)
    ).scalar()
    if attempt is not None:
        note_transition(session, submission_id, source, target, attempt, note)
    return attempt


def latest_transition(session: Session, team_id: int) -> int:
    """The id of the last change of state of any submission of a team; 0 where it has none."""
    query = (
        select(func.max(Transition.id))
        .join(Submission, Submission.id == Transition.submission_id)
        .where(Submission.team_id == team_id)
    )
    return session.scalar(query) or 0


def note_transition(
    session: Session,
    submission_id: int,
    source: State | None,
    target: State,
    attempt: int,
    note: str = "",
) -> None:
    """Write a line of the timeline that the submission's owner reads."""
    session.add(
        Transition(
            submission_id=submission_id, source=source, target=target, attempt=attempt, note=note
        )
    )


def take(
    session: Session, submission_id: int, stage: str, worker: str, lease_s: float
) -> Lease | None:
    """Begin the next attempt at a waiting submission; None if it is not waiting."""
    moment = now()
    taken = move(
        session,
        submission_id,
        State.QUEUED,
        STAGE_STATES[stage],
        attempt=Submission.attempt + 1,
        started_at=func.coalesce(Submission.started_at, moment),
    )
    if taken is None:
        return None
    queue = session.scalars(select(Submission.queue).where(Submission.id == submission_id)).one()
    session.add(
        Attempt(
            submission_id=submission_id,
            number=taken,
            stage=stage,
            queue=queue,
            worker=worker,
            started_at=moment,
            lease_until=moment + timedelta(seconds=lease_s),
        )
    )
    return Lease(submission_id, taken, stage, worker)


def renew(session: Session, lease: Lease, lease_s: float) -> bool:
    """Prolong a lease; False if it is not in force any more (lost, ended or cancelled)."""
    return _note(session, lease, lease_until=now() + timedelta(seconds=lease_s))


def note_output(session: Session, lease: Lease, output_key: str) -> bool:
    """Remember what an attempt has written so far; False if its lease is not in force."""
    return _note(session, lease, output_key=output_key)


def note_replays(session: Session, lease: Lease, replays_key: str) -> bool:
    """Remember where an attempt's replays are; False if its lease is not in force."""
    return _note(session, lease, replays_key=replays_key)


def note_log(session: Session, lease: Lease, log_tail: str) -> bool:
    """Keep the end of what a submission prints while it runs; False if it is too late."""
    return _note(session, lease, log=log_tail)


def output_key(session: Session, lease: Lease) -> str:
    """Where an attempt's output is kept; empty if it has brought none."""
    return session.scalars(
        select(Attempt.output_key).where(
            Attempt.submission_id == lease.submission_id, Attempt.number == lease.number
        )
    ).one()


def hold(session: Session, lease: Lease) -> bool:
    """Lock a submission whose report is being taken, so that nobody ends it meanwhile.

    False if the lease is not in force any more.
    """
    held = select(Submission.id).where(
        Submission.id == lease.submission_id,
        Submission.attempt == lease.number,
        Submission.state == STAGE_STATES[lease.stage],
    )
    return session.scalar(held.with_for_update()) is not None


def in_force(session: Session, lease: Lease) -> bool:
    """Whether a worker still holds what it was given."""
    return session.scalar(select(_is_current(lease))) is True


def _is_current(lease: Lease) -> ColumnElement[bool]:
    return (
        select(Submission.id)
        .where(
            Submission.id == lease.submission_id,
            Submission.attempt == lease.number,
            Submission.state == STAGE_STATES[lease.stage],
        )
        .exists()
    )


def _note(session: Session, lease: Lease, **values: Any) -> bool:
    noted = session.execute(
        update(Attempt)
        .where(
            Attempt.submission_id == lease.submission_id,
            Attempt.number == lease.number,
            Attempt.ended_at.is_(None),
            _is_current(lease),
        )
        .values(**values)
        .returning(Attempt.id)
        .execution_options(synchronize_session=False)
    )
    return noted.first() is not None


def end(session: Session, lease: Lease, ending: Ending) -> bool:
    """Write a verdict; False, and no change, if the lease is not the current attempt any more."""
    moment = now()
    if (
        move(
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
        )
        is None
    ):
        with logs.about(submission=lease.submission_id, attempt=lease.number):
            log.warning("the result came too late and was dropped")
        return False
    meaning = ending.verdict.meaning
    _close(session, lease, meaning.state, ending.cause, meaning.owner, ending.spent)
    _tell(session, lease.submission_id, meaning.state, moment)
    return True


def _tell(session: Session, submission_id: int, state: State, moment: datetime) -> None:
    """Tell the team what it has waited for long, and what went wrong while nobody looked."""
    query = (
        select(Submission.team_id, Competition.title)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.id == submission_id,
            Submission.user_id.is_not(None),  # not of a baseline
            Submission.original_id.is_(None),  # nor of a rescoring
        )
    )
    if state not in (State.FAILED, State.ERROR):
        query = query.where(Submission.received_at < moment - LONG)
    found = session.execute(query).first()
    if found is None:
        return
    kind = notifications.SCORED if state is State.SCORED else notifications.FAILED
    notifications.tell(
        session,
        kind,
        notifications.members(session, found.team_id),
        f"Submission {submission_id} in {found.title}: {ENDED[state]}.",
        f"/submissions/{submission_id}",
    )


def give_back(
    session: Session, lease: Lease, outcome: str, cause: str, max_attempts: int
) -> State | None:
    """End an attempt that failed through no fault of the student's.

    The submission waits again, or ends in `error` after `max_attempts` such attempts.
    Returns its new state; None if the attempt was not the current one.
    """
    source = STAGE_STATES[lease.stage]
    fenced = Submission.attempt == lease.number
    faults = session.scalar(
        select(Submission.faults)
        .where(Submission.id == lease.submission_id, Submission.state == source, fenced)
        .with_for_update()
    )
    if faults is None:
        return None
    tries = faults + 1
    happened = "The worker was lost." if outcome == LOST else "A fault of Podium's."
    if tries >= max_attempts:
        target = State.ERROR
        move(
            session,
            lease.submission_id,
            source,
            target,
            fenced,
            note=happened,
            faults=tries,
            verdict=Verdict.PLATFORM_FAULT,
            reason=f"Podium tried {tries} times and failed each time. This is ours to mend.",
            ended_at=now(),
        )
        _tell(session, lease.submission_id, target, now())
    else:
        target = State.QUEUED
        # A worker that was killed says nothing about the next one: no wait.
        wait_s = BACKOFF_S[min(tries, len(BACKOFF_S)) - 1] if outcome == FAULT else 0.0
        move(
            session,
            lease.submission_id,
            source,
            target,
            fenced,
            note=f"{happened} Tried again{f' in {wait_s:.0f} s' if wait_s else ''}; nothing to do.",
            faults=tries,
            not_before=now() + timedelta(seconds=wait_s) if wait_s else None,
        )
    _close(session, lease, outcome, cause, "platform")
    return target


def hand_back(
    session: Session,
    lease: Lease,
    note: str = "The worker was asked to end. Another one begins anew; nothing to do.",
) -> bool:
    """Give up an attempt through nobody's fault, as when its worker is to end: not counted."""
    moved = move(
        session,
        lease.submission_id,
        STAGE_STATES[lease.stage],
        State.QUEUED,
        Submission.attempt == lease.number,
        note=note,
    )
    if moved is not None:
        _close(session, lease, RETURNED, "", "platform")
    return moved is not None


def hand_back_by(session: Session, submission_id: int, note: str) -> bool:
    """Take a submission from the worker that holds it; False if none does."""
    leases = _leases(session, Attempt.submission_id == submission_id)
    return any([hand_back(session, lease, note) for lease in leases])


def finish_run(
    session: Session, lease: Lease, queue: str, output_key: str, spent: Spent | None
) -> bool:
    """End the stage `run`: what it wrote waits to be scored in `queue`; False if it is too late."""
    moved = move(
        session,
        lease.submission_id,
        State.RUNNING,
        State.QUEUED,
        Submission.attempt == lease.number,
        note="It ran to its end. Its output waits to be scored.",
        queue=queue,
        output_key=output_key,
        faults=0,
        not_before=None,
    )
    if moved is not None:
        _close(session, lease, RAN, "", "submitter", spent)
    return moved is not None


def play_on(session: Session, lease: Lease, note: str, spent: Spent | None) -> bool:
    """End a round of an agent that has more games to play; False if it is too late."""
    moved = move(
        session,
        lease.submission_id,
        State.RUNNING,
        State.QUEUED,
        Submission.attempt == lease.number,
        note=note,
        faults=0,
        not_before=None,
    )
    if moved is not None:
        _close(session, lease, RAN, "", "submitter", spent)
    return moved is not None


def retry(session: Session, submission_id: int, who: str) -> bool:
    """Let a submission that ended in `error` wait again, with all its attempts before it."""
    return (
        move(
            session,
            submission_id,
            State.ERROR,
            State.QUEUED,
            note=f"Queued again by {who}.",
            faults=0,
            not_before=None,
            verdict=None,
            reason="",
            details=[],
            more_details=0,
            ended_at=None,
        )
        is not None
    )


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
            _close(session, lease, LOST, cause, "platform")
    return again


def _leases(session: Session, condition: ColumnElement[bool]) -> list[Lease]:
    rows = session.scalars(select(Attempt).where(Attempt.ended_at.is_(None), condition))
    return [Lease(row.submission_id, row.number, row.stage, row.worker) for row in rows]


def _close(
    session: Session,
    lease: Lease,
    outcome: str,
    cause: str,
    owner: str,
    spent: Spent | None = None,
) -> None:
    values: dict[str, Any] = {} if spent is None else asdict(spent)
    session.execute(
        update(Attempt)
        .where(
            Attempt.submission_id == lease.submission_id,
            Attempt.number == lease.number,
            Attempt.ended_at.is_(None),
        )
        .values(ended_at=now(), outcome=outcome, cause=cause, owner=owner, **values)
    )
