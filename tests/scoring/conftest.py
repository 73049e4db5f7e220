"""A small challenge for every metric, and its files in every format."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from podium_scoring import METRICS, Score
from podium_scoring.grading import Grading, Truth

Row = dict[str, Any]
N = 12


def encode(rows: list[Row], format: str) -> bytes:
    """The rows as a file of this format."""
    if format == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()
    if format == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if format == "coco":
        return json.dumps(rows).encode()
    if format == "txt":
        return "".join(f"{row['text']}\n" for row in rows).encode()
    file = io.BytesIO()
    if format == "parquet":
        import pyarrow
        import pyarrow.parquet

        columns = {name: [row[name] for row in rows] for name in rows[0]}
        pyarrow.parquet.write_table(pyarrow.table(columns), file)
    elif format == "npz":
        arrays: dict[str, Any] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        np.savez(file, **arrays)
    elif format == "png":
        with zipfile.ZipFile(file, "w") as archive:
            for row in rows:
                image = io.BytesIO()
                Image.fromarray(np.asarray(row["image"], np.uint8)).save(image, "PNG")
                archive.writestr(f"{row['id']}.png", image.getvalue())
    return file.getvalue()


@dataclass(frozen=True)
class Example:
    """A challenge of one metric: its declaration, its answers, a submission as good as can be."""

    name: str
    tables: Row
    answers: list[Row]
    rows: list[Row]
    options: Row = field(default_factory=dict)
    annotations: Row | None = None

    @property
    def grading(self) -> Grading:
        metric = {"name": self.name, "options": self.options}
        return Grading.of({"metric": metric, **self.tables})

    @property
    def truth(self) -> Truth:
        schema = self.grading.answers
        if self.annotations is not None:
            data = json.dumps(self.annotations).encode()
        else:
            data = encode(self.answers, schema.format)
        return self.grading.read_truth(data, usage=False)

    def encode(self, rows: list[Row], format: str) -> bytes:
        return encode(rows, format)

    def file(self, rows: list[Row] | None = None) -> bytes:
        return encode(self.rows if rows is None else rows, self.grading.submission.format)

    def score(self, rows: list[Row] | None = None, truth: Truth | None = None) -> Score:
        grading, truth = self.grading, truth or self.truth
        predictions = grading.read_predictions(self.file(rows), truth.form)
        return grading.score(predictions, truth)[self.name]["all"]


def column(name: str, type: str, **more: Any) -> Row:
    return {"name": name, "type": type, **more}


def tables(columns: list[Row], answers: list[Row] | None = None, **more: Any) -> Row:
    made: Row = {"submission": {"id": column("id", "integer"), "columns": columns, **more}}
    if answers is not None:
        made["answers"] = {"columns": answers}
    return made


IDS = [3 * i + 100 for i in range(N)]
LABELS = [i % 3 for i in range(N)]
NUMBERS = [1.5 + i * i / 7 for i in range(N)]
TEXTS = [f"the cat number {i} sat on the mat of the old house {i * i}" for i in range(N)]
FEATURES = np.random.default_rng(0).normal(size=(40, 3)).round(6).tolist()
RUNS = [f"{1 + i} 3 {9 + i} 2" for i in range(N)]


def _rows(**columns: list[Any]) -> list[Row]:
    return [
        {"id": number, **dict(zip(columns, values, strict=True))}
        for number, values in zip(IDS, zip(*columns.values(), strict=True), strict=True)
    ]


def _classes(name: str) -> Example:
    rows = _rows(label=LABELS)
    return Example(name, tables([column("label", "integer", low=0, high=9)]), rows, rows)


def _probabilities(name: str) -> Example:
    names = ["p0", "p1", "p2"]
    sure = _rows(**{p: [float(y == k) for y in LABELS] for k, p in enumerate(names)})
    made = tables(
        [column(p, "number") for p in names], [column("label", "integer")], probabilities=names
    )
    return Example(name, made, _rows(label=LABELS), sure)


def _numbers(name: str) -> Example:
    rows = _rows(value=NUMBERS)
    return Example(name, tables([column("value", "number")]), rows, rows)


def _masks(name: str) -> Example:
    rows = _rows(mask=RUNS)
    return Example(name, tables([column("mask", "runs", shape=[6, 5])]), rows, rows)


def _texts(name: str) -> Example:
    rows = _rows(text=TEXTS)
    return Example(name, tables([column("text", "string")]), rows, rows)


def _replies(name: str) -> Example:
    replies = [f"word{i} other{i} third{i}" for i in range(N)]
    made = tables([column("text", "string")], [column("text", "string", optional=True)])
    return Example(name, made, _rows(text=[""] * N), _rows(text=replies))


def _candidates(name: str) -> Example:
    names = [f"c{k}" for k in range(4)]
    scores = _rows(**{c: [0.9 if y == k else 0.1 for y in LABELS] for k, c in enumerate(names)})
    made = tables([column(c, "number") for c in names], [column("place", "integer")])
    return Example(name, made, _rows(place=LABELS), scores)


def _lists(name: str) -> Example:
    lists = [f"a{i} b{i % 5}" for i in range(N)]
    rows = _rows(items=lists)
    return Example(name, tables([column("items", "items")]), rows, rows, {"k": 2})


def _boxes(name: str) -> Example:
    category = column("category_id", "integer", allowed=["1", "2"])
    made = {
        "submission": {
            "format": "coco",
            "id": column("image_id", "integer"),
            "columns": [category],
        }
    }
    boxes: list[Row] = [
        {"image_id": number, "category_id": 1 + i % 2, "bbox": [i, 2 * i, 10 + i, 12]}
        for i, number in enumerate(IDS)
    ]
    annotations = {
        "images": [{"id": number} for number in IDS],
        "categories": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
        "annotations": [
            box | {"id": i, "area": box["bbox"][2] * box["bbox"][3], "iscrowd": 0}
            for i, box in enumerate(boxes)
        ],
    }
    return Example(name, made, [], [box | {"score": 0.5} for box in boxes], {}, annotations)


def _images(name: str) -> Example:
    names = [f"f{k}" for k in range(3)]
    made = tables([column(f, "number") for f in names], rows=len(FEATURES))
    rows = [{"id": i, **dict(zip(names, one, strict=True))} for i, one in enumerate(FEATURES)]
    if name != "copy_rate":
        return Example(name, made, rows, rows)
    far = [row | {f: row[f] + 100 for f in names} for row in rows]
    return Example(name, made, rows, far)


def _episodes(name: str) -> Example:
    made = tables([column("result", "number")], [column("seed", "integer")])
    return Example(name, made, _rows(seed=list(range(N))), _rows(result=[1.0] * N))


def _games(name: str) -> Example:
    made = tables([column("result", "number")], [column("a", "string"), column("b", "string")])
    players = _rows(a=["x", "y", "z"] * 4, b=["y", "z", "x"] * 4)
    return Example(name, made, players, _rows(result=[1.0, 0.5, 0.0] * 4), {"agent": "x"})


MAKERS = {
    "classes": _classes,
    "grades": _classes,
    "probabilities": _probabilities,
    "numbers": _numbers,
    "masks": _masks,
    "texts": _texts,
    "replies": _replies,
    "candidates": _candidates,
    "lists": _lists,
    "boxes": _boxes,
    "images": _images,
    "episodes": _episodes,
    "games": _games,
}


def example_of(name: str) -> Example:
    """The challenge of a metric."""
    made = MAKERS[METRICS[name].takes](name)
    known = METRICS[name].options
    return replace(made, options={key: v for key, v in made.options.items() if key in known})


@pytest.fixture(params=METRICS)
def example(request: pytest.FixtureRequest) -> Example:
    """The challenge of each metric."""
    return example_of(request.param)


@pytest.fixture(scope="session")
def examples() -> dict[str, Example]:
    """The challenges of all metrics by name."""
    return {name: example_of(name) for name in METRICS}


@pytest.fixture(scope="session")
def encoded() -> Any:
    """Writes rows as a file of a format."""
    return encode
