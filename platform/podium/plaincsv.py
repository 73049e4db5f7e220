"""A challenge out of plain CSVs: columns are mapped, rows split, texts written.

Either one labelled file is split into training and test rows, or training data, test data and
answers come as files of their own. What comes out is the folder that `publishing` takes.
"""

import csv
import hashlib
import io
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from podium.errors import BadRequestError
from podium.publishing import Folder, folder_of
from podium_scoring import METRICS

ID, USAGE = "id", "Usage"
MOST_CLASSES = 200
MOST_ROWS = 2_000_000
LEAST_ROWS = 10
MOST_SHOWN = 30  # classes whose counts are told
SPLITS = ("fraction", "column", "group")


@dataclass(frozen=True)
class Wish:
    """What a host chooses; `by` is a column for the splits by column and by group."""

    slug: str
    title: str
    summary: str
    target: str
    metric: str
    options: Mapping[str, Any]
    id_column: str = ""  # empty: rows are numbered
    split: str = "fraction"
    by: str = ""
    test_value: str = ""  # of `by`, for the split by column
    test_fraction: float = 0.4
    public_fraction: float = 0.3  # of the test rows
    seed: int = 0
    licence: str = "not stated"
    text: str = ""


@dataclass(frozen=True)
class Counts:
    """What a split gives, before anything is made of it."""

    train: int
    public: int
    private: int
    classes: list[tuple[str, int, int, int]]  # of a target with few values: in each part
    columns: list[str]


Row = list[str]


def read(content: bytes, name: str) -> tuple[list[str], list[Row]]:
    """Header and rows of a CSV; BadRequestError with the line that does not fit."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequestError(
            f"{name} is not UTF-8 (byte {error.start}). Save it as CSV UTF-8.", field="file"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [one.strip() for one in next(reader, [])]
        rows = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadRequestError(
                    f"{name}, line {reader.line_num}: expected {len(header)} fields, got "
                    f"{len(row)}.",
                    field="file",
                )
            rows.append(row)
    except csv.Error as error:
        raise BadRequestError(
            f"{name}, line {reader.line_num} is no CSV: {error}.", field="file"
        ) from None
    if len(set(header)) != len(header) or "" in header:
        raise BadRequestError(f"{name}: every column needs a name of its own.", field="file")
    if not LEAST_ROWS <= len(rows) <= MOST_ROWS:
        raise BadRequestError(
            f"{name} has {len(rows)} rows. A challenge has {LEAST_ROWS} to {MOST_ROWS:,}.",
            field="file",
        )
    return header, rows


@dataclass(frozen=True)
class _Parts:
    header: list[str]  # with the id first, without the target last
    target: str
    train: list[tuple[str, Row, str]]  # id, features, target
    test: list[tuple[str, Row, str]]
    usage: list[str]  # of the test rows


def _need_fits(wish: Wish, header: Sequence[str]) -> None:
    """Raise BadRequestError for a choice that the columns do not allow."""
    if wish.target not in header:
        raise BadRequestError(
            f"The data have no column {wish.target!r}. They have {', '.join(header[:20])}.",
            field="target",
        )
    if wish.id_column and wish.id_column not in header:
        raise BadRequestError(f"The data have no column {wish.id_column!r}.", field="id_column")
    if wish.split not in SPLITS:
        raise BadRequestError(f"Split by {', '.join(SPLITS)}, not {wish.split!r}.", field="split")
    if wish.split != "fraction" and wish.by not in header:
        raise BadRequestError(f"The data have no column {wish.by!r} to split by.", field="by")
    for name in ("test_fraction", "public_fraction"):
        if not 0.05 <= getattr(wish, name) <= 0.95:
            raise BadRequestError(f"{name} is 0.05 to 0.95.", field=name)


def _split(wish: Wish, content: bytes) -> _Parts:
    header, rows = read(content, "The data")
    _need_fits(wish, header)
    chance = random.Random(wish.seed)
    at = header.index(wish.target)
    kept = [i for i, name in enumerate(header) if name not in (wish.target, wish.id_column)]
    if wish.split == "column":  # it says which part a row is of, which students need not see
        kept = [i for i in kept if header[i] != wish.by]
    order = list(range(len(rows)))
    chance.shuffle(order)
    if wish.id_column:
        ids = [row[header.index(wish.id_column)] for row in rows]
        doubled = [one for one, n in Counter(ids).items() if n > 1]
        if doubled:
            raise BadRequestError(
                f"The id {doubled[0]!r} stands in several rows.", field="id_column"
            )
    else:
        numbers = list(range(1, len(rows) + 1))
        chance.shuffle(numbers)  # so that an id tells nothing of the row's place
        ids = list(map(str, numbers))
    is_test = _chosen(wish, header, rows, chance)
    items = [(ids[i], [rows[i][k] for k in kept], rows[i][at].strip(), is_test[i]) for i in order]
    train = [(id_, row, y) for id_, row, y, test in items if not test]
    test = [(id_, row, y) for id_, row, y, test in items if test]
    if not train or len(test) < 2:
        raise BadRequestError(
            f"The split gives {len(train)} training and {len(test)} test rows. Choose another.",
            field="split",
        )
    empty = next((id_ for id_, _, y in (*train, *test) if not y), None)
    if empty is not None:
        raise BadRequestError(f"The row with the id {empty} has no {wish.target}.", field="target")
    public = max(1, min(len(test) - 1, round(len(test) * wish.public_fraction)))
    usage = ["Public"] * public + ["Private"] * (len(test) - public)
    chance.shuffle(usage)
    return _Parts([ID, *(header[i] for i in kept)], wish.target, train, test, usage)


def _chosen(
    wish: Wish, header: Sequence[str], rows: Sequence[Row], chance: random.Random
) -> list[bool]:
    """Which rows are tested."""
    if wish.split == "column":
        at = header.index(wish.by)
        return [row[at].strip() == wish.test_value for row in rows]
    if wish.split == "group":
        at = header.index(wish.by)
        groups = sorted({row[at] for row in rows})
        chance.shuffle(groups)
        sizes = Counter(row[at] for row in rows)
        tested: set[str] = set()
        total = 0
        for group in groups:
            if total >= wish.test_fraction * len(rows):
                break
            tested.add(group)
            total += sizes[group]
        return [row[at] in tested for row in rows]
    number = round(len(rows) * wish.test_fraction)
    marks = [True] * number + [False] * (len(rows) - number)
    chance.shuffle(marks)
    return marks


def counts(wish: Wish, content: bytes) -> Counts:
    """What the split gives."""
    parts = _split(wish, content)
    by_part = [
        Counter(y for _, _, y in parts.train),
        *(
            Counter(
                y for (_, _, y), usage in zip(parts.test, parts.usage, strict=True) if usage == name
            )
            for name in ("Public", "Private")
        ),
    ]
    names = sorted(set().union(*by_part))
    train, shown, hidden = by_part
    classes = [(name, train[name], shown[name], hidden[name]) for name in names]
    public = parts.usage.count("Public")
    return Counts(
        len(parts.train),
        public,
        len(parts.usage) - public,
        classes if len(classes) <= MOST_SHOWN else [],
        parts.header,
    )


def folder(wish: Wish, content: bytes) -> Folder:
    """The prepared folder that a wish makes of a labelled CSV."""
    parts = _split(wish, content)
    column, sample_value = _target(wish, [y for _, _, y in (*parts.train, *parts.test)])
    public = {
        "train.csv": _csv(
            [*parts.header, parts.target], ([i, *row, y] for i, row, y in parts.train)
        ),
        "test.csv": _csv(parts.header, ([i, *row] for i, row, _ in parts.test)),
        "sample_submission.csv": _csv(
            [ID, parts.target], ([i, sample_value] for i, _, _ in parts.test)
        ),
    }
    answers = _csv(
        [ID, parts.target, USAGE],
        ([i, y, usage] for (i, _, y), usage in zip(parts.test, parts.usage, strict=True)),
    )
    ids = [i for i, _, _ in parts.test]
    id_type = "integer" if all(one.isdigit() and len(one) < 18 for one in ids) else "string"
    files = {
        "challenge.toml": tomli_w.dumps(_spec(wish, column, id_type, content)).encode(),
        "README.md": _text(wish).encode(),
        "private/answers.csv": answers,
        **{f"public/{name}": data for name, data in public.items()},
    }
    return folder_of(files)


def _target(wish: Wish, values: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The target's column as challenge.toml declares it, and what the sample says everywhere."""
    metric = METRICS.get(wish.metric)
    if metric is None:
        raise BadRequestError(
            f"There is no metric {wish.metric!r}. `python -m podium_scoring list` lists them.",
            field="metric",
        )
    distinct = sorted(set(values))
    if all(_is_integer(one) for one in distinct) and len(distinct) <= MOST_CLASSES:
        numbers = sorted(map(int, distinct))
        column = {"name": wish.target, "type": "integer", "low": numbers[0], "high": numbers[-1]}
        return column, str(numbers[0])
    if all(_is_number(one) for one in distinct):
        numbers_ = sorted(map(float, values))
        middle = numbers_[len(numbers_) // 2]
        return {"name": wish.target, "type": "number"}, repr(middle)
    if len(distinct) > MOST_CLASSES:
        raise BadRequestError(
            f"{wish.target} has {len(distinct)} values that are no numbers; the most is "
            f"{MOST_CLASSES} classes.",
            field="target",
        )
    return {"name": wish.target, "type": "string", "allowed": distinct}, distinct[0]


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdigit() and len(text) < 18


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False


def _spec(wish: Wish, column: dict[str, Any], id_type: str, content: bytes) -> dict[str, Any]:
    source = {
        "kind": "folder",
        "edition": "small",
        "file": "data.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "licence": wish.licence,
    }
    files = [
        {"name": "train.csv", "description": f"Rows with their {wish.target}."},
        {"name": "test.csv", "description": f"Rows whose {wish.target} is asked for."},
        {"name": "sample_submission.csv", "description": "The form of a submission."},
    ]
    data: dict[str, Any] = {"licence": wish.licence, "sources": [source], "files": files}
    if wish.split == "group":
        data["groups"] = [wish.by]
    return {
        "slug": wish.slug,
        "version": 1,
        "title": wish.title,
        "summary": wish.summary,
        "level": "beginner",
        "task": METRICS[wish.metric].family,
        "kinds": ["predictions"],
        "metric": {"name": wish.metric, "options": dict(wish.options)},
        "submission": {
            "format": "csv",
            "id": {"name": ID, "type": id_type},
            "columns": [column],
        },
        "data": data,
    }


def _text(wish: Wish) -> str:
    metric = METRICS[wish.metric]
    better = "higher" if metric.higher_is_better else "lower"
    return (
        f"# {wish.title}\n\n{wish.text.strip() or wish.summary}\n\n"
        f"## Evaluation\n\n{metric.title}: {better} is better.\n\n"
        f"## Data\n\n`train.csv` has the column `{wish.target}`; `test.csv` has not.\n\n"
        f"## Submission\n\nA CSV with the columns `{ID}` and `{wish.target}`, a row for each "
        "row of `test.csv`, like `sample_submission.csv`.\n"
    )


def _csv(header: Sequence[str], rows: Any) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
