"""Metrics of generated images against scipy, scikit-learn and torch, literals and coverage."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from podium_scoring import generation
from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.generation import (
    copy_rate,
    coverage_manifold,
    density,
    frechet,
    frechet_distance,
    generative_precision,
    generative_recall,
    kernel_distance,
)

ALL: list[Callable[..., Any]] = [
    frechet,
    kernel_distance,
    generative_precision,
    generative_recall,
    density,
    coverage_manifold,
    copy_rate,
]


def images(seed: int, n: int = 120, m: int = 150, d: int = 6) -> tuple[Any, Any]:
    """Features of generated and real images: shifted, narrower, turned."""
    draw = np.random.default_rng(seed)
    turn = draw.normal(size=(d, d)) / np.sqrt(d)
    return draw.normal(0.3, 0.8, (n, d)) @ turn, draw.normal(size=(m, d))


@pytest.mark.parametrize("seed", range(4))
def test_frechet_equals_the_matrix_square_root_of_scipy(seed: int) -> None:
    fakes, reals = images(seed)
    first, second = np.cov(fakes.T), np.cov(reals.T)
    shift = fakes.mean(0) - reals.mean(0)
    expected = shift @ shift + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet(fakes, reals).value() == pytest.approx(expected, abs=1e-9)


def test_frechet_equals_torch_on_more_features() -> None:
    fakes, reals = images(9, n=400, m=400, d=64)
    first, second = torch.tensor(np.cov(fakes.T)), torch.tensor(np.cov(reals.T))
    common = torch.linalg.eigvals(first @ second).real.clamp(min=0).sqrt().sum()
    shift = fakes.mean(0) - reals.mean(0)
    expected = shift @ shift + float(first.trace() + second.trace() - 2 * common)
    assert frechet(fakes, reals).value() == pytest.approx(expected, abs=1e-8)


def test_frechet_of_fewer_images_than_features_equals_singular_values() -> None:
    fakes, reals = images(2, n=10, m=12, d=30)
    left, right = (table - table.mean(0) for table in (fakes, reals))
    # tr (Σ1 Σ2)^½ is the nuclear norm of the product of the centred tables.
    common = np.linalg.svd(left @ right.T / np.sqrt(9 * 11), compute_uv=False).sum()
    shift = fakes.mean(0) - reals.mean(0)
    traces = (left**2).sum() / 9 + (right**2).sum() / 11
    value = frechet(fakes, reals).value()
    assert value == pytest.approx(shift @ shift + traces - 2 * common, abs=1e-6)


def test_frechet_of_hand_computed_normals() -> None:
    # Means 3 and 4 apart; standard deviations (1, 2) and (2, 5): 25 + 1 + 9.
    value = frechet_distance(
        np.zeros(2), np.diag([1.0, 4.0]), np.array([3.0, 4.0]), np.diag([4.0, 25.0])
    )
    assert value == pytest.approx(35.0)


def test_frechet_of_equal_images_without_any_spread_is_the_squared_shift() -> None:
    reals = np.random.default_rng(0).normal(size=(50, 3))
    value = frechet(np.zeros((5, 3)), reals).value()
    assert value == pytest.approx((reals.mean(0) ** 2).sum() + np.trace(np.cov(reals.T)))
    assert np.isfinite(frechet(np.zeros((5, 3)), reals).interval(0)).all()


@pytest.mark.parametrize(("n", "d"), [(60, 4), (12, 20)])
def test_the_influence_on_frechet_equals_a_finite_difference(n: int, d: int) -> None:
    fakes, reals = images(3, n=n, m=100, d=d)
    units = frechet(fakes, reals)

    def weighted(weights: Any) -> float:
        weights = weights / weights.sum()
        mean = weights @ fakes
        spread = (fakes - mean).T @ (weights[:, None] * (fakes - mean)) * n / (n - 1)
        return frechet_distance(mean, spread, units.mean, units.covariance)

    for row in range(3):
        step = np.zeros(n)
        step[row] = 1e-4 * n
        difference = (weighted(1 + step) - weighted(1 - step)) / 2e-4
        assert units.effects()[row] == pytest.approx(difference, rel=0.05, abs=0.02)


def test_kernel_distance_equals_scikit_learns_kernel() -> None:
    fakes, reals = images(0)
    n, m = len(fakes), len(reals)

    def kernel(left: Any, right: Any) -> Any:
        return polynomial_kernel(left, right, degree=3, gamma=1 / 6, coef0=1)

    within, other = kernel(fakes, fakes), kernel(reals, reals)
    expected = (within.sum() - np.trace(within)) / (n * (n - 1))
    expected += (other.sum() - np.trace(other)) / (m * (m - 1))
    expected -= 2 * kernel(fakes, reals).mean()
    assert kernel_distance(fakes, reals).value() == pytest.approx(expected, abs=1e-9)


def test_kernel_distance_of_hand_computed_numbers() -> None:
    # k(0, y) = 1, k(1, 1) = 8, k(0, 0) = 1: within 1, other 8, between (1 + 1 + 1 + 1) / 4.
    assert kernel_distance([[0.0], [0.0]], [[1.0], [1.0]]).value() == pytest.approx(1 + 8 - 2)


def radii(features: Any, k: int) -> Any:
    return NearestNeighbors(n_neighbors=k + 1).fit(features).kneighbors(features)[0][:, k]


def distances(left: Any, right: Any) -> Any:
    return np.sqrt(((left[:, None] - right[None]) ** 2).sum(-1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 3, 5])
def test_manifold_metrics_equal_their_definitions(seed: int, k: int) -> None:
    fakes, reals = images(seed)
    table = distances(fakes, reals)
    around_reals, around_fakes = table <= radii(reals, k), radii(fakes, k) >= table.T
    expected: dict[Callable[..., Any], float] = {
        generative_precision: around_reals.any(1).mean(),
        generative_recall: around_fakes.any(1).mean(),
        density: around_reals.sum(1).mean() / k,
        coverage_manifold: around_reals.any(0).mean(),
    }
    for metric, value in expected.items():
        assert metric(fakes, reals, k=k).value() == pytest.approx(value, abs=1e-12)


def test_manifold_metrics_of_hand_computed_points() -> None:
    # Real 0, 1, 3 with nearest other at 1, 1, 2; generated 0.5, 9 with 8.5 each.
    fakes, reals = [[0.5], [9.0]], [[0.0], [1.0], [3.0]]
    assert generative_precision(fakes, reals, k=1).value() == 0.5
    assert generative_recall(fakes, reals, k=1).value() == 1.0
    assert density(fakes, reals, k=1).value() == 1.0
    assert coverage_manifold(fakes, reals, k=1).value() == pytest.approx(2 / 3)


def test_blocks_give_the_same_as_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes, reals = images(1)
    whole = [metric(fakes, reals).value() for metric in ALL]
    monkeypatch.setattr(generation, "BLOCK_CELLS", 700)
    assert [metric(fakes, reals).value() for metric in ALL] == pytest.approx(whole, abs=1e-9)


def test_copies_are_counted_and_new_images_are_not() -> None:
    draw = np.random.default_rng(0)
    training = draw.normal(size=(200, 16))
    training[100:110] = training[:10]  # equal training images do not hide a copy
    fakes = draw.normal(size=(40, 16))
    fakes[:10] = training[:10] + draw.normal(0, 0.01, (10, 16))
    assert copy_rate(fakes, training).value() == 0.25
    assert copy_rate(training, training).value() == 1.0


def test_a_copy_is_told_by_the_ratio_of_the_two_nearest() -> None:
    assert copy_rate([[0.24]], [[0.0], [1.0]]).value() == 1.0  # 0.24 / 0.76 < 1/3
    assert copy_rate([[0.26]], [[0.0], [1.0]]).value() == 0.0


@pytest.mark.parametrize(
    ("metric", "best"),
    [
        (frechet, 0),
        (generative_precision, 1),
        (generative_recall, 1),
        (coverage_manifold, 1),
    ],
)
def test_the_real_images_score_best(metric: Callable[..., Any], best: float) -> None:
    _, reals = images(0)
    assert metric(reals, reals).value() == pytest.approx(best, abs=1e-6)


def test_images_far_away_score_worst() -> None:
    fakes, reals = images(0)
    for metric in (generative_precision, generative_recall, density, coverage_manifold):
        assert metric(fakes + 1000, reals).value() == 0.0


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    "fakes",
    [
        np.empty((0, 2)),
        np.ones((9, 3)),
        np.ones(9),
        [[float("nan"), 0]] * 9,
        [[1e300, 0]] * 9,
        [["a", "b"]] * 9,
    ],
)
def test_strange_features_are_refused(metric: Callable[..., Any], fakes: Any) -> None:
    with pytest.raises(SubmissionError):
        metric(fakes, np.random.default_rng(0).normal(size=(9, 2)))


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("reals", [np.ones((1, 2)), np.ones(3), [[float("inf"), 0]] * 9])
def test_strange_real_images_are_the_hosts_fault(metric: Callable[..., Any], reals: Any) -> None:
    with pytest.raises(ChallengeError):
        metric(np.random.default_rng(0).normal(size=(9, 2)), reals)


@pytest.mark.parametrize("metric", [frechet, kernel_distance, generative_recall])
def test_a_single_image_is_too_few_where_pairs_are_needed(metric: Callable[..., Any]) -> None:
    with pytest.raises(SubmissionError, match="There are 1 generated images"):
        metric(np.zeros((1, 6)), images(0)[1])


def test_strange_options_are_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="k counts neighbours"):
        generative_precision(*images(0), k=0)
    with pytest.raises(ChallengeError, match="ratio is 2"):
        copy_rate(*images(0), ratio=2)
    with pytest.raises(ChallengeError, match="all equal"):
        copy_rate([[1.0]], [[2.0], [2.0]])


def held(metric: Callable[..., Any], experiments: int, n: int, d: int) -> float:
    """How often the interval holds the mean value at this n, the real images being fixed."""
    draw = np.random.default_rng(1)
    reals = draw.normal(size=(300, d))
    units = [metric(draw.normal(0.3, 0.8, (n, d)), reals) for _ in range(experiments)]
    truth = np.mean([unit.value() for unit in units])
    bounds = np.array([unit.interval(0) for unit in units])
    return float(((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean())


@pytest.mark.parametrize("metric", [frechet, kernel_distance, generative_precision])
def test_the_interval_holds_the_expected_value_about_95_times_in_100(
    metric: Callable[..., Any],
) -> None:
    assert 0.92 <= held(metric, experiments=300, n=200, d=4) <= 0.98
