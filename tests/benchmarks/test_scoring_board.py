"""Speed of a board's rank intervals: the ratio to the one product of matrices that it needs."""

from collections.abc import Callable

import numpy as np
import pytest

from podium_scoring.board import standings
from podium_scoring.units import weight_blocks

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize(("teams", "rows"), [(60, 2_000), (500, 10_000)])
def test_rank_intervals_cost_little_more_than_the_resamples(
    race: Callable[..., dict[str, float]], teams: int, rows: int
) -> None:
    draw = np.random.default_rng(0)
    losses = (draw.random((teams, rows)) < np.linspace(0.6, 0.9, teams)[:, None]).astype(float)

    def bare() -> None:
        for weights in weight_blocks(0, rows, 1000):
            weights @ losses.T

    times = race(
        standings=lambda: standings(losses, higher_is_better=True),
        bare_resamples_and_product=bare,
    )
    assert times["standings"] <= 2 * times["bare_resamples_and_product"]
