"""Deals the rows of data.csv to those who learn and those who are tested, from the private seed.

`decode` reads the table; `prepare` is pure: the same columns and seed give the same bytes. Rows
that say the same but for the target are taken once, so that no test row can be looked up.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Columns = Mapping[str, Sequence[str]]

TARGET = "$target"
KIND = "$kind"  # of the target: "number", or "class"
TEST_SHARE = 0.4
PUBLIC_SHARE = 0.5  # of the test rows


def decode(sources: Mapping[str, Path], edition: str) -> Columns:
    """The columns of the table by name; one that is called id gives way to ids of its own."""
    with sources["data"].open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    return {name: values for name, values in columns.items() if name != "id"}


def prepare(columns: Columns, public: Path, private: Path, *, seed: int) -> None:
    """Write train.csv, test.csv and sample_submission.csv, and the hidden answers.csv."""
    generator = np.random.default_rng(seed)
    asked = [name for name in columns if name != TARGET]
    known = zip(*(columns[name] for name in asked), strict=True)
    told = dict(zip(known, columns[TARGET], strict=True))
    rows = [(*row, answer) for row, answer in told.items()]
    rows = [rows[place] for place in generator.permutation(len(rows))]
    ids = (1 + generator.permutation(10 * len(rows))[: len(rows)]).tolist()
    tests = round(len(rows) * TEST_SHARE)
    is_public = generator.permutation(tests) < round(tests * PUBLIC_SHARE)
    usage = np.where(is_public, "Public", "Private").tolist()
    named = list(zip(ids, rows, strict=True))
    train, test = named[tests:], named[:tests]
    constant = _constant([row[-1] for _, row in train])
    _write(public / "train.csv", ["id", *asked, TARGET], [(name, *row) for name, row in train])
    _write(public / "test.csv", ["id", *asked], [(name, *row[:-1]) for name, row in test])
    sample = [(name, constant) for name, _ in test]
    _write(public / "sample_submission.csv", ["id", TARGET], sample)
    answers = [(name, row[-1], part) for (name, row), part in zip(test, usage, strict=True)]
    _write(private / "answers.csv", ["id", TARGET, "Usage"], answers)


def _constant(values: Sequence[str]) -> str:
    """The one answer for all: the mean, or the commonest class."""
    if KIND == "number":
        return f"{sum(map(float, values)) / len(values):.6g}"
    return max(sorted(set(values)), key=list(values).count)


def _write(file: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
