"""Segmentation metrics: overlap of label masks, image by image, and masks written as runs.

Predictions and answers are n masks: arrays of labels (height, width), or texts of run lengths
(one class, 1-based, down the columns: "start length start length ..."), which the shape of the
answer or the option `shape` turns into masks. The unit is the image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.units import Floats, Sums

Mask = NDArray[Any]
Masks = Sequence[Any] | NDArray[Any]
MOST_PIXELS = 2**28  # of one mask


def mean_iou(
    predictions: Masks,
    answers: Masks,
    *,
    classes: int = 0,
    ignore_label: int = -1,
    background: bool = True,
    per_image: bool = False,
    shape: str = "",
) -> Sums:
    """Mean over classes of intersection / union: 0 to 1, 1 is best.

    Labels are 0 to `classes` - 1; 0 classes means the largest label of the answers and one more.
    Pixels that the answer gives `ignore_label` do not count, nor does class 0 without
    `background`. A class in neither is left out. Pixels of all images are pooled, unless
    `per_image` takes the mean of each image's own mean; an image with nothing on both sides
    scores 1. `shape` such as "96x128" (height x width) is for answers in run lengths. Exact but
    for rounding (1e-12). Source: Everingham et al. 2010.
    """
    counts = _counts(predictions, answers, classes, ignore_label, background, shape)
    return _pooled(counts, _iou, per_image)


def dice(
    predictions: Masks,
    answers: Masks,
    *,
    classes: int = 0,
    ignore_label: int = -1,
    background: bool = True,
    per_image: bool = False,
    shape: str = "",
) -> Sums:
    """Mean over classes of 2 · intersection / (size + size): 0 to 1, 1 is best.

    Options as in `mean_iou`; with one class besides the background, set `background` off. Exact
    but for rounding (1e-12). Source: Dice 1945.
    """
    counts = _counts(predictions, answers, classes, ignore_label, background, shape)
    return _pooled(counts, _dice, per_image)


def decode_runs(text: str, height: int, width: int) -> NDArray[np.uint8]:
    """The mask of "start length start length ...", 1-based, down the columns; "" is empty.

    >>> decode_runs("1 2 5 1", 2, 3)
    array([[1, 0, 1],
           [1, 0, 0]], dtype=uint8)
    """
    pixels = height * width
    fault = runs_fault(text, pixels)
    if fault:
        raise SubmissionError(f"Run lengths {text[:40]!r} {fault}")
    numbers = np.array(text.split(), np.int64)
    starts, ends = numbers[0::2], numbers[0::2] + numbers[1::2]
    steps = np.zeros(pixels + 1, np.int8)
    np.add.at(steps, starts - 1, 1)
    np.add.at(steps, ends - 1, -1)
    flat = np.cumsum(steps[:-1], dtype=np.int8).astype(np.uint8)
    return flat.reshape(width, height).T


def runs_fault(text: str, pixels: int) -> str:
    """What is wrong with run lengths in a mask of so many pixels, "" if nothing is."""
    words = text.split()
    if not all(word.isascii() and word.isdecimal() and len(word) <= 18 for word in words):
        return "are not whole numbers. Write start and length in turn."
    numbers = np.array(words, np.int64)
    starts, lengths = numbers[0::2], numbers[1::2]
    if len(starts) != len(lengths):
        return f"have {len(numbers)} numbers. Every start needs a length."
    if len(starts) and (starts.min() < 1 or lengths.min() < 1 or starts.max() > pixels):
        return f"leave the mask. Starts run from 1 to {pixels}, lengths from 1."
    ends = starts + np.minimum(lengths, pixels + 1)
    if (starts[1:] < ends[:-1]).any() or (len(ends) and ends[-1] > pixels + 1):
        return f"overlap, go back or leave the {pixels} pixels. Write them in order and apart."
    return ""


def encode_runs(mask: Mask) -> str:
    """The run lengths of a mask, of all pixels that are not 0.

    >>> encode_runs(np.array([[1, 0, 1], [1, 0, 0]]))
    '1 2 5 1'
    """
    flat = np.concatenate([[0], (mask.T.ravel() != 0).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(flat)) + 1
    edges[1::2] -= edges[0::2]
    return " ".join(map(str, edges.tolist()))


def _counts(
    predictions: Masks,
    answers: Masks,
    classes: int,
    ignore_label: int,
    background: bool,
    shape: str,
) -> Floats:
    """Pixels of each image and class in both, in the prediction, in the answer: (n, 3, classes)."""
    if len(predictions) != len(answers):
        raise SubmissionError(
            f"There are {len(predictions)} masks. The answers have {len(answers)}."
        )
    if not len(answers):
        raise ChallengeError("The answers hold no mask. A segmentation metric needs one.")
    size = _size(shape)
    truths = [_truth(mask, place, size) for place, mask in enumerate(answers, start=1)]
    if not classes:
        classes = 1 + max(int(mask.max(where=mask != ignore_label, initial=0)) for mask in truths)
    first = 0 if background else 1
    if classes <= first:
        raise ChallengeError(
            f"There are {classes} classes with background {background!r}. Nothing is left to score."
        )
    counts = np.empty((len(truths), 3, classes))
    wide = classes + 1  # the last row and column take the ignored pixels
    for place, (guess, truth) in enumerate(zip(predictions, truths, strict=True), start=1):
        said = _coded(_guess(guess, truth.shape, place), classes, ignore_label)
        if isinstance(said, str):
            raise SubmissionError(f"Mask {place} {said}")
        wanted = _coded(truth, classes, ignore_label)
        if isinstance(wanted, str):
            raise ChallengeError(f"Answer {place} {wanted}")
        table = np.bincount((wanted * wide + said).ravel(), minlength=wide * wide)
        table = table.reshape(wide, wide)[:classes]
        counts[place - 1] = np.diag(table), table.sum(axis=0)[:classes], table.sum(axis=1)
    return counts[:, :, first:]


def _coded(mask: Mask, classes: int, ignore_label: int) -> NDArray[np.int64] | str:
    """Labels as codes, `classes` for the ignored; or what is wrong with them."""
    codes = mask.astype(np.int64)
    if codes.min() < 0 or codes.max() >= classes or 0 <= ignore_label < classes:
        codes[mask == ignore_label] = classes
        strange = (codes < 0) | (codes >= classes) & (mask != ignore_label)
        if strange.any():
            label = int(mask[strange][0])
            return f"has label {label}. Labels run from 0 to {classes - 1}."
    return codes


def _pooled(counts: Floats, overlap: Any, per_image: bool) -> Sums:
    """The units of pooled pixels, or of each image's own value."""
    if per_image:
        return Sums(overlap(counts)[:, None], lambda sums, n: sums[..., 0] / n)
    n, _, classes = counts.shape

    def reduce(sums: Floats, n: int) -> Floats:
        table: Floats = overlap(sums.reshape(*sums.shape[:-1], 3, classes))
        return table

    return Sums(counts.reshape(n, 3 * classes), reduce)


def _iou(counts: Floats) -> Floats:
    both, said, wanted = (counts[..., i, :] for i in range(3))
    return _mean_share(both, said + wanted - both)


def _dice(counts: Floats) -> Floats:
    both, said, wanted = (counts[..., i, :] for i in range(3))
    return _mean_share(2 * both, said + wanted)


def _mean_share(above: Floats, below: Floats) -> Floats:
    """Mean over the classes that are there; 1 where none is."""
    there = below > 0
    shares = np.divide(above, below, out=np.zeros_like(above), where=there).sum(axis=-1)
    number = np.sum(there, axis=-1)
    return np.where(number > 0, shares / np.maximum(number, 1), 1.0)


def _size(shape: str) -> tuple[int, int] | None:
    if not shape:
        return None
    height, _, width = shape.partition("x")
    if not (
        height.isdecimal() and width.isdecimal() and 0 < int(height) * int(width) < MOST_PIXELS
    ):
        raise ChallengeError(f"Shape {shape!r} is not height x width. Write it as '96x128'.")
    return int(height), int(width)


def _truth(mask: Any, place: int, size: tuple[int, int] | None) -> Mask:
    """An answer as an array of labels."""
    if isinstance(mask, str):
        if size is None:
            raise ChallengeError("The answers are run lengths. Tell their `shape`, as '96x128'.")
        try:
            return decode_runs(mask, *size)
        except SubmissionError as error:
            raise ChallengeError(f"Answer {place}: {error.message}") from error
    labels = np.asarray(mask)
    if labels.ndim != 2 or labels.dtype.kind not in "iub" or not labels.size:
        raise ChallengeError(
            f"Answer {place} has shape {labels.shape} and type {labels.dtype}. It must be whole "
            "labels (height, width)."
        )
    return labels


def _guess(mask: Any, shape: tuple[int, ...], place: int) -> Mask:
    """A submitted mask as an array of labels; SubmissionError with its number."""
    if isinstance(mask, str):
        try:
            return decode_runs(mask, *shape)
        except SubmissionError as error:
            raise SubmissionError(f"Mask {place}: {error.message}") from error
    try:
        labels = np.asarray(mask)
    except ValueError as error:
        raise SubmissionError(f"Mask {place} is no rectangle. Give {shape} labels.") from error
    if labels.shape != shape or labels.dtype.kind not in "iub":
        raise SubmissionError(
            f"Mask {place} has shape {labels.shape} and type {labels.dtype}. It must be whole "
            f"labels of shape {shape}."
        )
    return labels
