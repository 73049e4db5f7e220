"""Columns of a file as what a metric takes: one way for each of `metric.KINDS`.

Answers come first, once for a challenge and split; predictions then follow what they are, so that
a class has the same number on both sides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.coco import Drawn, Truth
from podium_scoring.errors import ChallengeError
from podium_scoring.selection import Chosen
from podium_scoring.tables import Answers, Ints, Predictions

Values = NDArray[Any]


@dataclass(frozen=True)
class Labels:
    """True classes as numbers, and the number of each text where classes are texts."""

    codes: Values
    numbers: Mapping[str, int] | None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.codes)


def of_answers(takes: str, truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    """The answers of a split as `of_predictions` and the metric want them."""
    return _ANSWERS[takes](truth, rows, chosen)


def of_predictions(
    takes: str, given: Predictions, rows: Ints, chosen: Chosen, answers: Any
) -> tuple[Any, Any]:
    """Predictions and answers of a split as the metric takes them."""
    return _PREDICTIONS[takes](given, rows, chosen, answers)


def _one(columns: Mapping[str, Values], names: Sequence[str], rows: Ints) -> Values:
    (name,) = names
    return columns[name][rows]


def _matrix(columns: Mapping[str, Values], names: Sequence[str], rows: Ints | slice) -> Values:
    """Columns side by side (rows, all), or one column with a shape, or the vector of one."""
    if len(names) == 1:
        return columns[names[0]][rows]
    return np.column_stack([columns[name][rows] for name in names])


def _labels(truth: Answers, rows: Ints, chosen: Chosen) -> Labels:
    values = _one(truth.columns, chosen.answers, rows)
    if values.dtype.kind == "i":
        return Labels(values, None)
    names, codes = np.unique(values.astype(str), return_inverse=True)
    return Labels(codes, {name: code for code, name in enumerate(names.tolist())})


def _classes(
    given: Predictions, rows: Ints, chosen: Chosen, answers: Labels
) -> tuple[Values, Values]:
    if not chosen.is_probable:
        values = _one(given.columns, chosen.columns, rows)
    else:
        table = _matrix(given.columns, chosen.columns, rows)
        # The most probable class, the first of equals; a single number is that of class 1.
        best = (table >= 0.5).astype(np.int64) if table.ndim == 1 else table.argmax(axis=1)
        if answers.numbers is None:
            return best, answers.codes
        values = np.array(chosen.columns, object)[best]
    if answers.numbers is None:
        return values, answers.codes
    numbers = dict(answers.numbers)
    codes = [numbers.setdefault(text, len(numbers)) for text in values.tolist()]
    return np.array(codes, np.int64), answers.codes


def _grades(given: Predictions, rows: Ints, chosen: Chosen, answers: Values) -> tuple[Any, Any]:
    """As classes, but whole numbers on both sides, whose distance counts."""
    if answers.dtype.kind != "i":
        raise ChallengeError("Grades are whole numbers. Declare the columns as integers.")
    return _classes(given, rows, chosen, Labels(answers, None))


def _probabilities(
    given: Predictions, rows: Ints, chosen: Chosen, answers: Values
) -> tuple[Values, Values]:
    """Probabilities whose rows sum to 1 not only within the tolerance of files."""
    table = _matrix(given.columns, chosen.columns, rows).astype(np.float64, copy=False)
    if table.ndim == 2:
        sums = table.sum(axis=1, keepdims=True)
        if chosen.is_probable and (np.abs(sums - 1) > 1e-12).any():
            table = table / sums
    return table, answers


def _columns_of_labels(truth: Answers, rows: Ints, chosen: Chosen) -> Values:
    """True classes as places of the probability columns."""
    values = _one(truth.columns, chosen.answers, rows)
    if values.dtype.kind == "i":
        return values
    places = {name: place for place, name in enumerate(chosen.columns)}
    strange = set(values.tolist()) - places.keys()
    if strange:
        raise ChallengeError(
            f"The answers have the class {min(strange)!r}. No column of probabilities has that "
            "name; name them so, or write classes as numbers from 0, in the columns' order."
        )
    return np.array([places[text] for text in values.tolist()], np.int64)


def _vector(truth: Answers, rows: Ints, chosen: Chosen) -> Values:
    return _one(truth.columns, chosen.answers, rows)


def _table(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Values, Any]:
    return _matrix(given.columns, chosen.columns, rows), answers


def _boxes_truth(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    if truth.annotations is None:
        raise ChallengeError("Boxes need answers of format coco: declare [answers] format.")
    kept = set(truth.ids[rows].tolist())
    return Truth.of(
        {
            "images": [one for one in truth.annotations["images"] if one["id"] in kept],
            "categories": truth.annotations["categories"],
            "annotations": [
                one for one in truth.annotations["annotations"] if one["image_id"] in kept
            ],
        }
    )


def _boxes(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    owner, (category, *_) = _owner(given), chosen.columns
    here = np.zeros(int(max(owner.max(initial=0), rows.max())) + 1, np.bool_)
    here[rows] = True
    kept = here[owner]
    drawn = Drawn(
        np.searchsorted(rows, owner[kept]),
        given.columns[category][kept],
        given.columns["bbox"][kept],
        given.columns["score"][kept],
    )
    return drawn, answers


def _owner(table: Predictions | Answers) -> Ints:
    assert table.owner is not None
    return table.owner


def _masks_truth(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    values = _one(truth.columns, chosen.answers, rows)
    column = chosen.answers_schema.column(chosen.answers[0])
    if column is not None and column.type == "runs":
        from podium_scoring.segmentation import decode_runs

        return [decode_runs(text, *column.shape) for text in values.tolist()]
    return values


def _texts_truth(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    """A text a row, or lists of the references that are there."""
    if len(chosen.answers) == 1:
        return _one(truth.columns, chosen.answers, rows).tolist()
    several = zip(*(truth.columns[name][rows].tolist() for name in chosen.answers), strict=True)
    return [[text for text in texts if text != ""] for texts in several]


def _texts(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    return _one(given.columns, chosen.columns, rows).tolist(), answers


def _relevance(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    """Relevant items of each user of the split, with the gains of a second column."""
    from podium_scoring.relevance import Relevance

    items, *gains = (truth.columns[name] for name in chosen.answers)
    if truth.owner is None:
        lists = [str(text).split() for text in items[rows].tolist()]
        if not gains:
            return Relevance.of(lists)
        worth = [[float(word) for word in str(text).split()] for text in gains[0][rows].tolist()]
        pairs = zip(lists, worth, strict=True)
        return Relevance.of([dict(zip(names, told, strict=True)) for names, told in pairs])
    grouped: list[dict[Any, float]] = [{} for _ in truth.ids]
    worths = gains[0].tolist() if gains else [1.0] * len(items)
    for user, item, gain in zip(truth.owner.tolist(), items.tolist(), worths, strict=True):
        grouped[user][item] = gain
    return Relevance.of([grouped[row] for row in rows.tolist()])


def _lists(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    if given.owner is None:
        table = _matrix(given.columns, chosen.columns, rows)
        return (table.tolist() if table.dtype.kind == "O" else table), answers
    items, *scores = (given.columns[name] for name in chosen.columns)
    # The order of an id's rows is its ranking, or a second column tells it: the higher first.
    order = (
        np.lexsort((-scores[0], given.owner)) if scores else np.argsort(given.owner, kind="stable")
    )
    ends = np.searchsorted(given.owner[order], np.arange(rows.max() + 2))
    ordered = items[order]
    return [ordered[ends[row] : ends[row + 1]].tolist() for row in rows.tolist()], answers


def _candidates_truth(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    """Places of the true replies if the submission scores candidates, else relevant items."""
    if _scores_candidates(chosen):
        return _vector(truth, rows, chosen)
    return _relevance(truth, rows, chosen)


def _candidates(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    if _scores_candidates(chosen):
        return _table(given, rows, chosen, answers)
    return _lists(given, rows, chosen, answers)


def _scores_candidates(chosen: Chosen) -> bool:
    return all(chosen.gives(name) == "number" for name in chosen.columns)


def _pictures_truth(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    return _pictures(_matrix(truth.columns, chosen.answers, rows))


def _pictures(values: Values) -> Values:
    """Features (n, d) as they are; images as bytes (n, height, width, channels)."""
    if values.ndim == 2:
        return values.astype(np.float64)
    images = values.astype(np.uint8)
    return images[..., None] if images.ndim == 3 else images


def _generated(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    """All generated images: they are compared with the real ones of a split, none with its own."""
    return _pictures(_matrix(given.columns, chosen.columns, slice(None))), answers


def _pairs(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    return np.column_stack([truth.columns[name][rows].astype(str) for name in chosen.answers])


def _frame(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    """The answers' columns as a pandas frame, the ids first."""
    import pandas as pd

    values = {name: truth.columns[name][rows] for name in chosen.answers}
    return pd.DataFrame({chosen.answers_schema.id.name: truth.ids[rows], **values})


def _frames(given: Predictions, rows: Ints, chosen: Chosen, answers: Any) -> tuple[Any, Any]:
    """The same of the submission, whose rows are those of the answers."""
    import pandas as pd

    ids = answers[chosen.answers_schema.id.name]
    values = {name: given.columns[name][rows] for name in chosen.columns}
    return pd.DataFrame({chosen.submission.id.name: ids, **values}), answers


def _nothing(truth: Answers, rows: Ints, chosen: Chosen) -> Any:
    return None


_ANSWERS: dict[str, Callable[[Answers, Ints, Chosen], Any]] = {
    "classes": _labels,
    "grades": _vector,
    "probabilities": _columns_of_labels,
    "numbers": _vector,
    "boxes": _boxes_truth,
    "masks": _masks_truth,
    "texts": _texts_truth,
    "replies": _nothing,
    "candidates": _candidates_truth,
    "lists": _relevance,
    "images": _pictures_truth,
    "episodes": _vector,
    "games": _pairs,
    "frames": _frame,
}
_PREDICTIONS: dict[str, Callable[[Predictions, Ints, Chosen, Any], tuple[Any, Any]]] = {
    "classes": _classes,
    "grades": _grades,
    "probabilities": _probabilities,
    "numbers": _table,
    "boxes": _boxes,
    "masks": _table,
    "texts": _texts,
    "replies": _texts,
    "candidates": _candidates,
    "lists": _lists,
    "images": _generated,
    "episodes": _table,
    "games": _table,
    "frames": _frames,
}
