"""Training data, test data and answers that come as files of their own: matched, never split.

Students get the first two byte for byte. Every fault is told with its file, line and column.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from podium.errors import BadRequestError
from podium.plaincsv import USAGE, Made, Table, Wish, read

MOST_FAULTS = 20
MOST_NAMED = 5  # columns or classes in a note
SPLITS = ("Public", "Private")
FILES = {"train": "The training file", "test": "The test file", "answers": "The answers"}


class _Faults:
    """What does not fit in one file: the first places, and how many there are."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.found: list[dict[str, Any]] = []
        self.number = 0

    def add(self, line: int, column: str, expected: str, got: str) -> None:
        """One more."""
        self.number += 1
        if self.number <= MOST_FAULTS:
            place = {"line": line, "column": column, "expected": expected, "got": got[:80]}
            self.found.append(place)

    def need_none(self) -> None:
        """Raise BadRequestError with the places, if there are any."""
        if not self.number:
            return
        first = self.found[0]
        more = f" and {self.number - 1} more like it" if self.number > 1 else ""
        raise BadRequestError(
            f"{FILES[self.field]}, line {first['line']}, column {first['column']}: expected "
            f"{first['expected']}, got {first['got']!r}{more}.",
            field=self.field,
            details=self.found,
        )


def given(wish: Wish, train: bytes, test: bytes, answers: bytes) -> Made:
    """What a challenge is made of, of three files; BadRequestError with the first faults.

    The id stands in the test file and in the answers, the target in the training file and in the
    answers (there perhaps as `answer_column`). Where the answers have a column Usage it says which
    rows are public; else they are drawn.
    """
    tables = {
        name: read(content, FILES[name], name)
        for name, content in (("train", train), ("test", test), ("answers", answers))
    }
    id_name = _id_name(wish, tables)
    answer_name = wish.answer_column or wish.target
    for file, column, field in (
        ("train", wish.target, "target"),
        ("answers", answer_name, "answer_column" if wish.answer_column else "target"),
    ):
        _need_column(tables[file], file, column, field)
    if wish.target in tables["test"].header:
        raise BadRequestError(
            f"The test file has the column {wish.target!r}, which is what is asked for. Leave it "
            "out: students get this file as it is.",
            field="test",
        )
    ids = _ids(tables["test"], "test", id_name)
    known = _ids(tables["answers"], "answers", id_name)
    _need_same(tables, ids, known, id_name)
    asked = _values(tables["answers"], "answers", answer_name)
    taught = _values(tables["train"], "train", wish.target)
    by_id = dict(zip(known, asked, strict=True))
    usage = _usage(wish, tables["answers"], known, ids)
    in_order = [by_id[one] for one in ids]
    return Made(
        id_name=id_name,
        train=train,
        test=test,
        columns=tables["test"].header,
        taught=taught,
        ids=ids,
        asked=in_order,
        usage=usage,
        given={"train.csv": train, "test.csv": test, "answers.csv": answers},
        notes=tuple(_notes(wish, tables, taught, in_order, id_name)),
    )


def _id_name(wish: Wish, tables: dict[str, Table]) -> str:
    """The column of ids: as said, else the one called id, else the first that both have."""
    if wish.id_column:
        for file in ("test", "answers"):
            _need_column(tables[file], file, wish.id_column, "id_column")
        return wish.id_column
    both = [one for one in tables["test"].header if one in tables["answers"].header]
    named = [one for one in both if one.lower() in ("id", "row_id", "index")]
    if not both:
        raise BadRequestError(
            "The test file and the answers have no column in common, so that no answer finds its "
            f"row. The test file has {', '.join(tables['test'].header[:20])}; the answers have "
            f"{', '.join(tables['answers'].header[:20])}.",
            field="id_column",
        )
    return (named or both)[0]


def _need_column(table: Table, file: str, column: str, field: str) -> None:
    if column not in table.header:
        raise BadRequestError(
            f"{FILES[file]} has no column {column!r}. It has {', '.join(table.header[:20])}.",
            field=field,
            details=[
                {
                    "line": 1,
                    "column": column,
                    "expected": f"a column {column}",
                    "got": ", ".join(table.header[:20]),
                }
            ],
        )


def _ids(table: Table, file: str, name: str) -> list[str]:
    """The ids of a file: each there, and each once."""
    at, faults = table.header.index(name), _Faults(file)
    first: dict[str, int] = {}
    ids = []
    for row, line in zip(table.rows, table.lines, strict=True):
        id_ = row[at].strip()
        if not id_:
            faults.add(line, name, "an id", "nothing")
        elif id_ in first:
            faults.add(line, name, f"an id of its own (line {first[id_]} has this one)", id_)
        first.setdefault(id_, line)
        ids.append(id_)
    faults.need_none()
    return ids


def _need_same(
    tables: dict[str, Table], ids: Sequence[str], known: Sequence[str], name: str
) -> None:
    """Every row of the test file has an answer, and every answer a row."""
    for file, own, others, expected in (
        ("answers", known, set(ids), "an id of the test file"),
        ("test", ids, set(known), "an id that the answers have"),
    ):
        faults = _Faults(file)
        for id_, line in zip(own, tables[file].lines, strict=True):
            if id_ not in others:
                faults.add(line, name, expected, id_)
        faults.need_none()


def _values(table: Table, file: str, name: str) -> list[str]:
    at, faults = table.header.index(name), _Faults(file)
    values = [row[at].strip() for row in table.rows]
    is_number = sum(map(_is_number, values)) > 0.9 * len(values)
    for value, line in zip(values, table.lines, strict=True):
        if not value:
            faults.add(line, name, "a value", "nothing")
        elif is_number and not _is_number(value):
            faults.add(line, name, "a number, as in the other rows", value)
    faults.need_none()
    return values


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False


def _usage(wish: Wish, answers: Table, known: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Public or Private for each test row, in the order of the test file."""
    if USAGE not in answers.header:
        if not 0.05 <= wish.public_fraction <= 0.95:
            raise BadRequestError("public_fraction is 0.05 to 0.95.", field="public_fraction")
        public = max(1, min(len(ids) - 1, round(len(ids) * wish.public_fraction)))
        drawn = ["Public"] * public + ["Private"] * (len(ids) - public)
        random.Random(wish.seed).shuffle(drawn)
        return drawn
    at, faults = answers.header.index(USAGE), _Faults("answers")
    said = {}
    for row, line, id_ in zip(answers.rows, answers.lines, known, strict=True):
        usage = row[at].strip().capitalize()
        if usage not in SPLITS:
            faults.add(line, USAGE, "Public or Private", row[at])
        said[id_] = usage
    faults.need_none()
    found = [said[one] for one in ids]
    missing = set(SPLITS) - set(found)
    if missing:
        raise BadRequestError(
            f"No row of the answers is {missing.pop()}. Both kinds are needed, or no column "
            f"{USAGE}.",
            field="answers",
        )
    return found


def _notes(
    wish: Wish,
    tables: dict[str, Table],
    taught: Sequence[str],
    asked: Sequence[str],
    id_name: str,
) -> list[str]:
    """What a host may want to know, and need not mend."""
    notes = []
    train, test = tables["train"].header, tables["test"].header
    only_train = [one for one in train if one not in (*test, wish.target, id_name)]
    only_test = [one for one in test if one not in (*train, id_name)]
    if only_train:
        notes.append(f"Only the training rows have {_some(only_train)}.")
    if only_test:
        notes.append(f"Only the test rows have {_some(only_test)}.")
    kinds = Counter(asked)
    unseen = sorted(set(asked) - set(taught))
    if unseen and len(kinds) <= len(asked) / 2:
        notes.append(f"Asked for and in no training row: {_some(unseen)}. Nobody can learn that.")
    return notes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
