"""Scoring again what was scored before: a trial in the background, its difference, a decision.

What changes is a revision of the challenge: another metric, mended answers, rows left out. For
every scored submission a twin waits in the rescoring lane, scored by the revision, or run again
first; its scores stand beside those in force and are seen by hosts only. Applied, they take their
place; discarded, they are gone. Reception times, quotas and decisions by hand stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from podium import catalog, revision, submissions, turns
from podium.accounts import Caller
from podium.boardrules import Rules
from podium.competitions import audit, find, need_host
from podium.errors import ConflictError, NotFoundError
from podium.installation import Installation
from podium.models import (
    Challenge,
    ChallengeFile,
    Competition,
    Evaluation,
    Rescoring,
    Submission,
    Team,
)
from podium.models.record import now
from podium.models.rescoring import UNDECIDED
from podium.models.submission import REHEARSED
from podium.revision import Revision
from podium.verdicts import OPEN, State, Verdict

TRIAL, APPLIED, DISCARDED = "trial", "applied", "discarded"
LONGEST_REASON = 500
MOST_WAKES = 64


@dataclass(frozen=True)
class Progress:
    """How far a trial has come, in submissions."""

    waiting: int
    at_work: int
    scored: int
    unscored: list[int] = field(default_factory=list)  # ids of those that could not be scored

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.at_work + self.scored + len(self.unscored)

    @property
    def is_over(self) -> bool:
        """Whether nothing waits or is at work any more."""
        return not self.waiting and not self.at_work


def begin(installation: Installation, caller: Caller, slug: str, wanted: Revision) -> int:
    """Start a trial; returns its id.

    Raises NoAccessError, BadRequestError for a revision that cannot be scored with, and
    ConflictError while another trial is undecided.
    """
    with installation.database.reading() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        challenge = competition.challenge
        base = revision.base(session, challenge, wanted)
    if catalog.parse(challenge.spec).is_match:
        raise ConflictError(
            f"{slug} rates agents by all their games, anew after each round: there is nothing to "
            "score once more."
        )
    revised = revision.revise(installation, base, wanted)
    with installation.database.writing() as session:
        competition = find(session, slug)
        session.scalars(
            select(Competition.id).where(Competition.id == competition.id).with_for_update()
        ).one()
        undecided = of_competition(session, competition.id)
        if undecided is not None:
            raise ConflictError(
                f"{slug} has a rescoring that nobody has decided on ({undecided.change}). Apply "
                "or discard it first."
            )
        if competition.challenge_id != challenge.id:
            raise ConflictError(f"The scoring of {slug} was changed just now. Look at it again.")
        rescoring = _add(session, caller, competition, base, revised, wanted)
        queues = _rehearse(session, competition, rescoring, lacking(session, rescoring))
        audit(
            session,
            caller,
            "rescoring.begin",
            competition,
            wanted.reason,
            change=rescoring.change,
            rescoring=rescoring.id,
        )
    _wake(installation, queues)
    return rescoring.id


def _add(
    session: Session,
    caller: Caller,
    competition: Competition,
    base: Challenge,
    revised: Challenge,
    wanted: Revision,
) -> Rescoring:
    before = competition.challenge
    same = (
        Challenge.slug == base.slug,
        Challenge.version == base.version,
        Challenge.edition == base.edition,
    )
    last = session.scalar(select(func.max(Challenge.revision)).where(*same)) or 0
    revised.revision = last + 1
    revised.text = session.scalars(select(Challenge.text).where(Challenge.id == base.id)).one()
    session.add(revised)
    session.flush()
    columns = ("name", "file_key", "sha256", "size_bytes", "rows", "description")
    session.add_all(
        ChallengeFile(challenge_id=revised.id, **{name: getattr(file, name) for name in columns})
        for file in session.scalars(
            select(ChallengeFile).where(ChallengeFile.challenge_id == base.id)
        )
    )
    # What is scored for nobody's sake belongs to a team of nobody: it uses up no quota.
    team = Team(
        competition_id=competition.id,
        name=f"Rescoring {revised.version}.{revised.revision}",
        is_baseline=True,
    )
    session.add(team)
    session.flush()
    rescoring = Rescoring(
        competition_id=competition.id,
        challenge_id=revised.id,
        before_id=before.id,
        team_id=team.id,
        state=TRIAL,
        change=revision.said(before, base, revised, wanted),
        reason=wanted.reason[:LONGEST_REASON],
        runs_again=wanted.runs_again or wanted.version is not None,
        raise_only=wanted.raise_only,
        asked_by=caller.id,
    )
    session.add(rescoring)
    session.flush()
    return rescoring


def lacking(session: Session, rescoring: Rescoring) -> Sequence[Submission]:
    """Scored submissions that have no twin in this trial yet."""
    twins = select(Submission.original_id).where(REHEARSED, Submission.rescoring_id == rescoring.id)
    return session.scalars(
        select(Submission)
        .where(
            Submission.competition_id == rescoring.competition_id,
            Submission.state == State.SCORED,
            Submission.original_id.is_(None),
            Submission.id.not_in(twins),
        )
        .order_by(Submission.id)
    ).all()


def _rehearse(
    session: Session,
    competition: Competition,
    rescoring: Rescoring,
    originals: Sequence[Submission],
) -> dict[str, int]:
    """Let twins of submissions wait; returns how many wait in each queue."""
    rounds: dict[str, int] = {}
    waiting: dict[str, int] = {}
    queues: dict[str, str] = {}
    rows = []
    for one in originals:
        runs = rescoring.runs_again and one.kind != "predictions"
        kind = one.kind if runs else "predictions"
        if kind not in queues:
            queues[kind] = submissions.queue_for(session, rescoring.challenge, kind)
        queue = queues[kind]
        if queue not in rounds:
            rounds[queue] = turns.enter_rescoring(session, queue, competition.id)
        if one.file_deleted_at is None:
            waiting[queue] = waiting.get(queue, 0) + 1
        rows.append(
            {
                "competition_id": competition.id,
                "team_id": rescoring.team_id,
                "rescoring_id": rescoring.id,
                "original_id": one.id,
                "kind": kind,
                "file_name": one.file_name,
                "file_key": one.file_key if runs else one.output_key or one.file_key,
                "sha256": one.sha256,
                "size_bytes": one.size_bytes,
                **_state_of(one),
                "queue": queue,
                "lane": turns.RESCORING,
                "round": rounds[queue],
                "received_at": now(),
            }
        )
    if rows:
        session.execute(insert(Submission), rows)
    return waiting


def _state_of(original: Submission) -> dict[str, object]:
    """What a twin begins with: it waits, or cannot be scored, since its file was deleted."""
    if original.file_deleted_at is None:
        return {"state": State.QUEUED, "verdict": None, "reason": "", "ended_at": None}
    said = f"The file of submission {original.id} was deleted to save room."
    return {
        "state": State.ERROR,
        "verdict": Verdict.PLATFORM_FAULT,
        "reason": said,
        "ended_at": now(),
    }


def _wake(installation: Installation, queues: Mapping[str, int]) -> None:
    for queue, count in queues.items():
        for _ in range(min(count, MOST_WAKES)):  # for the rest the reconciler wakes workers
            if not installation.queue.offer(queue):
                break


def of_competition(session: Session, competition_id: int) -> Rescoring | None:
    """The rescoring that nobody has decided on yet."""
    return session.scalar(
        select(Rescoring).where(UNDECIDED, Rescoring.competition_id == competition_id)
    )


def need_trial(session: Session, competition: Competition) -> Rescoring:
    """The undecided rescoring, else NotFoundError."""
    found = of_competition(session, competition.id)
    if found is None:
        raise NotFoundError(
            f"{competition.slug} has no rescoring to decide on. Begin one on the Manage page or "
            f"with `podium rescore {competition.slug} --preview`."
        )
    return found


def applied(session: Session, competition_id: int) -> Sequence[Rescoring]:
    """What was applied, the latest first: everybody may know."""
    return session.scalars(
        select(Rescoring)
        .where(Rescoring.competition_id == competition_id, Rescoring.state == APPLIED)
        .order_by(Rescoring.id.desc())
    ).all()


def progress(session: Session, rescoring: Rescoring) -> Progress:
    """How far the trial has come."""
    counts: dict[str, int] = {}
    for state, number in session.execute(
        select(Submission.state, func.count())
        .where(REHEARSED, Submission.rescoring_id == rescoring.id)
        .group_by(Submission.state)
    ):
        counts[state] = number
    unscored = session.scalars(
        select(Submission.id)
        .where(
            REHEARSED,
            Submission.rescoring_id == rescoring.id,
            Submission.state.in_((State.INVALID, State.FAILED, State.ERROR)),
        )
        .order_by(Submission.id)
    ).all()
    return Progress(
        waiting=counts.get(State.QUEUED, 0),
        at_work=counts.get(State.RUNNING, 0) + counts.get(State.SCORING, 0),
        scored=counts.get(State.SCORED, 0),
        unscored=list(unscored),
    )


def catch_up(installation: Installation, session: Session, rescoring: Rescoring) -> int:
    """Let twins of what was scored since the trial began wait too; returns how many."""
    # One after the other: two hosts who apply at once must not make two twins of one submission.
    row = select(Rescoring.id).where(Rescoring.id == rescoring.id)
    session.scalars(row.with_for_update()).one()
    competition = session.get_one(Competition, rescoring.competition_id)
    waiting = _rehearse(session, competition, rescoring, lacking(session, rescoring))
    _wake(installation, waiting)
    return sum(waiting.values())


def discard(installation: Installation, caller: Caller, slug: str, reason: str) -> None:
    """Throw the trial away: what was in force stays so, as if it had never been."""
    with installation.database.writing() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        rescoring = need_trial(session, competition)
        stop(session, rescoring)
        session.execute(delete(Evaluation).where(Evaluation.rescoring_id == rescoring.id))
        decide(session, caller, rescoring, DISCARDED)
        audit(
            session,
            caller,
            "rescoring.discard",
            competition,
            reason,
            change=rescoring.change,
            rescoring=rescoring.id,
        )


def stop(session: Session, rescoring: Rescoring) -> None:
    """End what still waits or is at work for a trial."""
    session.execute(
        update(Submission)
        .where(REHEARSED, Submission.rescoring_id == rescoring.id, Submission.state.in_(OPEN))
        .values(state=State.CANCELLED, verdict=Verdict.CANCELLED, ended_at=now())
        .execution_options(synchronize_session=False)
    )


def decide(session: Session, caller: Caller, rescoring: Rescoring, state: str) -> None:
    """Write down who decided what, when."""
    rescoring.state = state
    rescoring.decided_by, rescoring.decided_at = caller.id, now()


def earlier(session: Session, submission: Submission) -> Sequence[Evaluation]:
    """The scores that a submission had before rescorings were applied, the latest first."""
    return session.scalars(
        select(Evaluation)
        .outerjoin(Rescoring, Rescoring.id == Evaluation.rescoring_id)
        .where(
            Evaluation.submission_id == submission.id,
            Evaluation.in_force.is_(False),
            Evaluation.rescoring_id.is_(None) | (Rescoring.state == APPLIED),
        )
        .order_by(Evaluation.id.desc())
    ).all()


def rules_after(session: Session, rescoring: Rescoring, moment: datetime) -> Rules:
    """The rules of the board as they would be."""
    competition = session.get_one(Competition, rescoring.competition_id)
    return Rules.of(competition, moment, rescoring.challenge)
