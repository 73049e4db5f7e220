"""What a score is made from, kept so that its uncertainty can be told.

Four records: `Sums` (statistics that add up over units), `Confusion` (a table of counts),
`Weighted` (anything that can be computed with a weight for each unit) and `Linear` (a value with
each unit's effect on it). Each gives the value, a 95 % interval, the same for the same seed, and
a number for each unit by which boards compare teams.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Interval = tuple[float, float]

RESAMPLES = 1000
REPEATED = 400  # resamples where each costs a pass over the units
LEVEL = 0.95
Z = 1.959963984540054  # the normal distribution's 97.5 % point
CHUNK_CELLS = 1_000_000  # weights held at once, 8 MB
BLOCK_ROWS = 1 << 15  # counted at once, 256 kB
MOST_RESAMPLED = 10_000  # units, or blocks of them
BINOMIAL_COST = 10  # of drawing a cell's count, in draws of a row
GROUPS = 200  # that are left out in turn
STEP = 1e-5  # of sums, for a slope


class Units(Protocol):
    """What a metric function returns."""

    @property
    def n(self) -> int:
        """Number of units: rows, images, sentences, users, seeds."""

    def value(self) -> float:
        """The metric."""

    def interval(self, seed: int) -> Interval:
        """Its 95 % interval."""

    def losses(self) -> Floats:
        """A number for each unit (n,), whose mean is the metric; boards compare teams by them.

        Of a mean, what is averaged; of anything else the value and the unit's influence on it,
        so that differences of teams are right to first order.
        """


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
        """Wilson's for shares, else the percentile bootstrap over units.

        Beyond 10,000 units blocks of them are resampled, whose sums vary as much.
        """
        if self.is_share:
            return wilson(self.value(), self.n)
        values = self.values
        if self.n > MOST_RESAMPLED:
            starts = np.linspace(0, self.n, MOST_RESAMPLED, endpoint=False).astype(np.int64)
            values = np.add.reduceat(values, starts, axis=0)
        draws = [
            self.reduce(weights @ values, self.n)
            for weights in weight_blocks(seed, len(values), RESAMPLES)
        ]
        return percentiles(np.concatenate(draws))

    def losses(self) -> Floats:
        """What is averaged; of other functions of the sums, by their slope."""
        mean, value = self.values.mean(axis=0), self.value()
        steps = np.maximum(np.abs(mean), 1e-6) * STEP
        more = self.reduce((mean + np.diag(steps)) * self.n, self.n)
        slope = np.nan_to_num((more - value) / steps)
        losses: Floats = value + (self.values - mean) @ slope
        return losses


def _table(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """How often each pair truth * classes + predicted occurs (classes²,).

    Rows are taken in blocks that stay in the processor's cache, unless the table does not.
    """
    cells, n = classes**2, len(truth)
    block = BLOCK_ROWS if cells <= BLOCK_ROWS else max(n, 1)
    table = np.zeros(cells, np.int64)
    pairs = np.empty(min(block, n), np.int64)
    for start in range(0, n, block):
        kept = pairs[: min(block, n - start)]
        np.multiply(truth[start : start + block], classes, out=kept)
        kept += predicted[start : start + block]
        table += np.bincount(kept, minlength=cells)
    return table


@dataclass(frozen=True)
class Confusion:
    """A metric of the counts of pairs (true class, predicted class).

    `reduce(right, truth, predicted, cost) -> (...)` takes the counts of each class (..., k): rows
    that are right, that are truly of it, that are predicted as it; and the sum of the costs of
    all rows (...). Resampling rows is resampling cells, the pairs that occur, which costs the
    same for ten thousand rows and ten million.
    """

    truth: Integers  # of each row
    predicted: Integers
    cells: Integers  # the pairs truth * classes + predicted that occur, in order
    counts: Integers  # of each cell
    classes: int
    reduce: Callable[[Floats, Floats, Floats, Floats], Floats]
    costs: Floats | None = None  # of each cell

    @classmethod
    def of(
        cls,
        truth: Integers,
        predicted: Integers,
        classes: int,
        reduce: Callable[[Floats, Floats, Floats, Floats], Floats],
        cost: Callable[[Integers, Integers], Floats] | None = None,
    ) -> "Confusion":
        """The table of rows whose classes are numbered from 0; `cost(truth, predicted)`."""
        if classes**2 <= CHUNK_CELLS:
            table = _table(truth, predicted, classes)
            cells = np.flatnonzero(table)
            counts = table[cells]
        else:
            pairs = truth * np.int64(classes) + predicted
            cells, counts = np.unique(pairs, return_counts=True)
        costs = None if cost is None else cost(cells // classes, cells % classes)
        return cls(truth, predicted, cells, counts, classes, reduce, costs)

    @cached_property
    def of_row(self) -> Integers:
        """The place of each row's pair among the cells."""
        return np.searchsorted(self.cells, self.truth * np.int64(self.classes) + self.predicted)

    @property
    def n(self) -> int:
        """Number of rows counted."""
        return len(self.truth)

    def value(self) -> float:
        """The metric of the table."""
        return float(self._of(self.counts[None].astype(np.float64))[0])

    def _of(self, counts: Floats) -> Floats:
        """The metric of resampled counts (resamples, cells)."""
        truth, predicted = np.divmod(self.cells, self.classes)
        right = np.zeros((len(counts), self.classes))
        right[:, truth[truth == predicted]] = counts[:, truth == predicted]
        cost = np.zeros(len(counts)) if self.costs is None else counts @ self.costs
        of_truth, of_predicted = self._sums(counts, truth), self._sums(counts, predicted)
        return self.reduce(right, of_truth, of_predicted, cost)

    def _sums(self, counts: Floats, names: Integers) -> Floats:
        """Sums of cells by class (resamples, classes)."""
        order = np.argsort(names, kind="stable")
        found, starts = np.unique(names[order], return_index=True)
        sums = np.zeros((len(counts), self.classes))
        sums[:, found] = np.add.reduceat(counts[:, order], starts, axis=1)
        return sums

    def interval(self, seed: int) -> Interval:
        """Multinomial bootstrap of the cells, or of the rows where those are fewer."""
        generator = np.random.default_rng(seed)
        cells, draws = len(self.counts), []
        step = max(1, CHUNK_CELLS // max(cells, self.classes))
        for start in range(0, RESAMPLES, step):
            size = min(step, RESAMPLES - start)
            if self.n < BINOMIAL_COST * cells:
                drawn = generator.integers(0, self.n, (size, self.n))
                rows = [np.bincount(self.of_row[one], minlength=cells) for one in drawn]
                counts = np.array(rows, np.float64)
            else:
                shares = self.counts / self.n
                counts = generator.multinomial(self.n, shares, size=size).astype(np.float64)
            draws.append(self._of(counts))
        return percentiles(np.concatenate(draws))

    def losses(self) -> Floats:
        """By the change of the value on one more row in a cell."""
        value, counts = self.value(), self.counts.astype(np.float64)
        effects = np.empty(len(counts))
        step = max(1, CHUNK_CELLS // max(len(counts), self.classes))
        for start in range(0, len(counts), step):
            cells = np.arange(start, min(start + step, len(counts)))
            more = np.repeat(counts[None], len(cells), axis=0)
            more[np.arange(len(cells)), cells] += 0.5
            effects[cells] = (self._of(more) - value) * (self.n + 0.5) / 0.5
        effects -= (effects * counts).sum() / self.n
        return value + effects[self.of_row]


@dataclass(frozen=True)
class Weighted:
    """A metric that is computed anew with a weight for each unit: `at(weights) -> float`.

    With `centred` the resamples are shifted so that their mean is the value: for metrics that
    rise when units repeat, as precisions that are made non-increasing do.
    """

    n: int
    at: Callable[[Floats], float]
    resamples: int = REPEATED
    centred: bool = False

    def value(self) -> float:
        """The metric with every unit once."""
        return self.at(np.ones(self.n))

    def interval(self, seed: int) -> Interval:
        """Percentile bootstrap over units; resamples without a value (one class) are left out.

        Beyond 100,000 units a tenth of the resamples has to do.
        """
        count = self.resamples if self.n <= 10 * MOST_RESAMPLED else max(100, self.resamples // 10)
        blocks = weight_blocks(seed, self.n, count)
        values = np.array([self.at(weights) for block in blocks for weights in block])
        if self.centred and np.isfinite(values).any():
            values += self.value() - np.nanmean(values)
        return percentiles(values)

    def losses(self) -> Floats:
        """By leaving out one of at most 200 groups of units at a time.

        Units share their group's effect, made larger by as much as drawing them apart loses.
        """
        group = np.arange(self.n) * min(self.n, GROUPS) // self.n
        value, number = self.value(), int(group[-1]) + 1
        left = np.array([self.at((group != one).astype(np.float64)) for one in range(number)])
        effects = np.nan_to_num((number - 1) * (value - left)) * math.sqrt(self.n / number)
        losses: Floats = value + effects[group] - effects[group].mean()
        return losses


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

    def losses(self) -> Floats:
        """The value and each unit's effect."""
        losses: Floats = self.estimate + self.effects - self.effects.mean()
        return losses


def weight_blocks(seed: int, n: int, count: int) -> Iterator[Floats]:
    """Weights of `count` resamples of `n` units, in blocks (some, n): how often each is drawn."""
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK_CELLS // max(1, n))
    for start in range(0, count, step):
        size = min(step, count - start)
        block = np.empty((size, n))
        for row in range(size):
            block[row] = np.bincount(generator.integers(0, n, n), minlength=n)
        yield block


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
