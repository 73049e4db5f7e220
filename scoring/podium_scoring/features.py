"""Features of images by a pinned network, by numpy on a CPU and by torch on CUDA.

A network is a name, its weights and the SHA-256 of their file, an npz of plain arrays, which is
read without unpickling anything. torch is loaded for CUDA and for training only.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.npzfile import WEIGHTS
from podium_scoring.units import Floats

if TYPE_CHECKING:
    from torch import Tensor, nn

Weights = Mapping[str, NDArray[np.float32]]

LAYERS = (32, 64, 128)  # channels after each convolution
OUTPUTS = 64
SMALLEST = 8  # pixels a side


@dataclass(frozen=True)
class Network:
    """A small convolutional network by the name that its metric carries, and what pins it."""

    name: str
    sha256: str
    weights: Weights = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name}@{self.sha256[:12]}"

    @classmethod
    def read(cls, name: str, path: Path, sha256: str) -> Self:
        """The network of a file; ChallengeError if the file is not the pinned one."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ChallengeError(f"The weights of {name!r} cannot be read: {error}.") from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise ChallengeError(
                f"The weights of {name!r} have SHA-256 {found}, not {sha256}. Fetch the pinned "
                "file again."
            )
        return cls(name, found, _arrays(name, content, ""))

    @classmethod
    def of(cls, name: str, answers: bytes) -> Self:
        """The network whose weights travel in a .npz of answers, as arrays `network.<weight>`."""
        weights = _arrays(name, answers, WEIGHTS)
        digest = hashlib.sha256()
        for key in sorted(weights):
            digest.update(key.encode() + weights[key].tobytes())
        return cls(name, digest.hexdigest(), weights)

    @property
    def channels(self) -> int:
        """Colours of the images that it takes."""
        return int(self.weights["0.weight"].shape[1])

    def features(
        self, images: NDArray[np.uint8], *, device: str = "cpu", batch: int = 256
    ) -> Floats:
        """Features (n, 64) of images (n, height, width, channels) of bytes, in batches.

        numpy, torch on a CPU and CUDA agree to 1e-4 of the largest feature (TF32 is off).
        SubmissionError if the images have another form.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != self.channels:
            raise SubmissionError(
                f"Images have shape {images.shape} and type {images.dtype}. They must be bytes of "
                f"shape (n, height, width, {self.channels})."
            )
        if min(images.shape[1:3]) < SMALLEST:
            raise SubmissionError(
                f"Images are {images.shape[1:3]} pixels. At least 8 x 8 are needed."
            )
        run = self._by_numpy if device == "cpu" else self._by_torch(device)
        parts = [np.empty((0, OUTPUTS))]
        for start in range(0, len(images), batch):
            parts.append(run(images[start : start + batch]))
        return np.concatenate(parts)

    def _by_numpy(self, images: NDArray[np.uint8]) -> Floats:
        values = images.astype(np.float32) / np.float32(127.5) - 1
        for place in range(len(LAYERS)):
            weight, bias = (self.weights[f"{3 * place}.{kind}"] for kind in ("weight", "bias"))
            values = _pooled(np.maximum(_convolved(values, weight) + bias, 0))
        flat = _quarters(values).transpose(0, 3, 1, 2).reshape(len(values), -1)
        place = 3 * len(LAYERS) + 2
        features = flat @ self.weights[f"{place}.weight"].T + self.weights[f"{place}.bias"]
        return features.astype(np.float64)

    def _by_torch(self, device: str) -> Any:
        import torch

        net = convolutional(self.channels)[:-1]
        wanted = _shapes(self.channels)
        net.load_state_dict({key: torch.from_numpy(self.weights[key]) for key in wanted})
        net = net.to(device).eval()

        def run(images: NDArray[np.uint8]) -> Floats:
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
                features: Floats = net(prepared(pixels)).double().cpu().numpy()
            return features

        return run


def _convolved(values: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """3 x 3 convolution, padded by zeros: (n, h, w, c) and (k, c, 3, 3) give (n, h, w, k)."""
    n, height, width, channels = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    around = np.empty((n, height, width, 9, channels), np.float32)
    for step in range(9):
        down, across = divmod(step, 3)
        around[..., step, :] = padded[:, down : down + height, across : across + width]
    kernel = weight.transpose(2, 3, 1, 0).reshape(9 * channels, -1)
    return (around.reshape(-1, 9 * channels) @ kernel).reshape(n, height, width, -1)


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest of each 2 x 2; an odd last row or column is left out."""
    _, height, width, _ = values.shape
    even = values[:, : height - height % 2, : width - width % 2]
    across = np.maximum(even[:, :, 0::2], even[:, :, 1::2])
    return np.maximum(across[:, 0::2], across[:, 1::2])


def _quarters(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of the four quarters, (n, 2, 2, c); of an odd side both halves hold the middle."""
    _, height, width, _ = values.shape
    rows = (slice(0, -(-height // 2)), slice(height // 2, height))
    columns = (slice(0, -(-width // 2)), slice(width // 2, width))
    means = [[values[:, row, column].mean(axis=(1, 2)) for column in columns] for row in rows]
    return np.stack([np.stack(row, axis=1) for row in means], axis=1)


def convolutional(channels: int, classes: int = 10) -> "nn.Sequential":
    """The network, untrained: its last layer is for training only, features come before it."""
    from torch import nn

    layers: list[nn.Module] = []
    for before, after in zip((channels, *LAYERS[:-1]), LAYERS, strict=True):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * LAYERS[-1], OUTPUTS)]
    return nn.Sequential(*layers, nn.Sequential(nn.ReLU(), nn.Linear(OUTPUTS, classes)))


def prepared(pixels: "Tensor") -> "Tensor":
    """Bytes (n, height, width, channels) as the network's input, from -1 to 1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def save(net: "nn.Sequential", path: Path) -> str:
    """Writes a trained network's weights to an npz and gives the SHA-256 that pins it."""
    arrays: dict[str, Any] = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
    np.savez(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _arrays(name: str, content: bytes, prefix: str) -> Weights:
    """The weights of an npz, all of the shapes that the network has."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {
                key.removeprefix(prefix): file[key] for key in file.files if key.startswith(prefix)
            }
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ChallengeError(f"The file of {name!r} holds no weights: {error}.") from error
    first = arrays.get("0.weight")
    wanted = _shapes(first.shape[1] if first is not None and first.ndim == 4 else 3)
    found = {key: one.shape for key, one in arrays.items() if key in wanted}
    if found != wanted:
        lacking = sorted(key for key in wanted if found.get(key) != wanted[key])
        raise ChallengeError(f"The weights of {name!r} fit no network here: {lacking[0]} does not.")
    return arrays


def _shapes(channels: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights that make features, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, (before, after) in enumerate(zip((channels, *LAYERS[:-1]), LAYERS, strict=True)):
        shapes[f"{3 * place}.weight"] = (after, before, 3, 3)
        shapes[f"{3 * place}.bias"] = (after,)
    place = 3 * len(LAYERS) + 2
    shapes[f"{place}.weight"] = (OUTPUTS, 4 * LAYERS[-1])
    return shapes | {f"{place}.bias": (OUTPUTS,)}
