"""A column of a file: its type, and what may stand in it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError

TYPES = ("integer", "number", "string", "items", "runs")
TEXTS = ("string", "items", "runs")  # types that are text in a file
LONGEST = 10_000  # characters of a text where `high` says no other number
MOST_SHOWN = 20  # allowed values in a message


@dataclass(frozen=True)
class Column:
    """A column of a file: its type, its shape in a row, and what may stand in it.

    Text has at most `high` characters, or 10,000, as some metrics take time that grows faster than
    its length. Items are words parted by blanks, each once, at most `high` of them; runs are the
    run lengths of a mask of `shape`. `allowed` lists the values, as text; `optional` lets text be
    empty. `shape` is for arrays and images besides: (height, width) of grey or palette images,
    (height, width, 3) of colour ones.
    """

    name: str
    type: str = "string"
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] | None = None
    shape: tuple[int, ...] = ()
    optional: bool = False

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ChallengeError(
                f"Column {self.name!r} has type {self.type!r}. Types are {', '.join(TYPES)}."
            )
        if any(not isinstance(size, int) or size < 1 for size in self.shape):
            raise ChallengeError(
                f"Column {self.name!r} has shape {self.shape}. Its sizes are whole and from 1."
            )
        if self.type == "runs" and len(self.shape) != 2:
            raise ChallengeError(
                f"Column {self.name!r} holds run lengths and has shape {self.shape}. It is "
                "(height, width)."
            )
        if self.type == "integer":
            for value in self.allowed or ():
                if not value.lstrip("-").isdecimal():
                    raise ChallengeError(
                        f"Column {self.name!r} allows {value!r}. It is of integers: name those."
                    )

    @property
    def is_image(self) -> bool:
        """Whether a row is an image: grey or by palette, or of three colours."""
        return self.type == "integer" and len(self.shape) in (2, 3) and self.shape[2:] in ((), (3,))

    @property
    def longest(self) -> int:
        """Characters that a text may have."""
        return LONGEST if self.high is None else int(self.high)

    @property
    def expected(self) -> str:
        """What fits, in words: "an integer from 0 to 9"."""
        if self.allowed is not None:
            more = ", …" if len(self.allowed) > MOST_SHOWN else ""
            return f"one of {', '.join(self.allowed[:MOST_SHOWN])}{more}"
        if self.type == "items":
            most = f", at most {self.high:g}" if self.high is not None else ""
            return f"items parted by blanks, each once{most}"
        if self.type == "runs":
            height, width = self.shape
            return f"starts and lengths in turn, of a mask of {height} x {width}"
        if self.type == "string":
            return f"text of at most {self.longest} characters"
        noun = "an integer" if self.type == "integer" else "a finite number"
        if self.low is not None and self.high is not None:
            return f"{noun} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{noun} of at least {self.low:g}"
        if self.high is not None:
            return f"{noun} of at most {self.high:g}"
        return noun

    def misfits(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of these values are not allowed, of the same shape."""
        if self.type in TEXTS:
            fits = {"string": self._fits, "items": self._are_items, "runs": self._are_runs}
            bad = [not fits[self.type](text) for text in values.tolist()]
            return np.array(bad, np.bool_).reshape(values.shape)
        outside = np.zeros(values.shape, np.bool_)
        if self.low is not None:
            outside |= values < self.low
        if self.high is not None:
            outside |= values > self.high
        if self.allowed is not None:
            outside |= ~np.isin(values, [float(value) for value in self.allowed])
        return outside

    def _fits(self, text: str) -> bool:
        if text == "":
            return self.optional
        return len(text) <= self.longest and (self.allowed is None or text in self.allowed)

    def _are_items(self, text: str) -> bool:
        items = text.split()
        if not items or len(set(items)) < len(items):
            return self.optional and not items
        return (self.high is None or len(items) <= self.high) and (
            self.allowed is None or not set(items).difference(self.allowed)
        )

    def _are_runs(self, text: str) -> bool:
        from podium_scoring.segmentation import runs_fault

        return not runs_fault(text, self.shape[0] * self.shape[1])


def column_of(table: Mapping[str, Any]) -> Column:
    """The column of a table as in challenge.toml; ChallengeError for a key that there is not."""
    known = {one.name for one in fields(Column)}
    given = {key: value for key, value in table.items() if key != "description"}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise ChallengeError(
            f"A column has {unknown[0]!r}. Columns have {', '.join(sorted(known))}."
        )
    for name in ("allowed", "shape"):
        if given.get(name) is not None:
            given[name] = tuple(given[name])
    if given.get("allowed") is not None:
        given["allowed"] = tuple(map(str, given["allowed"]))
    return Column(**given)
