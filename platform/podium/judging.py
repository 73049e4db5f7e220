"""WHERE A SUBMISSION IS SCORED: reads the file, aligns it with the answers, records the scores.

One worker process judges many submissions and keeps the answers it used last. What goes wrong
is sorted once, here: the student's file makes `invalid`, the challenge makes an `error` of the
host's, everything else is ours, is tried again, and never becomes an invalid submission.
"""

import logging
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Generic, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from podium import attempts, catalog, leaderboard
from podium.attempts import Ending, Lease
from podium.catalog import Spec
from podium.competitions import find
from podium.errors import BadRequestError
from podium.installation import Installation
from podium.models import Challenge, Evaluation, Submission
from podium.submissions import check_kind
from podium.verdicts import Verdict
from podium_scoring import SCORING_VERSION, ChallengeError, Score, SubmissionError, metric
from podium_scoring.grading import Grading, Truth
from podium_scoring.tables import Form, read_predictions

KEPT = 8  # challenges whose answers a process keeps in memory
LONGEST_REASON = 280
INTERVAL_SEED = 0

log = logging.getLogger(__name__)


class Readable(Protocol):
    """An arrived file, at its start."""

    def read(self) -> bytes:
        """Its bytes."""


@dataclass(frozen=True)
class Checked:
    """What a dry run found; `errors` are shown as they stand."""

    ok: bool
    message: str
    rows: int | None
    errors: list[dict[str, object]]
    more: int


@dataclass(frozen=True)
class Case:
    """What a worker needs to judge the submissions of one challenge."""

    spec: Spec
    grading: Grading
    truth: Truth
    truth_version: str


T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps what was made last for each challenge; a new truth version is another entry."""

    def __init__(self, make: Callable[[Installation, Challenge], T], size: int = KEPT) -> None:
        self._make = make
        self._size = size
        self._kept: OrderedDict[tuple[int, str], T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, installation: Installation, challenge: Challenge) -> T:
        """What belongs to this challenge, made at its first use."""
        key = (challenge.id, challenge.truth_version)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(installation, challenge)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _read_case(installation: Installation, challenge: Challenge) -> Case:
    if not challenge.answers_key:
        raise ChallengeError(f"The answers of {challenge.slug} are not prepared.")
    spec = catalog.parse(challenge.spec)
    grading = spec.grading
    with installation.storage.open(challenge.answers_key) as file:
        truth = grading.read_truth(file.read())
    return Case(spec, grading, truth, challenge.truth_version)


def _read_form(installation: Installation, challenge: Challenge) -> Form:
    spec = catalog.parse(challenge.spec)
    with installation.storage.open(challenge.sample_key) as file:
        return spec.grading.read_form(file.read())


_cases = Recent(_read_case)
_forms = Recent(_read_form)


def judge(installation: Installation, worker: str, submission_id: int) -> None:
    """Take a waiting submission, score it, write how it ended. Does nothing if it is not waiting.

    Whatever happens in between, the submission is afterwards ended or waiting again; if this
    process dies, its lease runs out and the reconciler gives it back.
    """
    config = installation.config
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "score", worker, config.lease_s)
        if lease is None:
            return
        submission = session.scalars(
            select(Submission)
            .where(Submission.id == submission_id)
            .options(joinedload(Submission.competition))
        ).one()
    try:
        case, scores = _score(installation, submission)
    except SubmissionError as error:
        _end(installation, lease, _invalid(error))
    except ChallengeError as error:
        log.error("submission %s: the challenge is at fault: %s", submission_id, error.message)
        ending = Ending(
            Verdict.CHALLENGE_FAULT,
            "The answers or the metric of this competition are at fault. The host was told.",
            cause="\n".join([error.message, *map(str, error.details)]),
        )
        _end(installation, lease, ending)
    except Exception:  # ours, whatever it is: never the student's fault
        log.exception("submission %s, attempt %s failed", submission_id, lease.number)
        with installation.database.writing() as session:
            attempts.give_back(
                session, lease, attempts.FAULT, traceback.format_exc(), config.max_attempts
            )
    else:
        _record(installation, lease, submission, case, scores)


def check(
    installation: Installation, slug: str, file: Readable, kind: str = "predictions"
) -> Checked:
    """The content check that scoring makes, as a dry run: costs nothing, never opens answers."""
    with installation.database.reading() as session:
        competition = find(session, slug)
        check_kind(competition, kind)
        challenge = competition.challenge
        if challenge.state != "ready":
            raise BadRequestError(f"{competition.title} is not ready: its data are being prepared.")
    form = _forms.get(installation, challenge)
    try:
        read_predictions(file.read(), form)
    except SubmissionError as error:
        return Checked(
            ok=False,
            message=error.message,
            rows=None,
            errors=[asdict(detail) for detail in error.details],
            more=error.more,
        )
    return Checked(
        ok=True,
        message="The file fits the published format.",
        rows=len(form.ids),
        errors=[],
        more=0,
    )


def warm_up() -> None:
    """Load what the first judgement would wait for."""
    for name in ("accuracy", "f1_macro", "rmse"):
        metric(name)
    __import__("podium_scoring.classification")


def _score(
    installation: Installation, submission: Submission
) -> tuple[Case, Mapping[str, Mapping[str, Score]]]:
    """Scores by metric and split: the first metric ranks, the others are shown beside it."""
    case = _cases.get(installation, submission.competition.challenge)
    with installation.storage.open(submission.file_key) as file:
        predictions = read_predictions(file.read(), case.truth.form)
    scores = case.grading.score(predictions, case.truth, seed=INTERVAL_SEED)
    for splits in scores.values():
        for score in splits.values():
            _ = score.interval  # computed here, not while the database is locked
    return case, scores


def _record(
    installation: Installation,
    lease: Lease,
    submission: Submission,
    case: Case,
    scores: Mapping[str, Mapping[str, Score]],
) -> None:
    """Verdict, evaluations and board in one transaction; nothing if the attempt is not current."""
    with installation.database.writing() as session:
        if not attempts.end(session, lease, Ending(Verdict.SCORED)):
            return
        for name, splits in scores.items():
            for split, score in splits.items():
                evaluation = Evaluation(
                    submission_id=submission.id,
                    scorer_version=SCORING_VERSION,
                    truth_version=case.truth_version,
                    split=split,
                    metric=name,
                    value=score.value,
                    low=score.low,
                    high=score.high,
                    n=score.n,
                    signature=str(score.signature),
                )
                session.add(evaluation)
                if name == case.grading.first.name and split == leaderboard.PUBLIC:
                    leaderboard.record(
                        session,
                        submission,
                        evaluation,
                        higher_is_better=score.higher_is_better,
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
