"""Tables of predictions and answers: a declared schema, columns by type, alignment by id."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.csvfile import Faults, Ints, Sheet, read_sheet, shown
from podium_scoring.errors import MOST_DETAILS, ChallengeError, SubmissionError
from podium_scoring.score import Score, compute

USAGE = "Usage"
SPLITS = {"Public": "public", "Private": "private"}
TYPES = ("integer", "number", "string")


@dataclass(frozen=True)
class Column:
    """A column of a file: its type and what may stand in it."""

    name: str
    type: str = "string"
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ChallengeError(
                f"Column {self.name!r} has type {self.type!r}. Types are {', '.join(TYPES)}."
            )

    @property
    def expected(self) -> str:
        """What fits, in words: "an integer from 0 to 9"."""
        if self.allowed is not None:
            return f"one of {', '.join(self.allowed)}"
        noun = {"integer": "an integer", "number": "a finite number", "string": "text"}[self.type]
        if self.low is not None and self.high is not None:
            return f"{noun} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{noun} of at least {self.low:g}"
        if self.high is not None:
            return f"{noun} of at most {self.high:g}"
        return noun


@dataclass(frozen=True)
class Schema:
    """The columns of a file: the id, then the values."""

    id: Column
    columns: tuple[Column, ...]

    @property
    def header(self) -> list[str]:
        """Names of all columns, the id first."""
        return [self.id.name, *(column.name for column in self.columns)]


class Index:
    """Finds rows by id; made once for a set of answers and kept."""

    def __init__(self, ids: NDArray[Any]) -> None:
        self.ids = ids
        self._low = 0
        self._table: Ints | None = None
        self._order: Ints | None = None
        self._places: dict[str, int] = {}
        if ids.dtype.kind != "i":
            self._places = {text: row for row, text in enumerate(ids.tolist())}
            return
        self._low = int(ids.min())
        span = int(ids.max()) - self._low + 1
        if span <= 8 * len(ids) + 1000:  # dense ids: one look-up table, no search
            self._table = np.full(span, -1)
            self._table[ids - self._low] = np.arange(len(ids))
        else:
            self._order = np.argsort(ids)

    def rows(self, ids: NDArray[Any] | list[str]) -> Ints:
        """The row of each id, -1 for an id that is not there."""
        if self._table is not None:
            offset = np.asarray(ids) - self._low
            inside = (offset >= 0) & (offset < len(self._table))
            return np.where(inside, self._table[np.where(inside, offset, 0)], -1)
        if self._order is not None:
            place = np.searchsorted(self.ids, ids, sorter=self._order)
            found = self._order[np.minimum(place, len(self.ids) - 1)]
            return np.where(self.ids[found] == ids, found, -1)
        return np.array([self._places.get(text, -1) for text in ids], np.int64)


@dataclass(frozen=True)
class Form:
    """What a file must fit: its columns and the ids of the test set. Holds no answers."""

    schema: Schema
    ids: NDArray[Any]
    index: Index = field(repr=False)


@dataclass(frozen=True)
class Answers:
    """The truth of a challenge, ready to be compared with: a worker keeps it in memory."""

    form: Form
    columns: Mapping[str, NDArray[Any]]
    splits: Mapping[str, Ints]  # split name -> its rows
    digest: str


def read_form(sample: bytes, schema: Schema) -> Form:
    """The form of a challenge from its public sample submission; its faults are the host's."""
    faults = Faults()
    try:
        ids = _read(read_sheet(sample, schema.header), schema.id, faults)
        faults.check()
    except SubmissionError as error:
        raise ChallengeError(
            f"The sample submission is at fault. {error.message}", error.details, error.more
        ) from None
    return Form(schema, ids, Index(ids))


def read_answers(data: bytes, schema: Schema) -> Answers:
    """Read `id,<columns>,Usage`; Usage is Public or Private. Faults are the host's."""
    usage = Column(USAGE, "string", allowed=tuple(SPLITS))
    try:
        sheet = read_sheet(data, [*schema.header, USAGE])
        faults = Faults()
        ids = _read(sheet, schema.id, faults)
        columns = {column.name: _read(sheet, column, faults) for column in schema.columns}
        usages = _read(sheet, usage, faults)
        faults.check()
        _, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise SubmissionError("An id occurs twice.")
    except SubmissionError as error:
        raise ChallengeError(
            f"The answers are at fault. {error.message}", error.details, error.more
        ) from None
    splits = {
        split: rows for word, split in SPLITS.items() if len(rows := np.flatnonzero(usages == word))
    }
    digest = hashlib.sha256(data).hexdigest()[:12]
    return Answers(Form(schema, ids, Index(ids)), columns, splits, digest)


def read_predictions(data: bytes, form: Form) -> dict[str, NDArray[Any]]:
    """The columns of a submitted CSV, in the order of the form's ids.

    Row order, column order, BOM, CRLF, quotes and empty lines are harmless. SubmissionError with
    at most 20 places for everything else: structure, types, ranges, unknown, double, missing ids.
    """
    schema = form.schema
    sheet = read_sheet(data, schema.header)
    faults = Faults()
    ids = _read(sheet, schema.id, faults)
    faults.check()  # ids first: without them nothing else can be placed
    rows = form.index.rows(ids)
    columns = {column.name: _read(sheet, column, faults) for column in schema.columns}
    place = np.full(len(form.ids), -1)
    known = rows >= 0
    if known.all() and len(rows) == len(place):
        place[rows] = np.arange(len(rows))
    if (place < 0).any():
        _explain_ids(sheet, schema.id, ids, rows, form, faults)
    faults.check()
    return {name: values[place] for name, values in columns.items()}


def score_table(
    metric: str,
    predictions: Mapping[str, NDArray[Any]],
    answers: Answers,
    *,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> dict[str, Score]:
    """One score for each split of the answers; a single column is a vector, several a matrix."""
    given, truth = _stack(predictions), _stack(answers.columns)
    return {
        split: compute(
            metric,
            given[rows],
            truth[rows],
            seed=seed,
            answers_digest=f"{answers.digest}/{split}",
            **(options or {}),
        )
        for split, rows in answers.splits.items()
    }


def _stack(columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    arrays = list(columns.values())
    return arrays[0] if len(arrays) == 1 else np.column_stack(arrays)


def _read(sheet: Sheet, column: Column, faults: Faults) -> NDArray[Any]:
    """A column by its type, with its range and allowed values checked."""
    at = sheet.header.index(column.name)
    values: NDArray[Any]
    if column.type == "string":
        texts = sheet.texts(at)
        values = np.array(texts, dtype=object)
        bad = [row for row, text in enumerate(texts) if not _fits(text, column.allowed)]
    else:
        read = sheet.integers if column.type == "integer" else sheet.numbers
        before = faults.count
        values = read(at, column.expected, faults)
        outside = np.zeros(sheet.rows, bool)
        if column.low is not None:
            outside |= values < column.low
        if column.high is not None:
            outside |= values > column.high
        bad = np.flatnonzero(outside).tolist()
        if bad and faults.count > before:  # zeros that stand for unreadable fields are no news
            noted = {detail.line for detail in faults.details}
            bad = [row for row in bad if values[row] != 0 or sheet.line(row) not in noted]
    for row in bad[: 2 * MOST_DETAILS]:
        faults.add(sheet.line(row), column.name, column.expected, shown(sheet.text(at, row)))
    faults.skip(max(0, len(bad) - 2 * MOST_DETAILS))
    return values


def _fits(text: str, allowed: Sequence[str] | None) -> bool:
    return text in allowed if allowed is not None else text != ""


def _explain_ids(
    sheet: Sheet,
    id_column: Column,
    ids: NDArray[Any],
    rows: Ints,
    form: Form,
    faults: Faults,
) -> None:
    """Note unknown and double ids with their lines, then the missing ones."""
    name = id_column.name
    unknown = np.flatnonzero(rows < 0)
    for row in unknown[:MOST_DETAILS].tolist():
        faults.add(sheet.line(row), name, "an id of the test set", shown(str(ids[row])))
    faults.skip(max(0, len(unknown) - MOST_DETAILS))
    found = np.flatnonzero(rows >= 0)
    _, first = np.unique(rows[found], return_index=True)
    again = np.ones(len(found), bool)
    again[first] = False
    double = found[again]
    for row in double[:MOST_DETAILS].tolist():
        faults.add(sheet.line(row), name, "each id once", f"{shown(str(ids[row]))} again")
    faults.skip(max(0, len(double) - MOST_DETAILS))
    present = np.zeros(len(form.ids), bool)
    present[rows[found]] = True
    missing = np.flatnonzero(~present)
    for row in missing[:MOST_DETAILS].tolist():
        faults.add(None, name, f"a row for id {form.ids[row]}", "no such row")
    faults.skip(max(0, len(missing) - MOST_DETAILS))
