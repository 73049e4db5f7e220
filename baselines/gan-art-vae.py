"""Portraits by a variational autoencoder in PyTorch.

Command     python baselines/gan-art-vae.py --data gan-art --out submission.npz
Data        train.npz from `podium download gan-art`
Measured    2 cores, no GPU, 26 Nov 2026. With --small: Fréchet distance 61 ± 10 (seeds 0
            to 2) in 50 to 69 s of one processor.
Kingma and Welling 2014. Copy it, change it, beat it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

CODE = 32  # numbers that a portrait is pressed into
DEVIATION = 0.3  # of pixels, which go from -1 to 1
IMAGES = 2000  # of a submission


class Autoencoder(nn.Module):
    """A portrait to a cloud of codes, and a code back to a portrait."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *self.layer(3, width, stride=1),
            *self.layer(width, 2 * width, stride=2),
            *self.layer(2 * width, 4 * width, stride=2),
            nn.Flatten(),
            nn.Linear(4 * width * 16, 2 * CODE),  # the middle of the cloud, and log its variance
        )
        self.decoder = nn.Sequential(
            nn.Linear(CODE, 4 * width * 16),
            nn.Unflatten(1, (4 * width, 4, 4)),
            *self.finer(4 * width, 2 * width),
            *self.finer(2 * width, width),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    @staticmethod
    def layer(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    @staticmethod
    def finer(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            # Each pixel becomes a patch of 4 x 4 that overlaps its neighbours' by half.
            nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        middle, log_variance = self.encoder(images).chunk(2, dim=1)
        # Drawn as a shift and a stretch of noise, so that gradients pass through.
        code = middle + torch.randn_like(middle) * (log_variance / 2).exp()
        return self.decoder(code), middle, log_variance


def loss_of(images: Tensor, drawn: Tensor, middle: Tensor, log_variance: Tensor) -> Tensor:
    """What a portrait costs to tell: its code (in nats), and what the code got wrong.

    Pixels are taken as normal around what was drawn. The smaller their deviation, the sharper the
    drawing and the less the codes of portraits look like the noise that is drawn from in the end.
    """
    told = 0.5 * (middle**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
    wrong = 0.5 * images[0].numel() * functional.mse_loss(drawn, images) / DEVIATION**2
    return told + wrong


def as_batch(images: np.ndarray) -> Tensor:
    """(n, 16, 16, 3) bytes to (n, 3, 16, 16) numbers from -1 to 1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def as_bytes(images: Tensor) -> np.ndarray:
    """(n, 3, 16, 16) numbers from -1 to 1 to (n, 16, 16, 3) bytes."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return np.ascontiguousarray(pixels.cpu().numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("gan-art" if Path("gan-art").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: gan-art/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.npz"))
    parser.add_argument("--small", action="store_true", help="a minute instead of ten")
    parser.add_argument("--epochs", type=int, help="default 100, with --small 20")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.npz").is_file():
        parser.error(f"no train.npz in {str(options.data)!r}: podium download gan-art fetches it")
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    with np.load(options.data / "train.npz") as file:
        images = as_batch(file["image"]).to(device)
    network = Autoencoder(24 if options.small else 32).to(device)
    epochs, batch = options.epochs or (20 if options.small else 100), 64
    steps = epochs * (len(images) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    started = time.perf_counter()
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(images), device=device)
        for chosen in order[: len(order) // batch * batch].view(-1, batch):
            loss = loss_of(images[chosen], *network(images[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % max(1, epochs // 10) == 0:
            seconds = time.perf_counter() - started
            print(f"epoch {epoch}/{epochs}  loss {loss.item():.1f}  {seconds:.0f} s", flush=True)

    network.eval()
    with torch.inference_mode():
        drawn = as_bytes(network.decoder(torch.randn(IMAGES, CODE, device=device)))
    np.savez_compressed(options.out, image=drawn)
    print(f"wrote {options.out} with {len(drawn)} portraits")


if __name__ == "__main__":
    main()
