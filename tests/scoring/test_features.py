"""Features by a pinned network: batches, devices, and weights that are not the pinned ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.features import Network, convolutional, features, prepared, save


@pytest.fixture
def network(tmp_path: Path) -> Network:
    torch.manual_seed(0)
    path = tmp_path / "weights.npz"
    return Network("tiny", path, save(convolutional(3), path))


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
    assert features(pictures, network) == pytest.approx(expected, abs=1e-5)


def test_the_size_of_a_batch_does_not_matter(network: Network, pictures: np.ndarray) -> None:
    assert features(pictures, network, batch=4) == pytest.approx(
        features(pictures, network), abs=1e-5
    )


def test_no_images_have_no_features(network: Network) -> None:
    assert features(np.empty((0, 16, 16, 3), np.uint8), network).shape == (0, 64)


@pytest.mark.gpu
def test_cuda_gives_the_features_of_the_cpu(network: Network, pictures: np.ndarray) -> None:
    expected = features(pictures, network)
    scale = np.abs(expected).max()
    assert features(pictures, network, device="cuda") == pytest.approx(expected, abs=1e-4 * scale)


def test_other_weights_than_the_pinned_ones_are_refused(
    network: Network, pictures: np.ndarray
) -> None:
    save(convolutional(3), network.weights)
    with pytest.raises(ChallengeError, match="Fetch the pinned file again"):
        features(pictures, network)


def test_a_missing_file_is_the_hosts_fault(network: Network, pictures: np.ndarray) -> None:
    network.weights.unlink()
    with pytest.raises(ChallengeError, match="'tiny' cannot be read"):
        features(pictures, network)


def test_a_file_that_holds_no_network_is_the_hosts_fault(
    tmp_path: Path, pictures: np.ndarray
) -> None:
    other = tmp_path / "other.npz"
    torch.manual_seed(0)
    sha256 = save(torch.nn.Sequential(torch.nn.Linear(2, 2)), other)
    with pytest.raises(ChallengeError, match="fits no network"):
        features(pictures, Network("other", other, sha256))


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
        features(images, network)


def test_importing_the_module_does_not_load_torch() -> None:
    script = "import sys, podium_scoring.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", script], check=False).returncode == 0
