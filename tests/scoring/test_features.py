"""Features by a pinned network: batches, devices, and weights that are not the pinned ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.features import Network, convolutional, prepared, save


@pytest.fixture
def network(tmp_path: Path) -> Network:
    torch.manual_seed(0)
    path = tmp_path / "weights.npz"
    return Network.read("tiny", path, save(convolutional(3), path))


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (21, 16, 12, 3)).astype(np.uint8)


def test_features_are_what_the_network_says_before_its_last_layer(
    network: Network, pictures: np.ndarray
) -> None:
    torch.manual_seed(0)
    net = convolutional(3)
    with torch.inference_mode():
        expected = net[:-1](prepared(torch.from_numpy(pictures))).numpy()
    assert network.features(pictures) == pytest.approx(expected, abs=1e-5)


def test_the_size_of_a_batch_does_not_matter(network: Network, pictures: np.ndarray) -> None:
    assert network.features(pictures, batch=4) == pytest.approx(
        network.features(pictures), abs=1e-5
    )


def test_no_images_have_no_features(network: Network) -> None:
    assert network.features(np.empty((0, 16, 16, 3), np.uint8)).shape == (0, 64)


@pytest.mark.gpu
def test_cuda_gives_the_features_of_the_cpu(network: Network, pictures: np.ndarray) -> None:
    expected = network.features(pictures)
    scale = np.abs(expected).max()
    assert network.features(pictures, device="cuda") == pytest.approx(expected, abs=1e-4 * scale)


def test_other_weights_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    save(convolutional(3), path)
    with pytest.raises(ChallengeError, match="Fetch the pinned file again"):
        Network.read("tiny", path, "0" * 64)


def test_a_missing_file_is_the_hosts_fault(tmp_path: Path) -> None:
    with pytest.raises(ChallengeError, match="'tiny' cannot be read"):
        Network.read("tiny", tmp_path / "weights.npz", "0" * 64)


def test_a_file_that_holds_no_network_is_the_hosts_fault(tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    sha256 = save(torch.nn.Sequential(torch.nn.Linear(2, 2)), other)
    with pytest.raises(ChallengeError, match="fit no network"):
        Network.read("other", other, sha256)


@pytest.mark.parametrize("shape", [(21, 16, 12), (5, 11, 9), (3, 28, 28)])
def test_torch_on_a_cpu_agrees_with_numpy(network: Network, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    net = convolutional(3)[:-1]
    weights = {key: torch.from_numpy(one) for key, one in network.weights.items()}
    net.load_state_dict({key: weights[key] for key in net.state_dict()})
    with torch.inference_mode():
        expected = net(prepared(torch.from_numpy(images))).numpy()
    assert network.features(images) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 16, 16, 1), np.uint8),
        np.zeros((2, 16, 16, 3)),
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((2, 4, 16, 3), np.uint8),
    ],
)
def test_strange_images_are_refused(network: Network, images: np.ndarray) -> None:
    with pytest.raises(SubmissionError):
        network.features(images)


def test_importing_the_module_does_not_load_torch() -> None:
    script = "import sys, podium_scoring.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", script], check=False).returncode == 0
