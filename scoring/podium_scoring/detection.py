"""Detection metrics: COCO's average precision of boxes, equal to pycocotools.

Matching boxes to answers is done once, for all images together; the interval then reweights
images, so that 200 resamples cost 200 sorted sums and no matching.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from podium_scoring.coco import Boxes, Flags, Found, Integers, Truth
from podium_scoring.errors import ChallengeError
from podium_scoring.units import Floats, Weighted

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
AREAS = {"all": (0, 1e10), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
RESAMPLES = 200  # a resample costs a pass over all boxes


def coco_ap(
    predictions: Boxes,
    answers: Mapping[str, Any],
    *,
    area: str = "all",
    category: int = 0,
    max_detections: int = 100,
) -> Weighted:
    """COCO average precision, mean over IoU .50 to .95: 0 to 1, 1 is best; unit image.

    `predictions` are COCO results, `{image_id, category_id, bbox: [x, y, width, height], score}`;
    `answers` is COCO's annotation file as a mapping. `area` is all, small (to 32² pixels), medium
    (to 96²) or large; `category` is a category id, 0 for the mean of all; boxes of an image and
    category beyond the `max_detections` most certain are left out. SubmissionError for a box that
    is none. Equals pycocotools 2.0 to 1e-12. Source: Lin et al. 2014, COCOeval.
    """
    return _average(predictions, answers, tuple(THRESHOLDS), area, category, max_detections)


def coco_ap50(
    predictions: Boxes,
    answers: Mapping[str, Any],
    *,
    area: str = "all",
    category: int = 0,
    max_detections: int = 100,
) -> Weighted:
    """COCO average precision at IoU .50, all else as in `coco_ap`."""
    return _average(predictions, answers, (THRESHOLDS[0],), area, category, max_detections)


def coco_ap75(
    predictions: Boxes,
    answers: Mapping[str, Any],
    *,
    area: str = "all",
    category: int = 0,
    max_detections: int = 100,
) -> Weighted:
    """COCO average precision at IoU .75, all else as in `coco_ap`."""
    return _average(predictions, answers, (THRESHOLDS[5],), area, category, max_detections)


def breakdown(predictions: Boxes, answers: Mapping[str, Any]) -> dict[str, float]:
    """COCO AP by size of box and by name of class; NaN where the answers have no such box."""
    truth = Truth.of(answers)
    found = Found.of(predictions, truth)
    sizes = {}
    for area in AREAS:
        matched = _match(found, truth, THRESHOLDS, AREAS[area], 100)
        sizes[area] = matched.average(np.ones(truth.n))
        if area == "all":
            by_class = matched.by_class(np.ones(truth.n))
    names = [f"category {name}" for name in truth.category_names]
    return sizes | dict(zip(names, by_class.tolist(), strict=True))


@dataclass(frozen=True)
class _Matched:
    """What matching leaves to do: boxes sorted by category and score, with what they hit."""

    image: Integers  # of each box
    starts: Integers  # of each category, and the end
    hit: Flags  # (thresholds, boxes): matched an answer that counts
    miss: Flags  # (thresholds, boxes): matched nothing, and should have
    answers: Floats  # (categories, images): number of answers that count

    def average(self, weights: Floats, categories: Integers | slice = slice(None)) -> float:
        """Mean of the categories that have an answer; NaN if none has."""
        averages = self.by_class(weights)[categories]
        present = averages[np.isfinite(averages)]
        return float(present.mean()) if len(present) else float("nan")

    def by_class(self, weights: Floats) -> Floats:
        """Average precision of each category with a weight for each image."""
        averages = np.full(len(self.answers), np.nan)
        wanted = self.answers @ weights
        of_box = weights[self.image]
        for k in np.flatnonzero(wanted):
            part = slice(self.starts[k], self.starts[k + 1])
            averages[k] = _area(self.hit[:, part], self.miss[:, part], of_box[part], wanted[k])
        return averages


def _area(hit: Flags, miss: Flags, weights: Floats, wanted: float) -> float:
    """Mean precision at 101 recalls and all thresholds; precision made non-increasing."""
    if not weights.any():
        return 0.0
    right, wrong = np.cumsum(hit * weights, axis=1), np.cumsum(miss * weights, axis=1)
    recall = right / wanted
    taken = right + wrong
    precision = np.divide(right, taken, out=np.zeros_like(taken), where=taken > 0)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    total = 0.0
    for at_recall, at_precision in zip(recall, precision, strict=True):
        places = np.searchsorted(at_recall, RECALLS, side="left")
        total += at_precision[places[places < len(at_recall)]].sum()
    return total / (len(RECALLS) * len(recall))


def _match(
    found: Found, truth: Truth, thresholds: Floats, area: tuple[float, float], most: int
) -> _Matched:
    """Greedy matching in the order of scores, for all images and thresholds at once.

    A box takes the free answer of the highest overlap, first among those that count, then among
    the ignored ones (crowds, which any number of boxes may take, and answers of another size).
    """
    groups, first, sizes = np.unique(found.group, return_index=True, return_counts=True)
    rank = np.arange(len(found.group)) - np.repeat(first, sizes)
    kept = rank < most
    group, boxes, scores, rank = (
        found.group[kept],
        found.boxes[kept],
        found.scores[kept],
        rank[kept],
    )
    ignored = truth.crowd | (truth.areas < area[0]) | (truth.areas > area[1])
    area_of_box = boxes[:, 2] * boxes[:, 3]
    outside = (area_of_box < area[0]) | (area_of_box > area[1])
    hit = np.zeros((len(thresholds), len(group)), np.bool_)
    skip = np.repeat(outside[None], len(thresholds), axis=0)

    by_group = np.argsort(truth.group, kind="stable")
    begin = np.searchsorted(truth.group[by_group], groups, side="left")
    count = np.searchsorted(truth.group[by_group], groups, side="right") - begin
    start, size = np.searchsorted(group, groups), np.minimum(sizes, most)
    # Groups with about as many answers share one padded table, so that padding at most doubles.
    width = np.where(count > 0, 2 ** np.ceil(np.log2(np.maximum(count, 1))), 0).astype(np.int64)
    for wide in np.unique(width[width > 0]):
        members = np.flatnonzero(width == wide)
        members = members[np.argsort(-size[members], kind="stable")]
        column = np.arange(wide)
        real = column < count[members, None]
        rows = by_group[np.where(real, begin[members, None] + column, begin[members, None])]
        crowd, counts = truth.crowd[rows] & real, ~ignored[rows] & real
        free = np.repeat(real[:, None, :], len(thresholds), axis=1)
        for place in range(int(size[members[0]])):
            active = int(np.searchsorted(-size[members], -place, side="left"))
            box = start[members[:active]] + place
            overlap = _iou(boxes[box], truth.boxes[rows[:active]], crowd[:active])
            able = free[:active] & (overlap[:, None, :] >= thresholds[:, None])
            best, any_counted = _last_best(able & counts[:active, None, :], overlap)
            other, any_ignored = _last_best(able & ~counts[:active, None, :], overlap)
            chosen = np.where(any_counted, best, other)
            taken = any_counted | any_ignored
            member, level = np.nonzero(taken)
            answer = chosen[member, level]
            free[member, level, answer] = crowd[member, answer]
            hit[:, box] = any_counted.T
            skip[:, box] = np.where(taken, ~any_counted, outside[box, None]).T
    category = group // truth.n
    order = np.lexsort((-scores, category))
    starts = np.searchsorted(category[order], np.arange(len(truth.categories) + 1))
    answers = np.bincount(truth.group[~ignored], minlength=len(truth.categories) * truth.n)
    return _Matched(
        image=(group % truth.n)[order],
        starts=starts,
        hit=hit[:, order],
        miss=~(hit | skip)[:, order],
        answers=answers.reshape(len(truth.categories), truth.n).astype(np.float64),
    )


def _iou(boxes: Floats, answers: Floats, crowd: Flags) -> Floats:
    """Overlap of a box (g, 4) with the answers of its image (g, w, 4); of a crowd, its share."""
    x, y, width, height = (boxes[:, None, i] for i in range(4))
    ax, ay, awidth, aheight = (answers[..., i] for i in range(4))
    across = np.minimum(width + x, awidth + ax) - np.maximum(x, ax)
    down = np.minimum(height + y, aheight + ay) - np.maximum(y, ay)
    common = np.maximum(across, 0) * np.maximum(down, 0)
    area = width * height
    union = np.where(crowd, area, area + awidth * aheight - common)
    share: Floats = np.divide(common, union, out=np.zeros_like(common), where=common > 0)
    return share


def _last_best(able: Flags, overlap: Floats) -> tuple[Integers, Flags]:
    """Where the largest overlap among `able` (g, t, w) is, the last of equals; if there is any."""
    among = np.where(able, overlap[:, None, :], -1.0)
    place: Integers = able.shape[2] - 1 - among[..., ::-1].argmax(axis=2)
    some: Flags = np.any(able, axis=2)
    return place, some


def _average(
    predictions: Boxes,
    answers: Mapping[str, Any],
    thresholds: tuple[float, ...],
    area: str,
    category: int,
    max_detections: int,
) -> Weighted:
    truth = Truth.of(answers)
    if area not in AREAS:
        raise ChallengeError(f"There is no area {area!r}. Choose one of {', '.join(AREAS)}.")
    if category and category not in truth.categories:
        raise ChallengeError(
            f"The answers have no category {category!r}. They have {truth.categories.tolist()}."
        )
    found = Found.of(predictions, truth)
    matched = _match(found, truth, np.array(thresholds), AREAS[area], max_detections)
    kept = np.flatnonzero(truth.categories == category) if category else slice(None)

    def at(weights: Floats) -> float:
        return matched.average(weights, kept)

    if not np.isfinite(at(np.ones(truth.n))):
        raise ChallengeError(
            f"The answers hold no box of area {area!r} and category {category or 'any'!r}. "
            "Choose another area or category."
        )
    return Weighted(truth.n, at, RESAMPLES, centred=True)
