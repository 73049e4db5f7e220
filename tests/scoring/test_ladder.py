"""The Ladder against the attack on random labels, and with a class that works honestly."""

import numpy as np
import pytest

from podium_scoring import ChallengeError
from podium_scoring.ladder import Rung

PROBES = 300


def shown_scores(right):
    """Accuracies that a team sees, one after the other."""
    rung = Rung.first(right[0], higher_is_better=True)
    shown = [rung.shown]
    for losses in right[1:]:
        rung = rung.after(losses)
        shown.append(rung.shown)
    return np.array(shown)


def boosted(n, seed, feedback):
    """Apparent accuracy above chance of a majority of the random probes that looked good.

    The labels are coin flips: nothing can be learnt, whatever the score pretends.
    """
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, n)
    probes = draw.integers(0, 2, (PROBES, n))
    good = feedback((probes == labels).astype(float))
    votes = probes[good].mean(axis=0) if good.any() else np.full(n, 0.5)
    said = np.where(votes == 0.5, probes[0], votes > 0.5)
    return float((said == labels).mean() - 0.5)


def of_all(right):
    return right.mean(axis=1) > 0.5


def of_the_ladder(right):
    shown = shown_scores(right)
    return np.append(shown[0] > 0.5, np.diff(shown) > 0)  # what the attacker can tell apart


@pytest.mark.parametrize(("n", "full", "kept"), [(300, 0.3, 0.08), (1000, 0.18, 0.045)])
def test_the_boosting_attack_gains_little_on_the_ladder(n, full, kept):
    plain = np.mean([boosted(n, seed, of_all) for seed in range(20)])
    laddered = np.mean([boosted(n, seed, of_the_ladder) for seed in range(20)])
    assert plain > 0.6 * full
    assert laddered < kept
    assert laddered < plain / 3


@pytest.mark.parametrize("n", [300, 1000])
def test_an_honest_class_sees_its_progress(n):
    """Thirty submissions that go from 60 to 90 %: what is shown stays near the truth."""
    gaps = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        skills = np.linspace(0.6, 0.9, 30)
        hardness = draw.random(n)
        right = (hardness + draw.normal(0, 0.02, (30, n)) < skills[:, None]).astype(float)
        shown = shown_scores(right)
        gaps.append(np.abs(shown - right.mean(axis=1)))
        assert (np.diff(shown) >= 0).all()
    assert np.mean(gaps) < 0.02
    assert np.mean([one[-1] for one in gaps]) < 0.02


def test_a_better_score_by_chance_is_not_shown():
    first = np.array([1.0, 1, 0, 0] * 25)
    rung = Rung.first(first, higher_is_better=True)
    lucky = first.copy()
    lucky[2] = 1.0  # one row of a hundred: 0.01 better, deviation 0.1, and 0.1 / √100 = 0.01
    assert rung.after(lucky) is rung
    lucky[[3, 6]] = 1.0
    assert rung.after(lucky).shown == 0.53


def test_a_lower_loss_is_better_where_the_metric_says_so():
    rung = Rung.first(np.full(50, 2.0), higher_is_better=False)
    assert rung.after(np.full(50, 3.0)).shown == 2.0
    assert rung.after(np.full(50, 1.0)).shown == 1.0


def test_losses_of_other_units_are_refused():
    with pytest.raises(ChallengeError, match="the same units"):
        Rung.first(np.ones(3), higher_is_better=True).after(np.ones(4))
