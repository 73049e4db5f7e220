"""Large CSV of numbers alone, read in bulk by pandas; what it could misread is left to `csvfile`.

pandas is twice as fast and forgiving: it renames double columns, fills ragged lines and takes
`NA` for missing. So nothing is taken from it unless counts of bytes prove that each line has its
fields, and each column came out as whole or finite numbers.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import Column
from podium_scoring.csvfile import Sheet, read_sheet
from podium_scoring.schema import Schema

SMALLEST = 1 << 20  # bytes; below, pandas' own start takes as long
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Bulk:
    """Columns of numbers; the sheet, which knows the lines, is made for the first fault."""

    columns: dict[str, NDArray[Any]]
    rows: int
    data: bytes
    header: Sequence[str]

    place = "line"

    @cached_property
    def sheet(self) -> Sheet:
        """The same file line by line."""
        return read_sheet(self.data, self.header)

    def read(self, column: Column) -> tuple[NDArray[Any], Sequence[int]]:
        """A column by its type, and the rows where no such value stands (there it is 0)."""
        values = self.columns[column.name]
        if column.type == "integer":
            return values, []
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            values = values.copy()
            values[strange] = 0.0
        return values, strange.tolist()

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Line and column of a field."""
        return self.sheet.where(row, name)

    def got(self, row: int, name: str) -> str:
        """A field as messages quote it."""
        return self.sheet.got(row, name)


def read_bulk(data: bytes, schema: Schema, most: int | None = None) -> Bulk | None:
    """The columns of a plain, large file of numbers; None for one that is not, or has a fault.

    A file of more lines than `most` is one.
    """
    columns = (schema.id, *schema.columns)
    if len(data) < SMALLEST or any(one.type not in ("integer", "number") for one in columns):
        return None
    plain = data.removeprefix(_BOM)
    first = plain[: plain.find(b"\n")].decode("utf-8", "replace")
    names = [name.strip() for name in first.split(",")]
    text = np.frombuffer(plain, np.uint8)
    returns = plain.find(b"\r") >= 0
    if (
        sorted(names) != sorted(schema.header)
        or not plain.isascii()
        or any(mark in plain for mark in (b'"', b"\0", b"_"))
        or (most is not None and _count(text, 10) > most)
        or (returns and _count(text, 13) != plain.count(b"\r\n"))
    ):
        return None
    import pandas as pd

    kinds = {one.name: one.type for one in columns}
    # Whole numbers are not asked for: pandas would make them of fractions.
    types = {place: np.float64 for place, name in enumerate(names) if kinds[name] == "number"}
    try:
        frame = pd.read_csv(io.BytesIO(plain), na_filter=False, dtype=types)
    except (pd.errors.ParserError, pd.errors.DtypeWarning, ValueError, OverflowError):
        return None
    if frame.shape[1] != len(names) or not len(frame):
        return None
    if _count(text, 44) != (len(names) - 1) * (len(frame) + 1):
        return None
    found = {name: frame.iloc[:, place].to_numpy() for place, name in enumerate(names)}
    if any(one.type == "integer" and found[one.name].dtype != np.int64 for one in columns):
        return None
    return Bulk(found, len(frame), data, schema.header)


def _count(text: NDArray[np.uint8], letter: int) -> int:
    return int(np.count_nonzero(text == letter))
