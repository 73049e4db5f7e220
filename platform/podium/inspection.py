"""What is wrong with a challenge folder: every fault at once, before anybody competes on it."""

import csv
import hashlib
import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium import catalog, datasets, paths, training
from podium.catalog import Baseline, Spec
from podium.datasets import Prepared
from podium.errors import FaultError
from podium_scoring import ChallengeError, Metric, Score, SubmissionError
from podium_scoring.tables import (
    Answers,
    read_answers,
    read_form,
    read_predictions,
    score_table,
)

FILES = ("README.md", "challenge.toml", "checksums.toml", "prepare.py", "sample_submission.csv")
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
        for edition, (worst, top) in baseline.expected.items():
            if not _ahead(spec.metric.record, top, worst):
                yield (
                    f"The baseline {baseline.script} is expected to score {worst:g} to {top:g} "
                    f"({edition} edition). Name the worse end first."
                )
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
    yield from _leaks(spec, first.folder / "public")
    answers = read_answers(first.answers.read_bytes(), spec.submission.schema_record)
    for split in ("public", "private"):
        rows = len(answers.splits.get(split, ()))
        if rows < SMALLEST_SPLIT:
            yield f"The {split} split has {rows} rows. Below {SMALLEST_SPLIT} chance decides."
    yield from _scores(folder, spec, edition, first, answers)


def _leaks(spec: Spec, public: Path) -> Iterator[str]:
    """Ids, contents and groups that stand in training and test data both."""
    for train in sorted(public.glob("train.*")):
        test = train.with_stem("test")
        if not test.is_file():
            continue
        known, hidden = _columns(train), _columns(test)
        for name in sorted(set(known) & set(hidden)):
            here, there = _digests(known[name]), _digests(hidden[name])
            # A value that many rows share says what kind of row it is, not which.
            tells_rows = min(len(here) / len(known[name]), len(there) / len(hidden[name])) > 0.5
            common = here & there
            if common and (tells_rows or name in spec.data.groups):
                yield f"{len(common)} values of {name!r} stand in {train.name} and in {test.name}."
        extra = set(hidden) - set(known)
        if extra:
            yield f"{test.name} has {', '.join(sorted(extra))}, which {train.name} has not."
        absent = set(spec.data.groups) - (set(known) & set(hidden))
        if absent:
            yield f"The groups {', '.join(sorted(absent))} are no column of {train.name}."


def _columns(file: Path) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
    """The columns of a prepared file by name; of a format that has none, nothing."""
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            return {name: arrays[name] for name in arrays.files}
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        return dict(zip(header, zip(*rows, strict=True), strict=True))
    if file.suffix == ".jsonl":
        with file.open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        return {name: [record[name] for record in records] for name in records[0]}
    return {}


def _digests(values: Sequence[Any] | NDArray[Any]) -> set[bytes]:
    if isinstance(values, np.ndarray):
        rows = (np.ascontiguousarray(row).tobytes() for row in values)
    else:
        rows = (json.dumps(value).encode() for value in values)
    return {hashlib.sha256(row).digest() for row in rows}


def _order(answers: Answers, ids: NDArray[Any]) -> Iterator[str]:
    """Hidden values that rise or fall along the published rows, or along the ids."""
    rows = answers.form.index.rows(ids)
    public = np.isin(np.arange(len(ids)), answers.splits.get("public", []))
    hidden = {"The split": public} | {f"Column {name!r}": v for name, v in answers.columns.items()}
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
    folder: Path, spec: Spec, edition: str, prepared: Prepared, answers: Answers
) -> Iterator[str]:
    """The order tells nothing; sample, baselines and answers score in this order."""
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
    yield from _order(
        answers, read_form(sample_file.read_bytes(), spec.submission.schema_record).ids
    )
    options = spec.metric.options
    perfect = score_table(metric.name, answers.columns, answers, options=options)
    plain = score_table(metric.name, sample, answers, options=options)
    drawn = score_table(metric.name, _drawn(answers), answers, options=options)
    for split, best in perfect.items():
        # A metric without a bound has no best value to reach.
        if math.isfinite(metric.best) and not math.isclose(best.value, metric.best, abs_tol=1e-6):
            yield f"The answers score {best.value:g} on {split}, not the best, {metric.best:g}."
        starts = {"sample": plain[split].value, "random": drawn[split].value}
        for which, start in starts.items():
            if not _ahead(metric, best.value, start):
                yield f"The {which} submission scores {start:g} on {split}: no headroom."
        for baseline in spec.baselines:
            if edition not in baseline.expected:
                continue
            worst, top = baseline.expected[edition]
            for which, start in starts.items():
                if not _ahead(metric, worst, start):
                    yield (
                        f"The baseline {baseline.script} may score {worst:g}, the {which} "
                        f"submission scores {start:g} on {split}: the baseline must be better."
                    )
            if _ahead(metric, top, best.value):
                yield f"The baseline {baseline.script} may score {top:g}, beyond the best."


def _drawn(answers: Answers) -> dict[str, NDArray[Any]]:
    """A random submission: the answers, dealt to the rows anew."""
    order = np.random.default_rng(0).permutation(len(answers.form.ids))
    return {name: values[order] for name, values in answers.columns.items()}


def trial(folder: Path, edition: str, cache: Path) -> list[str]:
    """Train each baseline on an edition and compare what it scores with what the folder says.

    The score must lie where it is expected, clearly apart from the sample submission's, and both
    splits must agree on it within their intervals.
    """
    spec = catalog.read(folder)
    with tempfile.TemporaryDirectory(prefix="podium-trial-") as scratch:
        prepared = datasets.prepare(spec, folder, edition, 1, Path(scratch) / "new", cache=cache)
        return [fault for each in spec.baselines for fault in _trial(spec, each, edition, prepared)]


def _trial(spec: Spec, baseline: Baseline, edition: str, prepared: Prepared) -> Iterator[str]:
    public, out = prepared.folder / "public", prepared.folder / f"{baseline.script}.csv"
    answers = read_answers(prepared.answers.read_bytes(), spec.submission.schema_record)
    training.train(baseline, public, out, small=edition == "small")

    def scored(file: Path) -> dict[str, Score]:
        predictions = read_predictions(file.read_bytes(), answers.form)
        return score_table(spec.metric.name, predictions, answers, options=spec.metric.options)

    scores, starts = scored(out), scored(public / "sample_submission.csv")
    worst, top = baseline.expected[edition]
    for split, score in scores.items():
        if not min(worst, top) <= score.value <= max(worst, top):
            yield (
                f"The baseline {baseline.script} scores {score.value:.4f} on {split}. "
                f"Expected is {worst:g} to {top:g}."
            )
        if _meet(score, starts[split]) or not _ahead(
            spec.metric.record, score.value, starts[split].value
        ):
            yield f"The baseline {baseline.script} is not clearly ahead of the sample on {split}."
    if not _meet(scores["public"], scores["private"]):
        yield f"The public and the private split do not agree on the baseline {baseline.script}."


def _meet(one: Score, other: Score) -> bool:
    """Whether the intervals of two scores have a point in common."""
    low, high = (one.low, one.high) if one.low is not None else (one.value, one.value)
    from_, to = (other.low, other.high) if other.low is not None else (other.value, other.value)
    return low <= to and from_ <= high


def _ahead(metric: Metric, score: float, other: float) -> bool:
    return score > other if metric.higher_is_better else score < other
