import io
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from podium import catalog, datasets, inspection, paths, running
from podium.sandbox import Bubblewrap
from podium_scoring import SubmissionError
from podium_scoring.tables import Predictions

FOLDER = paths.bundled("challenges") / "gan-art"
SPEC = catalog.read(FOLDER)
# Draws from each seed a portrait of noise, and says in its corner which seed that was.
GENERATOR = """
import numpy
seeds = numpy.load("/data/seeds.npz")["seed"]
images = numpy.stack(
    [numpy.random.default_rng(seed).integers(0, 256, (16, 16, 3), "uint8") for seed in seeds]
)
images[:, 0, 0, 0] = seeds % 256
numpy.savez("/out/predictions.npz", image=images)
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("gan-art") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


@pytest.fixture(scope="module")
def truth(prepared):
    return SPEC.grading.read_truth(prepared.answers.read_bytes())


@pytest.fixture(scope="module")
def kept(truth):
    return truth.answers.columns["image"]


@pytest.fixture(scope="module")
def distance(truth):
    """The distance of images from the portraits that are privately kept, and nothing else."""
    alone = replace(SPEC.grading, choices=SPEC.grading.choices[:1])

    def of(images):
        scores = alone.score(Predictions({"image": images}), truth)
        return scores["frechet"]["private"].value

    return of


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_every_portrait_is_given_or_kept_and_none_is_both(prepared, kept):
    with np.load(prepared.folder / "public" / "train.npz") as file:
        given = {image.tobytes() for image in file["image"]}
    hidden = {image.tobytes() for image in kept}
    assert (len(given), len(hidden), len(given & hidden)) == (4000, 4000, 0)


def test_the_more_noise_the_further_away(kept, distance):
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 1, (2000, 16, 16, 3))
    noisy = [np.clip(kept[:2000] + much * noise, 0, 255).round() for much in (0, 5, 15)]
    distances = [distance(images.astype(np.int64)) for images in noisy]
    assert distances == sorted(distances)
    assert distances[1] > 1.5 * distances[0]


def test_the_fewer_kinds_the_further_away(kept, distance):
    few = [distance(kept[np.arange(2000) % kinds]) for kinds in (2000, 200, 20)]
    assert few == sorted(few)
    assert few[1] > 2 * few[0]


def test_smeared_portraits_are_further_away(kept, distance):
    sharp = kept[:2000].astype(np.float64)
    smeared = (sharp + np.roll(sharp, 1, axis=2)) / 2
    assert distance(smeared.round().astype(np.int64)) > 5 * distance(kept[:2000])


def test_copies_of_what_was_given_are_refused(truth):
    copies = truth.answers.columns["train"][:2000]
    with pytest.raises(SubmissionError, match=r"Copy rate is 1\. This competition takes at most"):
        SPEC.grading.score(Predictions({"image": copies}), truth)


def test_portraits_that_were_not_given_pass_for_new(truth, kept):
    scores = SPEC.grading.score(Predictions({"image": kept[:2000]}), truth)
    assert scores["copy_rate"]["private"].value < 0.05


def test_a_generator_draws_from_seeds_that_nobody_has_seen(prepared, scratch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    desk = running.Desk.make(folder, Bubblewrap.here())
    seeds = (prepared.folder / "private" / "seeds.npz").read_bytes()
    (desk.inputs / "seeds.npz").write_bytes(seeds)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("predict.py", GENERATOR)
    desk.file.write_bytes(packed.getvalue())
    assignment = {
        "kind": "code",
        "run": SPEC.run.model_dump(mode="json"),
        "output": "predictions.npz",
        "columns": ["id", "image"],
    }

    class Deaf:
        let_go = threading.Event()

        def hear(self, text: str) -> None:
            """Nothing is printed that matters."""

    said = running.run(assignment, desk, Deaf())
    assert said.outcome == "ran", said.reason
    truth = SPEC.grading.read_truth(prepared.answers.read_bytes())
    drawn = SPEC.grading.read_predictions(said.output.read_bytes(), truth.form)
    with np.load(io.BytesIO(seeds)) as file:
        assert (drawn.columns["image"][:, 0, 0, 0] == file["seed"] % 256).all()
