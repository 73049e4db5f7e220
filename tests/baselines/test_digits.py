import subprocess
import sys
from pathlib import Path

import pytest

from podium import catalog, datasets, paths

FOLDER = paths.bundled("challenges") / "digits"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("digits") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 5, into, cache=into.parent / "cache")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The full edition: fetched from its sources unless this machine has it."""
    into = tmp_path_factory.mktemp("full") / "new"
    cache = paths.default_home() / "sources"
    return datasets.prepare(SPEC, FOLDER, "full", 5, into, cache=cache)


def score(prepared, script, out: Path, *arguments: str) -> float:
    command = [sys.executable, "-P", paths.bundled("baselines") / script]
    data = ["--data", prepared.folder / "public", "--out", out]
    subprocess.run([*command, *data, *arguments], check=True, capture_output=True, timeout=3600)
    truth = SPEC.grading.read_truth(prepared.answers.read_bytes())
    predictions = SPEC.grading.read_predictions(out.read_bytes(), truth.form)
    return SPEC.grading.score(predictions, truth)["accuracy"]["private"].value


def test_the_small_network_scores_as_announced(prepared, tmp_path):
    low, high = SPEC.baselines[0].expected["small"]
    assert low <= score(prepared, "digits.py", tmp_path / "s.csv", "--small") <= high


def test_the_network_from_scratch_scores_as_announced(prepared, tmp_path):
    low, high = SPEC.baselines[1].expected["small"]
    assert low <= score(prepared, "digits-from-scratch.py", tmp_path / "s.csv", "--small") <= high


@pytest.mark.slow
@pytest.mark.parametrize("baseline", SPEC.baselines, ids=lambda baseline: baseline.script)
def test_a_baseline_scores_as_announced_on_the_full_edition(full, tmp_path, baseline):
    low, high = baseline.expected["full"]
    assert low <= score(full, baseline.script, tmp_path / "s.csv") <= high
