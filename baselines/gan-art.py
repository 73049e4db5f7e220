"""Portraits by a DCGAN in PyTorch: hinge loss, spectral norm, a moving average of the generator.

Command     python baselines/gan-art.py --data gan-art --out submission.npz
Data        train.npz from `podium download gan-art`
Measured    2 cores, no GPU, 26 Nov 2026. With --small: Fréchet distance 26 ± 9 (seeds 0
            to 2) in 50 to 87 s of one processor; 1,400 steps instead of 1,100: 15.3 in 107 s.
Radford et al. 2016, Miyato et al. 2018. Copy it, change it, beat it.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

NOISE = 64  # numbers that a portrait is made of
IMAGES = 2000  # of a submission


class Generator(nn.Module):
    """Noise to a picture: a map of 4 x 4, then twice as fine, then twice again."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(NOISE, 4 * width * 16)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            *self.finer(4 * width, 2 * width),
            *self.finer(2 * width, width),
            nn.Conv2d(width, 3, 3, padding=1),
            nn.Tanh(),
        )

    @staticmethod
    def finer(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            # Each pixel becomes a patch of 4 x 4 that overlaps its neighbours' by half.
            nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    def forward(self, noise: Tensor) -> Tensor:
        images: Tensor = self.layers(self.first(noise).view(len(noise), -1, 4, 4))
        return images


class Critic(nn.Module):
    """A picture to one number: high for what looks real.

    Spectral norm keeps each layer from stretching anything more than once, so that the critic
    cannot become so sure that the generator learns nothing from it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *self.layer(3, width, stride=1),
            *self.layer(width, 2 * width, stride=2),
            *self.layer(2 * width, 4 * width, stride=2),
            nn.Flatten(),
            spectral_norm(nn.Linear(4 * width * 16, 1)),
        )

    @staticmethod
    def layer(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        side = 4 if stride == 2 else 3
        convolution = nn.Conv2d(inputs, outputs, side, stride, padding=1)
        return [spectral_norm(convolution), nn.LeakyReLU(0.1)]

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.layers(images)
        return scores


def as_batch(images: np.ndarray) -> Tensor:
    """(n, 16, 16, 3) bytes to (n, 3, 16, 16) numbers from -1 to 1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def as_bytes(images: Tensor) -> np.ndarray:
    """(n, 3, 16, 16) numbers from -1 to 1 to (n, 16, 16, 3) bytes."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return np.ascontiguousarray(pixels.cpu().numpy())


@torch.no_grad()
def follow(average: nn.Module, now: nn.Module, share: float) -> None:
    """Move the average a little towards what the generator is now: it stops swinging."""
    for old, new in zip(average.state_dict().values(), now.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, share)
        else:
            old.copy_(new)


def train(images: Tensor, width: int, steps: int, batch: int, rate: float) -> Generator:
    """Two networks against each other; what comes back is the average generator."""
    device = images.device
    generator, critic = Generator(width).to(device), Critic(width).to(device)
    average = copy.deepcopy(generator).eval()
    # Without momentum of the first kind: each of them aims at a moving target.
    told = torch.optim.Adam(critic.parameters(), lr=2 * rate, betas=(0.0, 0.99))
    made = torch.optim.Adam(generator.parameters(), lr=rate, betas=(0.0, 0.99))
    started = time.perf_counter()
    for step in range(1, steps + 1):
        fall = min(1.0, 2 * (1 - (step - 1) / steps))  # constant, then down to nothing
        for optimizer, full in ((told, 2 * rate), (made, rate)):
            optimizer.param_groups[0]["lr"] = full * fall
        real = images[torch.randint(len(images), (batch,), device=device)]
        fake = generator(torch.randn(batch, NOISE, device=device))
        # Hinge: real above 1, generated below -1; what is there already costs nothing.
        apart = (
            functional.relu(1 - critic(real)).mean()
            + functional.relu(1 + critic(fake.detach())).mean()
        )
        told.zero_grad()
        apart.backward()
        told.step()
        taken = -critic(fake).mean()
        made.zero_grad()
        taken.backward()
        made.step()
        follow(average, generator, 0.002 if step > steps // 10 else 0.1)
        if step % max(1, steps // 10) == 0:
            seconds = time.perf_counter() - started
            print(
                f"step {step}/{steps}  critic {apart.item():.3f}  generator {taken.item():.3f}  "
                f"{seconds:.0f} s",
                flush=True,
            )
    return average


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("gan-art" if Path("gan-art").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: gan-art/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.npz"))
    parser.add_argument("--small", action="store_true", help="a minute instead of twenty")
    parser.add_argument("--steps", type=int, help="default 10000, with --small 1100")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.npz").is_file():
        parser.error(f"no train.npz in {str(options.data)!r}: podium download gan-art fetches it")
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    with np.load(options.data / "train.npz") as file:
        images = as_batch(file["image"]).to(device)
    steps = options.steps or (1100 if options.small else 10_000)
    width = 24 if options.small else 32
    generator = train(images, width, steps, batch=32, rate=3e-4)
    with torch.inference_mode():
        drawn = as_bytes(generator(torch.randn(IMAGES, NOISE, device=device)))
    np.savez_compressed(options.out, image=drawn)
    print(f"wrote {options.out} with {len(drawn)} portraits")


if __name__ == "__main__":
    main()
