"""Large files of numbers: read in bulk, or left to the reader that knows the lines."""

import numpy as np
import pytest

from podium_scoring import SubmissionError
from podium_scoring.column import Column
from podium_scoring.csvbulk import SMALLEST, Bulk, read_bulk
from podium_scoring.schema import Schema
from podium_scoring.tables import form_of, read_predictions

ROWS = 90_000
IDS = np.random.default_rng(0).permutation(10**7)[:ROWS]
VALUES = np.random.default_rng(1).normal(size=ROWS)
SCHEMA = Schema(
    Column("id", "integer"), (Column("kind", "integer", 0, 9), Column("x", "number", high=99))
)
LINES = [f"{i},{i % 10},{x!r}" for i, x in zip(IDS.tolist(), VALUES.tolist(), strict=True)]


def file(*changes, header="id,kind,x"):
    """The file with lines changed: pairs of row and line."""
    lines = LINES.copy()
    for row, line in changes:
        lines[row] = line
    return (header + "\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def form():
    return form_of(SCHEMA, np.sort(IDS))


def test_a_plain_large_file_is_read_in_bulk_to_the_last_digit(form):
    data = file()
    assert len(data) > SMALLEST
    assert isinstance(read_bulk(data, SCHEMA), Bulk)
    found = read_predictions(data, form)
    order = np.argsort(IDS)
    assert (found.columns["x"] == VALUES[order]).all()
    assert (found.columns["kind"] == IDS[order] % 10).all()


def test_columns_in_another_order_and_windows_line_ends_are_harmless(form):
    lines = [",".join(line.split(",")[::-1]) for line in LINES]
    data = ("x,kind,id\r\n" + "\r\n".join(lines)).encode()
    assert isinstance(read_bulk(data, SCHEMA), Bulk)
    assert (read_predictions(data, form).columns["x"] == VALUES[np.argsort(IDS)]).all()


ID = int(IDS[70_000])
FAULTS = {
    "a short line": ((70_000, f"{ID},1"), 70_002, "3 fields"),
    "a long line": ((70_000, f"{ID},1,2,3"), 70_002, "3 fields"),
    "an empty field": ((70_000, f"{ID},,2"), 70_002, "an integer from 0 to 9"),
    "a fraction": ((70_000, f"{ID},1.0,2"), 70_002, "an integer from 0 to 9"),
    "a word": ((70_000, f"{ID},True,2"), 70_002, "an integer from 0 to 9"),
    "an underscore": ((70_000, f"{ID},1,1_0"), 70_002, "a finite number of at most 99"),
    "no number": ((70_000, f"{ID},1,nan"), 70_002, "a finite number of at most 99"),
    "an infinity": ((70_000, f"{ID},1,inf"), 70_002, "a finite number of at most 99"),
    "out of range": ((70_000, f"{ID},12,2"), 70_002, "an integer from 0 to 9"),
    "a double id": ((70_000, LINES[5]), 70_002, "each id once"),
    "an unknown id": ((70_000, "-3,1,2"), 70_002, "an id of the test set"),
    "a lone return": ((70_000, f"{ID},1\r2"), 70_002, "3 fields"),
    "a late fault": ((ROWS - 1, "x,1,2"), ROWS + 1, "an integer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_line_as_in_a_small_file(form, fault):
    change, line, expected = FAULTS[fault]
    with pytest.raises(SubmissionError) as caught:
        read_predictions(file(change), form)
    assert (caught.value.details[0].line, caught.value.details[0].expected) == (line, expected)


def test_a_pandas_index_is_not_taken_for_one(form):
    data = ("id,kind,x\n" + "\n".join(f"{n},{line}" for n, line in enumerate(LINES))).encode()
    with pytest.raises(SubmissionError, match="expected 3 fields, got 4"):
        read_predictions(data, form)


def test_far_too_many_lines_are_refused_before_they_are_read(form):
    data = file() * 6
    with pytest.raises(SubmissionError, match="far more than there are ids"):
        read_predictions(data, form)
