"""Accepting what teams hand in, and showing it to those who may see it.

A file is first made durable, then the row is committed, and only then is its id offered to the
queue: what was answered with "received" is never lost, whichever process dies.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from podium import arrivals, attempts, catalog, limits, turns, workers
from podium.accounts import Caller
from podium.competitions import (
    LONGEST_REASON,
    audit,
    find,
    in_sight,
    is_staff,
    need_right,
    need_team,
    sight_of,
    team_of,
)
from podium.errors import (
    AskError,
    BadRequestError,
    ClosedError,
    ConflictError,
    LimitError,
    NotFoundError,
)
from podium.installation import Installation
from podium.models import Challenge, Competition, Membership, Submission, Team
from podium.models.record import now
from podium.models.submission import IN_ERROR
from podium.storage import Incoming
from podium.verdicts import OPEN, State, Verdict

KINDS = ("predictions", "model", "code", "agent")
LONGEST_MESSAGE = 500
LONGEST_FILE_NAME = 120
GPU_SEEN_S = 60.0  # a worker that was heard so lately will be there


@dataclass(frozen=True)
class Upload:
    """An arrived file and what was said with it."""

    file: Incoming
    file_name: str
    message: str = ""
    kind: str = "predictions"
    idempotency_key: str | None = None
    source: str = ""  # a keyed hash of where it came from
    arrival_id: str | None = None  # where it came in pieces


def need_room(
    session: Session, caller: Caller, slug: str, idempotency_key: str | None = None
) -> Competition:
    """Raise what `accept` would raise before a byte is read; returns the competition.

    A key that was used before asks for its submission again, and needs no room.
    """
    competition = find(session, slug)
    team = need_team(session, competition, caller)
    try:
        limits.need_room(session, competition, team.id, now())
    except (LimitError, ClosedError):
        # Looked up after the limit, for a twin of this request may have used the last try between.
        if idempotency_key is None or _of_key(session, team.id, idempotency_key) is None:
            raise
    return competition


def largest_file(competition: Competition, installation_bytes: int) -> int:
    """The most bytes that one file of this competition may have."""
    mib: int | None = competition.challenge.spec["submission"].get("max_file_mib")
    return min(installation_bytes, mib << 20) if mib else installation_bytes


def accept(installation: Installation, caller: Caller, slug: str, upload: Upload) -> int:
    """Record a submission, reserve its try, offer it to the queue; returns its id.

    One transaction under the team's lock decides deadline, limit and idempotency together, so
    parallel clicks cannot pass a limit between them. Raises ClosedError, LimitError,
    NoAccessError, NotFoundError, ConflictError or BadRequestError; then nothing is kept.
    """
    received_at = now()  # the last byte is here: the deadline is judged by this moment
    if not upload.file.size_bytes:
        raise BadRequestError(
            "The file is empty. Choose the file your program wrote.", field="file", code="empty"
        )
    file_key = _new_key()
    installation.storage.keep(upload.file, file_key)
    try:
        with installation.database.writing() as session:
            submission, is_new = _accept(session, caller, slug, upload, file_key, received_at)
    except AskError:  # refused for sure; after any other error the row may yet be committed
        installation.storage.delete(file_key)
        raise
    if not is_new:
        installation.storage.delete(file_key)
        return submission.id
    installation.queue.offer(submission.queue)
    return submission.id


def _new_key() -> str:
    name = uuid.uuid4().hex
    return f"submissions/{name[:2]}/{name}"  # folders of a fit size, whatever the competition


def _accept(
    session: Session,
    caller: Caller,
    slug: str,
    upload: Upload,
    file_key: str,
    received_at: datetime,
) -> tuple[Submission, bool]:
    competition = find(session, slug)
    team = _own_team(session, competition, caller)
    if upload.idempotency_key:
        earlier = _of_key(session, team.id, upload.idempotency_key)
        if earlier is not None:
            if earlier.sha256 != upload.file.sha256:
                raise ConflictError(
                    f"The idempotency key was used for submission {earlier.id} with another "
                    "file. Send a new key with a new file."
                )
            return earlier, False
    check_kind(competition, upload.kind)
    _need_walls(session, competition, upload.kind)
    limits.need_room(session, competition, team.id, received_at)
    if upload.arrival_id:
        arrivals.let_go(session, upload.arrival_id)
    return _insert(session, competition, team, upload, file_key, received_at, caller.id), True


def _own_team(session: Session, competition: Competition, caller: Caller) -> Team:
    """The caller's team, locked; the one it is in after any merge that was under way."""
    while True:
        team = need_team(session, competition, caller)
        session.scalars(select(Team.id).where(Team.id == team.id).with_for_update()).one()
        if need_team(session, competition, caller).id == team.id:
            return team


def _need_walls(session: Session, competition: Competition, kind: str) -> None:
    """Raise ClosedError where every worker that could run it has found its sandbox wanting."""
    if kind == "predictions":
        return
    online = workers.online(session, (queue_for(session, competition.challenge, kind),), GPU_SEEN_S)
    if online and all(one.trouble for one in online):
        raise ClosedError(
            "Submitted code cannot be run here just now; predictions are scored as usual. "
            f"The host can see why: {online[0].trouble}"
        )


def _of_key(session: Session, team_id: int, key: str) -> Submission | None:
    return session.scalar(
        select(Submission).where(Submission.team_id == team_id, Submission.idempotency_key == key)
    )


def accept_baseline(installation: Installation, slug: str, team_name: str, upload: Upload) -> int:
    """Record a baseline's submission; it takes the same queue, but no limit applies.

    A draft is to be checked after its score: wished for together with the row, since a worker
    that found the wish alone would check without it.
    """
    file_key = _new_key()
    installation.storage.keep(upload.file, file_key)
    with installation.database.writing() as session:
        competition = find(session, slug)
        check_kind(competition, upload.kind)
        team = session.scalar(
            select(Team).where(
                Team.competition_id == competition.id,
                Team.name == team_name,
                Team.is_baseline.is_(True),
            )
        )
        if team is None:
            team = Team(competition_id=competition.id, name=team_name, is_baseline=True)
            session.add(team)
            session.flush()
        if competition.is_draft:
            competition.checks_wanted_at = now()
        submission = _insert(
            session, competition, team, upload, file_key, now(), None, lane=turns.DEMO
        )
    installation.queue.offer(submission.queue)
    return submission.id


def _insert(
    session: Session,
    competition: Competition,
    team: Team,
    upload: Upload,
    file_key: str,
    received_at: datetime,
    user_id: int | None,
    lane: int = turns.PEOPLE,
) -> Submission:
    submission = Submission(
        competition_id=competition.id,
        team_id=team.id,
        user_id=user_id,
        kind=upload.kind,
        file_name=clean_file_name(upload.file_name),
        file_key=file_key,
        sha256=upload.file.sha256,
        size_bytes=upload.file.size_bytes,
        message=clean_message(upload.message),
        idempotency_key=upload.idempotency_key,
        source=upload.source,
        state=State.QUEUED,
        queue=queue_for(session, competition.challenge, upload.kind),
        lane=lane,
        received_at=received_at,
    )
    turns.enter(session, submission)
    session.add(submission)
    session.flush()
    attempts.note_transition(session, submission.id, None, State.QUEUED, 0)
    return submission


def kinds_of(competition: Competition) -> list[str]:
    """The kinds of submissions that a competition takes, in the challenge's order."""
    kinds: list[str] = competition.challenge.spec["kinds"]
    return kinds


def check_kind(competition: Competition, kind: str) -> None:
    """Raise BadRequestError unless the competition takes submissions of this kind."""
    taken = kinds_of(competition)
    if kind not in taken:
        raise BadRequestError(
            f"{competition.slug} does not take submissions of kind {kind!r}. "
            f"It takes: {', '.join(taken)}.",
            field="kind",
        )


def queue_for(session: Session, challenge: Challenge, kind: str) -> str:
    """The queue in which a submission of this kind begins.

    Where the challenge allows both, a run waits for a GPU if a worker with one is online.
    """
    spec = catalog.parse(challenge.spec)
    if kind == "predictions":
        return spec.score_queue
    if spec.is_match:
        return "match"
    if spec.resources.run == "gpu":
        return "run-gpu"
    has_gpu = spec.resources.run == "gpu-or-cpu" and workers.online(
        session, ("run-gpu",), GPU_SEEN_S
    )
    return "run-gpu" if has_gpu else "run"


def clean_message(message: str) -> str:
    """The message without control characters, and not too long."""
    kept = (c for c in message.strip() if c.isprintable() or c in "\n\t")
    return "".join(kept)[:LONGEST_MESSAGE]


def clean_file_name(name: str) -> str:
    """The last part of a path, printable and not too long; only ever shown, never opened."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:LONGEST_FILE_NAME] or "file"


def get(session: Session, caller: Caller, submission_id: int) -> Submission:
    """A submission that the caller may see: a team member or staff; else NotFoundError."""
    submission = session.scalar(_loaded().where(Submission.id == submission_id))
    if submission is not None and (
        is_staff(submission.competition, caller)
        or (in_sight(submission.competition, caller) and _is_member(session, submission, caller))
    ):
        return submission
    raise NotFoundError(f"There is no submission {submission_id} of yours.")


def _is_member(session: Session, submission: Submission, caller: Caller) -> bool:
    team = team_of(session, submission.competition_id, caller.id)
    return team is not None and team.id == submission.team_id


def _of_file(sha256: str | None) -> list[ColumnElement[bool]]:
    return [] if sha256 is None else [Submission.sha256 == sha256]


def of_team(
    session: Session, team_id: int, *, page: int = 1, per_page: int = 50, sha256: str | None = None
) -> Sequence[Submission]:
    """A team's submissions, newest first."""
    return session.scalars(
        _loaded()
        .where(Submission.team_id == team_id, *_of_file(sha256))
        .order_by(Submission.received_at.desc(), Submission.id.desc())
        .offset((page - 1) * per_page)
        .limit(per_page)
    ).all()


def of_competition(
    session: Session,
    competition_id: int,
    *,
    page: int = 1,
    per_page: int = 50,
    sha256: str | None = None,
) -> Sequence[Submission]:
    """Everybody's submissions, newest first: for hosts."""
    return session.scalars(
        _loaded()
        .where(Submission.competition_id == competition_id, Submission.original_id.is_(None))
        .where(*_of_file(sha256))
        .order_by(Submission.received_at.desc(), Submission.id.desc())
        .offset((page - 1) * per_page)
        .limit(per_page)
    ).all()


def count(
    session: Session,
    *,
    team_id: int | None = None,
    competition_id: int | None = None,
    sha256: str | None = None,
) -> int:
    """How many submissions a team or a competition has, or how many of one file."""
    query = select(func.count()).select_from(Submission).where(true(), *_of_file(sha256))
    if team_id is not None:
        query = query.where(Submission.team_id == team_id)
    if competition_id is not None:
        query = query.where(
            Submission.competition_id == competition_id, Submission.original_id.is_(None)
        )
    return session.scalar(query) or 0


def of_person(
    session: Session, caller: Caller, *, page: int = 1, per_page: int = 50
) -> Sequence[Submission]:
    """What a person's teams handed in, in all competitions, newest first."""
    teams = (
        select(Membership.team_id)
        .join(Competition, Competition.id == Membership.competition_id)
        .where(Membership.user_id == caller.id, sight_of(caller))
    )
    return session.scalars(
        _loaded()
        .where(Submission.team_id.in_(teams))
        .order_by(Submission.received_at.desc(), Submission.id.desc())
        .offset((page - 1) * per_page)
        .limit(per_page)
    ).all()


def _loaded() -> Select[Submission]:
    return select(Submission).options(
        joinedload(Submission.competition),
        joinedload(Submission.team),
        selectinload(Submission.evaluations),
        selectinload(Submission.attempts),
        selectinload(Submission.transitions),
    )


def earlier_twin(session: Session, submission: Submission) -> int | None:
    """The id of the team's first submission of the very same file, if this is not it."""
    return earlier_twins(session, [submission])[submission.id]


def earlier_twins(session: Session, submissions: Sequence[Submission]) -> dict[int, int | None]:
    """For each of several submissions what `earlier_twin` tells, in one query."""
    firsts = {
        (team_id, sha256): first
        for team_id, sha256, first in session.execute(
            select(Submission.team_id, Submission.sha256, func.min(Submission.id))
            .where(
                Submission.team_id.in_({s.team_id for s in submissions}),
                Submission.sha256.in_({s.sha256 for s in submissions}),
            )
            .group_by(Submission.team_id, Submission.sha256)
        )
    }
    found = {s.id: firsts.get((s.team_id, s.sha256)) for s in submissions}
    return {own: first if first != own else None for own, first in found.items()}


def cancel(
    installation: Installation, caller: Caller, submission_id: int, reason: str = ""
) -> None:
    """Stop a submission before its score is recorded; ConflictError if it has ended.

    By staff it is audited, and its team reads the reason.
    """
    caller.need("submit")
    with installation.database.writing() as session:
        submission = get(session, caller, submission_id)
        is_staff_act = not _is_member(session, submission, caller)
        if is_staff_act:
            need_right(submission.competition, caller, "judge")
        reason = " ".join(reason.split())[:LONGEST_REASON]
        state = State(submission.state)
        if (
            state not in OPEN
            or attempts.move(
                session,
                submission_id,
                state,
                State.CANCELLED,
                note=f"By {caller.handle}. {reason}".strip(),
                verdict=Verdict.CANCELLED,
                reason=f"Cancelled. It does not count. {reason}".strip(),
                ended_at=now(),
            )
            is None
        ):
            raise ConflictError(
                f"Submission {submission_id} has ended already ({submission.state}). "
                "Nothing was changed."
            )
        if is_staff_act:
            _audit(session, caller, "submission.cancel", submission, reason)


def retry(installation: Installation, caller: Caller, submission_id: int, reason: str = "") -> None:
    """Queue a submission that ended in `error` again: for hosts, when the fault is mended."""
    with installation.database.writing() as session:
        submission = get(session, caller, submission_id)
        need_right(submission.competition, caller, "judge")
        if submission.competition.final_began_at is not None and submission.original_id is None:
            raise ConflictError(
                f"The final round of {submission.competition.slug} has begun: nobody enters its "
                "pool any more."
            )
        if not attempts.retry(session, submission_id, caller.handle):
            raise ConflictError(
                f"Submission {submission_id} is {submission.state}. Only those that ended in "
                "error are run again."
            )
        _audit(session, caller, "submission.retry", submission, reason)
        queue = submission.queue
    installation.queue.offer(queue)


def _audit(
    session: Session, caller: Caller, action: str, submission: Submission, reason: str
) -> None:
    audit(
        session,
        caller,
        action,
        submission.competition,
        reason,
        subject="submission",
        team=submission.team.name,
        submission=submission.id,
    )


def count_in_error(session: Session, competition_id: int) -> int:
    """How many of a competition's submissions ended in error."""
    query = select(func.count()).where(IN_ERROR, Submission.competition_id == competition_id)
    return session.scalar(query) or 0


def in_error(session: Session, competition_id: int, most: int) -> Sequence[Submission]:
    """What ended through no fault of the submitter, newest first: hosts are told."""
    newest = (Submission.received_at.desc(), Submission.id.desc())
    found = (
        select(Submission.id)
        .where(IN_ERROR, Submission.competition_id == competition_id)
        .order_by(*newest)
        .limit(most)
    )
    return session.scalars(_loaded().where(Submission.id.in_(found)).order_by(*newest)).all()


def upload_from(
    installation: Installation, path: Path, message: str, kind: str = "predictions"
) -> Upload:
    """An Upload made from a file of this machine (baselines)."""
    incoming = installation.storage.receive(path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            incoming.write(chunk)
    return Upload(incoming, path.name, message, kind)
