import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "digits"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("digits") / "new"
    return datasets.prepare(
        catalog.read(FOLDER), FOLDER, "small", 3, into, cache=into.parent / "cache"
    )


def load(prepared, name):
    with np.load(prepared.folder / "public" / name) as file:
        return dict(file)


def test_the_sizes_and_types_are_as_the_page_says(prepared):
    train, test = load(prepared, "train.npz"), load(prepared, "test.npz")
    assert train["image"].shape == (6000, 28, 28)
    assert test["image"].shape == (4000, 28, 28)
    assert train["image"].dtype == np.uint8
    assert set(train["label"]) == set(range(10))
    assert "label" not in test
    assert {file.name: file.rows for file in prepared.files} == {
        "sample_submission.csv": 4000,
        "test.npz": 4000,
        "train.npz": 6000,
    }


def test_every_class_is_in_both_parts_about_equally(prepared):
    labels = load(prepared, "train.npz")["label"]
    assert np.bincount(labels).min() > 450


def test_rendering_keeps_the_digit_and_changes_the_picture(prepared):
    with np.load(FOLDER / "small.npz") as file:
        originals = {image.tobytes() for image in file["images"]}
    images = load(prepared, "test.npz")["image"]
    assert not originals & {image.tobytes() for image in images}
    # most ink stays in the middle
    inner, whole = images[:, 3:25, 3:25].astype(float), images.astype(float)
    assert inner.sum() / whole.sum() > 0.9


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def replace(name, old, new):
    def change(folder: Path) -> None:
        file = folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


@pytest.fixture(scope="module")
def fewer(tmp_path_factory):
    """The folder with a quarter of its pictures, so that fifteen versions are checked quickly."""
    folder = tmp_path_factory.mktemp("fewer") / "digits"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with np.load(FOLDER / "small.npz") as file:
        arrays = {name: file[name][:2500] for name in file.files}
    np.savez_compressed(folder / "small.npz", **arrays)
    lines = [f'{name} = "{datasets.array_digest(array)}"\n' for name, array in arrays.items()]
    (folder / "checksums.toml").write_text("[small]\n" + "".join(lines))
    digest = hashlib.sha256((folder / "small.npz").read_bytes()).hexdigest()
    old = catalog.read(FOLDER).sources("small")[0].sha256
    replace("challenge.toml", old, digest)(folder)
    assert inspection.inspect(folder, "small", folder.parent / "cache") == []
    return folder


BROKEN = {
    "no licence": (
        replace(
            "challenge.toml", 'licence = "CC BY-SA 3.0 (MNIST, Y. LeCun, C. Cortes, C. Burges)"', ""
        ),
        "data.licence",
    ),
    "misspelt key": (replace("challenge.toml", "max_file_mib", "max_file_mb"), "max_file_mib"),
    "unknown metric": (replace("challenge.toml", '"accuracy"', '"acuracy"'), "Did you mean"),
    "label out of range": (replace("challenge.toml", "high = 9", "high = 8"), "from 0 to 8"),
    "no text": (lambda folder: (folder / "README.md").unlink(), "README.md is missing"),
    "text without a section": (
        replace("README.md", "## Evaluation", "## Scores"),
        "no section 'Evaluation'",
    ),
    "other data than pinned": (
        replace("checksums.toml", '[small]\nimages = "', '[small]\nimages = "0'),
        "differ from checksums.toml",
    ),
    "source of another content": (
        replace("challenge.toml", 'sha256 = "', 'sha256 = "00000000'),
        "data.sources.0.sha256",
    ),
    "leaky split": (
        replace(
            "prepare.py",
            "train, test = slice(tests, None)",
            "train, test = slice(tests - 50, None)",
        ),
        "stand in train.npz and in test.npz",
    ),
    "a split that ignores the seed": (
        replace("prepare.py", "np.random.default_rng(seed)", "np.random.default_rng(0)"),
        "Another seed gave the same answers",
    ),
    "chance beside the seed": (
        replace("prepare.py", "np.random.default_rng(seed)", "np.random.default_rng()"),
        "Preparing twice",
    ),
    "mismatched sample": (
        replace(
            "prepare.py",
            'f"{row},0\\n" for row in ids[test]',
            'f"{row},0\\n" for row in ids[train]',
        ),
        "does not fit its own format",
    ),
    "a public split too small": (
        replace("prepare.py", "PUBLIC_SHARE = 0.3", "PUBLIC_SHARE = 0.01"),
        "chance decides",
    ),
    "a baseline that is not there": (
        replace("challenge.toml", '"digits-from-scratch.py"', '"digits-by-hand.py"'),
        "is not in baselines/",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_version_of_the_folder_is_caught(fewer, tmp_path, name):
    change, words = BROKEN[name]
    folder = tmp_path / "digits"
    shutil.copytree(fewer, folder)
    change(folder)
    faults = inspection.inspect(folder, "small", tmp_path / "cache")
    assert any(words in fault for fault in faults), faults
