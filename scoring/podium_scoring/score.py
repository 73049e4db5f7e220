"""A score: the value, how sure it is, and how it was made."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from podium_scoring.errors import ChallengeError
from podium_scoring.metric import Metric
from podium_scoring.registry import metric
from podium_scoring.signature import Signature
from podium_scoring.units import Floats, Units


@dataclass(frozen=True)
class Score:
    """A metric's value, of n units; the interval is computed when it is first asked for."""

    metric: str
    value: float
    n: int
    higher_is_better: bool
    signature: Signature
    units: Units

    @cached_property
    def interval(self) -> tuple[float | None, float | None]:
        """The 95 % interval, by the signature's seed; None twice where there is none."""
        low, high = self.units.interval(self.signature.seed)
        return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return self.interval[0]

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return self.interval[1]

    @cached_property
    def losses(self) -> Floats:
        """A number for each unit (n,) whose mean is the value: what boards and Ladder compare."""
        return self.units.losses()


def compute(
    name: str,
    predictions: Any,
    answers: Any,
    *,
    seed: int = 0,
    answers_digest: str = "unnamed",
    made_with: Mapping[str, str] | None = None,
    **options: Any,
) -> Score:
    """Score predictions, aligned with the answers row by row if the metric takes pairs.

    >>> import numpy as np
    >>> compute("accuracy", np.array([1, 2, 3, 3]), np.array([1, 2, 3, 4])).value
    0.75
    """
    chosen = metric(name)
    if chosen.aligned and (len(predictions) != len(answers) or not len(answers)):
        raise ChallengeError(
            f"{name} got {len(predictions)} predictions and {len(answers)} answers. "
            "It takes as many of both, and at least one."
        )
    units = chosen.compute(predictions, answers, **options)
    return of_units(
        chosen,
        units,
        seed=seed,
        answers_digest=answers_digest,
        made_with=made_with,
        options=options,
    )


def of_units(
    chosen: Metric,
    units: Units,
    *,
    seed: int,
    answers_digest: str,
    made_with: Mapping[str, str] | None = None,
    options: Mapping[str, Any],
) -> Score:
    """The score of a metric's units, with its signature; ChallengeError if it is not finite."""
    value = units.value()
    if not math.isfinite(value):
        raise ChallengeError(
            f"{chosen.name} is {value} on these answers: it is not defined here (too few rows of a "
            "class, or no spread). Choose another metric or split."
        )
    versions = {library: version(library) for library in chosen.libraries}
    made = versions | dict(made_with or {})
    return Score(
        metric=chosen.name,
        value=value,
        n=units.n,
        higher_is_better=chosen.higher_is_better,
        signature=Signature(chosen.name, answers_digest, seed, options, made),
        units=units,
    )


@functools.cache
def version(library: str) -> str:
    """The installed version of a library."""
    import importlib.metadata  # not at the top: it takes a third of the package's import

    return importlib.metadata.version(library)
