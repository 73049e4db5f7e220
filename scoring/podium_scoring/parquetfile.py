"""Parquet to columns; needs pyarrow, from the extra `parquet`."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.arrays import Arrays
from podium_scoring.column import TEXTS, Column
from podium_scoring.errors import ChallengeError
from podium_scoring.faults import Faults, refuse
from podium_scoring.schema import Schema

MOST_BYTES = 2**31  # of all columns, decompressed
MOST_ROWS = 100_000_000  # where their number is not known
_WORDS = {"integer": "whole numbers", "number": "numbers", "string": "text"}


def read_parquet(data: bytes, schema: Schema, most: int | None = None) -> Arrays:
    """The declared columns of a Parquet file; SubmissionError with row or column at fault.

    Sizes are judged by the file's own directory before a column is decompressed. ChallengeError
    if pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ChallengeError(
            "Parquet needs pyarrow. Install the extra `parquet`: pip install 'podium[parquet]'."
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        refuse("The file is no Parquet file.", 1, None, "a Parquet file", _said(error))
    _check_names(file.schema_arrow.names, schema)
    _check_size(file.metadata, MOST_ROWS if most is None else most)
    try:
        table = file.read(use_threads=False)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        refuse("The file is damaged. Write it again.", 1, None, "a whole file", _said(error))
    faults = Faults(place="row")
    arrays = {}
    for column in (schema.id, *schema.columns):
        held = table.column(column.name)
        if not _fits(pyarrow.types, held.type, column):
            faults.add(None, column.name, _WORDS[column.type], f"type {held.type}")
            continue
        missing = np.asarray(held.is_null())
        for row in np.flatnonzero(missing)[:40].tolist():
            faults.add(row + 1, column.name, column.expected, "nothing")
        if not missing.any():
            arrays[column.name] = _array(held, column)
    faults.check()
    return Arrays(arrays, table.num_rows)


def _check_names(names: list[str], schema: Schema) -> None:
    faults = Faults(place="row")
    for name in schema.header:
        if names.count(name) != 1:
            got = "no such column" if name not in names else f"{names.count(name)} of them"
            faults.add(None, name, f"a column {name!r}", got)
    for name in names:
        if name not in schema.header:
            wanted = f"the columns {', '.join(schema.header)}"
            faults.add(None, name, wanted, "another one; write with index=False")
    faults.check()


def _check_size(said: Any, most: int) -> None:
    """Refuse by the file's own directory what is too large to read."""
    rows, groups = said.num_rows, range(said.num_row_groups)
    size = sum(max(0, said.row_group(group).total_byte_size) for group in groups)
    if not 0 < rows <= most:
        refuse(f"The file has {rows} rows.", 1, None, f"1 to {most} rows", f"{rows} rows")
    if size > MOST_BYTES:
        refuse("The file is too large.", 1, None, f"at most {MOST_BYTES} bytes", f"{size} bytes")


def _fits(types: Any, held: Any, column: Column) -> bool:
    if column.type == "integer":
        return bool(types.is_integer(held))
    if column.type == "number":
        return bool(types.is_integer(held) or types.is_floating(held))
    return bool(types.is_string(held) or types.is_large_string(held))


def _array(held: Any, column: Column) -> NDArray[Any]:
    if column.type in TEXTS:
        return np.array(held.to_pylist(), object)
    values: NDArray[Any] = held.to_numpy()
    return values


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]
