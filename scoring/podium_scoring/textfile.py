"""Bytes of a submission as UTF-8 text, and the format that is a text a line."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.column import TEXTS, Column
from podium_scoring.faults import refuse, shown
from podium_scoring.schema import Schema

MAGIC = {
    b"PK\x03\x04": "a zip archive (or .npz, .xlsx)",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a .npy file",
}


def text_bytes(data: bytes, what: str) -> bytes:
    """The file as UTF-8 without BOM and with newlines of one kind; refuses what is no text.

    `what` names the format that was expected.
    """
    if not data or data.isspace():
        refuse("The file is empty.", 1, None, what, "an empty file")
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            refuse(f"The file is {kind}, not {what}.", 1, None, what, kind)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "The file is encoded as UTF-16. Save it as UTF-8."
        refuse(message, 1, None, "UTF-8 text", "UTF-16 text")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (place := data.find(b"\0")) >= 0:
        message = "The file holds a zero byte: it is binary, or UTF-16. Save it as UTF-8 text."
        refuse(message, data.count(b"\n", 0, place) + 1, None, "UTF-8 text", "a zero byte")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"The file is not UTF-8 text (line {line}). Save it as UTF-8."
            refuse(message, line, None, "UTF-8 text", f"the byte 0x{data[error.start]:02x}")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def check_lines(data: bytes, most: int | None) -> None:
    """Refuse a text of more lines than any file of this challenge has, before they are parted."""
    if most is not None and (lines := data.count(b"\n")) > most:
        message = f"The file has {lines} lines. That is far more than there are ids."
        refuse(message, most + 1, None, f"at most {most} lines", f"{lines} lines")


@dataclass(frozen=True)
class Lines:
    """A text a line; line i belongs to the i-th id."""

    ids: NDArray[Any]
    texts: NDArray[Any]
    place: str = "line"

    @property
    def rows(self) -> int:
        """Number of lines."""
        return len(self.texts)

    def read(self, column: Column) -> tuple[NDArray[Any], list[int]]:
        """The ids or the texts; every line can be read."""
        return (self.texts if column.type in TEXTS else self.ids), []

    def where(self, row: int, name: str) -> tuple[int | None, str]:
        """Line and column of a value."""
        return row + 1, name

    def got(self, row: int, name: str) -> str:
        """A line as messages quote it."""
        return shown(self.texts[row])


def read_lines(data: bytes, schema: Schema, ids: NDArray[Any] | None) -> Lines:
    """The lines of a .txt, one for each id in the ids' order; without ids they are 1, 2, ...

    An empty line is an empty text; only a line feed ends a line, with or without a return.
    SubmissionError if there are more or fewer lines than ids.
    """
    data = text_bytes(data, "text")
    check_lines(data, None if ids is None else len(ids))
    lines = data.decode().removesuffix("\n").split("\n")
    if ids is not None and len(lines) != len(ids):
        refuse(
            f"The file has {len(lines)} lines. It needs one for each of the {len(ids)} ids.",
            min(len(lines), len(ids)) + 1,
            schema.columns[0].name,
            f"{len(ids)} lines",
            f"{len(lines)} lines",
        )
    texts = np.array([line.removesuffix("\r") for line in lines], object)
    return Lines(np.arange(1, len(lines) + 1) if ids is None else ids, texts)
