"""Detection: makes scenes of handwritten digits on photographs from the private seed.

`decode` reads the digits and the photographs; `prepare` is pure: the same arrays and seed give the
same bytes. `python prepare.py` makes photographs.npz from the two pictures of scikit-learn.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.uint8]]
Floats = NDArray[np.float32]

SIDE = 96
TRAIN, TEST = 2500, 1000
PUBLIC_SHARE = 0.3  # of the test scenes
DIGITS = (1, 5)  # in a scene
SIZES = (14, 34)  # pixels of a digit's own square
CROPS = (60, 160)  # pixels of the photograph that a scene shows
OVERLAP = 0.35  # of the smaller of two boxes, at most
INK = 60  # of 255: what is fainter is no part of a box
SEAM = 0.6  # left of it photographs serve for training, right of it for the test


def decode(sources: Mapping[str, Path], edition: str) -> Arrays:
    """Digits (n, 28, 28) with labels, and two photographs (height, width, 3)."""
    with np.load(sources["digits"]) as digits, np.load(sources["photographs"]) as photographs:
        return {
            "digit": digits["images"],
            "label": digits["labels"],
            "palace": photographs["palace"],
            "flower": photographs["flower"],
        }


def prepare(arrays: Arrays, public: Path, private: Path, *, seed: int) -> None:
    """Write train.npz, train.json, test.npz, sample_submission.json and the hidden answers.json.

    No digit and no part of a photograph serves for both training and test.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(arrays["label"]))
    cut = round(len(order) * SEAM)
    photographs = [arrays["palace"], arrays["flower"]]
    left = [each[:, : round(each.shape[1] * SEAM)] for each in photographs]
    right = [each[:, round(each.shape[1] * SEAM) :] for each in photographs]
    ids = 1 + generator.permutation(10 * (TRAIN + TEST))[: TRAIN + TEST]
    for part, count, chosen, grounds, names in (
        ("train", TRAIN, order[:cut], left, ids[:TRAIN]),
        ("test", TEST, order[cut:], right, ids[TRAIN:]),
    ):
        scenes = [scene(arrays, chosen, grounds, generator) for _ in range(count)]
        images = np.stack([image for image, _ in scenes])
        _write_npz(public / f"{part}.npz", id=names, image=images)
        annotations = _annotations(names.tolist(), [boxes for _, boxes in scenes])
        if part == "train":
            (public / "train.json").write_text(json.dumps(annotations) + "\n")
            continue
        is_public = generator.permutation(count) < round(count * PUBLIC_SHARE)
        for image, usage in zip(annotations["images"], is_public.tolist(), strict=True):
            image["Usage"] = "Public" if usage else "Private"
        (private / "answers.json").write_text(json.dumps(annotations) + "\n")
        nothing = {"category_id": 1, "bbox": [0, 0, 1, 1], "score": 0}
        sample = [{"image_id": name} | nothing for name in names.tolist()]
        (public / "sample_submission.json").write_text(json.dumps(sample) + "\n")


def scene(
    arrays: Arrays,
    chosen: NDArray[np.int64],
    grounds: list[NDArray[np.uint8]],
    generator: np.random.Generator,
) -> tuple[NDArray[np.uint8], list[tuple[int, list[int]]]]:
    """A picture (96, 96, 3), and of each digit its category and its box [x, y, width, height]."""
    ground = grounds[int(generator.integers(len(grounds)))]
    most = min(*ground.shape[:2], CROPS[1])
    size = int(generator.integers(CROPS[0], most + 1))
    top, at = (int(generator.integers(side - size + 1)) for side in ground.shape[:2])
    canvas = _resized(ground[top : top + size, at : at + size].astype(np.float32), SIDE)
    if generator.random() < 0.5:
        canvas = canvas[:, ::-1].copy()
    boxes: list[tuple[int, list[int]]] = []
    for _ in range(int(generator.integers(DIGITS[0], DIGITS[1] + 1))):
        row = int(chosen[int(generator.integers(len(chosen)))])
        side = int(generator.integers(SIZES[0], SIZES[1] + 1))
        ink = _resized(arrays["digit"][row].astype(np.float32)[..., None], side)[..., 0]
        y, x = (int(generator.integers(SIDE - side + 1)) for _ in range(2))
        rows, columns = (np.flatnonzero((ink > INK).any(axis=axis)) for axis in (1, 0))
        box = [
            *(x + int(columns[0]), y + int(rows[0])),
            *(int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1),
        ]
        if any(_shared(box, other) > OVERLAP for _, other in boxes):
            continue
        place = canvas[y : y + side, x : x + side]
        # A colour that stands out: as far from the ground's mean as chance allows.
        colours = generator.uniform(0, 255, (6, 3))
        colour = colours[np.abs(colours - place.mean((0, 1))).sum(1).argmax()]
        strength = (ink / 255)[..., None].clip(0, 1)
        canvas[y : y + side, x : x + side] = place * (1 - strength) + colour * strength
        boxes.append((1 + int(arrays["label"][row]), box))
    canvas += generator.normal(0, 4, canvas.shape)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8), boxes


def _shared(box: list[int], other: list[int]) -> float:
    """What two boxes share, as a part of the smaller one."""
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    shared = max(0, width) * max(0, height)
    return shared / min(box[2] * box[3], other[2] * other[3])


def _resized(image: Floats, side: int) -> Floats:
    """A square image (n, n, channels) at another size, bilinear."""
    n = len(image)
    places = np.clip((np.arange(side) + 0.5) * n / side - 0.5, 0, n - 1)
    first = np.minimum(places.astype(np.int64), n - 2)
    share = (places - first).astype(np.float32)[:, None, None]
    rows = image[first] * (1 - share) + image[first + 1] * share
    share = share[:, :, 0]
    resized: Floats = rows[:, first] * (1 - share) + rows[:, first + 1] * share
    return resized


def _annotations(ids: list[int], scenes: list[list[tuple[int, list[int]]]]) -> dict[str, Any]:
    """COCO annotations: category 1 is the digit 0, and so on."""
    boxes = [(name, *each) for name, scene in zip(ids, scenes, strict=True) for each in scene]
    return {
        "images": [{"id": name, "width": SIDE, "height": SIDE} for name in ids],
        "categories": [{"id": 1 + digit, "name": str(digit)} for digit in range(10)],
        "annotations": [
            {
                "id": number,
                "image_id": name,
                "category_id": category,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for number, (name, category, box) in enumerate(boxes, start=1)
        ],
    }


def _write_npz(file: Path, **arrays: NDArray[Any]) -> None:
    """As np.savez_compressed, but with a fixed date, so that the same arrays are the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)


if __name__ == "__main__":
    from sklearn.datasets import load_sample_images

    palace, flower = (
        picture[: len(picture) // 2 * 2, : picture.shape[1] // 2 * 2]
        .reshape(len(picture) // 2, 2, -1, 2, 3)
        .mean((1, 3))
        .round()
        .astype(np.uint8)
        for picture in load_sample_images().images
    )
    _write_npz(Path(__file__).with_name("photographs.npz"), palace=palace, flower=flower)
