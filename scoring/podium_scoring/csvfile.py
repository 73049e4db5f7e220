"""CSV as bytes to columns, with the line of every fault.

The structure is checked before anything is parsed, on the bytes themselves: where lines and
fields begin is found with numpy, and whole columns of integers are read without making a Python
object for each. A file with quotes goes through the standard library's reader instead.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import Column
from podium_scoring.errors import MOST_DETAILS
from podium_scoring.faults import Faults, refuse, shown
from podium_scoring.textfile import check_lines, text_bytes

LONGEST_HEADER = 2**16  # bytes
MOST_DIGITS = 18  # fits 64 bits whatever the digits are

_NEWLINE, _RETURN, _COMMA, _MINUS, _ZERO = 10, 13, 44, 45, 48
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """A file whose every line has as many fields as the header; columns are read one by one."""

    header: list[str]
    rows: int
    # One of the two: places of fields in the bytes, each (rows,), or the texts themselves.
    _data: NDArray[np.uint8] | None
    _raw: bytes
    _starts: list[Ints]
    _ends: list[Ints]
    _texts: list[list[str]]
    _lines: Ints | None  # None: row i is line i + 2

    place = "line"

    def line(self, row: int) -> int:
        """The line of a row in the file; the header is line 1."""
        return row + 2 if self._lines is None else int(self._lines[row])

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Line and column of a field."""
        return self.line(row), name

    def got(self, row: int, name: str) -> str:
        """A field as messages quote it."""
        return shown(self.text(self.header.index(name), row))

    def text(self, at: int, row: int) -> str:
        """One field."""
        if self._data is None:
            return self._texts[at][row]
        return self._raw[self._starts[at][row] : self._ends[at][row]].decode()

    def read(self, column: Column) -> tuple[NDArray[Any], Sequence[int]]:
        """A column by its type, and the rows where no such value stands (there it is 0)."""
        at = self.header.index(column.name)
        if column.type == "integer":
            return self._integers(at)
        if column.type == "number":
            return self._numbers(at)
        if self._data is None:
            return np.array(self._texts[at], object), []
        return np.array([field.decode() for field in self._fields(at)], object), []

    def _fields(self, at: int) -> list[bytes]:
        """The fields of a column of a file without quotes."""
        pairs = zip(self._starts[at].tolist(), self._ends[at].tolist(), strict=True)
        return [self._raw[start:end] for start, end in pairs]

    def _integers(self, at: int) -> tuple[Ints, list[int]]:
        if self._data is None:
            values = np.zeros(self.rows, np.int64)
            doubtful = np.arange(self.rows)
        else:
            values, plain = _plain_integers(self._data, self._starts[at], self._ends[at])
            if plain.all():
                return values, []
            doubtful = np.flatnonzero(~plain)
        unreadable = []
        for row in doubtful.tolist():
            text = self.text(at, row)
            if _INTEGER.fullmatch(text):
                values[row] = int(text)
            else:
                unreadable.append(row)
        return values, unreadable

    def _numbers(self, at: int) -> tuple[Floats, list[int]]:
        fields: Sequence[str | bytes] = self._texts[at] if self._data is None else self._fields(at)
        try:
            values = np.array([float(field) for field in fields], np.float64)
        except ValueError:
            values = np.full(self.rows, np.nan)
        strange = ~np.isfinite(values)
        if self._data is None or b"_" in self._raw or not self._raw.isascii():
            strange[:] = True  # Python would read 1_000 and Indian digits, other readers not
        unreadable = []
        for row in np.flatnonzero(strange).tolist():
            number = _finite(self.text(at, row))
            if number is None:
                unreadable.append(row)
            values[row] = number or 0.0
        return values, unreadable


def read_sheet(data: bytes, expected_header: Sequence[str], most: int | None = None) -> Sheet:
    """Check encoding, header and structure; SubmissionError with places if they do not fit.

    `most` bounds the lines: a file of more is refused before they are parted.
    """
    data = text_bytes(data, "CSV text")
    wanted = ",".join(expected_header)
    end = data.find(b"\n")
    first = data[: end if end >= 0 else len(data)]
    if len(first) > LONGEST_HEADER:
        message = f"The first line has {len(first)} bytes. It must be the header {wanted}."
        refuse(message, 1, None, f"the header {wanted}", f"{len(first)} bytes")
    line = first.decode().rstrip("\r")
    header = _header(line, expected_header)
    if len(data) == len(first) or data[len(first) :].isspace():
        refuse("The file has a header and no rows.", 2, None, "a row of data", "nothing")
    if header is None:
        advice = _header_advice(line, expected_header)
        refuse(advice, 1, None, f"the header {wanted}", shown(line))
    check_lines(data, most)
    if b'"' in data:
        return _quoted_sheet(data.decode(), header)
    return _plain_sheet(data, header)


def _header(line: str, expected: Sequence[str]) -> list[str] | None:
    try:
        names = [name.strip() for name in next(csv.reader([line]), [])]
    except csv.Error:
        return None
    return names if sorted(names) == sorted(expected) else None


def _header_advice(line: str, expected: Sequence[str]) -> str:
    wanted = ",".join(expected)
    names = [name.strip().strip('"') for name in line.split(",")]
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if line.count(separator) >= len(expected) - 1 > 0 and "," not in line:
            return f"The fields are separated by {word}. Separate them by commas: {wanted}."
    if "Unnamed: 0" in names or (names and names[0] == "" and set(expected) <= set(names)):
        return "The first column is a pandas index. Write the file with to_csv(..., index=False)."
    missing = [name for name in expected if name not in names]
    extra = [name for name in names if name not in expected]
    if missing and len(missing) == len(expected):
        return f"The first line is not the header {wanted}. Add it as the first line."
    if len(set(names)) < len(names):
        return f"A column is there twice. The columns are {wanted}."
    besides = ", ".join(shown(name) for name in extra)
    if not missing:
        return f"The header has {besides} besides. The columns are {wanted}."
    lacks = ", ".join(missing)
    if not extra:
        return f"The header lacks {lacks}. The columns are {wanted}."
    return f"The header lacks {lacks} and has {besides} besides. The columns are {wanted}."


def _plain_sheet(data: bytes, header: list[str]) -> Sheet:
    """The sheet of a file without quotes."""
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == _NEWLINE)
    if buffer[-1] != _NEWLINE:
        ends = np.append(ends, len(buffer))
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    ends = ends - ((ends > 0) & (buffer[np.maximum(ends, 1) - 1] == _RETURN))
    filled = ends > starts
    lines: Ints | None = None
    if not filled.all():  # empty lines are skipped, wherever they are
        lines = np.flatnonzero(filled)[1:] + 1
        starts, ends = starts[filled], ends[filled]
    commas = np.flatnonzero(buffer == _COMMA)
    gaps = len(header) - 1
    fits = len(commas) == gaps * len(starts)
    if fits and gaps:
        inner = commas.reshape(-1, gaps)
        fits = bool((inner[:, 0] >= starts).all() and (inner[:, -1] < ends).all())
    if not fits:
        _refuse_ragged(np.searchsorted(commas, ends) - np.searchsorted(commas, starts), gaps, lines)
    inner = commas.reshape(-1, gaps)[1:] if gaps else np.empty((len(starts) - 1, 0), np.int64)
    starts, ends = starts[1:], ends[1:]
    return Sheet(
        header=header,
        rows=len(starts),
        _data=buffer,
        _raw=data,
        _starts=[starts, *(inner[:, i] + 1 for i in range(gaps))],
        _ends=[*(inner[:, i] for i in range(gaps)), ends],
        _texts=[],
        _lines=lines,
    )


def _refuse_ragged(commas: Ints, gaps: int, lines: Ints | None) -> None:
    faults = Faults()
    wrong = np.flatnonzero(commas != gaps)
    for index in wrong[: 2 * MOST_DETAILS].tolist():
        line = index + 1 if lines is None else int(lines[index - 1])
        faults.add(line, None, f"{gaps + 1} fields", f"{int(commas[index]) + 1}")
    faults.skip(max(0, len(wrong) - 2 * MOST_DETAILS))
    faults.check()


def _quoted_sheet(text: str, header: list[str]) -> Sheet:
    """The sheet of a file with quotes; fields may hold commas and line breaks."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    faults = Faults()
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        next(reader)
        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                faults.add(line, None, f"{len(header)} fields", str(len(row)))
                continue
            rows.append(row)
            lines.append(line)
    except csv.Error as error:
        faults.add(reader.line_num, None, "well-formed quotes", str(error))
    faults.check()
    columns = [list(column) for column in zip(*rows, strict=True)]
    return Sheet(
        header=header,
        rows=len(rows),
        _data=None,
        _raw=b"",
        _starts=[],
        _ends=[],
        _texts=columns or [[] for _ in header],
        _lines=np.array(lines, np.int64),
    )


def _plain_integers(
    data: NDArray[np.uint8], starts: Ints, ends: Ints
) -> tuple[Ints, NDArray[np.bool_]]:
    """Values of the fields that are an optional minus and 1 to 18 digits, and which those are."""
    values = np.zeros(len(starts), np.int64)
    negative = data[np.minimum(starts, len(data) - 1)] == _MINUS
    any_negative = bool(negative.any())
    width = ends - starts - negative if any_negative else ends - starts
    plain = (width > 0) & (width <= MOST_DIGITS)
    widest = int(min(width.max(initial=0), MOST_DIGITS))
    power = 1
    for digit in range(widest):  # from the last digit to the first, all rows at once
        place = ends - 1 - digit
        if digit == 0:
            cipher = data[np.maximum(place, 0)] - np.uint8(_ZERO)  # wraps round below zero
            plain &= cipher <= 9
            values += cipher
        else:
            here = width > digit
            cipher = data[np.maximum(place, 0)] - np.uint8(_ZERO)
            plain &= (cipher <= 9) | ~here
            values += np.where(here, cipher, 0) * np.int64(power)
        power *= 10
    if any_negative:
        values = np.where(negative, -values, values)
    return np.where(plain, values, 0), plain


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text and text.isascii() else None
