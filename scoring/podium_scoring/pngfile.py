"""A zip of PNG images to one column of arrays; a member's name is its id."""

import io
import math
import struct
import zlib
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from podium_scoring.archive import Archive
from podium_scoring.arrays import Arrays
from podium_scoring.column import Column
from podium_scoring.faults import Faults, refuse, shown
from podium_scoring.schema import Schema

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_START = 26  # bytes, with the size, the depth of a colour and the kind of colours
_MODES = {2: ("1", "L", "P"), 3: ("RGB",)}
_FORMS = {2: "a grey or palette image of at most 8 bits", 3: "an RGB image of 8 bits"}
_SPARE = 2**20  # bytes that a member may have besides its pixels


def read_images(data: bytes, schema: Schema, most: int | None = None) -> Arrays:
    """The images of a zip, (n, height, width) or (n, height, width, 3) of bytes.

    SubmissionError that names the member at fault. Every image has the column's shape, so that
    its size is known before it is decoded. `most` bounds the members.
    """
    column = schema.columns[0]
    archive = Archive(data, "a zip of PNG images")
    names = list(archive.members)
    if most is not None and len(names) > most:
        got = f"{len(names)} members"
        refuse(f"The archive has {got}.", 1, None, f"at most {most} members", got)
    faults = Faults(place="image")
    ids: list[int | str] = []
    images = np.zeros((len(names), *column.shape), np.uint8)
    for row, name in enumerate(names):
        path = PurePosixPath(name)
        number = _id(path.stem, schema.id)
        if path.suffix.lower() != ".png" or number is None:
            wanted = "a whole number" if schema.id.type == "integer" else "an id"
            faults.add(row + 1, None, f"{wanted}, then .png", shown(name))
            continue
        ids.append(number)
        fault = _decode(archive, name, column, images[row])
        if fault:
            height, width = column.shape[:2]
            form = _FORMS[len(column.shape)]
            faults.add(row + 1, name, f"{form}, {height} x {width} pixels", fault)
    faults.check()
    kind = np.int64 if schema.id.type == "integer" else object
    columns = {schema.id.name: np.array(ids, kind), column.name: images}
    return Arrays(columns, len(names), place="image", names=tuple(names))


def _id(stem: str, column: Column) -> int | str | None:
    if column.type == "string":
        return stem or None
    digits = stem.removeprefix("-")
    return int(stem) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None


def _decode(archive: Archive, name: str, column: Column, into: NDArray[np.uint8]) -> str:
    """Put the pixels of a member into its place; what is wrong with it, "" for nothing."""
    start = archive.start(name, _START)
    if not start.startswith(_SIGNATURE) or len(start) < _START:
        return "no PNG image"
    width, height, depth = struct.unpack(">IIB", start[16:25])
    if (height, width) != column.shape[:2] or depth > 8:
        return f"{height} x {width} of {depth} bits"
    content = archive.read(name, 2 * math.prod(column.shape) + _SPARE)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.mode not in _MODES[len(column.shape)]:
                return f"mode {image.mode}"
            into[...] = np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        return f"a damaged image ({str(error)[:60] or type(error).__name__})"
    return ""
