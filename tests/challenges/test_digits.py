import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "digits"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("digits") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


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


def test_neither_order_nor_ids_tell_the_split(prepared):
    answers = SPEC.grading.read_truth(prepared.answers.read_bytes()).answers
    assert [len(answers.splits[split]) for split in ("public", "private")] == [1200, 2800]
    assert (load(prepared, "test.npz")["id"] == answers.ids).all()
    # of each fifth of the rows, about 30 % are public
    public = np.isin(np.arange(4000), answers.splits["public"])
    for order in (np.arange(4000), np.argsort(answers.ids)):
        shares = public[order].reshape(5, 800).mean(axis=1)
        assert shares.min() > 0.23
        assert shares.max() < 0.37


def undone(images):
    """(n, 784) unit vectors: each picture with its position, size and slant taken out."""
    ink = np.where(images < 30, 0, images).astype(float)
    grid = np.indices((28, 28)).reshape(2, -1).T
    mass = ink.reshape(len(ink), -1) / ink.sum((1, 2))[:, None]
    centre = mass @ grid
    away = grid - centre[:, None]
    spread = np.einsum("np,npi,npj->nij", mass, away, away)
    # Pixels go where the spread is the same in both directions, and uncorrelated.
    maps = np.linalg.cholesky(spread + 0.01 * np.eye(2)) / 4
    places = (grid - 13.5) @ maps.transpose(0, 2, 1) + centre[:, None]
    drawn = [map_coordinates(each, at.T, order=1) for each, at in zip(ink, places, strict=True)]
    vectors = np.array(drawn, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_look_up_in_the_public_originals_reaches_what_the_page_says(prepared):
    with np.load(FOLDER / "small.npz") as file:
        originals, labels = file["images"], file["labels"]
    answers = SPEC.grading.read_truth(prepared.answers.read_bytes()).answers
    images, truth = load(prepared, "test.npz")["image"][:1000], answers.columns["label"][:1000]

    def reached(vectors):
        known, asked = vectors(originals), vectors(images)
        nearest = ((known**2).sum(1) - 2 * asked @ known.T).argmin(1)
        return (labels[nearest] == truth).mean()

    assert reached(lambda a: a.reshape(len(a), -1).astype(np.float32)) == pytest.approx(
        0.878, abs=0.03
    )
    assert reached(undone) > 0.99


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def replace(old, new):
    def change(folder: Path) -> None:
        file = folder / "prepare.py"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


# What breaks any challenge is in test_broken.py; these are about the order of the rows.
BROKEN = {
    "a split that the order tells": (
        replace("generator.permutation(tests) <", "np.arange(tests) <"),
        "The split follows the order of rows",
    ),
    "ids that tell the digit": (
        replace(
            "ids = generator.permutation(10 * len(labels))[: len(labels)]",
            "ids = np.argsort(np.argsort(labels, kind='stable'))",
        ),
        "Column 'label' follows the order of ids",
    ),
    "answers in the sample": (
        replace(
            'f"{row},0\\n" for row in ids[test]',
            'f"{i},{y}\\n" for i, y in zip(ids[test], labels[test])',
        ),
        "no headroom",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_recipe_that_tells_the_answers_is_caught(tiny, tmp_path, name):
    change, words = BROKEN[name]
    folder = tmp_path / "digits"
    shutil.copytree(tiny("digits"), folder)
    change(folder)
    faults = inspection.inspect(folder, "small", tmp_path / "cache")
    assert any(words in fault for fault in faults), faults
