"""NumPy's .npz to columns: an array a column, its header judged before its data are read."""

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.archive import Archive
from podium_scoring.arrays import Arrays
from podium_scoring.column import Column
from podium_scoring.faults import Faults, refuse, shown
from podium_scoring.schema import Schema

LONGEST_TEXT = 256  # characters of text in an array, where every row takes as many
MOST_BYTES = 2**32  # of an array where the number of rows is not known
WEIGHTS = "network."  # begins the names of a network's weights, which come with answers
_LONGEST_HEADER = 4096
# What numpy writes, and nothing else: a type of numbers or text, the order, the shape.
_HEADER = re.compile(
    rb"\{'descr': '([<>|=])([a-zA-Z])([0-9]{1,6})', 'fortran_order': (True|False), "
    rb"'shape': \(([0-9, ]{0,200})\),? ?\}[ ]*\n?"
)
_KINDS = {"integer": "iub", "number": "fiu", "string": "U"}
_WORDS = {
    "integer": "whole numbers (int64, uint8, ...)",
    "number": "numbers (float32, float64, ...)",
    "string": "text (<U...)",
}


def read_arrays(data: bytes, schema: Schema, most: int | None = None) -> Arrays:
    """The declared arrays of a .npz; SubmissionError that names the array at fault.

    Each has the rows first, then the column's shape. Python objects are never read. `most`
    bounds the rows; with it the size of every array is known before anything is decompressed. If
    the schema declares `rows`, the ids may be left out. The weights of a
    network may come with answers and are read elsewhere.
    """
    archive = Archive(data, "a .npz file")
    names = [name.removesuffix(".npy") for name in archive.members]
    names = [name for name in names if most is not None or not name.startswith(WEIGHTS)]
    faults = Faults(place="row")
    columns = (schema.id, *schema.columns)
    if schema.rows is not None and schema.id.name not in names:
        columns = schema.columns
    for name in (column.name for column in columns):
        if name not in names:
            faults.add(None, name, f"an array {name!r}", "no such array")
    for name in names:
        if name not in schema.header:
            faults.add(None, name, f"the arrays {', '.join(schema.header)}", f"{name!r} besides")
    faults.check()
    forms = {}
    for column in columns:
        try:
            forms[column.name] = _form(archive, column, most)
        except _Misfit as misfit:
            faults.add(None, column.name, misfit.expected, misfit.got)
    faults.check()
    rows = _rows(forms, faults)
    arrays = {name: form.read(archive) for name, form in forms.items()}
    return Arrays({schema.id.name: np.arange(rows)} | arrays, rows)


def _rows(forms: Mapping[str, "_Form"], faults: Faults) -> int:
    """The number of rows, which all arrays share; there is one at least."""
    first, rows = next((name, form.shape[0]) for name, form in forms.items())
    for name, form in forms.items():
        if form.shape[0] != rows:
            faults.add(None, name, f"{rows} rows, as many as {first!r}", f"{form.shape[0]} rows")
    faults.check()
    if not rows:
        refuse("The arrays have no rows.", 1, first, "a row of data", "nothing")
    return rows


class _Misfit(Exception):
    def __init__(self, expected: str, got: str) -> None:
        super().__init__(got)
        self.expected = expected
        self.got = got


@dataclass(frozen=True)
class _Form:
    """What the header of a member says, in accord with its declared size."""

    member: str
    dtype: np.dtype[Any]
    fortran_order: bool
    shape: tuple[int, ...]
    offset: int

    def read(self, archive: Archive) -> NDArray[Any]:
        data = archive.read(self.member, self.offset + self.size)
        if len(data) != self.offset + self.size:
            refuse(
                f"The member {self.member!r} is damaged. Write the archive again.",
                None,
                self.member,
                f"{self.offset + self.size} bytes",
                f"{len(data)} bytes",
            )
        flat = np.frombuffer(data, self.dtype, offset=self.offset)
        values = flat.reshape(self.shape, order="F" if self.fortran_order else "C")
        if self.dtype.kind == "U" and (flat.view(np.uint32) > 0x10FFFF).any():
            refuse(
                f"The array {self.member!r} holds what is no text.",
                None,
                self.member,
                "text",
                "codes above 0x10ffff",
            )
        return values.astype(self.dtype.newbyteorder("="), copy=False)

    @property
    def size(self) -> int:
        """Bytes of the data."""
        return math.prod(self.shape) * self.dtype.itemsize


def _form(archive: Archive, column: Column, most: int | None) -> _Form:
    """The form of a column's array, from the first bytes of its member; _Misfit if it is wrong."""
    member = f"{column.name}.npy" if f"{column.name}.npy" in archive.members else column.name
    start = archive.start(member, _LONGEST_HEADER)
    if start[:6] != b"\x93NUMPY" or start[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise _Misfit("an array as np.savez writes it", "something else")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    header = _HEADER.fullmatch(start[8 + width : 8 + width + length])
    if header is None:
        raise _Misfit(_WORDS[column.type], _said(start[8 + width : 8 + width + length]))
    order, kind, size, fortran, sizes = (part.decode() for part in header.groups())
    try:
        dtype = np.dtype(f"{order}{kind}{size}")
        shape = ast.literal_eval(f"({sizes})")
    except (TypeError, ValueError, SyntaxError):
        raise _Misfit(_WORDS[column.type], f"type {order}{kind}{size}, shape ({sizes})") from None
    if dtype.kind not in _KINDS[column.type] or dtype.itemsize > 4 * LONGEST_TEXT:
        raise _Misfit(_WORDS[column.type], f"type {dtype}")
    if not isinstance(shape, tuple) or not shape or shape[1:] != column.shape:
        wanted = ", ".join(["rows", *map(str, column.shape)])
        raise _Misfit(f"shape ({wanted})", f"shape ({sizes})")
    if most is not None and shape[0] > most:
        raise _Misfit(f"at most {most} rows", f"{shape[0]} rows")
    form = _Form(member, dtype, fortran == "True", shape, 8 + width + length)
    if form.size > MOST_BYTES:
        raise _Misfit(f"at most {MOST_BYTES} bytes", f"{form.size} bytes")
    if archive.size(member) != form.offset + form.size:
        raise _Misfit(
            f"{form.size} bytes of data, as the shape ({sizes}) says",
            f"{max(0, archive.size(member) - form.offset)} bytes",
        )
    return form


def _said(header: bytes) -> str:
    """What a header of another kind says, in words where it is known."""
    if b"'descr': '|O'" in header:
        return "Python objects"
    return shown(header.decode("ascii", "replace").strip())
