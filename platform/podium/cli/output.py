"""How commands print: data on stdout as table, CSV or JSON, prose on stderr."""

import contextlib
import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

FORMATS = ("table", "csv", "json")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")  # of the API: always UTC
Row = Mapping[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


with_reason = click.option("--reason", default="", help="Why; it goes to the audit log.")


def with_format(command: Command) -> Command:
    """Add `--format` to a command, which gets it as `style`."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How data are printed.",
    )(command)


def rows(found: Iterable[Row], columns: Sequence[str], style: str) -> None:
    """Print records with these columns; JSON keeps numbers, lists and null."""
    records = [{name: row.get(name) for name in columns} for row in found]
    if style == "json":
        click.echo(json.dumps(records, indent=2))
    elif style == "csv":
        click.echo(as_csv(records, columns), nl=False)
    else:
        for line in _table(records, columns):
            click.echo(line)


def record(found: Row, style: str) -> None:
    """Print one record: a key a line, or as a file of one row, or as JSON."""
    if style == "json":
        click.echo(json.dumps(found, indent=2))
    elif style == "csv":
        click.echo(as_csv([found], list(found)), nl=False)
    else:
        width = max(map(len, found))
        for name, value in found.items():
            click.echo(f"{faint(name.ljust(width))}  {shown(value)}")


def picked(found: Row, names: Iterable[str]) -> dict[str, Any]:
    """Some keys of a record."""
    return {name: found[name] for name in names}


def as_csv(records: Iterable[Row], columns: Sequence[str]) -> str:
    """Records as CSV text with a header; None is empty, lists are joined by blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in records:
        writer.writerow([_plain(row.get(name)) for name in columns])
    return out.getvalue()


@contextlib.contextmanager
def bar(label: str, size: int, quiet: bool = False) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr, where that is a terminal; told the bytes that have passed."""
    with click.progressbar(
        length=max(1, size),
        label=clean(label),
        file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as shown:
        yield shown.update


def say(text: str) -> None:
    """Prose, for people: stderr."""
    click.echo(clean(text), err=True)


def faint(text: str) -> str:
    """Dimmed, where colours are wanted and seen."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return click.style(text, dim=True) if wanted else text


def clean(text: str) -> str:
    """Text of others, without what would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def places(details: Iterable[Row], more: int = 0) -> Iterator[str]:
    """Faults of a file, a line each, and how many are not listed."""
    for detail in details:
        where = [f"line {detail['line']}"] if detail["line"] is not None else []
        where += [f"column {detail['column']}"] if detail["column"] is not None else []
        got = f", got {detail['got']}" if detail["got"] is not None else ""
        yield clean(f"{', '.join(where) or 'file'}: expected {detail['expected']}{got}")
    if more:
        yield f"… and {more} more"


def shown(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5f}"
    text = clean(_plain(value)).replace("\n", " ")
    if moment := TIME.fullmatch(text):
        return "{} {} UTC".format(*moment.groups())
    return text


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return str(value)


def _table(records: Sequence[Row], columns: Sequence[str]) -> Iterator[str]:
    """Aligned columns: numbers to the right, the rest to the left."""
    cells = [[shown(row[name]) for name in columns] for row in records]
    right = [_is_numeric([row[name] for row in records]) for name in columns]
    widths = [
        max([len(name), *(len(line[index]) for line in cells)])
        for index, name in enumerate(columns)
    ]

    def line(texts: Sequence[str]) -> str:
        parts = zip(texts, widths, right, strict=True)
        return "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in parts).rstrip()

    yield faint(line(columns))
    for texts in cells:
        yield line(texts)


def _is_numeric(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers, besides gaps."""
    kept = [value for value in values if value is not None]
    return bool(kept) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in kept)
