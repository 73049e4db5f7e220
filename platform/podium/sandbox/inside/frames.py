"""Length-prefixed binary frames over a pipe: a kind, and named arrays or texts, without JSON.

Used on both sides. What comes out of a sandbox is hostile: every length and shape is checked
against the bytes that are there before anything is made of it.

    frame = length (u32) · kind (u8) · number of fields (u8) · fields
    field = length of name (u8) · name · type (u8) · dimensions (u8) · shape (u32 each) · bytes
"""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOAD, ASK, RESET, READY, ANSWER, FAILED = range(1, 7)  # kinds

Array = NDArray[Any]
Field = Array | str
TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
DTYPES = tuple(np.dtype(name).newbyteorder("<") for name in TYPES)
CODES = {dtype: code for code, dtype in enumerate(DTYPES)}
TEXT = 255
DEEPEST = 8  # dimensions
LARGEST = 0xFFFFFFFF
HEAD = struct.Struct("<IBB")
SHAPES = tuple(struct.Struct(f"<{count}I") for count in range(DEEPEST + 1))


class FrameError(ValueError):
    """Bytes that are no frame, or a value that no frame can carry."""


def pack(kind: int, fields: Mapping[str, Field]) -> list[bytes | memoryview]:
    """The frame as pieces to be written one after the other; large arrays are not copied.

    Raises FrameError for types that a frame does not carry (objects, complex numbers, dates).
    """
    pieces: list[bytes | memoryview] = [b""]
    size = HEAD.size - 4
    for name, value in fields.items():
        label = name.encode()
        if isinstance(value, str):
            data: bytes | memoryview = value.encode(errors="replace")
            head = bytes((len(label),)) + label + bytes((TEXT, 1)) + SHAPES[1].pack(len(data))
        else:
            code = CODES.get(value.dtype)
            if code is None or value.ndim > DEEPEST:
                raise FrameError(
                    f"{name!r} is an array of {value.dtype} with {value.ndim} dimensions. "
                    f"Booleans, integers and floats with at most {DEEPEST} can be sent."
                )
            head = bytes((len(label),)) + label + bytes((code, value.ndim))
            head += SHAPES[value.ndim].pack(*value.shape)
            data = value.tobytes() if value.nbytes < 4096 else _bytes(value)
        pieces += (head, data)
        size += len(head) + len(data)
    if size > LARGEST:
        raise FrameError(f"A frame of {size} bytes is too large. Send smaller batches.")
    pieces[0] = HEAD.pack(size, kind, len(fields))
    return pieces


def unpack(body: bytes | bytearray | memoryview) -> tuple[int, dict[str, Field]]:
    """Kind and fields of a frame without its length; arrays are views of `body`.

    Raises FrameError if the bytes do not add up.
    """
    view = memoryview(body)
    if len(view) < 2:
        raise FrameError("A frame is cut off before its kind.")
    fields: dict[str, Field] = {}
    at = 2
    try:
        for _ in range(view[1]):
            name_end = at + 1 + view[at]
            name = str(view[at + 1 : name_end], "ascii")
            code, dimensions = view[name_end], view[name_end + 1]
            shape = SHAPES[dimensions].unpack_from(view, name_end + 2)
            at = name_end + 2 + 4 * dimensions
            dtype = DTYPES[5] if code == TEXT else DTYPES[code]
            count = 1
            for length in shape:
                count *= length
            end = at + count * dtype.itemsize
            if end > len(view):
                raise FrameError(
                    f"{name!r} says it is {shape}, which is more than the frame holds."
                )
            if code == TEXT:
                fields[name] = str(view[at:end], "utf-8", "replace")
            else:
                fields[name] = np.frombuffer(view[at:end], dtype).reshape(shape)
            at = end
    except (IndexError, UnicodeDecodeError, struct.error):
        raise FrameError(
            "A frame is cut off, or its fields are not described as they are."
        ) from None
    if at != len(view):
        raise FrameError(f"A frame has {len(view) - at} bytes more than its fields.")
    return view[0], fields


def _bytes(value: Array) -> memoryview:
    """The bytes of an array, in rows; copied only if they do not lie so."""
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
