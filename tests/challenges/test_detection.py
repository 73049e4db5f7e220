import json

import numpy as np
import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "detection"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("detection") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_every_box_lies_within_its_picture_and_every_picture_has_one(prepared):
    told = json.loads((prepared.folder / "public" / "train.json").read_text())
    boxes = np.array([one["bbox"] for one in told["annotations"]])
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 96).all()
    assert (boxes[:, 2:] >= 2).all()
    with np.load(prepared.folder / "public" / "train.npz") as file:
        assert {one["image_id"] for one in told["annotations"]} == set(file["id"].tolist())
        assert file["image"].shape == (2500, 96, 96, 3)
    assert {one["category_id"] for one in told["annotations"]} == set(range(1, 11))


def test_a_scene_uses_only_the_digits_that_it_is_given():
    recipe = datasets.recipe(FOLDER)
    arrays = {
        "digit": np.full((10, 28, 28), 255, np.uint8),
        "label": np.arange(10, dtype=np.uint8),
    }
    ground = np.full((200, 200, 3), 90, np.uint8)
    generator = np.random.default_rng(0)
    scenes = [recipe.scene(arrays, np.array([3, 4]), [ground], generator) for _ in range(50)]
    assert {category for _, boxes in scenes for category, _ in boxes} == {4, 5}


def test_a_box_is_the_ink_of_its_digit():
    recipe = datasets.recipe(FOLDER)
    digit = np.zeros((1, 28, 28), np.uint8)
    digit[0, 7:21, 10:18] = 255  # half as high and two sevenths as wide as its square
    arrays = {"digit": digit, "label": np.array([7], np.uint8)}
    ground = np.zeros((100, 100, 3), np.uint8)
    image, boxes = recipe.scene(arrays, np.array([0]), [ground], np.random.default_rng(1))
    inked = (image.max(axis=2) > 60).sum()
    area = sum(box[2] * box[3] for _, box in boxes)
    assert {category for category, _ in boxes} == {8}
    assert inked == pytest.approx(area, rel=0.15)
