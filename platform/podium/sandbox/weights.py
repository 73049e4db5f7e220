"""Reads the head of a safetensors file: weights for an architecture that the challenge names.

    file = length of the head (u64) · head (JSON: name → dtype, shape, data_offsets) · data

The tensors themselves are only ever read inside the sandbox.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podium.sandbox.refusal import RefusedError

LARGEST_HEAD = 8 << 20
BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64"), 8),
}
FACTS = {"dtype", "shape", "data_offsets"}
META = "__metadata__"
NO_FILE = "This is no safetensors file"


@dataclass(frozen=True)
class Weight:
    """One tensor: its type as safetensors names it, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "Weight":
        """As it is written: `F32 [32, 1, 3, 3]`."""
        dtype, _, shape = text.partition(" ")
        return cls(dtype, tuple(json.loads(shape)))

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def is_weights(content: bytes) -> bool:
    """Whether these bytes mean to be a safetensors file: a head of a likely length, in braces."""
    return content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8


def read_weights(content: bytes) -> dict[str, Weight]:
    """The tensors by name. Raises RefusedError if the head and the bytes behind it differ."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(LARGEST_HEAD, len(content) - 8):
        raise RefusedError(f"{NO_FILE}: its head is cut off.")
    try:
        head = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{NO_FILE}: its head is no JSON ({error}).") from None
    if not isinstance(head, dict):
        raise RefusedError(f"{NO_FILE}: its head lists no tensors.")
    head.pop(META, None)
    ends = [0]
    weights = {}
    for name, facts in sorted(head.items(), key=lambda item: _begin(item[1])):
        weight, begin, end = _weight(name, facts)
        if begin != ends[-1] or end - begin != math.prod(weight.shape) * BYTES[weight.dtype]:
            raise RefusedError(f"{NO_FILE}: the bytes of {name!r} are not where its head says.")
        ends.append(end)
        weights[name] = weight
    if ends[-1] != len(content) - 8 - length:
        raise RefusedError(f"{NO_FILE}: it holds bytes that its head does not name.")
    return weights


def check_weights(content: bytes, wanted: Mapping[str, Weight], max_mib: int) -> None:
    """Refuse weights that are not those of the architecture: names, types and shapes."""
    if len(content) > max_mib << 20:
        raise RefusedError(
            f"The file has {len(content) / (1 << 20):.1f} MiB. At most {max_mib} MiB are allowed."
        )
    weights = read_weights(content)
    if missing := sorted(wanted.keys() - weights.keys()):
        raise RefusedError(f"The weights lack {missing[0]!r} and {len(missing) - 1} more.")
    if extra := sorted(weights.keys() - wanted.keys()):
        raise RefusedError(f"The architecture has no {extra[0]!r}; {len(extra)} such are given.")
    for name, weight in wanted.items():
        if weights[name] != weight:
            raise RefusedError(f"{name!r} is {weights[name]}. Expected {weight}.")


def _begin(facts: Any) -> int:
    """Where a tensor says that it begins; what is odd comes first and is refused there."""
    try:
        return int(facts["data_offsets"][0])
    except (TypeError, KeyError, IndexError, ValueError, OverflowError):
        return -1


def _weight(name: str, facts: Any) -> tuple[Weight, int, int]:
    if not isinstance(facts, dict) or facts.keys() != FACTS or str(facts["dtype"]) not in BYTES:
        raise RefusedError(f"{NO_FILE}: {name!r} is not described as a tensor.")
    numbers = [facts["shape"], facts["data_offsets"]]
    if not all(isinstance(row, list) and all(_is_size(item) for item in row) for row in numbers):
        raise RefusedError(f"{NO_FILE}: {name!r} has an odd shape or place.")
    if len(facts["data_offsets"]) != 2:
        raise RefusedError(f"{NO_FILE}: {name!r} has an odd shape or place.")
    begin, end = facts["data_offsets"]
    return Weight(facts["dtype"], tuple(facts["shape"])), begin, end


def _is_size(item: object) -> bool:
    return type(item) is int and 0 <= item < 1 << 48
