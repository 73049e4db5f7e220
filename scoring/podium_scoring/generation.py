"""Metrics of generated images, on features of a pinned network: how near, how good, how varied.

Predictions are features of the generated images (n, d), answers those of the real images (m, d);
`podium_scoring.features` makes them. A value means something only beside the name of the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.lapack import dsygst

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.units import Floats, Interval, Linear, Sums

BLOCK_CELLS = 8_000_000  # of a table of distances held at once, 64 MB
LARGEST = 1e30  # beyond it the kernel's third power could overflow
SINGULAR = 1e-12  # eigenvalues below this share of the largest are zero


def frechet(predictions: Any, answers: Any) -> "Frechet":
    """Fréchet distance of two normal distributions fitted to the features: 0 is best.

    ‖μ1 - μ2‖² + tr(Σ1 + Σ2 - 2 (Σ1 Σ2)^½). The value falls with n (it is biased by about d² / n
    for d features), so compare equal n only. The interval is normal, by the influence of each
    generated image, for the expectation at this n; real images are taken as fixed. To 1e-6 of
    tr Σ1 + tr Σ2. Source: Dowson and Landau 1982; Heusel et al. 2017.
    """
    fakes, reals = _features(predictions, answers, least=2)
    return Frechet(fakes, reals.mean(axis=0), _covariance(reals))


def kernel_distance(predictions: Any, answers: Any) -> Linear:
    """Unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³: 0 is best.

    It can be slightly negative. All pairs count, no subsets are drawn, so nothing is random. The
    interval is normal, by the influence of each generated image; real images are taken as fixed.
    To 1e-9. Source: Bińkowski et al. 2018.
    """
    fakes, reals = _features(predictions, answers, least=2)
    n, m = len(fakes), len(reals)
    within = _kernel_sums(fakes, fakes) - _kernel(np.einsum("ij,ij->i", fakes, fakes), fakes)
    between = _kernel_sums(fakes, reals)
    other = _kernel_sums(reals, reals) - _kernel(np.einsum("ij,ij->i", reals, reals), reals)
    first, cross = within.sum() / (n * (n - 1)), between.sum() / (n * m)
    value = first - 2 * cross + other.sum() / (m * (m - 1))
    effects = 2 * (within / (n - 1) - between / m - first + cross)
    return Linear(float(value), effects)


def generative_precision(predictions: Any, answers: Any, *, k: int = 3) -> Sums:
    """Share of generated images within the k-th neighbour's radius of a real one: 1 is best.

    Wilson's interval over generated images; real images are taken as fixed. Exact but for ties of
    distances at rounding error. Source: Kynkäänniemi et al. 2019.
    """
    fakes, reals = _features(predictions, answers, least=1, neighbours=k)
    return _share(_inside(fakes, reals, _radii(reals, k)) > 0)


def generative_recall(predictions: Any, answers: Any, *, k: int = 3) -> Sums:
    """Share of real images within the k-th neighbour's radius of a generated one: 1 is best.

    Wilson's interval over real images; generated images are taken as fixed. Exact as above.
    Source: Kynkäänniemi et al. 2019.
    """
    fakes, reals = _features(predictions, answers, least=k + 1)
    return _share(_inside(reals, fakes, _radii(fakes, k)) > 0)


def density(predictions: Any, answers: Any, *, k: int = 5) -> Sums:
    """Mean number of real images whose k-th radius holds a generated one, over k; more is better.

    About 1 for the real distribution, above 1 near modes. The unit is the generated image. Exact
    as above. Source: Naeem et al. 2020.
    """
    fakes, reals = _features(predictions, answers, least=1, neighbours=k)
    holders = _inside(fakes, reals, _radii(reals, k)) / k
    return Sums(holders[:, None], lambda sums, n: sums[..., 0] / n)


def coverage_manifold(predictions: Any, answers: Any, *, k: int = 5) -> Sums:
    """Share of real images whose k-th neighbour's radius holds a generated one: 1 is best.

    Wilson's interval over real images; generated images are taken as fixed. Exact as above.
    Source: Naeem et al. 2020.
    """
    fakes, reals = _features(predictions, answers, least=1, neighbours=k)
    return _share(_nearest(reals, fakes, 1)[:, 0] <= _radii(reals, k))


def copy_rate(predictions: Any, answers: Any, *, ratio: float = 1 / 3) -> Sums:
    """Share of generated images that copy a training image: 0 is best.

    An image is a copy if its distance to the nearest training image is at most `ratio` of that to
    the second nearest; equal training images count once. `answers` are the features of the
    training set. Wilson's interval over generated images. Source: after Yoon et al. 2023.
    """
    if not 0 < ratio < 1:
        raise ChallengeError(f"ratio is {ratio!r}. It must lie between 0 and 1.")
    fakes, reals = _features(predictions, answers, least=1)
    distinct = np.unique(reals, axis=0)
    if len(distinct) < 2:
        raise ChallengeError("The training images are all equal. Two different ones are needed.")
    nearest = _nearest(fakes, distinct, 2)
    return _share(nearest[:, 0] <= ratio**2 * nearest[:, 1])


@dataclass(frozen=True)
class Frechet:
    """The Fréchet distance of generated features from a real distribution; unit image."""

    fakes: Floats
    mean: Floats
    covariance: Floats

    @property
    def n(self) -> int:
        """Number of generated images."""
        return len(self.fakes)

    @cached_property
    def spread(self) -> Floats:
        """Covariance of the generated features."""
        return _covariance(self.fakes)

    @cached_property
    def distance(self) -> float:
        """The value, which takes cubic time in the number of features."""
        return frechet_distance(self.fakes.mean(axis=0), self.spread, self.mean, self.covariance)

    def value(self) -> float:
        """The distance."""
        return self.distance

    def effects(self) -> Floats:
        """First-order influence of each generated image.

        With T the map that carries the generated onto the real normal distribution, and x an
        image less its mean: 2 (μ1 - μ2)·x + xᵀ(I - T)x - tr((I - T) Σ1).
        """
        centred = self.fakes - self.fakes.mean(axis=0)
        values, vectors = np.linalg.eigh(self.spread)
        kept = values > SINGULAR * values[-1]
        root = np.sqrt(values[kept])
        # In the eigenvectors' coordinates: T = R⁻¹ (R Σ2 R)^½ R⁻¹ with R = Σ1^½.
        axes = vectors[:, kept]
        middle, turn = np.linalg.eigh((root[:, None] * (axes.T @ self.covariance @ axes)) * root)
        carried = ((centred @ axes) / root) @ turn
        squares = (centred**2).sum(axis=1) - carried**2 @ np.sqrt(middle.clip(0))
        linear = 2 * centred @ (self.fakes.mean(axis=0) - self.mean)
        effects: Floats = linear + squares - squares.mean()
        return effects

    def interval(self, seed: int) -> Interval:
        """Normal, the same for every seed."""
        return Linear(self.value(), self.effects(), floor=0.0).interval(seed)

    def losses(self) -> Floats:
        """The value and each image's influence."""
        return self.value() + self.effects()


def frechet_distance(mean: Floats, covariance: Floats, mean2: Floats, covariance2: Floats) -> float:
    """Fréchet distance of two normal distributions by Cholesky, by eigenvectors if singular.

    With Σ1 = L Lᵀ, the trace of (Σ1 Σ2)^½ is the sum of the square roots of the eigenvalues of
    the symmetric Lᵀ Σ2 L.
    """
    eigenvalues = np.linalg.eigvalsh(_product(covariance, covariance2))
    common = np.sqrt(eigenvalues.clip(0)).sum()
    difference = mean - mean2
    distance = difference @ difference + np.trace(covariance) + np.trace(covariance2) - 2 * common
    return max(0.0, float(distance))


def _product(covariance: Floats, covariance2: Floats) -> Floats:
    """A matrix whose lower half is that of Rᵀ Σ2 R, where R Rᵀ = Σ1."""
    try:
        root = cholesky(covariance, lower=True, check_finite=False)
        pivots = np.diag(root) ** 2
        if pivots.min() > 1e4 * SINGULAR * pivots.max():
            lower: Floats = dsygst(covariance2, root, itype=2, lower=1)[0]
            return lower
    except LinAlgError:
        pass
    values, vectors = np.linalg.eigh(covariance)
    kept = values > SINGULAR * values[-1]  # directions without variance give nothing
    axes = vectors[:, kept] * np.sqrt(values[kept])
    product: Floats = axes.T @ covariance2 @ axes
    return product


def _covariance(features: Floats) -> Floats:
    """Unbiased covariance (d, d)."""
    centred = features - features.mean(axis=0)
    matrix: Floats = centred.T @ centred / (len(features) - 1)
    return matrix


def _features(
    predictions: Any, answers: Any, least: int, neighbours: int = 1
) -> tuple[Floats, Floats]:
    """Both as finite tables with the same number of columns and rows enough."""
    if neighbours < 1 or least < 1:
        raise ChallengeError("k counts neighbours: 1 or more.")
    tables = []
    for values, fault, what in (
        (answers, ChallengeError, "real"),
        (predictions, SubmissionError, "generated"),
    ):
        try:
            table = np.asarray(values, np.float64)
        except (TypeError, ValueError) as error:
            raise fault(f"The features of the {what} images are no table: {error}.") from error
        if table.ndim != 2 or not table.shape[1]:
            raise fault(
                f"The features of the {what} images have shape {table.shape}. They must have a row "
                "for each image."
            )
        strange = ~(np.abs(table) < LARGEST).all(axis=1)
        if strange.any():
            row = int(strange.argmax())
            raise fault(
                f"Row {row + 1} of the {what} images' features is not finite, or above "
                f"{LARGEST:g}. Check that image."
            )
        tables.append(table)
    reals, fakes = tables
    if len(reals) < max(2, neighbours + 1):
        raise ChallengeError(
            f"There are {len(reals)} real images. At least {max(2, neighbours + 1)} are needed."
        )
    if len(fakes) < least:
        raise SubmissionError(
            f"There are {len(fakes)} generated images. At least {least} are needed."
        )
    if reals.shape[1] != fakes.shape[1]:
        raise SubmissionError(
            f"Generated images have {fakes.shape[1]} features, real ones {reals.shape[1]}. Use the "
            "same network."
        )
    return fakes, reals


def _kernel(products: Floats, features: Floats) -> Floats:
    base: Floats = products / features.shape[1] + 1
    return base * base * base  # ten times as fast as base**3


def _kernel_sums(rows: Floats, columns: Floats) -> Floats:
    """Sum of the kernel over all columns, for each row."""
    sums = np.empty(len(rows))
    for part in _blocks(len(rows), len(columns)):
        sums[part] = _kernel(rows[part] @ columns.T, rows).sum(axis=1)
    return sums


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows whose tables fit the memory allowed."""
    step = max(1, BLOCK_CELLS // columns)
    return (slice(start, start + step) for start in range(0, rows, step))


def _squares(rows: Floats, columns: Floats) -> Iterator[tuple[slice, Floats]]:
    """Squared distances of blocks of rows to all columns."""
    middle = columns.mean(axis=0)  # near zero, little is lost to cancellation
    rows, columns = rows - middle, columns - middle
    lengths, others = (np.einsum("ij,ij->i", table, table) for table in (rows, columns))
    for part in _blocks(len(rows), len(columns)):
        squares = lengths[part, None] + others - 2 * (rows[part] @ columns.T)
        yield part, np.maximum(squares, 0)


def _nearest(rows: Floats, columns: Floats, k: int) -> Floats:
    """Squared distances of each row to its k nearest columns, the nearest first."""
    nearest = np.empty((len(rows), k))
    for part, squares in _squares(rows, columns):
        nearest[part] = np.sort(np.partition(squares, k - 1, axis=1)[:, :k], axis=1)
    return nearest


def _radii(features: Floats, k: int) -> Floats:
    """Squared distance of each row to its k-th nearest other row."""
    return _nearest(features, features, k + 1)[:, k]


def _inside(rows: Floats, centres: Floats, radii: Floats) -> NDArray[np.int64]:
    """In how many balls around the centres each row lies."""
    holders = np.empty(len(rows), np.int64)
    for part, squares in _squares(rows, centres):
        holders[part] = (squares <= radii).sum(axis=1)
    return holders


def _share(flags: NDArray[np.bool_]) -> Sums:
    return Sums(flags.astype(np.float64)[:, None], lambda sums, n: sums[..., 0] / n, is_share=True)
