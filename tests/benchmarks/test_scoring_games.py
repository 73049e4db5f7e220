"""Speed of Bradley-Terry ratings of 10,000 games: the ratio to choix and evalica, same run."""

from collections.abc import Callable

import choix
import evalica
import numpy as np
import pytest

from podium_scoring.games import ratings

pytestmark = pytest.mark.benchmark


def test_ratings_of_10000_games_take_milliseconds(race: Callable[..., dict[str, float]]) -> None:
    draw = np.random.default_rng(0)
    strength = draw.normal(0, 1, 60)
    first = draw.integers(0, 60, 10_000)
    second = (first + draw.integers(1, 60, 10_000)) % 60
    chance = 1 / (1 + np.exp(strength[second] - strength[first]))
    outcomes = (draw.random(10_000) < chance) * 1.0
    pairs = np.stack([first, second], axis=1)
    names = np.array([f"agent {number:03d}" for number in range(60)])[pairs]
    data = [tuple(pair if won else pair[::-1]) for pair, won in zip(pairs, outcomes, strict=True)]
    left, right = names[:, 0].tolist(), names[:, 1].tolist()
    winners = [evalica.Winner.X if won else evalica.Winner.Y for won in outcomes]
    times = race(
        numbers=lambda: ratings(outcomes, pairs),
        names=lambda: ratings(outcomes, names),
        choix_ilsr=lambda: choix.ilsr_pairwise(60, data),
        evalica=lambda: evalica.bradley_terry(left, right, winners, tolerance=1e-11),
    )
    assert times["names"] <= 1.15 * min(times["choix_ilsr"], times["evalica"])
