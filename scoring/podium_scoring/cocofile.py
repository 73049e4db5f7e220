"""COCO's files: the results (a submission, a list of boxes) and the annotations (the answers)."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from podium_scoring.arrays import Arrays
from podium_scoring.errors import ChallengeError
from podium_scoring.faults import Faults, refuse
from podium_scoring.jsontext import JSONFault, Pairs, parse, told
from podium_scoring.schema import Schema
from podium_scoring.textfile import text_bytes

LARGEST = 1e9  # pixels
MOST_BOXES = 5_000_000
_USAGE = "Usage"


def read_boxes(data: bytes, schema: Schema) -> Arrays:
    """The boxes of COCO results as columns; other keys of a box are left alone.

    SubmissionError with the number of the box, from 1, and the key at fault. A box is
    [x, y, width, height], at most 1e9 pixels away; an empty list is legal.
    """
    text = text_bytes(data, "COCO results").decode()
    try:
        value = parse(text)
    except JSONFault as fault:
        place = text.count("\n", 0, fault.at) + 1
        message = f"The file is no JSON (line {place}): expected {fault.expected}, got {fault.got}."
        refuse(message, place, None, fault.expected, fault.got)
    if not isinstance(value, list):
        message = "The file is no list of boxes, each with image_id, category_id, bbox and score."
        refuse(message, 1, None, "a list of boxes", "an object" if value else repr(value)[:40])
    if len(value) > MOST_BOXES:
        got = f"{len(value)} boxes"
        refuse(f"The file has {got}.", 1, None, f"at most {MOST_BOXES} boxes", got)
    image, category = schema.id.name, schema.columns[0].name
    names = (image, category, "bbox", "score")
    try:
        rows = list(map(dict, value))
        columns = {name: [row[name] for row in rows] for name in names}
        flat = list(itertools.chain.from_iterable(columns["bbox"]))
        fits = all(map(_of_four, columns["bbox"]))
        fits &= {*map(type, columns[image]), *map(type, columns[category])} <= {int}
        fits &= {*map(type, flat), *map(type, columns["score"])} <= {int, float}
        ids = np.array(columns[image], np.int64)
        kinds = np.array(columns[category], np.int64)
        boxes = np.array(flat, np.float64).reshape(-1, 4)
        scores = np.array(columns["score"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        fits = False
    if fits:
        near = (np.abs(boxes) <= LARGEST).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1)
        fits = bool(near.all() and np.isfinite(scores).all())
    if not fits:
        faults = Faults(place="box")
        for number, row in enumerate(value, start=1):
            for name, expected, got in _faults(row, image, category):
                faults.add(number, name, expected, "nothing" if got is None else told(got))
        faults.check()
        raise AssertionError("boxes that fit no array have no fault")
    arrays = {image: ids, category: kinds, "bbox": boxes, "score": scores}
    return Arrays(arrays, len(value), place="box")


def read_annotations(data: bytes, *, usage: bool) -> dict[str, Any]:
    """COCO annotations as a mapping, each image with a `Usage` if so. ChallengeError if not."""
    try:
        answers = json.loads(data)
        usages = [image.get(_USAGE) for image in answers["images"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChallengeError(f"The answers are not COCO annotations ({error!r}).") from None
    if usage and not set(usages) <= {"Public", "Private"}:
        wrong = next(usage for usage in usages if usage not in ("Public", "Private"))
        raise ChallengeError(
            f"An image of the answers has Usage {wrong!r}. Each says Public or Private."
        )
    kept: dict[str, Any] = answers
    return kept


def _of_four(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4


def _faults(row: Any, image: str, category: str) -> Iterator[tuple[str | None, str, Any]]:
    if not isinstance(row, Pairs):
        yield None, f"an object with {image}, {category}, bbox and score", row
        return
    found: Mapping[str, Any] = dict(row)
    for name in (image, category):
        if not _is_id(found.get(name)):
            yield name, "a whole number", found.get(name)
    if not _is_box(found.get("bbox")):
        yield "bbox", "[x, y, width, height], width and height from 0", found.get("bbox")
    if not _is_number(found.get("score")):
        yield "score", "a finite number", found.get("score")


def _is_id(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_number(value: Any) -> bool:
    """Finite, and no larger than a float can hold."""
    return type(value) in (int, float) and abs(value) <= 1.7e308


def _is_box(value: Any) -> bool:
    if not _of_four(value) or not all(_is_number(side) and abs(side) <= LARGEST for side in value):
        return False
    return bool(min(value[2:]) >= 0)
