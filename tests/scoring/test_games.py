"""Metrics of agents against choix, evalica and scipy, hand-computed cases and coverage."""

from typing import Any

import choix
import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, kendalltau, t

from podium_scoring.errors import ChallengeError
from podium_scoring.games import SCALE, bradley_terry, mean_return, ratings, win_rate
from podium_scoring.units import wilson


def pool(seed: int, agents: int = 12, games: int = 2000) -> tuple[Any, Any, Any]:
    """True strengths, and games between random pairs: outcomes and pairs."""
    draw = np.random.default_rng(seed)
    strength = draw.normal(0, 1, agents)
    first = draw.integers(0, agents, games)
    second = (first + draw.integers(1, agents, games)) % agents
    chance = 1 / (1 + np.exp(strength[second] - strength[first]))
    return strength, (draw.random(games) < chance) * 1.0, np.stack([first, second], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_ratings_equal_choix(seed: int) -> None:
    _, outcomes, pairs = pool(seed)
    data = [tuple(pair if won else pair[::-1]) for pair, won in zip(pairs, outcomes, strict=True)]
    expected = choix.opt_pairwise(12, data, alpha=0.05, tol=1e-12)  # no half
    ours = ratings(outcomes, pairs, ridge=0.1)
    place = [int(name) for name in ours.names]
    assert ours.values == pytest.approx(1000 + SCALE * expected[place], abs=0.01)


def test_ratings_with_draws_equal_evalica_as_the_ridge_vanishes() -> None:
    _, outcomes, pairs = pool(5, games=4000)
    outcomes[::7] = 0.5
    named = {1.0: evalica.Winner.X, 0.5: evalica.Winner.Draw, 0.0: evalica.Winner.Y}
    names = np.array([f"agent {number:02d}" for number in range(12)])[pairs]
    result = evalica.bradley_terry(
        names[:, 0].tolist(),
        names[:, 1].tolist(),
        [named[outcome] for outcome in outcomes],
        tolerance=1e-12,
        limit=100_000,
    )
    log_odds = np.log(result.scores.sort_index().to_numpy())
    ours = ratings(outcomes, names, ridge=1e-9)
    assert ours.values == pytest.approx(1000 + SCALE * (log_odds - log_odds.mean()), abs=0.01)


def test_errors_equal_the_sandwich_written_out_game_by_game() -> None:
    _, outcomes, pairs = pool(1, agents=5, games=80)
    outcomes[:9] = 0.5
    ours = ratings(outcomes, pairs, ridge=0.3)
    theta = (ours.values - 1000) / SCALE
    hessian, scatter = 0.3 * np.eye(5), np.zeros((5, 5))
    for outcome, (i, j) in zip(outcomes, pairs, strict=True):
        d = np.eye(5)[i] - np.eye(5)[j]
        chance = 1 / (1 + np.exp(-d @ theta))
        hessian += chance * (1 - chance) * np.outer(d, d)
        scatter += (outcome - chance) ** 2 * np.outer(d, d)
    bread = np.linalg.inv(hessian)
    expected = SCALE * np.sqrt(np.diag(bread @ scatter @ bread))
    assert ours.errors == pytest.approx(expected, rel=1e-9)


def test_two_agents_three_wins_to_one_differ_by_191_points() -> None:
    ours = ratings([1, 1, 1, 0], [["a", "b"]] * 4, ridge=1e-9)
    assert ours.values == pytest.approx([1000 + 95.424, 1000 - 95.424], abs=0.001)  # 200 log10 3


def test_the_order_of_games_and_of_seats_does_not_matter() -> None:
    _, outcomes, pairs = pool(2)
    order = np.random.default_rng(0).permutation(len(outcomes))
    turned = ratings(1 - outcomes[order], pairs[order][:, ::-1])
    assert turned.values == pytest.approx(ratings(outcomes, pairs).values, abs=1e-6)


def test_an_agent_that_never_lost_has_a_finite_rating() -> None:
    ours = ratings(np.ones(500), [["best", "other"]] * 500)
    assert np.isfinite(ours.values).all()
    assert np.isfinite(ours.errors).all()
    assert ours.values[0] > 1500


def test_only_draws_rate_everybody_alike() -> None:
    ours = ratings([0.5] * 4, [["a", "b"], ["b", "c"], ["c", "a"], ["a", "c"]])
    assert ours.values == pytest.approx([1000.0] * 3)
    assert ours.errors == pytest.approx([0.0] * 3, abs=1e-6)


def test_one_agents_rating_carries_its_interval_and_its_number_of_games() -> None:
    unit = bradley_terry([1, 0, 1], [["a", "b"], ["a", "c"], ["b", "c"]], agent="a")
    low, high = unit.interval(0)
    assert low < unit.value() < high
    assert unit.n == 2


@pytest.mark.parametrize(
    ("outcomes", "pairs", "message"),
    [
        ([1.0], [["a", "a"]], "Game 1 has a on both sides"),
        ([2.0], [["a", "b"]], r"An outcome is 2\.0"),
        ([float("nan")], [["a", "b"]], "Game 1 has the result nan"),
        (["won"], [["a", "b"]], "are no numbers"),
        ([1.0, 1.0], [["a", "b"]], "for 1 games"),
        ([], np.empty((0, 2)), "for 0 games"),
        ([1.0], ["ab"], "Give two agents"),
    ],
)
def test_strange_games_are_the_hosts_fault(outcomes: Any, pairs: Any, message: str) -> None:
    with pytest.raises(ChallengeError, match=message):
        ratings(outcomes, pairs)


def test_an_unknown_agent_and_a_ridge_of_zero_are_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="'z' played no game"):
        bradley_terry([1], [["a", "b"]], agent="z")
    with pytest.raises(ChallengeError, match="ridge is 0"):
        ratings([1], [["a", "b"]], ridge=0)


def test_the_mean_return_has_students_interval() -> None:
    returns = np.array([1.0, 2.0, 4.0, 8.0, 10.0])
    units = mean_return(returns, [3, 1, 4, 5, 9])
    assert units.value() == 5.0
    expected = t.interval(0.95, 4, loc=5, scale=returns.std(ddof=1) / np.sqrt(5))
    assert units.interval(0) == pytest.approx(expected)


def test_episodes_of_a_seed_are_one_unit() -> None:
    units = mean_return([1.0, 3.0, 5.0, 7.0], [0, 0, 1, 1])
    assert units.n == 2
    assert units.effects.tolist() == [-2.0, 2.0]


def test_one_seed_has_a_mean_and_no_interval() -> None:
    units = mean_return([7.0], [0])
    assert units.value() == 7.0
    assert np.isnan(units.interval(0)).all()


def test_a_return_that_is_not_finite_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="Game 2 has the result inf"):
        mean_return([1.0, float("inf")], [0, 1])


def test_win_rate_of_decided_games_has_wilsons_interval() -> None:
    units = win_rate([1, 0, 1, 1], [0, 1, 2, 3])
    assert units.value() == 0.75
    assert units.interval(0) == wilson(0.75, 4)


def test_a_draw_counts_half() -> None:
    assert win_rate([1, 0.5, 0, 0.5], [0, 1, 2, 3]).value() == 0.5


def test_both_games_of_an_opening_are_one_unit() -> None:
    draw = np.random.default_rng(0)
    outcomes = draw.choice([0, 0.5, 1], 200)
    units = win_rate(outcomes, np.repeat(np.arange(100), 2))
    means = outcomes.reshape(100, 2).mean(axis=1)
    expected = bootstrap((means,), np.mean, method="percentile", rng=0).confidence_interval
    assert units.n == 100
    assert units.value() == pytest.approx(outcomes.mean())
    assert units.interval(0) == pytest.approx(tuple(expected), abs=0.01)


def test_an_outcome_that_is_none_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="outcome 3"):
        win_rate([1, 3], [0, 1])


@pytest.mark.parametrize("seeds", [5, 30])
def test_the_interval_of_returns_holds_the_truth_about_95_times_in_100(seeds: int) -> None:
    draw = np.random.default_rng(seeds)
    inside = 0
    for _ in range(2000):
        low, high = mean_return(draw.normal(200, 40, seeds), np.arange(seeds)).interval(0)
        inside += low <= 200 <= high
    assert 0.92 <= inside / 2000 <= 0.98


def test_the_interval_of_ratings_holds_the_truth_about_95_times_in_100() -> None:
    held = []
    draw = np.random.default_rng(3)
    strength = np.linspace(-1, 1, 8)
    for _ in range(300):
        first = draw.integers(0, 8, 600)
        second = (first + draw.integers(1, 8, 600)) % 8
        chance = 1 / (1 + np.exp(strength[second] - strength[first]))
        ours = ratings(
            (draw.random(600) < chance) * 1.0, np.stack([first, second], axis=1), ridge=1e-3
        )
        truth = 1000 + SCALE * strength
        held.append(((ours.low <= truth) & (truth <= ours.high)).mean())
    assert 0.92 <= np.mean(held) <= 0.98


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_hundred_games_each_recover_a_known_order(seed: int) -> None:
    """Kendall's τ with the truth, over many pools; a single one may be a little below its mean."""
    agreements = []
    for number in range(10):
        draw = np.random.default_rng([seed, number])
        strength = draw.normal(0, 1, 20)
        order = np.array([draw.permutation(20) for _ in range(100)])  # 50 games a round, 100 each
        first, second = order[:, 0::2].ravel(), order[:, 1::2].ravel()
        chance = 1 / (1 + np.exp(strength[second] - strength[first]))
        won = (draw.random(len(first)) < chance) * 1.0
        found = ratings(won, np.stack([first, second], axis=1))
        place = [int(name) for name in found.names]
        agreements.append(kendalltau(found.values, strength[place]).statistic)
        assert found.games.tolist() == [100] * 20
    assert np.mean(agreements) >= 0.8


@settings(max_examples=50, deadline=None)
@given(
    games=st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 5), st.sampled_from([0.0, 0.5, 1.0])),
        min_size=1,
        max_size=60,
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_ratings_of_any_games_do_not_depend_on_their_order(games: Any, seed: int) -> None:
    pairs = np.array([[one, (one + ahead) % 6] for one, ahead, _ in games])
    outcomes = np.array([outcome for *_, outcome in games])
    order = np.random.default_rng(seed).permutation(len(games))
    ours, shuffled = ratings(outcomes, pairs), ratings(outcomes[order], pairs[order])
    assert shuffled.names == ours.names
    assert shuffled.values == pytest.approx(ours.values, abs=1e-6)
    assert shuffled.errors == pytest.approx(ours.errors, abs=1e-6)
