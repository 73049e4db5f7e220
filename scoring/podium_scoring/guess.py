"""The declaration of two files that come without one, from what a metric takes and their heads.

For the command line only: a challenge declares its files, and nothing is guessed there.
"""

import csv
import io
import json
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from podium_scoring.errors import ChallengeError
from podium_scoring.grading import Grading
from podium_scoring.registry import metric
from podium_scoring.tables import USAGE

Named = tuple[str, bytes]  # a file's name and content
Table = dict[str, Any]

FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".npz": "npz",
    ".zip": "png",
    ".json": "coco",
    ".txt": "txt",
}
# The type of the columns of either file, where a metric takes but one; None is that of a class.
_TYPES: dict[str, tuple[str | None, str | None]] = {
    "probabilities": ("number", None),
    "numbers": ("number", "number"),
    "texts": ("string", "string"),
    "replies": ("string", "string"),
    "images": ("number", "number"),
    "episodes": ("number", None),
    "games": ("number", "string"),
}
_WHOLE = re.compile(r"\s*-?[0-9]{1,18}\s*")


@dataclass(frozen=True)
class Head:
    """What a file shows at a glance: columns with their types and shapes, and repeated ids."""

    format: str
    types: Mapping[str, str]  # integer, number or string, of each column
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rows: int = 0
    repeated: bool = False


def declared(
    name: str, options: Mapping[str, Any], predictions: Named, answers: Named, id_column: str
) -> Grading:
    """The declaration under which a metric takes these files; ChallengeError if it takes none such.

    All columns besides the id count, but not Usage. A text a line has the number of its line for
    id. What is wrong with the predictions is left for their reader to say.
    """
    takes = metric(name).takes
    if takes == "boxes":
        return _boxes(name, options, answers)
    truth = _head(answers, id_column)
    given = _head(predictions, id_column)
    told = [one for one in truth.types if one not in (id_column, USAGE)]
    columns = [one for one in given.types if one != id_column] or told
    if not told:
        raise ChallengeError(f"{answers[0]} has no column besides {id_column!r}.")
    kinds = _TYPES.get(takes, (None, None))
    if takes == "candidates":
        choice = given.types.get(columns[0]) in ("integer", "number") and len(columns) > 1
        kinds, takes = (("number", "integer"), takes) if choice else ((None, None), "lists")
    kind = truth.types[told[0]]
    sides = []
    for head, names, wanted in ((given, columns, kinds[0]), (truth, told, kinds[1])):
        side: Table = {
            "format": head.format,
            "id": {"name": id_column, "type": truth.types.get(id_column, "integer")},
            "repeated": head.repeated and takes == "lists",
        }
        made = [_column(one, wanted or kind, head, takes, options) for one in names]
        if takes == "lists" and not side["repeated"] and len(names) <= 2 and not head.shapes:
            made[0] |= {"type": "items"}
            made[1:] = [one | {"type": "string"} for one in made[1:]]
        elif takes == "lists" and len(made) == 2 and side["repeated"]:
            made[1] |= {"type": "number"}  # a score, or a gain
        if head is truth and USAGE in truth.types:
            made.append({"name": USAGE, "type": "string"})
        if id_column not in head.types and head.rows:
            side["rows"] = head.rows
        sides.append(side | {"columns": made})
    if takes == "probabilities" and name in ("log_loss", "brier", "calibration_error"):
        sides[0]["probabilities"] = columns
    chosen = {"name": name, "options": dict(options), "columns": columns, "answers": told}
    return Grading.of({"metric": chosen, "submission": sides[0], "answers": sides[1]})


def _column(name: str, kind: str, head: Head, takes: str, options: Mapping[str, Any]) -> Table:
    """A column; of masks and images with the shape that the file or the options say."""
    shape = list(head.shapes.get(name, ()))
    column: Table = {"name": name, "type": kind, "shape": shape}
    if takes == "masks" and not shape:
        size = str(options.get("shape", ""))
        if not re.fullmatch(r"\d+x\d+", size):
            raise ChallengeError("Run lengths need the shape of the masks: --option shape=96x128.")
        return column | {"type": "runs", "shape": [int(part) for part in size.split("x")]}
    if takes == "masks" or (takes == "images" and len(shape) > 1):
        column["type"] = "integer"
    return column | {"optional": kind == "string"}


def _boxes(name: str, options: Mapping[str, Any], answers: Named) -> Grading:
    try:
        categories = [str(int(one["id"])) for one in json.loads(answers[1])["categories"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ChallengeError(f"{answers[0]} holds no COCO annotations ({error!r}).") from None
    category = {"name": "category_id", "type": "integer", "allowed": categories}
    submission = {
        "format": "coco",
        "id": {"name": "image_id", "type": "integer"},
        "columns": [category],
    }
    return Grading.of(
        {"metric": {"name": name, "options": dict(options)}, "submission": submission}
    )


def _head(file: Named, id_column: str) -> Head:
    name, data = file
    format = FORMATS.get(PurePath(name).suffix.lower(), "")
    if not format:
        known = ", ".join(FORMATS)
        raise ChallengeError(f"{name!r} has no known ending. Files end in {known}.")
    if format == "txt":
        return Head("txt", {id_column: "integer", "text": "string"})
    if format == "npz":
        return _npz_head(data)
    if format == "png":
        return _png_head(data, id_column)
    if format == "parquet":
        return _parquet_head(data, id_column)
    text = data.decode("utf-8-sig", "replace")
    columns = _csv_columns(text) if format == "csv" else _jsonl_columns(text)
    ids = columns.get(id_column, [])
    types = {column: _type(values) for column, values in columns.items()}
    return Head(format, types, repeated=len(set(map(str, ids))) < len(ids))


def _csv_columns(text: str) -> dict[str, list[Any]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        rows = []
    if not rows:
        return {}
    width = len(rows[0])
    full = [row for row in rows[1:] if len(row) == width]
    names = [name.strip() for name in rows[0]]
    return {name: [row[place] for row in full] for place, name in enumerate(names)}


def _jsonl_columns(text: str) -> dict[str, list[Any]]:
    rows = []
    for line in text.splitlines():
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return {name: [row.get(name) for row in rows] for name in (rows[0] if rows else ())}


def _type(values: Sequence[Any]) -> str:
    """integer if all are whole numbers, number if all are numbers, else string."""
    if all(_WHOLE.fullmatch(str(value)) for value in values):
        return "integer"
    try:
        for value in values:
            float(value)
    except (TypeError, ValueError):
        return "string"
    return "number"


def _npz_head(data: bytes) -> Head:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile):
        return Head("npz", {})
    words = {"i": "integer", "u": "integer", "b": "integer", "f": "number"}
    types = {name: words.get(array.dtype.kind, "string") for name, array in arrays.items()}
    shapes = {name: array.shape[1:] for name, array in arrays.items() if array.ndim > 1}
    rows = max((len(array) for array in arrays.values() if array.ndim), default=0)
    return Head("npz", types, shapes, rows)


def _png_head(data: bytes, id_column: str) -> Head:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".png")]
            with archive.open(names[0]) as file:
                start = file.read(26)
        width, height, _, colours = struct.unpack(">IIBB", start[16:26])
    except (zipfile.BadZipFile, IndexError, OSError, EOFError, struct.error):
        return Head("png", {id_column: "integer", "image": "integer"}, {"image": (8, 8)})
    shape = (height, width, 3) if colours == 2 else (height, width)
    ids = _type([PurePath(name).stem for name in names])
    kind = "integer" if ids == "integer" else "string"
    return Head("png", {id_column: kind, "image": "integer"}, {"image": shape})


def _parquet_head(data: bytes, id_column: str) -> Head:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ChallengeError("Parquet needs pyarrow: pip install 'podium[parquet]'.") from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError):
        return Head("parquet", {})
    types = {}
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        whole, real = pyarrow.types.is_integer(kind), pyarrow.types.is_floating(kind)
        types[name] = "integer" if whole else "number" if real else "string"
    ids = table.column(id_column).to_pylist() if id_column in types else []
    return Head("parquet", types, repeated=len(set(ids)) < len(ids))
