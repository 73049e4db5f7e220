"""What a metric is: a frozen record that says all there is to know before it is computed."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from podium_scoring.errors import ChallengeError
from podium_scoring.units import Units

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Kind:
    """What a metric takes, in words, and whether predictions and answers are pairs."""

    predictions: str
    answers: str
    aligned: bool = True


KINDS = {
    "classes": Kind("a class a row", "a class a row"),
    "grades": Kind("a whole number a row", "a whole number a row"),
    "probabilities": Kind("a probability a row and class", "a class a row"),
    "numbers": Kind("a number a row", "a number a row"),
    "boxes": Kind("COCO results", "COCO annotations", aligned=False),
    "masks": Kind("a mask an image", "a mask an image"),
    "texts": Kind("a text a row", "one or more texts a row"),
    "replies": Kind("a text a row", "nothing that matters", aligned=False),
    "candidates": Kind("a score a row and candidate", "the place of the true one, from 0"),
    "lists": Kind("items a user, the best first", "relevant items a user, with gains or without"),
    "images": Kind("images, or their features", "real images, or features", aligned=False),
    "episodes": Kind("the result of an episode", "its seed, or opening"),
    "frames": Kind("the columns of the file", "the columns of the answers"),
    "games": Kind("the first agent's outcome", "both agents' names"),
}


@dataclass(frozen=True)
class Option:
    """A setting of a metric: its default, which also gives its type, and what it does."""

    default: Any
    help: str


@dataclass(frozen=True)
class Metric:
    """A metric by name. The function is imported when it is first used, so listing is cheap.

    `function` in `podium_scoring.<family>` takes (predictions, answers, *, options...) and returns
    Units. `takes` is a key of KINDS and says what those are. `libraries` are packages whose
    version may show in the value or its interval; they go into the signature.
    """

    name: str
    family: str
    title: str
    higher_is_better: bool
    best: float
    worst: float | None
    unit: str
    formula: str
    source: str
    options: Mapping[str, Option] = field(default_factory=dict)
    takes: str = "classes"
    cost: str = "one pass over the rows"
    libraries: tuple[str, ...] = ("numpy",)

    @property
    def aligned(self) -> bool:
        """Whether predictions and answers are pairs, row by row."""
        return KINDS[self.takes].aligned

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """These options in the types of their defaults; ChallengeError for what is none."""
        return {name: self._checked(name, value) for name, value in options.items()}

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self.options:
            known = ", ".join(self.options) or "none"
            raise ChallengeError(f"{self.name} has no option {name!r}. Its options: {known}.")
        kind = type(self.options[name].default)
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise ChallengeError(
                f"Option {name!r} of {self.name} is {value!r}. It is {WORDS[kind]}."
            )
        return value

    def compute(self, predictions: Any, answers: Any, **options: Any) -> Units:
        """The units of this metric; ChallengeError for an unknown option."""
        module = importlib.import_module(f"podium_scoring.{self.family}")
        function: Callable[..., Units] = getattr(module, self.name)
        chosen = {name: option.default for name, option in self.options.items()}
        chosen |= self.checked(options)
        return function(predictions, answers, **chosen)
