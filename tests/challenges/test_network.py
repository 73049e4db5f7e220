"""The network that weights are handed in for is checked with its challenge."""

import shutil
import tomllib
from pathlib import Path

import pytest

from podium import catalog, inspection
from podium_scoring import ChallengeError


@pytest.fixture
def digits(tiny, tmp_path) -> Path:
    """A copy of the stand-in that a test may break."""
    return Path(shutil.copytree(tiny("digits"), tmp_path / "digits"))


@pytest.fixture
def faults(tiny):
    return lambda folder: inspection.inspect(folder, "small", tiny("digits").parent / "cache")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_other_tensors_are_told_with_the_table_to_write(digits, faults):
    replace(digits / "network.py", "self.block(1, 32)", "self.block(1, 24)")
    replace(digits / "network.py", "self.block(32, 64)", "self.block(24, 64)")
    (told,) = faults(digits)
    assert "makes other tensors" in told
    table = tomllib.loads(told.partition("Write:\n")[2])["run"]["model"]["network"]["weights"]
    assert table["near.0.weight"] == "F32 [24, 1, 3, 3]"


def test_a_network_that_cannot_be_built_is_told_with_its_error(digits, faults):
    replace(digits / "network.py", "return Network()", "return Netwrk()")
    (told,) = faults(digits)
    assert "build() gave no network" in told
    assert "Netwrk" in told


def test_a_network_whose_answers_do_not_fit_is_found_by_running_it(digits, faults):
    replace(digits / "network.py", "return scores", "return scores[:, :9]")
    (told,) = faults(digits)
    assert "network.py ended with protocol" in told


def test_a_network_that_is_not_there_is_missed(digits):
    (digits / "network.py").unlink()
    with pytest.raises(ChallengeError, match=r"no network\.py"):
        catalog.read(digits)


def test_tensors_are_written_as_type_and_shape(digits):
    replace(digits / "challenge.toml", '"F32 [10]"', '"ten floats"')
    with pytest.raises(ChallengeError, match=r"read_out\.bias"):
        catalog.read(digits)
