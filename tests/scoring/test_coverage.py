"""How often the 95 % interval of a metric of rows holds the truth, over fresh samples.

The truth is the value of two million rows. Other families have the like beside their metrics.
"""

import numpy as np
import pytest

from podium_scoring import compute

ROWS = 400
METRICS_OF = {
    "classes": ["accuracy", "balanced_accuracy", "f1_macro", "matthews", "precision"],
    "grades": ["quadratic_kappa"],
    "probabilities": ["log_loss", "roc_auc", "average_precision", "brier", "calibration_error"],
    "numbers": ["rmse", "mae", "r2", "spearman"],
}
NAMES = [(takes, name) for takes, names in METRICS_OF.items() for name in names]


def sample(takes, n, draw):
    """Predictions and answers of n rows of one world."""
    if takes == "numbers":
        answers = draw.normal(size=n)
        return answers + draw.normal(0, 0.7, n), answers
    answers = draw.choice(3, n, p=[0.5, 0.3, 0.2])
    if takes in ("classes", "grades"):
        return np.where(draw.random(n) < 0.7, answers, draw.integers(0, 3, n)), answers
    raw = draw.random((n, 3)) + 0.6 * np.eye(3)[answers]
    return raw / raw.sum(axis=1, keepdims=True), answers


def coverage(takes, name, repeats):
    truth = compute(name, *sample(takes, 2_000_000, np.random.default_rng(99))).value
    inside = []
    for seed in range(repeats):
        score = compute(name, *sample(takes, ROWS, np.random.default_rng(seed)), seed=seed)
        inside.append(score.low <= truth <= score.high)
    return float(np.mean(inside))


@pytest.mark.parametrize(("takes", "name"), [("classes", "f1_macro"), ("numbers", "rmse")])
def test_the_interval_holds_the_truth_about_95_times_in_100(takes, name):
    # 150 draws have a deviation of 1.8 points
    assert 0.905 <= coverage(takes, name, 150) <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize(("takes", "name"), NAMES)
def test_the_interval_holds_the_truth_about_95_times_in_100_over_many_draws(takes, name):
    # 400 draws have a deviation of 1.1 points
    assert 0.92 <= coverage(takes, name, 400) <= 0.98
