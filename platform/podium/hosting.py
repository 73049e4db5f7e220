"""What hosts do: publish a challenge, prepare its data, open it as a competition.

`practice` does it for the challenges that come with Podium, one after the other, and hands in
their trained baselines through the same queue as everyone's submissions.
"""

import logging
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from podium import catalog, datasets, episodes, starters, submissions, training
from podium.catalog import Baseline, Spec
from podium.competitions import files as find_files
from podium.competitions import find
from podium.errors import ConflictError, FaultError
from podium.installation import Installation
from podium.models import Challenge, ChallengeFile, Competition, Episode, Submission, Team
from podium.models.record import now
from podium.verdicts import HOLDS_QUOTA
from podium_scoring import ChallengeError

SEED_BITS = 62
NICENESS = 10
LEVELS = ("beginner", "intermediate", "advanced")

log = logging.getLogger(__name__)


def publish_bundled(installation: Installation) -> None:
    """Make every bundled challenge known and open; their data come with `practice`."""
    for folder in catalog.bundled():
        with _said(folder):
            if catalog.read(folder).practice:
                publish(installation, folder)


def practice(installation: Installation) -> None:
    """Prepare the published challenges that come with Podium, and hand in their baselines.

    Safe to run at every start: what is there is left as it is. A challenge that fails is marked
    broken with its reason, and the next one is done.
    """
    for place, folder in enumerate(turns()):
        if place == 1:  # the first one is waited for; the others give way to whoever uses Podium
            os.nice(NICENESS)
        with _said(folder):
            prepare(installation, folder)
            if place < installation.config.practice_baselines:
                hand_in_baselines(installation, folder)


def turns() -> list[Path]:
    """The challenges that come with Podium, in the order of their preparation."""
    found = []
    for folder in catalog.bundled():
        with _said(folder):
            spec = catalog.read(folder)
            if spec.practice:
                found.append((_turn(spec), folder))
    return [folder for _, folder in sorted(found)]


def _turn(spec: Spec) -> tuple[bool, int, str]:
    """Whose data travel with Podium come first, beginners' first among them."""
    travels = all(
        any(source.kind == "folder" for source in each) for each in spec.sources("small").values()
    )
    return not travels, LEVELS.index(spec.level), spec.slug


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    """One challenge's trouble goes to the log and does not hold up the next."""
    try:
        yield
    except (ChallengeError, FaultError, OSError) as error:
        log.error("%s: %s", folder.name, error)


def publish(installation: Installation, folder: Path, edition: str = "small") -> None:
    """Make a challenge folder known, and open a practice competition of the same slug."""
    spec = catalog.read(folder)
    text = catalog.text(folder)
    with installation.database.writing() as session:
        challenge = _find(session, spec, edition)
        if challenge is None:
            challenge = Challenge(
                slug=spec.slug,
                version=spec.version,
                edition=edition,
                state="preparing",
                seed=secrets.randbits(SEED_BITS),
                spec={},
                text="",
            )
            session.add(challenge)
        # Texts may be mended without a new version; what decides scores may not.
        challenge.spec = spec.model_dump(mode="json")
        challenge.text = text
        session.flush()
        if not session.scalar(select(exists().where(Competition.slug == spec.slug))):
            session.add(
                Competition(
                    slug=spec.slug,
                    challenge_id=challenge.id,
                    title=spec.title,
                    is_practice=True,
                    daily_limit=spec.limits.daily,
                    total_limit=spec.limits.total,
                    finals=spec.limits.finals,
                    final_games=spec.final_games,
                )
            )


def _find(session: Session, spec: Spec, edition: str) -> Challenge | None:
    return session.scalar(
        select(Challenge).where(
            Challenge.slug == spec.slug,
            Challenge.version == spec.version,
            Challenge.edition == edition,
            Challenge.revision == 0,
        )
    )


def prepare(
    installation: Installation,
    folder: Path,
    edition: str = "small",
    progress: datasets.Progress = lambda *_: None,
) -> None:
    """Make the data of a published challenge and put them into the storage.

    Does nothing if they are there. If it fails, the challenge is marked broken with the reason
    for hosts, and the error is raised.
    """
    spec = catalog.read(folder)
    with installation.database.reading() as session:
        challenge = _find(session, spec, edition)
    if challenge is None:
        raise FaultError(f"{spec.slug} ({edition} edition) is not published here.")
    if challenge.state == "ready":
        return
    log.warning("%s: preparing the data (%s edition)", spec.slug, edition)
    try:
        with tempfile.TemporaryDirectory(prefix="podium-prepare-") as scratch:
            prepared = datasets.prepare(
                spec,
                folder,
                edition,
                challenge.seed,
                Path(scratch) / "new",
                cache=installation.config.home / "sources",
                progress=progress,
                offline=installation.config.offline,
            )
            _need_same_ids(spec, prepared)
            public = prepared.folder / "public"
            starting = {
                datasets.described(public / name): meaning
                for name, meaning in starters.write(spec, folder, public)
            }
            prefix = f"challenges/{spec.slug}/{prepared.truth_version}"
            for path in prepared.folder.glob("p*/*"):
                installation.storage.put(path, f"{prefix}/{path.relative_to(prepared.folder)}")
    except (ChallengeError, FaultError, OSError, ValueError) as error:
        _mark_broken(installation, challenge.id, str(error))
        raise
    _mark_ready(installation, challenge.id, spec, prepared, prefix, starting)


def host_edition(
    installation: Installation,
    folder: Path,
    edition: str,
    progress: datasets.Progress = lambda *_: None,
) -> None:
    """Prepare an edition and let the practice competition run on it, with its baselines.

    ConflictError if teams have submitted on another edition: their scores would not compare.
    """
    spec = catalog.read(folder)
    publish(installation, folder, edition)
    prepare(installation, folder, edition, progress)
    with installation.database.writing() as session:
        competition = find(session, spec.slug)
        challenge = _find(session, spec, edition)
        if challenge is not None and competition.challenge_id != challenge.id:
            submitted = select(Submission.id).where(Submission.competition_id == competition.id)
            if session.scalar(submitted.where(Submission.user_id.is_not(None)).limit(1)):
                raise ConflictError(
                    f"The {edition} edition of {spec.slug} is prepared, but teams have submitted "
                    "on another edition. Their scores would not compare: the practice "
                    "competition stays as it is."
                )
            # Only baselines are here: they are trained again on the new data.
            session.execute(delete(Episode).where(Episode.competition_id == competition.id))
            session.execute(delete(Submission).where(Submission.competition_id == competition.id))
            competition.challenge_id = challenge.id
            competition.board_revision += 1
    hand_in_baselines(installation, folder)


def _need_same_ids(spec: Spec, prepared: datasets.Prepared) -> None:
    """The form that files are checked against and the answers must name the same ids.

    Agents hand in no such file: their hidden seeds must be readable.
    """
    if spec.run.agent is not None:
        episodes.read_seeds(spec, prepared.answers.read_bytes())
        return
    sample = prepared.folder / "public" / spec.sample_file
    form = spec.grading.read_form(sample.read_bytes())
    truth = spec.grading.read_truth(prepared.answers.read_bytes())
    if set(form.ids.tolist()) != set(truth.form.ids.tolist()):
        raise ChallengeError(f"{spec.sample_file} and the answers do not name the same ids.")


def _mark_ready(
    installation: Installation,
    challenge_id: int,
    spec: Spec,
    prepared: datasets.Prepared,
    prefix: str,
    starting: Mapping[datasets.PreparedFile, str],
) -> None:
    descriptions = {file.name: file.description for file in spec.data.files}
    descriptions |= {file.name: meaning for file, meaning in starting.items()}
    public = (*prepared.files, *starting)
    with installation.database.writing() as session:
        challenge = session.get_one(Challenge, challenge_id)
        session.execute(delete(ChallengeFile).where(ChallengeFile.challenge_id == challenge_id))
        session.add_all(
            ChallengeFile(
                challenge_id=challenge_id,
                name=file.name,
                file_key=f"{prefix}/{part}/{file.name}",
                sha256=file.sha256,
                size_bytes=file.size_bytes,
                rows=file.rows,
                description=descriptions.get(file.name, ""),
            )
            for part, files in (("public", public), ("private", prepared.hidden))
            for file in files
        )
        challenge.answers_key = f"{prefix}/private/{spec.answers_file}"
        challenge.sample_key = f"{prefix}/public/{spec.sample_file}"
        challenge.truth_version = prepared.truth_version
        challenge.state, challenge.state_reason = "ready", ""
        challenge.prepared_at = now()


def _mark_broken(installation: Installation, challenge_id: int, reason: str) -> None:
    with installation.database.writing() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == challenge_id)
            .values(state="broken", state_reason=reason)
        )


def hand_in_baselines(installation: Installation, folder: Path) -> None:
    """Train and submit the baselines that are meant to be on the board from the start."""
    spec = catalog.read(folder)
    for baseline in spec.baselines:
        if baseline.trained_at_start:
            hand_in_baseline(installation, folder, baseline)


def hand_in_baseline(installation: Installation, folder: Path, baseline: Baseline) -> int | None:
    """Train a baseline in its small form and submit what it wrote; None if it is there already."""
    spec = catalog.read(folder)
    with installation.database.reading() as session:
        competition = find(session, spec.slug)
        if session.scalar(
            select(Submission.id)
            .join(Team, Team.id == Submission.team_id)
            .where(
                Team.competition_id == competition.id,
                Team.name == baseline.title,
                Team.is_baseline.is_(True),
                Submission.state.in_(HOLDS_QUOTA),
            )
        ):
            return None
        files = [(file.name, file.file_key) for file in find_files(session, competition)]
    log.warning("%s: training the baseline %r", spec.slug, baseline.title)
    with tempfile.TemporaryDirectory(prefix="podium-baseline-") as scratch:
        data = Path(scratch)
        for name, key in files:
            with installation.storage.open(key) as file:
                (data / name).write_bytes(file.read())
        out = data / spec.baseline_file
        training.train(folder, baseline, data, out, small=True)
        command = f"python baselines/{baseline.script} {' '.join(baseline.small)}".strip()
        upload = submissions.upload_from(installation, out, command, spec.kind)
        try:
            return submissions.accept_baseline(installation, spec.slug, baseline.title, upload)
        finally:
            upload.file.close()
