"""A challenge out of plain CSVs: columns are mapped, rows split, texts written.

Either one labelled file is split into training and test rows, or training data, test data and
answers come as files of their own. What comes out is the folder that `publishing` takes.
"""

import csv
import hashlib
import io
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from podium import targets
from podium.errors import BadRequestError
from podium.publishing import Folder, folder_of
from podium.targets import Example, Target
from podium_scoring import METRICS, Metric

ID, USAGE = "id", "Usage"
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
    answer_column: str = ""  # of answers that come as a file; empty: called as the target
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
    example: Example | None = None
    notes: tuple[str, ...] = ()  # what a host may want to know


Row = list[str]


@dataclass(frozen=True)
class Table:
    """A CSV: its header, its rows, and the line on which each row ends."""

    header: list[str]
    rows: list[Row]
    lines: list[int]


def read(content: bytes, name: str, field: str = "file") -> Table:
    """A CSV of a form's field; BadRequestError with the line that does not fit."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequestError(
            f"{name} is not UTF-8 (byte {error.start}). Save it as CSV UTF-8.", field=field
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [one.strip() for one in next(reader, [])]
        rows, lines = [], []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadRequestError(
                    f"{name}, line {reader.line_num}: expected {len(header)} fields, got "
                    f"{len(row)}.",
                    field=field,
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise BadRequestError(
            f"{name}, line {reader.line_num} is no CSV: {error}.", field=field
        ) from None
    if len(set(header)) != len(header) or "" in header:
        raise BadRequestError(f"{name}: every column needs a name of its own.", field=field)
    if not LEAST_ROWS <= len(rows) <= MOST_ROWS:
        raise BadRequestError(
            f"{name} has {len(rows)} rows. A challenge has {LEAST_ROWS} to {MOST_ROWS:,}.",
            field=field,
        )
    return Table(header, rows, lines)


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
    table = read(content, "The data")
    header, rows = table.header, table.rows
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


@dataclass(frozen=True)
class Made:
    """What a challenge is made of, however its rows were divided."""

    id_name: str
    train: bytes
    test: bytes
    columns: list[str]  # of the test rows
    taught: list[str]  # the target of the training rows
    ids: list[str]  # of the test rows, in their order
    asked: list[str]  # their target
    usage: list[str]
    given: Mapping[str, bytes]  # what the host sent, by name
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def divided(wish: Wish, content: bytes) -> Made:
    """One labelled file, split as the wish says."""
    parts = _split(wish, content)
    return Made(
        id_name=ID,
        train=as_csv([*parts.header, parts.target], ([i, *row, y] for i, row, y in parts.train)),
        test=as_csv(parts.header, ([i, *row] for i, row, _ in parts.test)),
        columns=parts.header,
        taught=[y for _, _, y in parts.train],
        ids=[i for i, _, _ in parts.test],
        asked=[y for _, _, y in parts.test],
        usage=parts.usage,
        given={"data.csv": content},
        groups=(wish.by,) if wish.split == "group" else (),
    )


def counts(wish: Wish, made: Made) -> Counts:
    """What a division gives, and the metric worked out on a few of its rows."""
    metric, target = _target(wish, made)
    by_part = [
        Counter(made.taught),
        *(
            Counter(y for y, usage in zip(made.asked, made.usage, strict=True) if usage == name)
            for name in ("Public", "Private")
        ),
    ]
    names = sorted(set().union(*by_part))
    train, shown, hidden = by_part
    classes = [(name, train[name], shown[name], hidden[name]) for name in names]
    public = made.usage.count("Public")
    return Counts(
        len(made.taught),
        public,
        len(made.usage) - public,
        classes if len(classes) <= MOST_SHOWN else [],
        made.columns,
        targets.example(target, metric, dict(wish.options), made.taught),
        made.notes,
    )


def folder(wish: Wish, made: Made) -> Folder:
    """The prepared folder that a wish makes of divided rows."""
    metric, target = _target(wish, made)
    names = [column["name"] for column in target.columns]
    public = {
        "train.csv": made.train,
        "test.csv": made.test,
        "sample_submission.csv": as_csv(
            [made.id_name, *names], ([one, *target.sample] for one in made.ids)
        ),
    }
    answers = as_csv(
        [made.id_name, wish.target, USAGE],
        (
            [one, target.answer(y), usage]
            for one, y, usage in zip(made.ids, made.asked, made.usage, strict=True)
        ),
    )
    example = targets.example(target, metric, dict(wish.options), made.taught)
    files = {
        "challenge.toml": tomli_w.dumps(_spec(wish, made, target)).encode(),
        "README.md": _text(wish, made, target, example).encode(),
        "private/answers.csv": answers,
        **{f"public/{name}": data for name, data in public.items()},
    }
    return folder_of(files)


def _target(wish: Wish, made: Made) -> tuple[Metric, Target]:
    metric = targets.need_metric(wish.metric)
    return metric, targets.of(wish.target, metric, [*made.taught, *made.asked])


def _spec(wish: Wish, made: Made, target: Target) -> dict[str, Any]:
    sources = [
        {
            "kind": "folder",
            "edition": "small",
            "file": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
            "licence": wish.licence,
        }
        for name, content in made.given.items()
    ]
    files = [
        {"name": "train.csv", "description": f"Rows with their {wish.target}."},
        {"name": "test.csv", "description": f"Rows whose {wish.target} is asked for."},
        {"name": "sample_submission.csv", "description": "The form of a submission."},
    ]
    data: dict[str, Any] = {"licence": wish.licence, "sources": sources, "files": files}
    if made.groups:
        data["groups"] = list(made.groups)
    is_whole = all(one.isdigit() and len(one) < 18 for one in made.ids)
    id_ = {"name": made.id_name, "type": "integer" if is_whole else "string"}
    declared = target.declared
    return {
        "slug": wish.slug,
        "version": 1,
        "title": wish.title,
        "summary": wish.summary,
        "level": "beginner",
        "task": METRICS[wish.metric].family,
        "kinds": ["predictions"],
        "metric": {"name": wish.metric, "options": dict(wish.options)},
        "submission": {"format": "csv", "id": id_} | declared.pop("submission"),
        **declared,
        "data": data,
    }


def _text(wish: Wish, made: Made, target: Target, example: Example | None) -> str:
    metric = METRICS[wish.metric]
    better = "higher" if metric.higher_is_better else "lower"
    names = " and ".join(f"`{one}`" for one in (made.id_name, *(c["name"] for c in target.columns)))
    asked = (
        ""
        if not target.probabilities
        else f" A probability lies between 0 and 1. The classes are {', '.join(target.classes)}."
    )
    worked = (
        f"\nOn a few training rows, the last of them missed:\n\n{example.said}" if example else ""
    )
    return (
        f"# {wish.title}\n\n{wish.text.strip()}\n\n"
        f"## Evaluation\n\n{metric.title}: {better} is better.\n{worked}\n"
        f"## Data\n\n`train.csv` has the column `{wish.target}`; `test.csv` has not.\n\n"
        f"## Submission\n\nA CSV with the columns {names}, a row for each "
        f"row of `test.csv`, like `sample_submission.csv`.{asked}\n"
    )


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as the bytes of a CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
