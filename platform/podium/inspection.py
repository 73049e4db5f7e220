"""What is wrong with a challenge folder: every fault at once, before anybody competes on it."""

import csv
import hashlib
import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium import catalog, datasets, headroom, networkcheck
from podium.catalog import Spec
from podium.datasets import Prepared
from podium.errors import FaultError
from podium_scoring import ChallengeError, SubmissionError
from podium_scoring.grading import Truth

Columns = Mapping[str, Sequence[Any] | NDArray[Any]]

FILES = ("README.md", "challenge.toml", "checksums.toml", "prepare.py")
SECTIONS = ("Evaluation", "Data", "Submission", "Baselines", "Where the data come from")
SMALLEST_SPLIT = 300  # rows; below, the order on the board is mostly chance
FEWEST_SEEDS = 20  # of a split, for agents
RUN, CHANCE_RUNS = 3, 0.01  # items in a row; share of sequences that greet alike by chance
DEVIATIONS = 5  # of a correlation by chance; above, an order gives the hidden values away


def inspect(folder: Path, edition: str, cache: Path) -> list[str]:
    """The faults of a challenge folder, in the order of its making; none if it is fit to host."""
    faults = [f"{name} is missing." for name in FILES if not (folder / name).is_file()]
    faults += _sections(folder / "README.md")
    faults += unfilled(folder)
    try:
        spec = catalog.read(folder)
    except ChallengeError as error:
        more = [f"challenge.toml has {error.more} more fault(s)."] if error.more else []
        return [*faults, *(catalog.fault_lines(error.details) or [error.message]), *more]
    if not (folder / spec.sample_file).is_file():
        faults.append(f"{spec.sample_file} is missing.")
    faults += _named(spec, folder)
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


def unfilled(folder: Path) -> Iterator[str]:
    """The places of a folder made from the template that still wait for a person."""
    for name in ("README.md", "challenge.toml"):
        file = folder / name
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for number, line in enumerate(text.splitlines(), start=1):
            for asked in re.findall("<<[^>>]*>>", line):
                yield f"{name}, line {number}, is to be filled in: {asked}"


def _named(spec: Spec, folder: Path) -> Iterator[str]:
    """What challenge.toml should name, and names of it that lead nowhere."""
    if not spec.sources("small"):
        yield "challenge.toml names no source of the small edition."
    if not spec.baselines:
        yield "challenge.toml names no baseline."
    for baseline in spec.baselines:
        for edition, (worst, top) in baseline.expected.items():
            if not headroom.is_ahead(spec.metric.record, top, worst):
                yield (
                    f"The baseline {baseline.script} is expected to score from {worst:g} to "
                    f"{top:g} in the {edition} edition. Name the worse end first."
                )
        if "small" not in baseline.expected:
            yield f"The baseline {baseline.script} names no score that is expected (small edition)."
        if not catalog.script(folder, baseline).is_file():
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
    if spec.is_match:
        yield from _leaks(spec, first.folder / "public")
        headroom.plays(spec, first.folder / "public" / spec.sample_file, first)
        return
    yield from networkcheck.faults(spec, first)
    truth = spec.grading.read_truth(first.answers.read_bytes())
    yield from leaks(spec, truth, first.folder / "public")
    yield from _scores(folder, spec, edition, first, truth)


def leaks(spec: Spec, truth: Truth, public: Path) -> Iterator[str]:
    """What a folder of public files gives away of the hidden answers, and splits that are small."""
    yield from _leaks(spec, public)
    fewest = FEWEST_SEEDS if spec.run.agent is not None else SMALLEST_SPLIT
    for split in ("public", "private"):
        rows = len(truth.splits.get(split, ()))
        if rows < fewest:
            yield f"The {split} split has {rows} rows. Below {fewest} chance decides."
    yield from _told(spec, truth, public)
    yield from _shown(spec, truth, public)
    if spec.run.agent is not None:
        yield from _order(truth, truth.form.ids)
    elif spec.submission.rows is None:
        sample = public / spec.sample_file
        yield from _order(truth, spec.grading.read_form(sample.read_bytes()).ids)


def _leaks(spec: Spec, public: Path) -> Iterator[str]:
    """Ids, contents and groups that stand in training and test data both."""
    for train in sorted(public.glob("train.*")):
        test = train.with_stem("test")
        if not test.is_file():
            continue
        known, hidden = _columns(train), _columns(test)
        for name in sorted(set(known) & set(hidden)):
            numbers = _are_numbers(known[name]) and _are_numbers(hidden[name])
            if numbers and name not in (spec.submission.id.name, *spec.data.groups):
                continue  # equal measurements are no leak; equal rows are
            here, there = _digests(known[name]), _digests(hidden[name])
            # A value that many rows share says what kind of row it is, not which.
            tells_rows = min(len(here) / len(known[name]), len(there) / len(hidden[name])) > 0.5
            common = here & there
            if common and (tells_rows or name in spec.data.groups):
                yield f"{len(common)} values of {name!r} stand in {train.name} and in {test.name}."
        yield from _rows(spec, train, known, hidden)
        yield from _runs(train, known, hidden)
        extra = set(hidden) - set(known)
        if extra and set(hidden) & set(known):
            yield f"{test.name} has {', '.join(sorted(extra))}, which {train.name} has not."
        absent = set(spec.data.groups) - (set(known) & set(hidden))
        if absent:
            yield f"The groups {', '.join(sorted(absent))} are no column of {train.name}."


def _are_numbers(values: Sequence[Any] | NDArray[Any]) -> bool:
    """Whether a column of a CSV holds numbers throughout."""
    try:
        return all(isinstance(value, str) and math.isfinite(float(value)) for value in values)
    except ValueError:
        return False


def _rows(spec: Spec, train: Path, known: Columns, hidden: Columns) -> Iterator[str]:
    """Rows of a CSV that are the same in all but their ids."""
    common = sorted((set(known) & set(hidden)) - {spec.submission.id.name})
    if train.suffix == ".csv" and common:
        here, there = (
            set(zip(*(columns[name] for name in common), strict=True))
            for columns in (known, hidden)
        )
        if here & there:
            yield f"{len(here & there)} rows stand in {train.name} and in test.csv, ids aside."


def _runs(train: Path, known: Columns, hidden: Columns) -> Iterator[str]:
    """Sequences of the test data that stand within those of the training data."""

    def runs(columns: Columns) -> Iterator[set[str]]:
        for values in columns.values():
            for value in values:
                if isinstance(value, list):
                    yield {json.dumps(value[i : i + RUN]) for i in range(len(value) - RUN + 1)}

    here = set().union(*runs(known))
    there = list(runs(hidden))
    common = sum(not here.isdisjoint(each) for each in there)
    if common > CHANCE_RUNS * len(there):
        yield f"{common} sequences of the test data stand in {train.name}, {RUN} items alike."


def _told(spec: Spec, truth: Truth, public: Path) -> Iterator[str]:
    """Answers that stand in the training data: an id with the very thing it is asked about."""
    if truth.answers.owner is None or truth.answers.annotations is not None:
        return
    names = spec.grading.answers.header[:2]
    owners = truth.answers.ids[truth.answers.owner].tolist()
    hidden = set(zip(map(str, owners), map(str, truth.answers.columns[names[1]]), strict=True))
    for train in sorted(public.glob("train.*")):
        known = _columns(train)
        if set(names) <= set(known):
            common = hidden & set(zip(*(map(str, known[name]) for name in names), strict=True))
            if common:
                yield f"{len(common)} answers stand in {train.name}: {' and '.join(names)} alike."


def _shown(spec: Spec, truth: Truth, public: Path) -> Iterator[str]:
    """Hidden images, which generated ones are compared with, that stand in the training data."""
    if spec.metric.record.takes != "images":
        return
    (name,) = spec.grading.chosen(spec.grading.first).answers
    hidden = _digests(truth.answers.columns[name])
    for train in sorted(public.glob("train.*")):
        for values in _columns(train).values():
            common = hidden & _digests(values)
            if common:
                yield f"{len(common)} hidden images stand in {train.name}."


def _columns(file: Path) -> Columns:
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


def _order(truth: Truth, ids: NDArray[Any]) -> Iterator[str]:
    """Hidden values that rise or fall along the published rows, or along the ids."""
    answers = truth.answers
    if not np.isin(ids, answers.ids).all():  # other ids than those of the answers: told elsewhere
        return
    rows = answers.index.rows(ids)
    public = np.isin(np.arange(len(answers.ids)), answers.splits.get("public", []))
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
    folder: Path, spec: Spec, edition: str, prepared: Prepared, truth: Truth
) -> Iterator[str]:
    """The sample fits, the order tells nothing, and there is room between chance and perfect."""
    sample_file = prepared.folder / "public" / spec.sample_file
    try:
        sample = headroom.predictions(spec, sample_file, prepared, truth)
    except SubmissionError as error:
        yield f"The sample submission does not fit its own format. {error.message}"
        return
    is_table = spec.run.agent is None and spec.submission.format == "csv"
    if is_table and _header(folder / spec.sample_file) not in (
        b"",
        _header(sample_file),
    ):
        yield f"{spec.sample_file} of the folder has another header than the prepared one."
    yield from headroom.faults(spec, edition, truth, sample)


def _header(file: Path) -> bytes:
    return file.read_bytes().split(b"\n", 1)[0] if file.is_file() else b""
