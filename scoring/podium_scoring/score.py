"""A score: the value, how sure it is, and how it was made."""

import functools
import importlib.metadata
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podium_scoring.errors import ChallengeError
from podium_scoring.registry import metric
from podium_scoring.signature import Signature
from podium_scoring.units import Units


@dataclass(frozen=True)
class Score:
    """A metric's value with its 95 % interval; `low` and `high` are None where there is none."""

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    higher_is_better: bool
    signature: Signature
    units: Units


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
    value = units.value()
    if not math.isfinite(value):
        raise ChallengeError(
            f"{name} is {value} on these answers: it is not defined here (too few rows of a "
            "class, or no spread). Choose another metric or split."
        )
    low, high = units.interval(seed)
    versions = {library: version(library) for library in chosen.libraries}
    return Score(
        metric=name,
        value=value,
        low=low if math.isfinite(low) else None,
        high=high if math.isfinite(high) else None,
        n=units.n,
        higher_is_better=chosen.higher_is_better,
        signature=Signature(name, answers_digest, seed, options, versions | dict(made_with or {})),
        units=units,
    )


@functools.cache
def version(library: str) -> str:
    """The installed version of a library."""
    return importlib.metadata.version(library)
