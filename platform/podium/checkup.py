"""The checks of a draft: whether perfect, sample, random and baseline submissions score as they
should, and what its files give away. Done by a score worker that has nothing else to do.

Faults keep a draft from being published; warnings are for its host to weigh.
"""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium import catalog, headroom, inspection
from podium.boardrules import SPLITS
from podium.catalog import Spec
from podium.installation import Installation
from podium.models import BoardEntry, Challenge, Competition, Submission, Team
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN
from podium_scoring import ChallengeError, Score, SubmissionError
from podium_scoring.tables import read_predictions

QUEUE = "score"  # whose workers check
AGENTS = "Of agents only the baselines are checked here: podium challenges check does the rest."

Scores = dict[str, dict[str, float]]  # by submission and split

log = logging.getLogger(__name__)


def due(session: Session) -> int | None:
    """A draft whose checks somebody waits for, the longest first; its baselines are scored."""
    wanted = session.scalars(
        select(Competition.id)
        .join(Challenge, Challenge.id == Competition.challenge_id)
        .where(Competition.checks_wanted_at.is_not(None), Challenge.state == "ready")
        .order_by(Competition.checks_wanted_at)
    ).all()
    if not wanted:  # asked again and again by the reconciler: no look at submissions then
        return None
    unscored = set(session.scalars(select(Submission.competition_id).where(IS_OPEN).distinct()))
    return next((one for one in wanted if one not in unscored), None)


def work(installation: Installation) -> bool:
    """Check one draft that is due; False if none is."""
    with installation.database.writing() as session:
        competition_id = due(session)
        if competition_id is None:
            return False
        # Whoever takes the wish away does the work.
        session.execute(
            update(Competition)
            .where(Competition.id == competition_id)
            .values(checks_wanted_at=None)
            .execution_options(synchronize_session=False)
        )
    try:
        found = check(installation, competition_id)
    except (ChallengeError, SubmissionError) as error:
        found = {"faults": [error.message, *map(str, error.details)], "warnings": [], "scores": {}}
    except Exception:  # ours: said to the host, and to us in the log
        log.exception("the checks of competition %s failed", competition_id)
        found = {
            "faults": ["The checks failed through a fault of ours. Ask the operator for the log."],
            "warnings": [],
            "scores": {},
        }
    with installation.database.writing() as session:
        competition = session.get_one(Competition, competition_id)
        competition.checks = found | {
            "at": now().isoformat(),
            "challenge_id": competition.challenge_id,
        }
    return True


def check(installation: Installation, competition_id: int) -> dict[str, Any]:
    """Faults, warnings and scores of a competition as it is now."""
    with installation.database.reading() as session:
        competition = session.get_one(Competition, competition_id)
        challenge = competition.challenge
        files = {file.name: file.file_key for file in challenge.files}
        baselines = _baselines(session, competition_id)
    spec = catalog.parse(challenge.spec)
    if spec.run.agent is not None:  # what it plays in is not of tables: a rehearsal shows it
        missing = list(_of_baselines(spec, None, {}, baselines))
        return {"faults": missing, "warnings": [AGENTS], "scores": baselines}
    files[spec.sample_file] = challenge.sample_key
    with installation.storage.open(challenge.answers_key) as file:
        truth = spec.grading.read_truth(file.read())
    warnings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="podium-check-") as scratch:
        public = Path(scratch)
        for name, key in files.items():
            with installation.storage.open(key) as stored, (public / name).open("wb") as out:
                while chunk := stored.read(1 << 20):
                    out.write(chunk)
        sample = read_predictions((public / spec.sample_file).read_bytes(), truth.form)
        warnings += inspection.leaks(spec, truth, public)
    perfect, starts = headroom.starts(spec, truth, sample)
    faults: list[str] = []
    if perfect is not None:
        faults += headroom.above(spec, challenge.edition, perfect, starts)
    faults += _of_baselines(spec, perfect, starts, baselines)
    if baselines:
        warnings += _narrow(spec, starts, baselines)
    scores = {name: _values(one) for name, one in starts.items()} | baselines
    if perfect is not None:
        scores = {"perfect": _values(perfect)} | scores
    return {"faults": faults, "warnings": warnings, "scores": scores}


def _values(scores: dict[str, Score]) -> dict[str, float]:
    return {split: scores[split].value for split in SPLITS if split in scores}


def _baselines(session: Session, competition_id: int) -> Scores:
    """What each baseline of a competition scores."""
    rows = session.execute(
        select(Team.name, BoardEntry.split, BoardEntry.score)
        .join(BoardEntry, BoardEntry.team_id == Team.id)
        .where(Team.competition_id == competition_id, Team.is_baseline.is_(True))
    )
    found: Scores = {}
    for name, split, score in rows:
        found.setdefault(name, {})[split] = score
    return found


def _of_baselines(
    spec: Spec,
    perfect: dict[str, Score] | None,
    starts: dict[str, dict[str, Score]],
    baselines: Scores,
) -> Iterator[str]:
    if not baselines:
        yield "No baseline has a score yet. Hand in what a simple solution predicts."
    metric = spec.metric.record
    for name, scores in baselines.items():
        for split, score in scores.items():
            for which, start in starts.items():
                if not headroom.is_ahead(metric, score, start[split].value):
                    yield (
                        f"The baseline {name!r} scores {score:g} on {split}, the {which} "
                        f"submission {start[split].value:g}: the baseline must be better."
                    )
            if perfect is not None and headroom.is_ahead(metric, score, perfect[split].value):
                yield f"The baseline {name!r} scores {score:g} on {split}, beyond the answers."


def _narrow(spec: Spec, starts: dict[str, dict[str, Score]], baselines: Scores) -> Iterator[str]:
    """Baselines that chance does not tell from the sample."""
    for name, scores in baselines.items():
        for split, score in scores.items():
            low, high = starts["sample"][split].low, starts["sample"][split].high
            if low is not None and high is not None and low <= score <= high:
                yield (
                    f"The baseline {name!r} is within the interval of the sample on {split}: "
                    "chance may explain the difference."
                )
