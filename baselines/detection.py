"""Detection by centre points in PyTorch: a network says where boxes have their middle.

Command     python baselines/detection.py --data detection --out submission.json
Data        train.npz, train.json, test.npz from `podium download detection`
Measured    2 cores, no GPU, 26 Nov 2026. With --small: AP 0.230, AP50 0.497 (seed 0) in 100 s of
            one processor; 6 epochs at full width: AP 0.296, AP50 0.596 in 190 s.
Zhou et al. 2019, "Objects as Points", at its smallest. Copy it, change it, beat it.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4  # pixels of the picture in a cell of the map
CLASSES = 10
KEPT = 20  # boxes of a picture


class Block(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *convolution(width, width, reach=reach), *convolution(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.layers(x)
        return changed


def convolution(inputs: int, outputs: int, stride: int = 1, reach: int = 1) -> list[nn.Module]:
    """With `reach` 2 it looks at every second pixel: twice as far at the same cost."""
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=reach, dilation=reach, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class Network(nn.Module):
    """A map of a quarter of the picture's side; each cell says class, size and exact middle."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *convolution(3, width // 2, stride=2),
            *convolution(width // 2, width, stride=2),
            Block(width, 1),
            Block(width, 2),
            Block(width, 4),  # a digit has up to nine cells: by now each cell has seen all of it
        )
        self.heat = nn.Conv2d(width, CLASSES, 1)
        self.shape = nn.Conv2d(width, 4, 1)  # log of width and height, middle within the cell
        assert self.heat.bias is not None
        nn.init.constant_(self.heat.bias, -4.0)  # most cells hold nothing: begin with that

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found = self.body(images)
        return self.heat(found), self.shape(found)


def as_batch(images: np.ndarray) -> Tensor:
    """(n, 96, 96, 3) bytes to (n, 3, 96, 96) numbers of about mean 0 and deviation 1."""
    return (torch.from_numpy(images).float().permute(0, 3, 1, 2) - 110) / 65


def targets(boxes: list[list[dict[str, Any]]], cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Heat (n, classes, cells, cells), shape (n, 4, cells, cells) and where there is a middle."""
    heat = torch.zeros(len(boxes), CLASSES, cells, cells)
    shape, there = torch.zeros(len(boxes), 4, cells, cells), torch.zeros(len(boxes), cells, cells)
    grid = torch.arange(cells).float()
    for row, each in enumerate(boxes):
        for box in each:
            x, y, width, height = box["bbox"]
            middle_x, middle_y = (x + width / 2) / STRIDE, (y + height / 2) / STRIDE
            column, line = int(middle_x), int(middle_y)
            # Cells near the middle are nearly right: they cost less. The middle itself is 1.
            near_x = torch.exp(-((grid - column) ** 2) / (2 * (width / STRIDE / 6) ** 2))
            near_y = torch.exp(-((grid - line) ** 2) / (2 * (height / STRIDE / 6) ** 2))
            layer = heat[row, box["category_id"] - 1]
            torch.maximum(layer, near_y[:, None] * near_x[None, :], out=layer)
            shape[row, :, line, column] = torch.tensor(
                [np.log(width), np.log(height), middle_x - column, middle_y - line]
            )
            there[row, line, column] = 1
    return heat, shape, there


def loss_of(heat: Tensor, shape: Tensor, wanted: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Focal loss of the heat (Lin et al. 2017) and the distance of the shapes at the middles."""
    true_heat, true_shape, there = wanted
    middle = (true_heat == 1).float()
    chance = heat.sigmoid()
    hit = middle * (1 - chance) ** 2 * functional.logsigmoid(heat)
    miss = (1 - true_heat) ** 4 * chance**2 * functional.logsigmoid(-heat)  # 0 at a middle
    count = middle.sum().clamp(min=1)
    distance = (shape - true_shape).abs().sum(1) * there
    return -(hit + miss).sum() / count + distance.sum() / count


def shuffled_colours(images: Tensor) -> Tensor:
    """Colours swapped and inverted by chance: a digit is its shape. Never mirrored: a 2 is no 5."""
    images = images[:, torch.randperm(3)]
    return -images if torch.rand(()) < 0.5 else images


@torch.inference_mode()
def detect(network: Network, images: np.ndarray, device: str) -> list[list[dict[str, Any]]]:
    """The boxes of each picture, at most KEPT, with their scores."""
    network.eval()
    found: list[list[dict[str, Any]]] = []
    for start in range(0, len(images), 100):
        heat, shape = network(as_batch(images[start : start + 100]).to(device))
        chance = heat.sigmoid()
        # A peak is no lower than its neighbours; everything else is the slope of one.
        peak = chance * (functional.max_pool2d(chance, 3, 1, padding=1) == chance)
        scores, places = peak.flatten(1).topk(KEPT)
        cells = heat.shape[-1]
        for row in range(len(scores)):
            boxes = []
            for score, place in zip(scores[row].tolist(), places[row].tolist(), strict=True):
                category, cell = divmod(place, cells * cells)
                line, column = divmod(cell, cells)
                width, height, dx, dy = shape[row, :, line, column].tolist()
                width, height = float(np.exp(width)), float(np.exp(height))
                x = (column + dx) * STRIDE - width / 2
                y = (line + dy) * STRIDE - height / 2
                box = [round(side, 2) for side in (x, y, width, height)]
                boxes.append({"category_id": category + 1, "bbox": box, "score": round(score, 5)})
            found.append(boxes)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("detection" if Path("detection").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: detection/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.json"))
    parser.add_argument("--small", action="store_true", help="a narrower network, fewer rounds")
    parser.add_argument("--epochs", type=int, help="rounds over all pictures: 12, with --small 6")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.npz").is_file():
        parser.error(f"no train.npz in {str(options.data)!r}: podium download detection fetches it")
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    with np.load(options.data / "train.npz") as file:
        ids, images = file["id"].tolist(), file["image"]
    told = json.loads((options.data / "train.json").read_text())["annotations"]
    places = {name: place for place, name in enumerate(ids)}
    boxes: list[list[dict[str, Any]]] = [[] for _ in ids]
    for box in told:
        boxes[places[box["image_id"]]].append(box)
    heat, shape, there = targets(boxes, images.shape[1] // STRIDE)

    network = Network(width=32 if options.small else 48).to(device)
    epochs = options.epochs or (6 if options.small else 12)
    batch, steps = 32, epochs * (len(images) // 32)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps)
    for epoch in range(epochs):
        network.train()
        total, started = 0.0, time.perf_counter()
        order = torch.randperm(len(images))[: len(images) // batch * batch]
        for chosen in order.view(-1, batch):
            inputs = shuffled_colours(as_batch(images[chosen.numpy()])).to(device)
            wanted = (heat[chosen].to(device), shape[chosen].to(device), there[chosen].to(device))
            found_heat, found_shape = network(inputs)
            loss = loss_of(found_heat, found_shape, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - started
        print(
            f"epoch {epoch + 1}/{epochs}  loss {total / (len(images) // batch):.3f}  "
            f"{seconds:.1f} s",
            flush=True,
        )

    with np.load(options.data / "test.npz") as file:
        ids, found = file["id"].tolist(), detect(network, file["image"], device)
    rows = [{"image_id": name} | box for name, each in zip(ids, found, strict=True) for box in each]
    options.out.write_text(json.dumps(rows))
    print(f"wrote {options.out} with {len(rows)} boxes in {len(ids)} pictures")


if __name__ == "__main__":
    main()
