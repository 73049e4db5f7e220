"""CSV as bytes to columns, with the line of every fault.

The structure is checked before anything is parsed, on the bytes themselves: where lines and
fields begin is found with numpy, and whole columns of integers are read without making a Python
object for each. A file with quotes goes through the standard library's reader instead.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import MOST_DETAILS, Detail, SubmissionError

LONGEST_SHOWN = 40
MOST_DIGITS = 18  # fits 64 bits whatever the digits are

_NEWLINE, _RETURN, _COMMA, _MINUS, _ZERO = 10, 13, 44, 45, 48
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive (or .npz, .xlsx)",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a .npy file",
}

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class Faults:
    """Collects what is wrong, keeps the first 20 places by line, counts the rest."""

    details: list[Detail] = field(default_factory=list)
    count: int = 0

    def add(self, line: int | None, column: str | None, expected: str, got: str) -> None:
        """Note one place."""
        self.count += 1
        if len(self.details) < 4 * MOST_DETAILS:
            self.details.append(Detail(line, column, expected, got))

    def skip(self, count: int) -> None:
        """Count places that are not worth keeping: there are enough before them."""
        self.count += count

    def check(self) -> None:
        """Raise SubmissionError if anything was noted."""
        if not self.count:
            return
        self.details.sort(key=lambda detail: (detail.line is None, detail.line or 0))
        kept = self.details[:MOST_DETAILS]
        first = str(kept[0])
        others = f" There are {self.count - 1} more faults." if self.count > 1 else ""
        message = f"{first[0].upper()}{first[1:]}.{others}"
        raise SubmissionError(message, kept, self.count - len(kept))


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

    def line(self, row: int) -> int:
        """The line of a row in the file; the header is line 1."""
        return row + 2 if self._lines is None else int(self._lines[row])

    def texts(self, column: int) -> list[str]:
        """The fields of a column as text."""
        if self._data is None:
            return self._texts[column]
        pairs = zip(self._starts[column].tolist(), self._ends[column].tolist(), strict=True)
        return [self._raw[start:end].decode() for start, end in pairs]

    def text(self, column: int, row: int) -> str:
        """One field."""
        if self._data is None:
            return self._texts[column][row]
        return self._raw[self._starts[column][row] : self._ends[column][row]].decode()

    def integers(self, column: int, expected: str, faults: Faults) -> Ints:
        """A column of whole numbers; 0 stands where a fault was noted."""
        if self._data is None:
            values = np.zeros(self.rows, np.int64)
            doubtful = np.arange(self.rows)
        else:
            values, plain = _plain_integers(self._data, self._starts[column], self._ends[column])
            doubtful = np.flatnonzero(~plain)
        name = self.header[column]
        for row in doubtful.tolist():
            text = self.text(column, row)
            if _INTEGER.fullmatch(text):
                values[row] = int(text)
            else:
                faults.add(self.line(row), name, expected, shown(text))
        return values

    def numbers(self, column: int, expected: str, faults: Faults) -> Floats:
        """A column of finite numbers; 0 stands where a fault was noted."""
        texts = self.texts(column)
        try:
            values = np.array([float(text) for text in texts], np.float64)
            doubtful = np.flatnonzero(~np.isfinite(values)).tolist()
            if any("_" in text for text in texts):  # Python would read 1_000, other readers not
                doubtful = list(range(self.rows))
        except ValueError:
            values = np.zeros(self.rows)
            doubtful = list(range(self.rows))
        name = self.header[column]
        for row in doubtful:
            number = _finite(texts[row])
            if number is None:
                faults.add(self.line(row), name, expected, shown(texts[row]))
            values[row] = number or 0.0
        return values


def read_sheet(data: bytes, expected_header: Sequence[str]) -> Sheet:
    """Check encoding, header and structure; SubmissionError with places if they do not fit."""
    data = _text_bytes(data)
    wanted = ",".join(expected_header)
    first = data[: data.find(b"\n")] if b"\n" in data else data
    header = _header(first.decode().rstrip("\r"), expected_header)
    if not data[len(first) :].strip():
        raise SubmissionError(
            "The file has a header and no rows.", [Detail(2, None, "a row of data", "nothing")]
        )
    if header is None:
        got = first.decode().rstrip("\r")
        raise SubmissionError(
            _header_advice(got, expected_header),
            [Detail(1, None, f"the header {wanted}", shown(got))],
        )
    if b'"' in data:
        return _quoted_sheet(data.decode(), header)
    return _plain_sheet(data, header)


def shown(text: str) -> str:
    """A field as it is quoted in messages: cut where it is long."""
    if text == "":
        return "nothing"
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def _text_bytes(data: bytes) -> bytes:
    """The file as UTF-8 without BOM and with newlines of one kind; refuses what is no text."""
    if not data.strip():
        raise SubmissionError(
            "The file is empty.", [Detail(1, None, "a header and rows", "an empty file")]
        )
    for magic, kind in _ARCHIVES.items():
        if data.startswith(magic):
            raise SubmissionError(
                f"The file is {kind}, not CSV text.", [Detail(1, None, "CSV text", kind)]
            )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SubmissionError(
            "The file is encoded as UTF-16. Save it as UTF-8.",
            [Detail(1, None, "UTF-8 text", "UTF-16 text")],
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (place := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, place) + 1
        raise SubmissionError(
            "The file holds a zero byte: it is binary, or UTF-16. Save it as UTF-8 text.",
            [Detail(line, None, "UTF-8 text", "a zero byte")],
        )
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise SubmissionError(
                f"The file is not UTF-8 text (line {line}). Save it as UTF-8.",
                [Detail(line, None, "UTF-8 text", f"the byte 0x{data[error.start]:02x}")],
            ) from None
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _header(line: str, expected: Sequence[str]) -> list[str] | None:
    names = next(csv.reader([line]), [])
    names = [name.strip() for name in names]
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
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has {', '.join(shown(name) for name in extra)} besides"] if extra else []
    return f"The header {' and '.join(parts)}. The columns are {wanted}."


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
    return number if np.isfinite(number) and "_" not in text else None
