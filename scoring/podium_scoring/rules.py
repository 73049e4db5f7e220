"""What must hold within a row, or among the rows of an id, once columns are read."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.schema import Schema

SUM_TOLERANCE = 1e-3  # of the probabilities of a row

# Notes faults of a column: rows, column, what is expected, what is there in a row.
Note = Callable[[NDArray[np.int64], str, str, Callable[[int], str]], None]


def check_sums(schema: Schema, values: Mapping[str, NDArray[Any]], note: Note) -> None:
    """Note the rows whose probabilities are negative or do not sum to 1."""
    if not schema.probabilities:
        return
    parts = [values[name].reshape(len(values[name]), -1) for name in schema.probabilities]
    table = np.concatenate(parts, axis=1).astype(np.float64)
    names = schema.probabilities
    if table.shape[1] == 1:
        outside = (table[:, 0] < 0) | (table[:, 0] > 1)
        rows = np.flatnonzero(outside)
        note(rows, names[0], "a number from 0 to 1", lambda row: f"{table[row, 0]:g}")
        return
    sums, lowest = table.sum(axis=1), table.min(axis=1)
    bad = ~(np.abs(sums - 1) <= SUM_TOLERANCE) | (lowest < 0)
    column = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    expected = "probabilities that sum to 1 (within 0.001)"
    note(
        np.flatnonzero(bad),
        column,
        expected,
        lambda row: f"the sum {sums[row]:g}" if lowest[row] >= 0 else f"{lowest[row]:g}",
    )


def check_distinct(
    schema: Schema, values: Mapping[str, NDArray[Any]], owner: NDArray[np.int64], note: Note
) -> None:
    """Note the rows with a value that their id has had before."""
    if not schema.distinct:
        return
    if schema.repeated:
        column = schema.columns[0]
        codes = np.unique(values[column.name], return_inverse=True)[1]
        order = np.lexsort((codes, owner))  # stable: of equals the first row comes first
        same = (np.diff(codes[order]) == 0) & (np.diff(owner[order]) == 0)
        rows = np.sort(order[1:][same])
        note(rows, column.name, "each value once for an id", lambda row: _again(values, row))
        return
    flat = [values[column.name].reshape(len(owner), -1) for column in schema.columns]
    table = np.concatenate(flat, axis=1)
    codes = np.unique(table, return_inverse=True)[1].reshape(table.shape)
    ordered = np.sort(codes, axis=1)
    rows = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    name = schema.columns[0].name
    last = schema.columns[-1].name
    column_names = name if name == last else f"{name} … {last}"
    note(rows, column_names, "values that differ", lambda row: _twice(table[row].tolist()))


def _again(values: Mapping[str, NDArray[Any]], row: int) -> str:
    return f"{next(iter(values.values()))[row]} again"


def _twice(row: list[Any]) -> str:
    return f"{next(value for value in row if row.count(value) > 1)} twice"
