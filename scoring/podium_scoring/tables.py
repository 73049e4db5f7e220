"""Tables of predictions and answers: any declared format to checked columns, aligned by id."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import Column
from podium_scoring.errors import MOST_DETAILS, ChallengeError, SubmissionError
from podium_scoring.faults import Faults, shown
from podium_scoring.rules import check_distinct, check_sums
from podium_scoring.schema import Schema

USAGE = "Usage"
SPLITS = {"Public": "public", "Private": "private"}
ALL = "all"  # the one split of answers without the column Usage

Ints = NDArray[Any]  # integers of any width


class Table(Protocol):
    """What every reader of a format gives: rows whose columns are read one by one."""

    @property
    def place(self) -> str:
        """What a row is called in messages: line, row, box, image."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def read(self, column: Column) -> tuple[NDArray[Any], Sequence[int]]:
        """A column by its type, and the rows where no such value stands (there it is 0)."""

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Line and column of a value, as messages name them."""

    def got(self, row: int, name: str) -> str:
        """A value as messages quote it."""


class Index:
    """Finds rows by id; made once for a set of answers and kept."""

    def __init__(self, ids: NDArray[Any]) -> None:
        self.ids = ids
        self._low = 0
        self._table: NDArray[np.int32] | None = None
        self._order: Ints | None = None
        self._places: dict[str, int] = {}
        if ids.dtype.kind != "i":
            self._places = {text: row for row, text in enumerate(ids.tolist())}
            return
        self._low = int(ids.min())
        span = int(ids.max()) - self._low + 1
        if span <= 8 * len(ids) + 1000:  # dense ids: one look-up table, no search
            self._table = np.full(span, -1, np.int32)  # half the memory is twice as fast
            self._table[ids - self._low] = np.arange(len(ids))
        else:
            self._order = np.argsort(ids)

    def rows(self, ids: NDArray[Any]) -> Ints:
        """The row of each id, -1 for an id that is not there."""
        if not len(ids):
            return np.zeros(0, np.int64)
        if self._table is not None:
            if int(ids.min()) >= self._low and int(ids.max()) < self._low + len(self._table):
                rows: Ints = self._table[ids - self._low if self._low else ids]
                return rows
            inside = (ids >= self._low) & (ids < self._low + len(self._table))
            return np.where(inside, self._table[np.where(inside, ids - self._low, 0)], -1)
        if self._order is not None:
            place = np.searchsorted(self.ids, ids, sorter=self._order)
            found = self._order[np.minimum(place, len(self.ids) - 1)]
            return np.where(self.ids[found] == ids, found, -1)
        return np.array([self._places.get(text, -1) for text in ids.tolist()], np.int64)


@dataclass(frozen=True)
class Form:
    """What a file must fit: its schema and the ids of the test set. Holds no answers."""

    schema: Schema
    ids: NDArray[Any]
    index: Index = field(repr=False)


@dataclass(frozen=True)
class Predictions:
    """The columns of a submission. Row i belongs to id i of the form, or else to id owner[i]."""

    columns: Mapping[str, NDArray[Any]]
    owner: Ints | None = None


@dataclass(frozen=True)
class Answers:
    """The truth of a challenge: columns as in `Predictions`, or COCO annotations."""

    ids: NDArray[Any]
    index: Index = field(repr=False)
    columns: Mapping[str, NDArray[Any]]
    owner: Ints | None
    splits: Mapping[str, Ints]  # split name -> its rows of `ids`
    digest: str
    annotations: Mapping[str, Any] | None = None


def open_table(data: bytes, schema: Schema, ids: NDArray[Any] | None = None) -> Table:
    """Any format's structural pass; `ids` bound what a right file can have.

    A reader is imported when a file of its format is first opened.
    """
    most = None if ids is None else most_lines(schema, len(ids))
    if schema.format == "csv":
        from podium_scoring.csvbulk import read_bulk
        from podium_scoring.csvfile import read_sheet

        bulk = read_bulk(data, schema, most)
        return read_sheet(data, schema.header, most) if bulk is None else bulk
    if schema.format == "jsonl":
        from podium_scoring.jsonlines import read_records

        return read_records(data, schema.header, most)
    if schema.format == "parquet":
        from podium_scoring.parquetfile import read_parquet

        return read_parquet(data, schema, most)
    if schema.format == "npz" and not (schema.takes_png and _is_zip_of_png(data)):
        from podium_scoring.npzfile import read_arrays

        return read_arrays(data, schema, most)
    if schema.format in ("npz", "png"):
        from podium_scoring.pngfile import read_images

        return read_images(data, schema, most)
    if schema.format == "coco":
        from podium_scoring.cocofile import read_boxes

        return read_boxes(data, schema)
    from podium_scoring.textfile import read_lines

    return read_lines(data, schema, ids)


def most_lines(schema: Schema, ids: int) -> int:
    """Lines that a right file of so many ids can have, with room for empty ones."""
    return (1000 if schema.repeated else 4) * ids + 1000


def _is_zip_of_png(data: bytes) -> bool:
    from podium_scoring.archive import Archive

    return all(name.lower().endswith(".png") for name in Archive(data, "a .npz file").members)


def form_of(schema: Schema, ids: NDArray[Any]) -> Form:
    """The form of a schema and a set of ids; the ids of a text a line must be 1, 2, ..."""
    if schema.format == "txt":
        ids = np.sort(ids)
        if ids.dtype.kind != "i" or (ids != np.arange(1, len(ids) + 1)).any():
            raise ChallengeError("The ids of texts a line are the numbers of lines: 1, 2, ...")
    return Form(schema, ids, Index(ids))


def read_form(sample: bytes, schema: Schema) -> Form:
    """The form of a challenge from its public sample submission; its faults are the host's.

    With `rows` the schema tells the ids itself, and the sample is not looked at.
    """
    if schema.rows is not None:
        return form_of(schema, np.arange(schema.rows))
    faults = Faults()
    try:
        table = open_table(sample, schema)
        faults.place = table.place
        ids = _read(table, schema.id, faults)
        faults.check()
    except SubmissionError as error:
        raise ChallengeError(
            f"The sample submission is at fault. {error.message}", error.details, error.more
        ) from None
    if not len(ids):
        raise ChallengeError("The sample submission has no rows. Give every test id one.")
    return form_of(schema, _distinct(ids) if schema.repeated else ids)


def read_answers(data: bytes, schema: Schema, *, usage: bool = True) -> Answers:
    """Read the columns of a schema and Usage, which is Public or Private in each row.

    Without `usage` there is no such column, and one split, "all". Faults are the host's.
    """
    if usage and schema.format in ("png", "txt"):
        raise ChallengeError(f"Answers have no format {schema.format}: it has no room for Usage.")
    if schema.format == "coco":
        return _annotated(data, usage=usage)
    column = Column(USAGE, "string", allowed=tuple(SPLITS))
    wanted = replace(schema, columns=(*schema.columns, column)) if usage else schema
    faults = Faults()
    try:
        table = open_table(data, wanted)
        faults.place = table.place
        ids = _read(table, schema.id, faults)
        columns = {one.name: _read(table, one, faults) for one in wanted.columns}
        faults.check()
    except SubmissionError as error:
        raise ChallengeError(
            f"The answers are at fault. {error.message}", error.details, error.more
        ) from None
    distinct = _distinct(ids) if schema.repeated else ids
    index = Index(distinct)
    owner = index.rows(ids)
    if len(np.unique(owner)) < len(owner) and not schema.repeated:
        _, counts = np.unique(owner, return_counts=True)
        twice = ids[owner == np.unique(owner)[counts > 1][0]][0]
        raise ChallengeError(f"The answers are at fault. The id {twice!r} occurs twice.")
    usages = columns.pop(USAGE) if usage else None
    return Answers(
        distinct,
        index,
        columns,
        owner if schema.repeated else None,
        _splits(len(distinct), owner, usages),
        _digest(data),
    )


def _annotated(data: bytes, *, usage: bool) -> Answers:
    from podium_scoring.cocofile import read_annotations

    annotations = read_annotations(data, usage=usage)
    told = {image["id"]: image.get(USAGE, "") for image in annotations["images"]}
    ids = np.array(sorted(told), np.int64)
    usages = np.array([told[number] for number in ids.tolist()], object) if usage else None
    splits = _splits(len(ids), np.arange(len(ids)), usages)
    return Answers(ids, Index(ids), {}, None, splits, _digest(data), annotations)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _distinct(ids: NDArray[Any]) -> NDArray[Any]:
    """Each id once, in the order of first appearance."""
    return np.array(list(dict.fromkeys(ids.tolist())), ids.dtype)


def _splits(n: int, owner: Ints, usages: NDArray[Any] | None) -> dict[str, Ints]:
    """Rows of `n` ids by split; ChallengeError if the rows of an id differ."""
    if usages is None:
        return {ALL: np.arange(n)}
    is_public = np.zeros(n, np.bool_)
    is_public[owner] = usages == "Public"
    if (is_public[owner] != (usages == "Public")).any():
        raise ChallengeError("The answers are at fault. An id is Public and Private.")
    rows = {"public": np.flatnonzero(is_public), "private": np.flatnonzero(~is_public)}
    return {split: found for split, found in rows.items() if len(found)}


def names_usage(data: bytes, schema: Schema) -> bool:
    """Whether answers have the column Usage, by a look at their first line or names."""
    is_text = schema.format in ("csv", "jsonl")
    return USAGE.encode() in (data.split(b"\n", 1)[0] if is_text else data)


def read_predictions(data: bytes, form: Form) -> Predictions:
    """The columns of a submission in any format, in the order of the form's ids.

    Order of rows and columns, BOM, CRLF, quotes and empty lines are harmless. SubmissionError with
    at most 20 places for everything else: structure, types, ranges, unknown, double, missing ids.
    """
    schema = form.schema
    table = open_table(data, schema, form.ids)
    faults = Faults(place=table.place)
    ids = _read(table, schema.id, faults)
    faults.check()  # ids first: without them nothing else can be placed
    rows = form.index.rows(ids)
    columns = {column.name: _read(table, column, faults) for column in schema.columns}
    if not faults.count:  # sums of what could not be read would be no news
        check_sums(schema, columns, _noting(table, faults))
        check_distinct(schema, columns, rows, _noting(table, faults))
    if schema.repeated:
        _check_owners(table, schema, rows, form, faults)
        faults.check()
        return Predictions(columns, rows)
    seen = np.zeros(len(form.ids), np.bool_)
    if len(rows) == len(seen) and int(rows.min()) >= 0:
        seen[rows] = True
    if not seen.all():
        _explain_ids(table, schema.id, ids, rows, form, faults)
    faults.check()
    placed = {}
    for name, values in columns.items():
        placed[name] = np.empty_like(values)
        placed[name][rows] = values
    return Predictions(placed)


def _noting(table: Table, faults: Faults) -> Callable[[Ints, str, str, Callable[[int], str]], None]:
    """Notes rows at fault: the first ones with their places, the rest by number."""

    def note(rows: Ints, column: str, expected: str, got: Callable[[int], str]) -> None:
        for row in rows[: 2 * MOST_DETAILS].tolist():
            line, name = table.where(row, column)
            faults.add(line, name, expected, got(row))
        faults.skip(max(0, len(rows) - 2 * MOST_DETAILS))

    return note


def _read(table: Table, column: Column, faults: Faults) -> NDArray[Any]:
    """A column by its type, with its range and allowed values checked."""
    values, unreadable = table.read(column)
    misfits = column.misfits(values)
    bad = np.any(misfits, axis=tuple(range(1, misfits.ndim))) if misfits.ndim > 1 else misfits
    bad[unreadable] = True
    if bad.any():
        note = _noting(table, faults)
        rows = np.flatnonzero(bad)
        note(rows, column.name, column.expected, lambda row: table.got(row, column.name))
    return values


def _check_owners(table: Table, schema: Schema, rows: Ints, form: Form, faults: Faults) -> None:
    """Note unknown ids, and missing ones where every id needs a row (boxes may be none)."""
    note, name = _noting(table, faults), schema.id.name
    unknown = np.flatnonzero(rows < 0)
    note(unknown, name, "an id of the test set", lambda row: table.got(row, name))
    if schema.format != "coco":
        _note_missing(schema.id, rows[rows >= 0], form, faults)


def _explain_ids(
    table: Table, id_column: Column, ids: NDArray[Any], rows: Ints, form: Form, faults: Faults
) -> None:
    """Note unknown and double ids with their lines, then the missing ones."""
    note, name = _noting(table, faults), id_column.name
    unknown = np.flatnonzero(rows < 0)
    note(unknown, name, "an id of the test set", lambda row: shown(str(ids[row])))
    found = np.flatnonzero(rows >= 0)
    _, first = np.unique(rows[found], return_index=True)
    again = np.ones(len(found), np.bool_)
    again[first] = False
    note(found[again], name, "each id once", lambda row: f"{shown(str(ids[row]))} again")
    _note_missing(id_column, rows[found], form, faults)


def _note_missing(id_column: Column, found: Ints, form: Form, faults: Faults) -> None:
    present = np.zeros(len(form.ids), np.bool_)
    present[found] = True
    missing = np.flatnonzero(~present)
    for row in missing[:MOST_DETAILS].tolist():
        faults.add(None, id_column.name, f"a row for id {form.ids[row]}", "no such row")
    faults.skip(max(0, len(missing) - MOST_DETAILS))
