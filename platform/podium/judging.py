"""WHERE A SUBMISSION IS SCORED: reads the file, aligns it with the answers, records the scores.

One worker process judges many submissions and keeps the answers it used last. What goes wrong
is sorted once, here: the student's file makes `invalid`, the challenge makes an `error` of the
host's, everything else is ours, is tried again, and never becomes an invalid submission.
"""

import importlib
import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from podium import attempts, boardrules, catalog, climbing, entries, logs, losses, turns
from podium.attempts import Ending, Lease, Spent
from podium.boardrules import Rules
from podium.catalog import Spec
from podium.installation import Installation
from podium.models import Challenge, Competition, Evaluation, Rescoring, Submission, Team
from podium.models.record import now
from podium.recent import Recent
from podium.verdicts import Verdict
from podium_scoring import SCORING_VERSION, ChallengeError, Score, SubmissionError
from podium_scoring.grading import Grading, Truth
from podium_scoring.tables import read_predictions

LONGEST_REASON = 280
INTERVAL_SEED = 0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """What a worker needs to judge the submissions of one challenge."""

    spec: Spec
    grading: Grading
    truth: Truth
    truth_version: str
    challenge_id: int
    scorer_version: str


def _read_case(installation: Installation, challenge: Challenge) -> Case:
    if not challenge.answers_key:
        raise ChallengeError(f"The answers of {challenge.slug} are not prepared.")
    spec = catalog.parse(challenge.spec)
    grading = spec.grading
    with installation.storage.open(challenge.answers_key) as file:
        device = "cuda" if spec.resources.score == "gpu" else "cpu"
        truth = grading.read_truth(file.read(), device=device)
    if challenge.excluded:
        truth = truth.without(challenge.excluded)
    revised = f".{challenge.revision}" if challenge.revision else ""
    return Case(
        spec,
        grading,
        truth,
        challenge.truth_version,
        challenge.id,
        f"{SCORING_VERSION}{revised}",
    )


_cases = Recent(_read_case)


@dataclass(frozen=True)
class Work:
    """A submission in the hands of this process."""

    lease: Lease
    submission: Submission


def take(installation: Installation, queue: str, worker: str) -> Work | None:
    """Take the submission whose turn it is; None if none may begin now."""
    with installation.database.writing() as session:
        lease = turns.take(session, queue, worker, "score", installation.config.lease_s)
        if lease is None:
            return None
        submission = session.scalars(
            select(Submission)
            .where(Submission.id == lease.submission_id)
            .options(
                joinedload(Submission.competition),
                joinedload(Submission.rescoring).joinedload(Rescoring.challenge),
            )
        ).one()
        return Work(lease, submission)


def judge(installation: Installation, work: Work) -> None:
    """Score what was taken, and write how it ended.

    Whatever happens in between, the submission is afterwards ended or waiting again; if this
    process dies, its lease runs out and the reconciler gives it back.
    """
    with logs.about(submission=work.submission.id, attempt=work.lease.number):
        _judge(installation, work)


def _judge(installation: Installation, work: Work) -> None:
    lease, submission = work.lease, work.submission
    begun, begun_cpu = time.perf_counter(), time.process_time()
    try:
        case, scores = _score(installation, submission)
        first = scores[case.grading.first.name]
        losses_key = losses.keep(
            installation.storage, {split: score.losses for split, score in first.items()}
        )
    except SubmissionError as error:
        _end(installation, lease, _invalid(error))
    except ChallengeError as error:
        log.error("the challenge is at fault: %s", error.message)
        ending = Ending(
            Verdict.CHALLENGE_FAULT,
            "The answers or the metric of this competition are at fault. The host was told.",
            cause="\n".join([error.message, *map(str, error.details)]),
        )
        _end(installation, lease, ending)
    except Exception:  # ours, whatever it is: never the student's fault
        log.exception("failed")
        with installation.database.writing() as session:
            attempts.give_back(
                session,
                lease,
                attempts.FAULT,
                traceback.format_exc(),
                installation.config.max_attempts,
            )
    else:
        spent = Spent(time.perf_counter() - begun, time.process_time() - begun_cpu)
        result = Result(case, scores, losses_key)
        if not _record(installation, work, result, spent):
            installation.storage.delete(losses_key)


def warm_up() -> None:
    """Load what the first judgement would wait for."""
    for name in ("pandas", "podium_scoring.classification", "podium_scoring.csvbulk"):
        importlib.import_module(name)


def _score(
    installation: Installation, submission: Submission
) -> tuple[Case, Mapping[str, Mapping[str, Score]]]:
    """Scores by metric and split: the first metric ranks, the others are shown beside it."""
    case = _cases.get(installation, submission.challenge)
    with installation.storage.open(submission.output_key or submission.file_key) as file:
        predictions = read_predictions(file.read(), case.truth.form)
    scores = case.grading.score(predictions, case.truth, seed=INTERVAL_SEED)
    for splits in scores.values():
        for score in splits.values():
            _ = score.interval  # computed here, not while the database is locked
    return case, scores


@dataclass(frozen=True)
class Result:
    """Scores by metric and split, by what they were made, and where the losses are kept."""

    case: Case
    scores: Mapping[str, Mapping[str, Score]]
    losses_key: str


def _record(installation: Installation, work: Work, result: Result, spent: Spent) -> bool:
    """Verdict, evaluations and board in one transaction; False if the attempt is not current."""
    lease, case = work.lease, result.case
    rescoring_id = work.submission.rescoring_id
    scored_id = work.submission.original_id or work.submission.id
    with installation.database.writing() as session:
        team = entries.hold_of(session, scored_id)
        if rescoring_id is None and _challenge_id(session, team) != case.challenge_id:
            # A rescoring was applied meanwhile: it is scored once more, as all others were.
            attempts.hand_back(session, lease, "The scoring changed meanwhile.")
            return False
        if not attempts.end(session, lease, Ending(Verdict.SCORED, spent=spent)):
            return False
        evaluations = list(_evaluations(scored_id, rescoring_id, result))
        session.add_all(evaluations)
        if rescoring_id is None:
            competition = session.get_one(Competition, team.competition_id)
            session.flush()
            if competition.anti_overfit == boardrules.LADDER:
                rules = Rules.of(competition, now())
                climbing.climb(session, installation.storage, evaluations, rules)
            entries.refresh(session, competition, [team.id])
    return True


def _challenge_id(session: Session, team: Team) -> int:
    return session.scalars(
        select(Competition.challenge_id).where(Competition.id == team.competition_id)
    ).one()


def _evaluations(
    submission_id: int, rescoring_id: int | None, result: Result
) -> Iterator[Evaluation]:
    case = result.case
    for name, splits in result.scores.items():
        for split, score in splits.items():
            yield Evaluation(
                submission_id=submission_id,
                scorer_version=case.scorer_version,
                truth_version=case.truth_version,
                split=split,
                metric=name,
                value=score.value,
                low=score.low,
                high=score.high,
                n=score.n,
                signature=str(score.signature),
                in_force=rescoring_id is None,
                rescoring_id=rescoring_id,
                losses_key=result.losses_key if name == case.grading.first.name else "",
            )


def _end(installation: Installation, lease: Lease, ending: Ending) -> None:
    with installation.database.writing() as session:
        attempts.end(session, lease, ending)


def _invalid(error: SubmissionError) -> Ending:
    return Ending(
        Verdict.INVALID,
        error.message[:LONGEST_REASON],
        details=[asdict(detail) for detail in error.details],
        more_details=error.more,
    )
