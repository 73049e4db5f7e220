"""Gan-art: deals the portraits to those who learn and those who are kept, from the private seed.

`decode` reads the portraits and the network; `prepare` is pure: the same arrays and seed give the
same bytes. How both files were made is in sources.py.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

TRAIN_SHARE = 0.5
PUBLIC_SHARE = 0.3  # of the portraits that are kept
ROWS = 2000  # images of a submission


def decode(sources: Mapping[str, Path], edition: str) -> Arrays:
    """Portraits, `image` (n, 16, 16, 3), and the network's weights, such as `network_0_bias`."""
    with np.load(sources["portraits"]) as portraits, np.load(sources["network"]) as network:
        weights = {f"network_{name.replace('.', '_')}": network[name] for name in network.files}
        return {"image": portraits["image"]} | weights


def prepare(arrays: Arrays, public: Path, private: Path, *, seed: int) -> None:
    """Write train.npz, network.npz and sample_submission.npz; hidden answers.npz and seeds.npz.

    A row of the answers has a portrait that nobody was given, and beside it one that everybody
    was: with the first ones generated images are compared, of the others they must be no copies.
    """
    generator = np.random.default_rng(seed)
    images = arrays["image"][generator.permutation(len(arrays["image"]))]
    cut = round(len(images) * TRAIN_SHARE)
    train, kept = images[:cut], images[cut:]
    ids = generator.permutation(10 * len(images))[:cut]
    _write_npz(public / "train.npz", {"id": ids, "image": train})
    network = {
        name.removeprefix("network_").replace("_", "."): array
        for name, array in arrays.items()
        if name.startswith("network_")
    }
    _write_npz(public / "network.npz", network)
    mean = np.rint(train.mean(axis=0)).astype(np.uint8)
    _write_npz(public / "sample_submission.npz", {"image": np.repeat(mean[None], ROWS, axis=0)})
    rows = min(len(train), len(kept))
    drawn = generator.permutation(rows) < round(rows * PUBLIC_SHARE)
    answers = {
        "id": np.arange(rows),
        "image": kept[:rows],
        "train": train[:rows],
        "Usage": np.where(drawn, "Public", "Private"),
    }
    weights = {f"network.{name}": array for name, array in network.items()}
    _write_npz(private / "answers.npz", answers | weights)
    _write_npz(private / "seeds.npz", {"seed": generator.integers(0, 2**31, ROWS)})


def _write_npz(file: Path, arrays: Arrays) -> None:
    """As np.savez_compressed, but with a fixed date, so that the same arrays are the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)
