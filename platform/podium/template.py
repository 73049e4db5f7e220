"""Makes a challenge folder of a table: what can be known from it is written, the rest is marked.

What only a person can say stands between << and >>, and `podium challenges check` asks for it.
"""

import csv
import difflib
import hashlib
import json
import math
import random
import shutil
import string
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from podium import catalog, datasets, headroom
from podium.errors import BadRequestError
from podium_scoring import Metric

BLANK = Path(__file__).parent / "blank"
FILES = ("challenge.toml", "README.md", "prepare.py", "baseline.py")
MOST_CLASSES = 50  # more different whole numbers are numbers
LEAST_ROWS = 1500  # of which two fifths are for the test, in two halves of 300
ROOM = 0.25  # of what a baseline scored, within which it is expected to score again

CLASSES = """**accuracy**: the share of test rows whose `{target}` is right; 1 is the best.

    accuracy = right answers / test rows

*Worked example.* Of five rows four are right: accuracy = 4/5 = 0.8."""
NUMBERS = """the **root mean squared error** of `{target}`. Lower is better, 0 is the best.

    RMSE = √(mean of (yours less true)²)

*Worked example.* For 10, 20 and 30 you say 11, 20 and 28: RMSE = √((1 + 0 + 4) / 3) = 1.29."""


@dataclass(frozen=True)
class Column:
    """The column that is asked for: its name, and what its values are."""

    name: str
    values: tuple[str, ...]

    @property
    def type(self) -> str:
        """As a column of a submission has it."""
        if all(_is_whole(value) for value in self.values):
            return "integer"
        return "number" if all(_is_number(value) for value in self.values) else "string"

    @property
    def is_class(self) -> bool:
        """Whether its values name kinds, rather than say how much."""
        few = len(set(self.values)) <= MOST_CLASSES
        return self.type == "string" or (self.type == "integer" and few)

    @property
    def form(self) -> str:
        """What challenge.toml says of its values."""
        if not self.is_class:
            return 'type = "number"'
        if self.type == "integer":
            numbers = sorted(map(int, self.values))
            return f'type = "integer", low = {numbers[0]}, high = {numbers[-1]}'
        return f'type = "string", allowed = {json.dumps(sorted(set(self.values)))}'


def write(folder: Path, table: Path | None = None, target: str = "") -> None:
    """Make the new folder of a challenge.

    `table` is a CSV file with a header, `target` the column that is asked for; without a table
    one is made up. The baseline is trained once, so that its score stands where it belongs.
    BadRequestError that says what does not fit.
    """
    folder = folder.absolute()
    if not catalog.SLUG.fullmatch(folder.name):
        raise BadRequestError(
            f"{folder.name!r} cannot be the slug of a challenge. Use small letters, digits and "
            "hyphens, such as flat-prices."
        )
    if folder.exists():
        raise BadRequestError(f"{folder} is there already. Name a folder that is not.")
    data, target = (table.read_bytes(), target) if table else (example(), "rent")
    header, column = _read(data, target)
    said = _said(folder.name, header, column, data)
    folder.mkdir(parents=True)
    (folder / "data.csv").write_bytes(data)
    _fill(folder, said | {"worst": "0", "best": "1", "score": "", "measured": ""})
    decoded = datasets.recipe(folder).decode({"data": folder / "data.csv"}, "small")
    digests = {name: datasets.digest(values) for name, values in decoded.items()}
    lines = [f'{json.dumps(name)} = "{digest}"\n' for name, digest in digests.items()]
    (folder / "checksums.toml").write_text("[small]\n" + "".join(lines), encoding="utf-8")
    _fill(folder, said | _measured(folder))


def example() -> bytes:
    """A made-up table of 3,000 flats with their rents, the same each time."""
    chance = random.Random(0)
    lines = ["area,rooms,floor,built,quarter,rent"]
    quarters = {"harbour": 4.0, "old town": 3.0, "hill": 2.0, "station": -1.0, "fields": -2.0}
    for _ in range(3000):
        area, floor = chance.randint(20, 140), chance.randint(0, 9)
        built = chance.randint(1890, 2024)
        rooms = max(1, round(area / 28 + chance.gauss(0, 0.6)))
        quarter = chance.choice(sorted(quarters))
        new = max(0, built - 1990) / 20
        rent = area * (9 + quarters[quarter] + new) + 12 * floor - 15 * rooms + chance.gauss(0, 60)
        lines.append(f"{area},{rooms},{floor},{built},{quarter},{max(150, round(rent))}")
    return ("\n".join(lines) + "\n").encode()


def _read(data: bytes, target: str) -> tuple[list[str], Column]:
    """The header of a table and the column that is asked for."""
    try:
        header, *rows = csv.reader(data.decode("utf-8-sig").splitlines())
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequestError(f"The table is no CSV in UTF-8 with a header: {error}.") from None
    if target not in header or target == "id":
        near = difflib.get_close_matches(target, header, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(header)}."
        raise BadRequestError(f"The table has no column {target!r} to ask for. {hint}")
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise BadRequestError(
                f"Line {line} of the table has {len(row)} fields, the header has {len(header)}."
            )
        if not row[header.index(target)].strip():
            raise BadRequestError(
                f"Line {line} of the table has no {target!r}. Leave rows out whose answer is not "
                "known."
            )
    if len(rows) < LEAST_ROWS:
        raise BadRequestError(
            f"The table has {len(rows)} rows. At least {LEAST_ROWS} are needed: two fifths are "
            "for the test, and below 300 in each half of it chance decides."
        )
    return header, Column(target, tuple(row[header.index(target)] for row in rows))


def _said(slug: str, header: Sequence[str], column: Column, data: bytes) -> dict[str, str]:
    """What the blanks are filled with, by name."""
    others = [name for name in header if name not in ("id", column.name)]
    about = CLASSES if column.is_class else NUMBERS
    return {
        "slug": slug,
        "title": slug.replace("-", " ").capitalize(),
        "task": "classification" if column.is_class else "regression",
        "kind": "class" if column.is_class else "number",
        "metric": "accuracy" if column.is_class else "rmse",
        "also": '"f1_macro"' if column.is_class else '"mae", "r2"',
        "target": column.name.replace("\\", r"\\").replace('"', r"\""),
        "target_plain": column.name,
        "target_toml": json.dumps(column.name),
        "form": column.form,
        "columns": ", ".join(["id", *others, column.name]),
        "evaluation": about.format(target=column.name),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": str(len(data)),
    }


def _fill(folder: Path, said: dict[str, str]) -> None:
    for name in FILES:
        text = (BLANK / name).read_text(encoding="utf-8")
        filled = string.Template(text).substitute(said)
        (folder / name).write_text(filled, encoding="utf-8")


def _measured(folder: Path) -> dict[str, str]:
    """What the baseline scores on a first split, and what it is expected to score on others.

    The sample submission of that split is put into the folder, to show the form.
    """
    spec = catalog.read(folder)
    with tempfile.TemporaryDirectory(prefix="podium-template-") as scratch:
        into = Path(scratch)
        prepared = datasets.prepare(spec, folder, "small", 1, into / "new", cache=into / "cache")
        shutil.copy(prepared.folder / "public" / spec.sample_file, folder)
        score = headroom.measured(folder, spec.baselines[0], prepared)
    shown = f"{score:.4g}"
    worst, best = _around(score, spec.metric.record)
    return {
        "worst": worst,
        "best": best,
        "score": shown,
        "measured": f"{spec.metric.name} {shown} on the private half of one split, in seconds.",
    }


def _around(score: float, metric: Metric) -> tuple[str, str]:
    """Ends of the room around a score, the worse one first; of a share, of what is missing too."""
    if metric.higher_is_better:
        room = ROOM * max(score / 10, min(score, metric.best - score))
        return f"{score - room:.4g}", f"{min(metric.best, score + room):.4g}"
    return f"{score * (1 + ROOM):.4g}", f"{score * (1 - ROOM):.4g}"


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _is_whole(value: str) -> bool:
    return value.removeprefix("-").isdecimal() and value.isascii()
