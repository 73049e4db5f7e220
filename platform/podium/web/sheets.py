"""Rows as a file to download: CSV for spreadsheets, JSON for programs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import Response

from podium.errors import NotFoundError

STYLES = {"csv": "text/csv", "json": "application/json"}


def answer(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], name: str, style: str
) -> Response:
    """A download of rows called `name` with the style as its ending."""
    if style not in STYLES:
        raise NotFoundError(f"There is no {style!r} of it, only {' and '.join(STYLES)}.")
    text = _csv(rows, columns) if style == "csv" else _json(rows, columns)
    response = Response(text, mimetype=STYLES[style])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{style}"'
    return response


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()


def _json(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    kept = [{name: _plain(row.get(name)) for name in columns} for row in rows]
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def cell(value: Any) -> Any:
    """A value of a CSV; what a spreadsheet would take for a formula is kept a text."""
    value = _plain(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
