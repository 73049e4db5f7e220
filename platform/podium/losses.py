"""What each unit contributed to a score, kept small: intervals, Ladder and integrity compare it.

Few distinct values (right and wrong) become codes of a byte or a bit, others single precision.
"""

import io
import math
import uuid
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.storage import Storage

Floats = NDArray[np.float64]
MOST_LEVELS = 256
DIGITS = 10  # kept of the largest value


def pack(losses: Mapping[str, Floats]) -> bytes:
    """The bytes to keep of each split's losses (n,).

    >>> unpack(pack({"public": np.array([1.0, 0.0, 1.0])}))["public"].tolist()
    [1.0, 0.0, 1.0]
    """
    arrays: dict[str, NDArray[Any]] = {}
    for split, exact in losses.items():
        values = _rounded(exact)
        levels, codes = np.unique(values, return_inverse=True)
        if len(levels) > MOST_LEVELS:
            arrays[f"{split}/values"] = np.asarray(values, np.float32)
            continue
        arrays[f"{split}/levels"] = levels
        arrays[f"{split}/length"] = np.array(len(values))
        narrow = codes.astype(np.uint8)
        arrays[f"{split}/codes"] = np.packbits(narrow) if len(levels) <= 2 else narrow
    out = io.BytesIO()
    # Real numbers hardly get smaller by being compressed, and a million take a second.
    save = np.savez if any(name.endswith("/values") for name in arrays) else np.savez_compressed
    save(out, **arrays)  # type: ignore[arg-type]  # its stub takes a flag by name
    return out.getvalue()


def _rounded(values: Floats) -> Floats:
    """Without the dust of sums: teams that are equal in a resample must stay so."""
    largest = float(np.abs(values).max(initial=0.0))
    decimals = DIGITS - math.ceil(math.log10(largest)) if 0 < largest < math.inf else DIGITS
    rounded: Floats = np.round(values, decimals) + 0.0  # and no negative zero
    return rounded


def unpack(data: bytes) -> dict[str, Floats]:
    """The losses of each split, as `pack` was given them."""
    found: dict[str, Floats] = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        for name in arrays:
            split, _, part = name.rpartition("/")
            if part == "values":
                found[split] = arrays[name].astype(np.float64)
            elif part == "levels":
                levels, codes = arrays[name], arrays[f"{split}/codes"]
                length = int(arrays[f"{split}/length"])
                if len(levels) <= 2:
                    codes = np.unpackbits(codes, count=length)
                found[split] = levels[codes]
    return found


def keep(storage: Storage, losses: Mapping[str, Floats]) -> str:
    """Make losses durable; returns their key."""
    data = pack(losses)
    name = uuid.uuid4().hex
    key = f"losses/{name[:2]}/{name}"
    with closing(storage.receive(len(data))) as incoming:
        incoming.write(data)
        storage.keep(incoming, key)
    return key


def read(storage: Storage, key: str) -> dict[str, Floats]:
    """The losses under a key, by split; FaultError if they are not there."""
    with storage.open(key) as file:
        return unpack(file.read())
