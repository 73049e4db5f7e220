"""What run workers are given and what they report: the trusted side of the stage `run`.

Run workers hold no credentials of the database and no answers. One is given a submission with a
signed token that speaks for this attempt only: with it, and while the attempt is the current
one, it fetches the submitted file and the public inputs, and brings output and report.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from podium import attempts, catalog, episodes, finalround, matches, turns, workers
from podium.attempts import Ending, Lease, Spent
from podium.catalog import Spec
from podium.desk import Played
from podium.errors import BadRequestError, ConflictError, NoAccessError
from podium.installation import Installation
from podium.jobqueue import RUN_QUEUES
from podium.matches import Pairing
from podium.models import Challenge, ChallengeFile, Rescoring, Submission
from podium.storage import Incoming
from podium.verdicts import State, Verdict
from podium.workers import Card

MOST_LOG_CHARACTERS = 64 << 10
LONGEST_REASON = 280


@dataclass(frozen=True)
class Assignment:
    """One submission in the hands of a run worker, and all it may know of it."""

    token: str
    submission_id: int
    number: int
    competition: str
    kind: str
    file_name: str
    size_bytes: int
    sha256: str
    inputs: Sequence[ChallengeFile]
    run: dict[str, Any]  # `[run]` of challenge.toml: what it reads and writes, and its limits
    output: str  # the name of the file that it must write
    columns: Sequence[str]  # of that file, the id first, where it has columns
    device: str  # cpu or gpu
    seeds: Sequence[tuple[int, int]] = ()  # of an agent: number and hidden seed of each episode
    matches: Sequence[Pairing] = ()  # of one that plays against others


@dataclass(frozen=True)
class Report:
    """How an attempt ended on a run worker.

    `outcome` is `ran` (the output was brought before), `invalid` (the file breaks the published
    form), a cause of the student's (`exception`, `time_limit`, ...), `fault` (ours) or `returned`
    (the worker was asked to end).
    """

    outcome: str
    reason: str = ""
    details: Sequence[dict[str, Any]] = ()
    log: str = ""
    spent: Spent | None = None
    episodes: Sequence[Played] = ()  # of an agent; their replays were brought before


def take(installation: Installation, card: Card) -> Assignment | None:
    """Give a worker the submission whose turn it is and that fits it; None if there is none."""
    if card.queue not in RUN_QUEUES:
        raise BadRequestError(
            f"No assignments are given for the queue {card.queue!r}. "
            f"There are: {', '.join(RUN_QUEUES)}.",
            field="queue",
        )
    if card.trouble:
        return None
    with installation.database.writing() as session:
        fits = _fitting(session, card)
        lease = turns.take(
            session, card.queue, card.name, "run", installation.config.lease_s, fits=fits
        )
        if lease is None:
            return None
        return _assignment(installation, session, lease, card)


def arrive(installation: Installation, card: Card) -> None:
    """Enter a run worker; what a killed process of its name held is given back at once."""
    with installation.database.writing() as session:
        workers.enter(session, card)
        left = attempts.held_by(session, card.name)
        again = attempts.reclaim(session, left, installation.config.max_attempts)
    for _ in again:
        installation.queue.offer(card.queue)


def beat(
    installation: Installation, card: Card, token: str | None, log_tail: str | None
) -> tuple[bool, bool]:
    """A worker lives: whether it is to drain, and whether its attempt is still in force."""
    with installation.database.writing() as session:
        is_draining = workers.beat(session, card)
        if token is None:
            return is_draining, True
        lease = read_token(installation, token)
        is_in_force = attempts.renew(session, lease, installation.config.lease_s)
        if is_in_force and log_tail is not None:
            attempts.note_log(session, lease, _kept(log_tail))
    return is_draining, is_in_force


def read_token(installation: Installation, token: str) -> Lease:
    """Whom a token speaks for; NoAccessError unless we have signed it."""
    try:
        submission_id, number, worker = _signer(installation).loads(token)
    except (BadSignature, TypeError, ValueError):
        raise NoAccessError("This is no token of an attempt. Take an assignment first.") from None
    return Lease(int(submission_id), int(number), "run", str(worker))


def submission_of(session: Session, lease: Lease) -> Submission:
    """The submission of an attempt that is in force, else ConflictError."""
    if not attempts.in_force(session, lease):
        raise _over(lease)
    return session.scalars(
        select(Submission)
        .where(Submission.id == lease.submission_id)
        .options(
            joinedload(Submission.competition),
            joinedload(Submission.rescoring).joinedload(Rescoring.challenge),
        )
    ).one()


def input_of(session: Session, lease: Lease, name: str) -> ChallengeFile:
    """One of the inputs that the attempt may read, else NoAccessError."""
    submission = submission_of(session, lease)
    for file in _inputs(submission.challenge):
        if file.name == name:
            return file
    raise NoAccessError(f"{name!r} is none of the inputs of this run.")


def opponent_of(session: Session, lease: Lease, submission_id: int) -> Submission:
    """An agent that the attempt may play against, else NoAccessError."""
    submission = submission_of(session, lease)
    other = session.get(Submission, submission_id)
    if (
        submission.queue == "match"
        and other is not None
        and other.kind == "agent"
        and other.original_id is None
        and other.competition_id == submission.competition_id
        and other.state in (State.SCORED, State.RUNNING, State.QUEUED)
    ):
        return other
    raise NoAccessError(f"Submission {submission_id} is no opponent of this run.")


def largest_output(session: Session, lease: Lease) -> int:
    """The most bytes that an attempt's output may have: as many as a submitted file."""
    spec = catalog.parse(submission_of(session, lease).challenge.spec)
    return spec.submission.max_file_mib << 20


def keep_output(installation: Installation, lease: Lease, output: Incoming) -> None:
    """Make what a run wrote durable; ConflictError if the attempt is over."""
    _keep(installation, lease, output, "outputs", attempts.note_output)


def keep_replays(installation: Installation, lease: Lease, replays: Incoming) -> None:
    """Make the replays of an attempt durable, one behind the other; else as `keep_output`."""
    _keep(installation, lease, replays, "replays", attempts.note_replays)


def _keep(
    installation: Installation,
    lease: Lease,
    file: Incoming,
    folder: str,
    note: Callable[[Session, Lease, str], bool],
) -> None:
    name = uuid.uuid4().hex
    key = f"{folder}/{name[:2]}/{name}"
    installation.storage.keep(file, key)
    with installation.database.writing() as session:
        if note(session, lease, key):
            return
    installation.storage.delete(key)
    raise _over(lease)


def report(installation: Installation, lease: Lease, said: Report) -> bool:
    """Write how an attempt ended; False, and no change, if it was not the current one any more."""
    with installation.database.writing() as session:
        attempts.note_log(session, lease, _kept(said.log))
        accepted, woken = _report(installation, session, lease, said)
        queue = session.scalars(
            select(Submission.queue).where(Submission.id == lease.submission_id)
        ).one()
    if woken:
        installation.queue.offer(queue)
    for name in RUN_QUEUES:
        turns.relay(installation, name)
    return accepted


def _report(
    installation: Installation, session: Session, lease: Lease, said: Report
) -> tuple[bool, bool]:
    """Whether it was taken, and whether the submission now waits for another worker."""
    match said.outcome:
        case "ran":
            return _finish(installation, session, lease, said)
        case "returned":
            return (done := attempts.hand_back(session, lease)), done
        case "fault":
            most = installation.config.max_attempts
            state = attempts.give_back(session, lease, attempts.FAULT, said.reason, most)
            return state is not None, False  # it backs off: the reconciler wakes a worker
        case cause:
            ending = Ending(
                Verdict(cause),
                said.reason[:LONGEST_REASON],
                details=list(said.details),
                spent=said.spent,
            )
            if not attempts.end(session, lease, ending):
                return False, False
            submission = session.get_one(Submission, lease.submission_id)
            episodes.add(installation, session, lease, submission, said.episodes)
            return True, False


def _finish(
    installation: Installation, session: Session, lease: Lease, said: Report
) -> tuple[bool, bool]:
    """It ran: its output waits to be scored, or its games are rated."""
    if not attempts.hold(session, lease):
        raise _over(lease)
    submission = submission_of(session, lease)
    episodes.add(installation, session, lease, submission, said.episodes)
    if submission.queue == "match":
        if submission.original_id is not None:
            return finalround.settle(session, lease, submission, said.spent)
        return matches.settle(session, lease, submission, said.spent)
    key = attempts.output_key(session, lease)
    if not key:
        raise BadRequestError("Bring the output before the report that it ran.", field="outcome")
    spec = catalog.parse(submission.challenge.spec)
    queue = spec.score_queue
    turns.enter_next(session, submission, queue)
    done = attempts.finish_run(session, lease, queue, key, said.spent)
    return done, done


def _fitting(session: Session, card: Card) -> set[int]:
    """The competitions whose runs a worker can do."""
    return {
        competition_id
        for competition_id, resources in turns.needs(session, card.queue)
        if workers.fits(resources, card)
    }


def _assignment(
    installation: Installation, session: Session, lease: Lease, card: Card
) -> Assignment:
    submission = submission_of(session, lease)
    challenge = submission.challenge
    spec: Spec = catalog.parse(challenge.spec)
    seeds: list[tuple[int, int]] = []
    pairings: list[Pairing] = []
    if spec.is_match and submission.original_id is not None:
        pairings = finalround.pairings(installation, session, submission)
    elif spec.is_match:
        pairings = matches.pairings(installation, session, submission)
    elif spec.run.agent is not None:
        seeds = [(one.number, one.seed) for one in episodes.seeds(installation, challenge)]
    token = _signer(installation).dumps([lease.submission_id, lease.number, lease.worker])
    assert isinstance(token, str)
    return Assignment(
        token=token,
        submission_id=submission.id,
        number=lease.number,
        competition=submission.competition.slug,
        kind=submission.kind,
        file_name=submission.file_name,
        size_bytes=submission.size_bytes,
        sha256=submission.sha256,
        inputs=_inputs(challenge),
        run=spec.run.model_dump(mode="json"),
        output=spec.output_file,
        columns=spec.output_columns,
        device="gpu" if card.queue.endswith("-gpu") else "cpu",
        seeds=seeds,
        matches=pairings,
    )


def _inputs(challenge: Challenge) -> list[ChallengeFile]:
    rules = catalog.parse(challenge.spec).run
    names = {*rules.inputs, *rules.hidden}
    return [file for file in challenge.files if file.name in names]


def _signer(installation: Installation) -> URLSafeSerializer:
    return URLSafeSerializer(installation.config.secret(), salt="attempt")


def _over(lease: Lease) -> ConflictError:
    return ConflictError(
        f"Attempt {lease.number} at submission {lease.submission_id} is over: it was cancelled, "
        "or its lease ran out and another worker has it. Drop the work.",
        code="attempt_over",
    )


def _kept(log_tail: str) -> str:
    """The end of a log, of characters that every database keeps."""
    return log_tail.replace("\0", "�")[-MOST_LOG_CHARACTERS:]
