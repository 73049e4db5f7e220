"""Detection by centre points in PyTorch: a U-shaped network says where boxes have their middle.

Command     python baselines/detection.py --data detection --out submission.json
Data        train.npz, train.json, test.npz from `podium download detection`
Measured    2 cores, no GPU, 26 Nov 2026. With --small: AP 0.400, AP50 0.760 (seed 0) in 89 s of
            one processor; the default form: AP 0.62, AP50 0.94 in 40 s of an H200.
Zhou et al. 2019, "Objects as Points", on Ronneberger et al. 2015, "U-Net". Copy it, beat it.
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
SIDE = 96  # pixels of a picture

Boxes = tuple[Tensor, Tensor, Tensor]  # (n, most, 4) x, y, width, height; class; which are boxes


class Block(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(convolution(width, width), convolution(width, width))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.layers(x)
        return changed


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Network(nn.Module):
    """Down to an eighth of the side to see all of a digit, up to a quarter to say exactly where.

    There the map is joined with the one of its size from the way down. Each cell says class, size
    and exact middle.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        wide = 2 * width
        self.down4 = nn.Sequential(
            convolution(3, width, 2), convolution(width, wide, 2), Block(wide)
        )
        self.down8 = nn.Sequential(convolution(wide, wide, 2), Block(wide), Block(wide))
        self.up4 = convolution(2 * wide, wide)
        self.heat = nn.Conv2d(wide, CLASSES, 1)
        self.shape = nn.Conv2d(wide, 4, 1)  # log of width and height, middle within the cell
        assert self.heat.bias is not None
        nn.init.constant_(self.heat.bias, -4.0)  # most cells hold nothing: begin with that

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        quarters = self.down4(images)
        larger = functional.interpolate(self.down8(quarters), scale_factor=2)
        found = self.up4(torch.cat([quarters, larger], 1))
        return self.heat(found), self.shape(found)


def as_batch(images: np.ndarray, device: str) -> Tensor:
    """(n, 96, 96, 3) bytes to (n, 3, 96, 96) numbers of about mean 0 and deviation 1."""
    return (torch.from_numpy(images).to(device).float().permute(0, 3, 1, 2) - 110) / 65


def targets(boxes: Boxes, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Heat (n, classes, cells, cells), shape (n, 4, cells, cells) and where there is a middle."""
    places, classes, real = boxes
    n, device = len(places), places.device
    heat = torch.zeros(n, CLASSES, cells, cells, device=device)
    shape = torch.zeros(n, 4, cells, cells, device=device)
    there = torch.zeros(n, cells, cells, device=device)
    grid, rows = torch.arange(cells, device=device), torch.arange(n, device=device)
    x, y, width, height = places.unbind(-1)
    middle_x, middle_y = (x + width / 2) / STRIDE, (y + height / 2) / STRIDE
    column, line = middle_x.long().clamp(0, cells - 1), middle_y.long().clamp(0, cells - 1)
    said = torch.stack([width.log(), height.log(), middle_x - column, middle_y - line], 1)
    # Cells near the middle are nearly right: they cost less. The middle itself is 1.
    near_x = (-((grid - column[..., None]) ** 2) * 18 * (STRIDE / width[..., None]) ** 2).exp()
    near_y = (-((grid - line[..., None]) ** 2) * 18 * (STRIDE / height[..., None]) ** 2).exp()
    hills = near_y[..., :, None] * near_x[..., None, :] * real[..., None, None]
    for k in range(real.shape[1]):
        heat[rows, classes[:, k]] = torch.maximum(heat[rows, classes[:, k]], hills[:, k])
        row = rows[real[:, k]]
        at = (row, line[row, k], column[row, k])
        shape[at[0], :, at[1], at[2]] = said[row, :, k]
        there[at] = 1
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


def varied(images: Tensor, boxes: Boxes) -> tuple[Tensor, Boxes]:
    """Zoomed and moved, colours swapped and inverted, by chance. Never mirrored: a 2 is no 5."""
    places, classes, real = boxes
    n, device = len(images), images.device
    zoom = torch.empty(n, 1, device=device).uniform_(0.8, 1.25)
    move = torch.empty(n, 2, device=device).uniform_(-0.1, 0.1)  # of half a picture
    view = torch.zeros(n, 2, 3, device=device)
    view[:, 0, 0] = view[:, 1, 1] = 1 / zoom[:, 0]
    view[:, :, 2] = move
    grid = functional.affine_grid(view, list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    size = places[..., 2:] * zoom[:, None]
    half = SIDE / 2
    middle = (places[..., :2] + places[..., 2:] / 2) / half - 1
    corner = ((middle - move[:, None]) * zoom[:, None] + 1) * half - size / 2
    real = real & (corner > -1).all(-1) & (corner + size < SIDE + 1).all(-1)
    swapped = torch.stack([torch.randperm(3) for _ in range(n)]).to(device)
    images = images.gather(1, swapped[:, :, None, None].expand_as(images))
    sign = torch.randint(0, 2, (n, 1, 1, 1), device=device) * 2 - 1
    return images * sign, (torch.cat([corner, size], -1), classes, real)


@torch.inference_mode()
def detect(network: Network, images: np.ndarray, device: str) -> list[list[dict[str, Any]]]:
    """The boxes of each picture, at most KEPT, with their scores."""
    network.eval()
    found: list[list[dict[str, Any]]] = []
    for start in range(0, len(images), 100):
        heat, shape = network(as_batch(images[start : start + 100], device))
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


def read_boxes(path: Path, ids: list[int]) -> Boxes:
    """The annotations as tensors, a row for each picture, filled up with what is no box."""
    told = json.loads(path.read_text())["annotations"]
    rows: dict[int, list[dict[str, Any]]] = {name: [] for name in ids}
    for box in told:
        rows[box["image_id"]].append(box)
    most = max(map(len, rows.values()))
    places, classes = torch.ones(len(ids), most, 4), torch.zeros(len(ids), most, dtype=torch.long)
    real = torch.zeros(len(ids), most, dtype=torch.bool)
    for row, boxes in enumerate(rows.values()):
        for k, box in enumerate(boxes):
            places[row, k], classes[row, k] = torch.tensor(box["bbox"]), box["category_id"] - 1
            real[row, k] = True
    return places, classes, real


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("detection" if Path("detection").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: detection/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.json"))
    parser.add_argument("--small", action="store_true", help="a narrower network, fewer rounds")
    parser.add_argument("--epochs", type=int, help="rounds over all pictures: 24, with --small 8")
    parser.add_argument("--width", type=int, help="of the network: 32, with --small 16")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.npz").is_file():
        parser.error(f"no train.npz in {str(options.data)!r}: podium download detection fetches it")
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    with np.load(options.data / "train.npz") as file:
        ids, images = file["id"].tolist(), file["image"]
    boxes = read_boxes(options.data / "train.json", ids)

    network = Network(options.width or (16 if options.small else 32)).to(device)
    epochs = options.epochs or (8 if options.small else 24)
    batch, steps = 32, epochs * (len(images) // 32)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps)
    for epoch in range(epochs):
        network.train()
        total, started = 0.0, time.perf_counter()
        order = torch.randperm(len(images))[: len(images) // batch * batch]
        for chosen in order.view(-1, batch):
            places, classes, real = (each[chosen].to(device) for each in boxes)
            inputs, known = varied(
                as_batch(images[chosen.numpy()], device), (places, classes, real)
            )
            found_heat, found_shape = network(inputs)
            loss = loss_of(found_heat, found_shape, targets(known, SIDE // STRIDE))
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
