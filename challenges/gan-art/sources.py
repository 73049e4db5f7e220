"""How the files that travel with gan-art were made: portraits.npz and network.npz.

Command     python sources.py
Needs       dicebear-core==10.7.0, dicebear-schema==2.0.2, dicebear-styles==10.6.0,
            resvg-py==0.5.0, pillow, torch, podium_scoring
Nothing here is run by Podium. 18,000 portraits are drawn from their numbers, the first 8,000
different ones travel; a network learns to name the parts of the others.
"""

import io
import json
import zipfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional

from podium_scoring.features import convolutional, prepared

HERE = Path(__file__).parent
DRAWN, TRAVEL = 18_000, 8_000
GROUNDS = ["#dfe7f2", "#f3e3d3", "#dcebdc", "#e9ddee"]
EPOCHS, BATCH = 40, 64

Bytes = NDArray[np.uint8]


def portrait(number: int, style: object) -> tuple[bytes, dict[str, str]]:
    """The pixels of a portrait (16 x 16 x 3 bytes), and the names of its parts and colours."""
    # Not among Podium's requirements, and without types.
    avatar = import_module("dicebear").Avatar(
        style, {"seed": f"podium-{number}", "backgroundColor": GROUNDS}
    )
    png = import_module("resvg_py").svg_to_bytes(svg_string=avatar.to_string(), width=16, height=16)
    said = avatar.to_json()["options"]
    parts = {key: str(value) for key, value in said.items() if key.endswith(("Variant", "Color"))}
    with Image.open(io.BytesIO(bytes(png))) as image:
        return image.convert("RGB").tobytes(), parts


def drawn() -> tuple[Bytes, list[dict[str, str]]]:
    """Different portraits (n, 16, 16, 3) in the order of their numbers, with their parts."""
    definition = files("dicebear_styles").joinpath("pixel-art.json").read_text("utf-8")
    style = import_module("dicebear").Style(json.loads(definition))
    found: dict[bytes, dict[str, str]] = {}
    for number in range(DRAWN):
        pixels, parts = portrait(number, style)
        found.setdefault(pixels, parts)
    images = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 16, 16, 3)
    return images, list(found.values())


def codes(parts: list[dict[str, str]]) -> tuple[NDArray[np.int64], list[int]]:
    """The parts of each portrait as numbers (n, kinds), and how many of each kind there are."""
    names = sorted({name for each in parts for name in each})
    columns = [
        np.unique([each.get(name, "") for each in parts], return_inverse=True) for name in names
    ]
    return np.stack([column for _, column in columns], axis=1), [len(known) for known, _ in columns]


def trained(images: Bytes, wanted: NDArray[np.int64], kinds: list[int]) -> nn.Sequential:
    """The network that names the parts of a portrait."""
    torch.manual_seed(0)
    net = convolutional(3, sum(kinds))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    inputs, targets = prepared(torch.from_numpy(images)), torch.from_numpy(wanted)
    for epoch in range(EPOCHS):
        for chosen in torch.randperm(len(images))[: len(images) // BATCH * BATCH].view(-1, BATCH):
            said = net(inputs[chosen]).split(kinds, dim=1)
            losses = [
                functional.cross_entropy(each, targets[chosen, place])
                for place, each in enumerate(said)
            ]
            loss = torch.stack(losses).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{EPOCHS}  loss {loss.item():.3f}", flush=True)
    return net


@torch.no_grad()
def scale(net: nn.Sequential, images: Bytes) -> None:
    """Scale the features to mean 0 and deviation 1 over these images: distances have a unit."""
    inputs = prepared(torch.from_numpy(images))
    features = torch.cat([net[:-1](part) for part in inputs.split(1000)])
    last = net[-2]
    assert isinstance(last, nn.Linear)
    last.weight.div_(features.std(0)[:, None])
    last.bias.sub_(features.mean(0)).div_(features.std(0))


def write_npz(file: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """As np.savez_compressed, but with a fixed date, so that the same arrays are the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(array), allow_pickle=False)


def main() -> None:
    images, parts = drawn()
    print(f"{len(images)} different portraits of {DRAWN}", flush=True)
    write_npz(HERE / "portraits.npz", {"image": images[:TRAVEL]})
    wanted, kinds = codes(parts)
    net = trained(images[TRAVEL:], wanted[TRAVEL:], kinds)
    with torch.no_grad():
        said = net(prepared(torch.from_numpy(images[:TRAVEL]))).split(kinds, dim=1)
    right = [(each.argmax(1).numpy() == wanted[:TRAVEL, p]).mean() for p, each in enumerate(said)]
    print("parts named rightly:", " ".join(f"{share:.3f}" for share in right))
    scale(net, images[TRAVEL:])
    weights = {name: value.numpy() for name, value in net[:-1].state_dict().items()}
    write_npz(HERE / "network.npz", weights)


if __name__ == "__main__":
    main()
