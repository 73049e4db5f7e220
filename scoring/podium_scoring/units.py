"""What a score is made from, kept so that its uncertainty can be told.

Three records: `Sums` (statistics that add up over units), `Confusion` (a table of counts) and
`Weighted` (anything else that can be computed with a weight for each unit). Each gives the
value and a 95 % interval by resampling units; the interval is the same for the same seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

RESAMPLES = 1000
LEVEL = 0.95
Z = 1.959963984540054  # the normal distribution's 97.5 % point
CHUNK_CELLS = 4_000_000  # weights held at once, 32 MB


class Units(Protocol):
    """What a metric function returns."""

    @property
    def n(self) -> int:
        """Number of units: rows, images, sentences, users, seeds."""

    def value(self) -> float:
        """The metric."""

    def interval(self, seed: int) -> Interval:
        """Its 95 % interval."""


@dataclass(frozen=True)
class Sums:
    """A metric of sums over units: `reduce(sums of shape (..., k), n) -> (...)`.

    `values` has shape (n, k). With `is_share` the value is a share of units that are right
    (zeros and ones, k = 1) and the interval is Wilson's, without resampling.
    """

    values: Floats
    reduce: Callable[[Floats, int], Floats]
    is_share: bool = False

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.values)

    def value(self) -> float:
        """The metric over all units."""
        return float(self.reduce(self.values.sum(axis=0), self.n))

    def interval(self, seed: int) -> Interval:
        """Wilson's for shares, else the percentile bootstrap over units."""
        if self.is_share:
            return wilson(self.value(), self.n)
        generator = np.random.default_rng(seed)
        draws = np.empty(RESAMPLES)
        step = max(1, min(RESAMPLES, CHUNK_CELLS // max(1, self.n)))
        even = np.full(self.n, 1 / self.n)
        for start in range(0, RESAMPLES, step):
            count = min(step, RESAMPLES - start)
            weights = generator.multinomial(self.n, even, size=count)
            draws[start : start + count] = self.reduce(weights @ self.values, self.n)
        return percentiles(draws)


@dataclass(frozen=True)
class Confusion:
    """A metric of counts: `reduce(counts of shape (..., k, k)) -> (...)`.

    Resampling rows is resampling cells, which costs the same for ten rows and ten million.
    """

    counts: Floats
    reduce: Callable[[Floats], Floats]

    @property
    def n(self) -> int:
        """Number of rows counted."""
        return int(self.counts.sum())

    def value(self) -> float:
        """The metric of the table."""
        return float(self.reduce(self.counts))

    def interval(self, seed: int) -> Interval:
        """Multinomial bootstrap of the cells."""
        generator = np.random.default_rng(seed)
        shares = (self.counts / self.n).ravel()
        draws = generator.multinomial(self.n, shares, size=RESAMPLES)
        return percentiles(self.reduce(draws.reshape(-1, *self.counts.shape).astype(float)))


@dataclass(frozen=True)
class Weighted:
    """A metric that is computed anew with a weight for each unit: `at(weights) -> float`.

    With `centred` the resamples are shifted so that their mean is the value: for metrics that
    rise when units repeat, as precisions that are made non-increasing do.
    """

    n: int
    at: Callable[[Floats], float]
    resamples: int = RESAMPLES
    centred: bool = False

    def value(self) -> float:
        """The metric with every unit once."""
        return self.at(np.ones(self.n))

    def interval(self, seed: int) -> Interval:
        """Percentile bootstrap over units; resamples without a value (one class) are left out."""
        generator = np.random.default_rng(seed)
        even = np.full(self.n, 1 / self.n)
        draws = (
            self.at(generator.multinomial(self.n, even).astype(float))
            for _ in range(self.resamples)
        )
        values = np.fromiter(draws, float, self.resamples)
        if self.centred and np.isfinite(values).any():
            values += self.value() - np.nanmean(values)
        return percentiles(values)


@dataclass(frozen=True)
class Linear:
    """A value with the effect of each unit on it, where resampling would be biased or too dear.

    `effects` are the influence of each unit (its deviation, for a mean; n - 1 times the change
    on leaving it out, for the jackknife). The interval is Student's: estimate ± t · s / √n,
    clipped to floor and ceiling; none for a single unit. Source: Efron and Tibshirani 1993, ch. 11
    and 22.
    """

    estimate: float
    effects: Floats
    floor: float = -math.inf
    ceiling: float = math.inf

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.effects)

    def value(self) -> float:
        """The metric over all units."""
        return self.estimate

    def interval(self, seed: int) -> Interval:
        """Student's, the same for every seed."""
        if self.n < 2:
            return math.nan, math.nan
        from scipy.special import stdtrit

        spread = float(stdtrit(self.n - 1, (1 + LEVEL) / 2) * self.effects.std(ddof=1))
        half = spread / math.sqrt(self.n)
        return max(self.floor, self.estimate - half), min(self.ceiling, self.estimate + half)


def wilson(share: float, n: int) -> Interval:
    """Wilson's score interval of a share of `n` units (Wilson 1927, without continuity term)."""
    spread = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    middle = share + Z * Z / (2 * n)
    scale = 1 + Z * Z / n
    # At 0 and 1 the exact bound is the share itself; rounding must not step over it.
    low = 0.0 if share == 0 else (middle - spread) / scale
    high = 1.0 if share == 1 else (middle + spread) / scale
    return low, high


def percentiles(draws: Floats) -> Interval:
    """The central 95 % of the finite draws; NaN twice if there are none."""
    finite = draws[np.isfinite(draws)]
    if not len(finite):
        return math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)
