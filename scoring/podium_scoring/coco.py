"""COCO's two files as arrays: annotations (the answers) and results (a submission's boxes)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, Detail, SubmissionError
from podium_scoring.units import Floats

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Boxes = Sequence[Mapping[str, Any]]
LARGEST = 1e9  # pixels


@dataclass(frozen=True)
class Truth:
    """The answers' boxes as arrays; images and categories are numbered in the order of ids."""

    images: Integers
    categories: Integers
    category_names: tuple[str, ...]
    group: Integers  # category * images + image, of each box
    boxes: Floats
    areas: Floats
    crowd: Flags

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self.images)

    @classmethod
    def of(cls, answers: "Mapping[str, Any] | Truth") -> "Truth":
        """The arrays of a COCO annotation mapping, or themselves; ChallengeError if it is none."""
        if isinstance(answers, Truth):
            return answers
        try:
            images = np.unique([image["id"] for image in answers["images"]]).astype(np.int64)
            named = sorted((kind["id"], kind.get("name", "")) for kind in answers["categories"])
            categories = np.array([number for number, _ in named], np.int64)
            rows = answers["annotations"]
            image = np.array([row["image_id"] for row in rows], np.int64)
            category = np.array([row["category_id"] for row in rows], np.int64)
            boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
            sizes = [row.get("area", row["bbox"][2] * row["bbox"][3]) for row in rows]
            crowd = np.array([row.get("iscrowd", 0) for row in rows], np.bool_)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ChallengeError(
                f"The answers are not COCO annotations ({error!r}). They need images, categories "
                "and annotations with image_id, category_id and bbox."
            ) from error
        at_image, at_category = _positions(image, images), _positions(category, categories)
        strange = (at_image < 0) | (at_category < 0) | ~np.isfinite(boxes).all(axis=1)
        if strange.any() or not len(images):
            culprit = repr(rows[int(strange.argmax())]) if strange.any() else "no image"
            raise ChallengeError(
                f"The answers hold {culprit}. Every annotation needs an image and a category of "
                "the file and a finite box."
            )
        group = at_category * len(images) + at_image
        names = tuple(str(name or number) for number, name in named)
        areas = np.array(sizes, np.float64)
        return cls(images, categories, names, group, boxes, areas, crowd)


@dataclass(frozen=True)
class Drawn:
    """Boxes of a submission as columns that were checked before."""

    image: Integers  # its number in the truth
    category: Integers  # its id
    boxes: Floats
    scores: Floats


@dataclass(frozen=True)
class Found:
    """The submission's boxes, ordered by category, image and falling score."""

    group: Integers
    boxes: Floats
    scores: Floats

    @classmethod
    def of(cls, predictions: "Boxes | Drawn", truth: Truth) -> "Found":
        """The arrays of COCO results; SubmissionError with the entries that are none."""
        if isinstance(predictions, Drawn):
            at_category = _positions(predictions.category, truth.categories)
            if (at_category < 0).any():
                strange = predictions.category[at_category < 0][0]
                raise ChallengeError(
                    f"The form allows category {strange}, which the answers have not. Allow those "
                    "of the answers only."
                )
            group = at_category * truth.n + predictions.image
            return cls._sorted(group, predictions.boxes, predictions.scores)
        if not isinstance(predictions, list | tuple):
            raise SubmissionError(
                "The file is not a list. COCO results are a list of boxes, each with image_id, "
                "category_id, bbox and score."
            )
        n = len(predictions)
        try:
            image = _numbers([row["image_id"] for row in predictions], (n,))
            category = _numbers([row["category_id"] for row in predictions], (n,))
            boxes = _numbers([row["bbox"] for row in predictions], (n, 4)).astype(np.float64)
            scores = _numbers([row["score"] for row in predictions], (n,)).astype(np.float64)
        except (KeyError, TypeError, ValueError, OverflowError, IndexError):
            raise _refusal(predictions, truth) from None
        at_image, at_category = (
            _positions(image, truth.images),
            _positions(category, truth.categories),
        )
        good = (at_image >= 0) & (at_category >= 0) & np.isfinite(scores)
        good &= (np.abs(boxes) <= LARGEST).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1)
        if not good.all():
            raise _refusal(predictions, truth)
        return cls._sorted(at_category * truth.n + at_image, boxes, scores)

    @classmethod
    def _sorted(cls, group: Integers, boxes: Floats, scores: Floats) -> "Found":
        order = np.lexsort((-scores, group))  # stable, as pycocotools' mergesort
        return cls(group[order], boxes[order], scores[order])


def _positions(ids: NDArray[Any], known: Integers) -> Integers:
    """Where each id is among the sorted known ones; -1 if it is not."""
    if not len(known):
        return np.full(len(ids), -1)
    places = np.searchsorted(known, ids).clip(max=len(known) - 1)
    return np.where(known[places] == ids, places, -1)


def _numbers(values: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Numbers of this shape, integers as they are; ValueError if they are not."""
    numbers = np.array(values) if values else np.empty(shape)
    if numbers.dtype.kind not in "iuf" or numbers.shape != shape:
        raise ValueError(numbers.dtype)
    return numbers


def _refusal(predictions: Boxes, truth: Truth) -> SubmissionError:
    """What is wrong, box by box: the slow way, taken only after the arrays have said that it is."""
    images, categories = set(truth.images.tolist()), set(truth.categories.tolist())
    details = []
    for place, row in enumerate(predictions, start=1):
        details += [
            Detail(place, column, expected, repr(got)[:80])
            for column, expected, got in _faults(row, images, categories)
        ]
    if not details:
        return SubmissionError("The boxes are no table of numbers. Write every number as a number.")
    first = details[0]
    return SubmissionError(
        f"Box {first.line} has {first.column} {first.got}. It must be {first.expected}.", details
    )


def _faults(row: Any, images: set[int], categories: set[int]) -> list[tuple[str, str, Any]]:
    if not isinstance(row, Mapping):
        return [("box", "an object with image_id, category_id, bbox and score", row)]
    faults = []
    if not _is_number(row.get("image_id")) or row["image_id"] not in images:
        faults.append(("image_id", "an id of the test images", row.get("image_id")))
    if not _is_number(row.get("category_id")) or row["category_id"] not in categories:
        known = f"one of {sorted(categories)[:20]}"
        faults.append(("category_id", known, row.get("category_id")))
    box = row.get("bbox")
    if not _is_box(box):
        faults.append(("bbox", "[x, y, width, height], width and height from 0", box))
    if not _is_number(row.get("score")):
        faults.append(("score", "a finite number", row.get("score")))
    return faults


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < 2**63  # neither infinite nor NaN


def _is_box(value: Any) -> bool:
    if not isinstance(value, list | tuple) or len(value) != 4:
        return False
    near = all(_is_number(side) and abs(side) <= LARGEST for side in value)
    return near and min(value[2:]) >= 0
