"""Length-prefixed binary frames over a pipe: a kind, and named arrays or texts, without JSON.

Used on both sides. What comes out of a sandbox is hostile: every length and shape is checked
against the bytes that are there before anything is made of it.

    frame       = length of what follows (u32) · kind (u8) · 3 zeros · length of description (u32)
                  · description · data
    description = for each field: length of name (u16) · type (u8) · dimensions (u8) · name
                  · shape (u32 each); then zeros up to a multiple of 8
    data        = for each field its bytes, then zeros up to a multiple of 8

A description says everything about the layout of a frame, and in a run it is nearly always the
same: what was worked out for it is remembered.
"""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOAD, ASK, RESET, READY, ANSWER, FAILED, PLACE = range(1, 8)  # kinds; PLACE has no answer

Array = NDArray[Any]
Field = Array | str
TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
DTYPES = tuple(np.dtype(name).newbyteorder("<") for name in TYPES)
CODES = {dtype: code for code, dtype in enumerate(DTYPES)}
TEXT = 255
DEEPEST = 8  # dimensions
LARGEST = 0xFFFFFFFF
HEAD = struct.Struct("<IB3xI")
BODY = struct.Struct("<B3xI")  # the same, when the length has been read
FIELD = struct.Struct("<HBB")
SHAPES = tuple(struct.Struct(f"<{count}I") for count in range(DEEPEST + 1))
LONGEST_REMEMBERED = 1024
REMEMBERED = 256  # layouts; a sandbox that makes up more has them forgotten

Layout = tuple[list[tuple[str, int, tuple[int, ...], int, int]], int]  # fields, end of the frame
_descriptions: dict[tuple[Any, ...], bytes] = {}
_layouts: dict[bytes, Layout] = {}


class FrameError(ValueError):
    """Bytes that are no frame, or a value that no frame can carry."""


def pack(kind: int, fields: Mapping[str, Field]) -> list[bytes | memoryview]:
    """The frame as pieces to be written one after the other; large arrays are not copied.

    Raises FrameError for types that a frame does not carry (objects, complex numbers, dates).
    """
    data: list[bytes | memoryview] = [b""]
    key: list[Any] = []
    size = 0
    for name, value in fields.items():
        if isinstance(value, str):
            content: bytes | memoryview = value.encode(errors="replace")
            key += (name, None, (len(content),))
        else:
            content = value.tobytes() if value.nbytes < 4096 else _bytes(value)
            key += (name, value.dtype, value.shape)
        count = len(content)
        data.append(content)
        if count % 8:
            data.append(bytes(8 - count % 8))
        size += count + -count % 8
    described = _described(tuple(key))
    size += BODY.size + len(described)
    if size > LARGEST:
        raise FrameError(f"A frame of {size} bytes is too large. Send smaller batches.")
    data[0] = HEAD.pack(size, kind, len(described)) + described
    return data


def unpack(body: bytes | bytearray | memoryview) -> tuple[int, dict[str, Field]]:
    """Kind and fields of a frame without its length; arrays are views of `body`.

    Raises FrameError if the bytes do not add up.
    """
    view = memoryview(body)
    if len(view) < BODY.size:
        raise FrameError("A frame is cut off before its description.")
    kind, count = BODY.unpack_from(view)
    start = BODY.size + count
    described = bytes(view[BODY.size : start])
    layout = _layouts.get(described)
    if layout is None:
        layout = _read(described)
        _remember(_layouts, described, layout)
    fields, size = layout
    if start + size != len(view):
        raise FrameError(
            f"A frame holds {len(view) - start} bytes of data; its description says {size}."
        )
    found: dict[str, Field] = {}
    for name, code, shape, at, end in fields:
        if code == TEXT:
            found[name] = str(view[start + at : start + end], "utf-8", "replace")
        else:
            found[name] = np.ndarray(shape, DTYPES[code], view, start + at)
    return kind, found


def _described(key: tuple[Any, ...]) -> bytes:
    """The description of fields given as name, type and shape, one after the other."""
    known = _descriptions.get(key)
    if known is not None:
        return known
    pieces: list[bytes] = []
    for name, dtype, shape in zip(key[::3], key[1::3], key[2::3], strict=True):
        code = TEXT if dtype is None else CODES.get(dtype)
        if code is None or len(shape) > DEEPEST:
            raise FrameError(
                f"{name!r} is an array of {dtype} with {len(shape)} dimensions. "
                f"Booleans, integers and floats with at most {DEEPEST} can be sent."
            )
        label = name.encode(errors="replace")
        pieces += (FIELD.pack(len(label), code, len(shape)), label, SHAPES[len(shape)].pack(*shape))
    described = b"".join(pieces)
    described += bytes(-len(described) % 8)
    _remember(_descriptions, key, described)
    return described


def _read(described: bytes) -> Layout:
    """The layout that a description says. Raises FrameError if it is none."""
    fields = []
    at = place = 0
    try:
        while len(described) - at >= 8 or any(described[at:]):
            length, code, dimensions = FIELD.unpack_from(described, at)
            name_at = at + FIELD.size
            name = described[name_at : name_at + length].decode()
            shape = SHAPES[dimensions].unpack_from(described, name_at + length)
            at = name_at + length + 4 * dimensions
            count = 1 if code == TEXT else DTYPES[code].itemsize
            for side in shape:
                count *= side
            fields.append((name, code, shape, place, place + count))
            place += count + -count % 8
    except (IndexError, UnicodeDecodeError, struct.error):
        raise FrameError("A frame is cut off, or its fields are not as described.") from None
    if place > LARGEST:
        raise FrameError(f"A frame says that it holds {place:,} bytes.")
    return fields, place


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    if len(key) <= LONGEST_REMEMBERED:
        if len(memory) >= REMEMBERED:
            memory.clear()
        memory[key] = value


def _bytes(value: Array) -> memoryview:
    """The bytes of an array, in rows; copied only if they do not lie so."""
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
