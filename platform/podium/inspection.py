"""What is wrong with a challenge folder: every fault at once, before anybody competes on it."""

import hashlib
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium import catalog, datasets, paths
from podium.catalog import Spec
from podium.errors import FaultError
from podium_scoring import ChallengeError, Metric, Score, SubmissionError
from podium_scoring.grading import Truth
from podium_scoring.tables import read_predictions

FILES = ("README.md", "challenge.toml", "checksums.toml", "prepare.py")
SECTIONS = ("Evaluation", "Data", "Submission", "Baselines", "Where the data come from")
SMALLEST_SPLIT = 300  # rows; below, the order on the board is mostly chance
DEVIATIONS = 5  # of a correlation by chance; above, an order gives the hidden values away


def inspect(folder: Path, edition: str, cache: Path) -> list[str]:
    """The faults of a challenge folder, in the order of its making; none if it is fit to host."""
    faults = [f"{name} is missing." for name in FILES if not (folder / name).is_file()]
    faults += _sections(folder / "README.md")
    try:
        spec = catalog.read(folder)
    except ChallengeError as error:
        more = [f"challenge.toml has {error.more} more fault(s)."] if error.more else []
        return [*faults, *(catalog.fault_lines(error.details) or [error.message]), *more]
    if not (folder / spec.sample_file).is_file():
        faults.append(f"{spec.sample_file} is missing.")
    faults += _named(spec)
    try:
        with tempfile.TemporaryDirectory(prefix="podium-check-") as scratch:
            faults += _data(folder, spec, edition, Path(scratch), cache)
    except (ChallengeError, FaultError, OSError, ValueError) as error:
        faults.append(f"Preparing the {edition} edition failed: {error}")
    return faults


def _sections(readme: Path) -> list[str]:
    if not readme.is_file():
        return []
    lines = readme.read_text(encoding="utf-8").splitlines()
    headings = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
    return [f"README.md has no section {name!r}." for name in SECTIONS if name not in headings]


def _named(spec: Spec) -> Iterator[str]:
    """What challenge.toml should name, and names of it that lead nowhere."""
    if not spec.sources("small"):
        yield "challenge.toml names no source of the small edition."
    if not spec.baselines:
        yield "challenge.toml names no baseline."
    for baseline in spec.baselines:
        if "small" not in baseline.expected:
            yield f"The baseline {baseline.script} names no score that is expected (small edition)."
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
    truth = spec.grading.read_truth(first.answers.read_bytes())
    for split in ("public", "private"):
        rows = len(truth.splits.get(split, ()))
        if rows < SMALLEST_SPLIT:
            yield f"The {split} split has {rows} rows. Below {SMALLEST_SPLIT} chance decides."
    yield from _scores(folder, spec, edition, first, truth)


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


def _digests(array: NDArray[Any]) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in array}


def _order(truth: Truth, ids: NDArray[Any]) -> Iterator[str]:
    """Hidden values that rise or fall along the published rows, or along the ids."""
    answers = truth.answers
    rows = answers.index.rows(ids)
    public = np.isin(np.arange(len(ids)), answers.splits.get("public", []))
    hidden = {"The split": public}
    if answers.owner is None:
        hidden |= {f"Column {name!r}": v for name, v in answers.columns.items() if v.ndim == 1}
    for along, places in (("rows", np.arange(len(ids))), ("ids", np.argsort(np.argsort(ids)))):
        for name, values in hidden.items():
            kinds, codes = np.unique(values[rows], return_inverse=True)
            if len(kinds) == 1:
                continue
            # Under a random order the correlation has deviation 1 / sqrt(n - 1).
            deviations = abs(np.corrcoef(places, codes)[0, 1]) * math.sqrt(len(ids) - 1)
            if deviations > DEVIATIONS:
                yield f"{name} follows the order of {along}: whoever sees that knows it. Shuffle."


def _scores(
    folder: Path, spec: Spec, edition: str, prepared: datasets.Prepared, truth: Truth
) -> Iterator[str]:
    """The order tells nothing; sample, baselines and answers score in this order."""
    grading, metric = spec.grading, spec.metric.record
    sample_file = prepared.folder / "public" / spec.sample_file
    try:
        sample = read_predictions(sample_file.read_bytes(), truth.form)
    except SubmissionError as error:
        yield f"The sample submission does not fit its own format. {error.message}"
        return
    if spec.submission.format == "csv" and _header(folder / spec.sample_file) not in (
        b"",
        _header(sample_file),
    ):
        yield f"{spec.sample_file} of the folder has another header than the prepared one."
    if spec.submission.rows is None:
        yield from _order(truth, grading.read_form(sample_file.read_bytes()).ids)
    plain = grading.score(sample, truth)[metric.name]
    for split, started in plain.items():
        yield from _baselines(spec, edition, split, started.value)
    ideal = grading.perfect(truth)
    if ideal is not None:
        best = grading.score(ideal, truth)[metric.name]
        yield from _headroom(spec, edition, best, plain)


def _header(file: Path) -> bytes:
    return file.read_bytes().split(b"\n", 1)[0] if file.is_file() else b""


def _headroom(
    spec: Spec, edition: str, perfect: Mapping[str, Score], plain: Mapping[str, Score]
) -> Iterator[str]:
    """The answers score best, the sample and the baselines below."""
    metric = spec.metric.record
    for split, best in perfect.items():
        # A metric without a bound has no best value to reach.
        if math.isfinite(metric.best) and not math.isclose(best.value, metric.best, abs_tol=1e-6):
            yield f"The answers score {best.value:g} on {split}, not the best, {metric.best:g}."
        start = plain[split].value
        if not _ahead(metric, best.value, start):
            yield f"The sample submission scores {start:g} on {split}: no headroom."
        for script, _, top in _expected(spec, edition):
            if _ahead(metric, top, best.value):
                yield f"The baseline {script} may score {top:g}, beyond the best."


def _baselines(spec: Spec, edition: str, split: str, start: float) -> Iterator[str]:
    """Baselines that may be no better than the sample submission."""
    for script, worst, _ in _expected(spec, edition):
        if not _ahead(spec.metric.record, worst, start):
            yield (
                f"The baseline {script} may score {worst:g}, the sample submission "
                f"scores {start:g} on {split}: the baseline must be better."
            )


def _expected(spec: Spec, edition: str) -> Iterator[tuple[str, float, float]]:
    """Each baseline of an edition with the worst and the best score that is expected."""
    for baseline in spec.baselines:
        if edition in baseline.expected:
            low, high = baseline.expected[edition]
            worst, top = (low, high) if spec.metric.record.higher_is_better else (high, low)
            yield baseline.script, worst, top


def _ahead(metric: Metric, score: float, other: float) -> bool:
    return score > other if metric.higher_is_better else score < other
