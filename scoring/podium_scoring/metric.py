"""What a metric is: a frozen record that says all there is to know before it is computed."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from podium_scoring.errors import ChallengeError
from podium_scoring.units import Units


@dataclass(frozen=True)
class Option:
    """A setting of a metric: its default, which also gives its type, and what it does."""

    default: Any
    help: str


@dataclass(frozen=True)
class Metric:
    """A metric by name. The function is imported when it is first used, so listing is cheap.

    `function` in `podium_scoring.<family>` takes (predictions, answers, *, options...) aligned
    by row and returns Units. `columns` says what a prediction is: "one" value a row or "many".
    Without `aligned`, predictions and answers are no pairs: boxes, or images of two collections.
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
    function: str = ""
    columns: str = "one"
    cost: str = "one pass over the rows"
    aligned: bool = True

    def compute(self, predictions: Any, answers: Any, **options: Any) -> Units:
        """The units of this metric; ChallengeError for an unknown option."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise ChallengeError(f"{self.name} has no option {name!r}. Its options: {known}.")
        module = importlib.import_module(f"podium_scoring.{self.family}")
        function: Callable[..., Units] = getattr(module, self.function or self.name)
        chosen = {name: option.default for name, option in self.options.items()} | options
        return function(predictions, answers, **chosen)
