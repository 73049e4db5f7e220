"""JSON Lines to columns: one object a line, its keys are the columns."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import TEXTS, Column
from podium_scoring.faults import LONGEST_SHOWN, Faults, refuse
from podium_scoring.jsontext import BLANKS, JSONFault, Pairs, parse_prefix, told
from podium_scoring.textfile import check_lines, text_bytes

MOST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Records:
    """Rows of Python values, by column; a value of another type than its column's is a fault."""

    columns: dict[str, list[Any]]
    lines: Sequence[int]
    place: str = "line"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Line and column of a value."""
        return self.lines[row], name

    def got(self, row: int, name: str) -> str:
        """A value as messages quote it."""
        return told(self.columns[name][row])

    def read(self, column: Column) -> tuple[NDArray[Any], list[int]]:
        """A column by its type, and the rows where no such value stands."""
        values = self.columns[column.name]
        if column.type in TEXTS:
            bad = [row for row, value in enumerate(values) if not _is_text(value)]
            stand_in: Any = ""
        elif column.type == "integer":
            bad = [row for row, value in enumerate(values) if not _is_integer(value)]
            stand_in = 0
        else:
            bad = [row for row, value in enumerate(values) if not _is_number(value)]
            stand_in = 0.0
        if bad:
            values = values.copy()
            for row in bad:
                values[row] = stand_in
        kind = {"integer": np.int64, "number": np.float64}.get(column.type, object)
        return np.array(values, kind), bad


def read_records(data: bytes, header: Sequence[str], most: int | None = None) -> Records:
    """Read a file of JSON Lines; SubmissionError with places if its structure does not fit.

    Order of keys, blank lines, BOM and CRLF are harmless. Every line is an object with exactly
    these keys, each once. `most` bounds the lines.
    """
    data = text_bytes(data, "JSON Lines")
    check_lines(data, most)
    faults = Faults()
    names = tuple(header)
    wanted = frozenset(names)
    rows: list[list[Any]] = []
    lines: list[int] = []
    for number, raw in enumerate(io.BytesIO(data), start=1):
        text = raw.decode().strip(BLANKS)
        if not text:
            continue
        try:
            record, end = parse_prefix(text)
        except JSONFault as fault:
            faults.add(number, None, fault.expected, fault.got)
            continue
        if end < len(text):
            faults.add(number, None, "one object a line", f"{text[end : end + 20]!r} after it")
        elif not isinstance(record, Pairs):
            faults.add(number, None, "an object", _shown(text))
        elif len(record) == len(names) and wanted == (found := dict(record)).keys():
            rows.append([found[name] for name in names])
            lines.append(number)
        else:
            _explain_keys(record, names, number, faults)
    faults.check()
    if not rows:
        refuse("The file has no rows.", 1, None, "a row of data", "nothing")
    columns = [list(column) for column in zip(*rows, strict=True)]
    return Records(dict(zip(names, columns, strict=True)), lines)


def _explain_keys(record: Pairs, names: Sequence[str], line: int, faults: Faults) -> None:
    found = [key for key, _ in record]
    for name in names:
        if name not in found:
            faults.add(line, name, f"the key {name!r}", "no such key")
        elif found.count(name) > 1:
            faults.add(line, name, "each key once", f"{name!r} {found.count(name)} times")
    for key in dict.fromkeys(found):
        if key not in names:
            faults.add(line, None, f"the keys {', '.join(names)}", f"{_shown(key)} besides")


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def _is_text(value: Any) -> bool:
    """Text that UTF-8 can hold: an escape may write half a character."""
    if type(value) is not str:
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_integer(value: Any) -> bool:
    return type(value) is int and -MOST_INTEGER <= value <= MOST_INTEGER


def _is_number(value: Any) -> bool:
    """Finite, whole or not; an integer that a float cannot hold is none."""
    return (type(value) is float and abs(value) < float("inf")) or _is_integer(value)
