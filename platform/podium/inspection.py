"""What is wrong with a challenge folder: every fault at once, before anybody competes on it."""

import hashlib
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from podium import catalog, datasets, paths
from podium.catalog import Spec
from podium.errors import FaultError
from podium_scoring import ChallengeError, SubmissionError
from podium_scoring.tables import Answers, read_answers, read_predictions, score_table

FILES = ("README.md", "challenge.toml", "checksums.toml", "prepare.py", "sample_submission.csv")
SECTIONS = ("Evaluation", "Data", "Submission", "Baselines", "Where the data come from")
SMALLEST_SPLIT = 300  # rows; below, the order on the board is mostly chance


def inspect(folder: Path, edition: str, cache: Path) -> list[str]:
    """The faults of a challenge folder, in the order of its making; none if it is fit to host."""
    faults = [f"{name} is missing." for name in FILES if not (folder / name).is_file()]
    try:
        spec = catalog.read(folder)
    except ChallengeError as error:
        return [*faults, error.message, *(str(detail) for detail in error.details[1:])]
    faults += _texts(folder, spec)
    try:
        with tempfile.TemporaryDirectory(prefix="podium-check-") as scratch:
            faults += _data(folder, spec, edition, Path(scratch), cache)
    except (ChallengeError, FaultError, OSError, ValueError, KeyError) as error:
        faults.append(f"Preparing the {edition} edition failed: {error}")
    return faults


def _texts(folder: Path, spec: Spec) -> Iterator[str]:
    readme = folder / "README.md"
    if readme.is_file():
        headings = {
            line.lstrip("#").strip()
            for line in readme.read_text(encoding="utf-8").splitlines()
            if line.startswith("#")
        }
        yield from (
            f"README.md has no section {name!r}." for name in SECTIONS if name not in headings
        )
    if not spec.sources("small"):
        yield "challenge.toml names no source of the small edition."
    if not spec.baselines:
        yield "challenge.toml names no baseline."
    for baseline in spec.baselines:
        if not (paths.bundled("baselines") / baseline.script).is_file():
            yield f"The baseline {baseline.script} is not in baselines/."


def _data(folder: Path, spec: Spec, edition: str, scratch: Path, cache: Path) -> Iterator[str]:
    first, again, other = (
        datasets.prepare(spec, folder, edition, seed, scratch / name, cache=cache)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    if (first.files, first.truth_version) != (again.files, again.truth_version):
        yield "Preparing twice with one seed gave different files: use only the seed's generator."
    if first.truth_version == other.truth_version:
        yield "Another seed gave the same answers: the hidden split must come from the seed."
    yield from _leaks(first.folder / "public")
    answers = read_answers(first.answers.read_bytes(), spec.submission.schema_record)
    for split in ("public", "private"):
        rows = len(answers.splits.get(split, ()))
        if rows < SMALLEST_SPLIT:
            yield f"The {split} split has {rows} rows. Below {SMALLEST_SPLIT} chance decides."
    yield from _scores(folder, spec, first, answers)


def _leaks(public: Path) -> Iterator[str]:
    """Ids and contents that stand in training and test data both."""
    train, test = public / "train.npz", public / "test.npz"
    if not (train.is_file() and test.is_file()):
        return
    with np.load(train) as known, np.load(test) as hidden:
        for name in sorted(set(known.files) & set(hidden.files)):
            common = _digests(known[name]) & _digests(hidden[name])
            if common:
                yield f"{len(common)} values of {name!r} stand in train.npz and in test.npz."
        extra = set(hidden.files) - set(known.files)
        if extra:
            yield f"test.npz has {', '.join(sorted(extra))}, which train.npz has not."


def _digests(array: np.ndarray) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in array}


def _scores(
    folder: Path, spec: Spec, prepared: datasets.Prepared, answers: Answers
) -> Iterator[str]:
    """The sample scores and is not good; the answers themselves score best."""
    metric = spec.metric.record
    sample_file = prepared.folder / "public" / "sample_submission.csv"
    try:
        sample = read_predictions(sample_file.read_bytes(), answers.form)
    except SubmissionError as error:
        yield f"The sample submission does not fit its own format. {error.message}"
        return
    shown = folder / "sample_submission.csv"
    if (
        shown.is_file()
        and shown.read_bytes().split(b"\n", 1)[0] != sample_file.read_bytes().split(b"\n", 1)[0]
    ):
        yield "sample_submission.csv of the folder has another header than the prepared one."
    options = spec.metric.options
    perfect = score_table(metric.name, answers.columns, answers, options=options)
    plain = score_table(metric.name, sample, answers, options=options)
    for split, best in perfect.items():
        # A metric without a bound has no best value to reach.
        if math.isfinite(metric.best) and not math.isclose(best.value, metric.best, abs_tol=1e-6):
            yield f"The answers score {best.value:g} on {split}, not the best, {metric.best:g}."
        ahead = best.value - plain[split].value
        if (ahead if metric.higher_is_better else -ahead) <= 0:
            yield f"The sample submission scores {plain[split].value:g} on {split}: no headroom."
