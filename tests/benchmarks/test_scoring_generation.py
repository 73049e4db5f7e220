"""Speed of the Fréchet distance of 2048 features: the ratio to the bare linear algebra."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm

from podium_scoring.generation import Frechet, frechet_distance

pytestmark = pytest.mark.benchmark


def test_frechet_is_many_times_faster_than_a_matrix_square_root(
    race: Callable[..., dict[str, float]],
) -> None:
    draw = np.random.default_rng(0)
    d, n = 2048, 4096
    fakes = draw.normal(size=(n, d)) * np.linspace(0.2, 2, d)
    mean, spread = fakes.mean(0), np.cov(fakes.T)
    mean2, spread2 = draw.normal(0, 0.1, d), np.cov(draw.normal(size=(n, d)).T)
    shift = mean - mean2

    def plain() -> float:
        root = sqrtm(spread @ spread2).real
        return float(shift @ shift + np.trace(spread) + np.trace(spread2) - 2 * np.trace(root))

    def bare() -> Any:
        root = np.linalg.cholesky(spread)
        return np.linalg.eigvalsh(root.T @ spread2 @ root)

    expected = plain()
    value = frechet_distance(mean, spread, mean2, spread2)
    assert value == pytest.approx(expected, rel=1e-9)
    times = race(
        frechet=lambda: frechet_distance(mean, spread, mean2, spread2),
        bare=bare,
        influence=lambda: Frechet(fakes, mean2, spread2).effects(),
        sqrtm=plain,
        runs=2,
    )
    assert times["frechet"] <= 0.2 * times["sqrtm"]
    assert times["frechet"] <= 1.15 * times["bare"]
