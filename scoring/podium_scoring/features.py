"""Features of images by a pinned network: the only module here that loads torch, when called.

A network is a name, a file of weights and the file's SHA-256. The file is an npz of plain arrays,
which is read without unpickling anything.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.units import Floats

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTHS = (32, 64, 128)  # channels after each convolution
OUTPUTS = 64


@dataclass(frozen=True)
class Network:
    """A small convolutional network by the name that its metric carries, and what pins it."""

    name: str
    weights: Path
    sha256: str


def features(
    images: NDArray[np.uint8], network: Network, *, device: str = "cpu", batch: int = 256
) -> Floats:
    """Features (n, 64) of images (n, height, width, channels) of bytes, in batches.

    CPU and CUDA agree to 1e-4 of the largest feature (TF32 is off). ChallengeError if the weights
    are not the pinned ones; SubmissionError if the images have another form.
    """
    import torch

    arrays = _weights(network)
    net = convolutional(arrays["0.weight"].shape[1])
    try:
        net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except RuntimeError as error:
        raise ChallengeError(f"{network.weights} fits no network here: {error}") from error
    net = net.to(device).eval()
    channels = arrays["0.weight"].shape[1]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != channels:
        raise SubmissionError(
            f"Images have shape {images.shape} and type {images.dtype}. They must be bytes of "
            f"shape (n, height, width, {channels})."
        )
    if min(images.shape[1:3]) < 8:
        raise SubmissionError(f"Images are {images.shape[1:3]} pixels. At least 8 x 8 are needed.")
    parts = [np.empty((0, OUTPUTS))]
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for start in range(0, len(images), batch):
            pixels = torch.from_numpy(np.ascontiguousarray(images[start : start + batch]))
            out = net[:-1](prepared(pixels.to(device)))
            parts.append(out.double().cpu().numpy())
    return np.concatenate(parts)


def convolutional(channels: int, classes: int = 10) -> "nn.Sequential":
    """The network, untrained: its last layer is for training only, features come before it."""
    from torch import nn

    layers: list[nn.Module] = []
    for before, after in zip((channels, *WIDTHS[:-1]), WIDTHS, strict=True):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * WIDTHS[-1], OUTPUTS)]
    return nn.Sequential(*layers, nn.Sequential(nn.ReLU(), nn.Linear(OUTPUTS, classes)))


def prepared(pixels: "Tensor") -> "Tensor":
    """Bytes (n, height, width, channels) as the network's input, from -1 to 1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def save(net: "nn.Sequential", path: Path) -> str:
    """Writes a trained network's weights to an npz and gives the SHA-256 that pins it."""
    arrays: dict[str, Any] = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
    np.savez(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _weights(network: Network) -> dict[str, NDArray[np.float32]]:
    try:
        content = network.weights.read_bytes()
    except OSError as error:
        raise ChallengeError(f"The weights of {network.name!r} cannot be read: {error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != network.sha256:
        raise ChallengeError(
            f"The weights of {network.name!r} have SHA-256 {found}, not {network.sha256}. Fetch "
            "the pinned file again."
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        arrays["0.weight"].shape[1]
    except (ValueError, OSError, KeyError, IndexError) as error:
        raise ChallengeError(f"{network.weights} holds no weights: {error}.") from error
    return arrays
