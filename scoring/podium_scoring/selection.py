"""Which columns of the two files a metric reads; the submission that the answers are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import TEXTS
from podium_scoring.schema import Schema
from podium_scoring.tables import Answers, Form, Predictions

Values = NDArray[Any]


@dataclass(frozen=True)
class Chosen:
    """The columns that a metric reads, of the submission and of the answers."""

    submission: Schema
    columns: tuple[str, ...]
    answers: tuple[str, ...]
    answers_schema: Schema

    @property
    def is_probable(self) -> bool:
        """Whether the columns are probabilities of classes."""
        return bool(self.columns) and set(self.columns) <= set(self.submission.probabilities)

    def gives(self, name: str) -> str:
        """The type of a column of the submission."""
        column = self.submission.column(name)
        assert column is not None
        return column.type


def perfect(takes: str, chosen: Chosen, truth: Answers, form: Form) -> Predictions | None:
    """The submission that the answers themselves are, if they tell one."""
    schema, names = chosen.submission, [column.name for column in chosen.submission.columns]
    if truth.annotations is not None:
        boxes = truth.annotations["annotations"]
        found: dict[str, Values] = {
            names[0]: np.array([box["category_id"] for box in boxes], np.int64),
            "bbox": np.array([box["bbox"] for box in boxes], np.float64).reshape(-1, 4),
            "score": np.ones(len(boxes)),
        }
        return Predictions(found, form.index.rows(np.array([box["image_id"] for box in boxes])))
    if takes == "images" and schema.rows is not None and len(chosen.answers) == len(names) == 1:
        real = truth.columns[chosen.answers[0]]  # no image can be more like them than they are
        return Predictions({names[0]: real[np.arange(schema.rows) % len(real)]})
    tells = takes not in ("replies", "images", "episodes", "games")
    if not tells or schema.rows is not None or schema.repeated != (truth.owner is not None):
        return None
    back = slice(None) if schema.repeated else truth.index.rows(form.ids)
    if set(names) <= truth.columns.keys():
        return Predictions({name: truth.columns[name][back] for name in names}, truth.owner)
    if len(chosen.answers) != 1 or set(names) != set(chosen.columns):
        return None
    values = truth.columns[chosen.answers[0]][back]
    if len(names) == 1 and values.ndim == 1:
        return Predictions({names[0]: values})
    if len(names) > 1 and all(column.type == "number" for column in schema.columns):
        # A score for each class or candidate: 1 for the true one.
        codes = values if values.dtype.kind == "i" else np.array([names.index(v) for v in values])
        return Predictions({name: np.equal(codes, place) * 1.0 for place, name in enumerate(names)})
    return None


def suitable(takes: str, submission: Schema, answers: Schema) -> Chosen:
    """The columns that a metric reads where nobody chose: all of the type that it takes."""
    names = [column.name for column in submission.columns]
    if takes == "boxes":
        return Chosen(submission, tuple(names), (), answers)
    told = tuple(column.name for column in answers.columns)
    if takes in ("classes", "grades"):
        plain = [name for name in names if name not in submission.probabilities]
        names = plain or names
    elif takes == "probabilities":
        names = list(submission.probabilities) or names
    if takes in ("texts", "replies"):
        texts = {column.name for column in submission.columns if column.type in TEXTS}
        names = [name for name in names if name in texts]
    both = [name for name in told if name in names]
    if takes in ("classes", "grades", "numbers", "masks", "episodes") and len(told) > 1 and both:
        told = tuple(both)
    return Chosen(submission, tuple(names), told, answers)


def named(chosen: Chosen, columns: Sequence[str], answers: Sequence[str]) -> Chosen:
    """The same with the columns that somebody chose, where he did."""
    return replace(
        chosen,
        columns=tuple(columns) or chosen.columns,
        answers=tuple(answers) or chosen.answers,
    )


# How many columns of the submission and of the answers a metric reads; any number if not named.
_MOST = {
    "classes": (1, 1),
    "grades": (1, 1),
    "probabilities": (None, 1),
    "numbers": (1, 1),
    "masks": (1, 1),
    "texts": (1, None),
    "replies": (1, None),
    "episodes": (1, 1),
    "games": (1, 2),
}


def most_columns(takes: str, side: str, *, is_probable: bool) -> int | None:
    """How many columns a metric reads of "the submission" or of "the answers"; None for any."""
    submission, answers = _MOST.get(takes, (None, None))
    if side == "the answers":
        return answers
    return None if takes in ("classes", "grades") and is_probable else submission
