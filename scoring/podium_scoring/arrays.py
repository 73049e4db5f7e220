"""Columns that arrive as arrays, from .npz, a zip of PNG or Parquet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import TEXTS, Column
from podium_scoring.faults import shown


@dataclass(frozen=True)
class Arrays:
    """Arrays of as many rows each, by name; `names` are those of the rows, where they have one."""

    arrays: Mapping[str, NDArray[Any]]
    rows: int
    place: str = "row"
    names: tuple[str, ...] = ()

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Row, from 1, and array (or the row's own name) of a value."""
        return row + 1, self.names[row] if self.names else name

    def got(self, row: int, name: str) -> str:
        """A value as messages quote it; of an array, its first strange number or its shape."""
        value = self.arrays[name][row]
        if isinstance(value, np.ndarray):
            strange = value[~np.isfinite(value)] if value.dtype.kind == "f" else value[:0]
            return (
                str(strange.flat[0]) if strange.size else f"values {value.min()} to {value.max()}"
            )
        return shown(value) if isinstance(value, str) else str(value)

    def read(self, column: Column) -> tuple[NDArray[Any], list[int]]:
        """A column by its type, and the rows where no such value stands.

        A column with a shape keeps the file's type; others become int64, float64 or objects.
        """
        values = self.arrays[column.name]
        if column.type in TEXTS:
            return values.astype(object), []
        if values.dtype.kind == "f":
            strange = ~np.isfinite(values)
        elif values.dtype == np.uint64:
            strange = values > np.uint64(np.iinfo(np.int64).max)
        else:
            strange = np.zeros(1, np.bool_)
        unreadable: list[int] = []
        if strange.any():
            unreadable = np.flatnonzero(strange.any(axis=tuple(range(1, strange.ndim)))).tolist()
            values = np.where(strange, 0, values)
        if not column.shape:
            values = values.astype(np.int64 if column.type == "integer" else np.float64)
        return values, unreadable
