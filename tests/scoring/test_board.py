import numpy as np
import pytest

from podium_scoring import ChallengeError, compute
from podium_scoring.board import standings


@pytest.fixture
def class_of_six():
    """Right answers (6 teams, 2000 rows): two close ones lead, the others follow far apart."""
    hardness = np.random.default_rng(4).random(2000)
    skills = np.array([0.9, 0.897, 0.8, 0.7, 0.695, 0.5])
    noise = np.random.default_rng(5).normal(0, 0.05, (6, 2000))
    return (hardness + noise < skills[:, None]).astype(float)


def test_close_teams_share_a_group_and_far_ones_do_not(class_of_six):
    found = standings(class_of_six, higher_is_better=True)
    assert sorted(found.rank.tolist()) == [1, 2, 3, 4, 5, 6]
    assert found.tied_with_leader.tolist() == [True, True, False, False, False, False]
    assert found.group.tolist() == [1, 1, 2, 3, 3, 4]
    assert (found.low[2], found.high[2]) == (3, 3)
    assert (found.low[:2].min(), found.high[:2].max()) == (1, 2)


def test_the_direction_is_that_of_the_metric(class_of_six):
    up = standings(class_of_six, higher_is_better=True)
    down = standings(1 - class_of_six, higher_is_better=False)
    assert up.rank.tolist() == down.rank.tolist()
    assert up.group.tolist() == down.group.tolist()


def test_the_order_of_teams_does_not_matter(class_of_six):
    forwards = standings(class_of_six, higher_is_better=True)
    backwards = standings(class_of_six[::-1], higher_is_better=True)
    assert forwards.low.tolist() == backwards.low[::-1].tolist()
    assert forwards.group.tolist() == backwards.group[::-1].tolist()


def test_equal_teams_share_a_rank():
    losses = np.array([[1.0, 0, 1], [1, 0, 1], [0, 0, 0]])
    found = standings(losses, higher_is_better=True)
    assert found.rank.tolist() == [1, 1, 3]
    assert found.low[:2].tolist() == [1, 1]


def test_pairing_separates_what_single_intervals_do_not():
    """Two teams that differ on 2 % of the rows, always in favour of one."""
    first = (np.random.default_rng(0).random(1000) < 0.7).astype(float)
    second = first.copy()
    second[np.flatnonzero(first)[:20]] = 0
    found = standings([first, second], higher_is_better=True)
    assert found.group.tolist() == [1, 2]
    one, other = (compute("accuracy", row, np.ones(1000)) for row in (first, second))
    assert other.high > one.low  # the single intervals overlap


def test_true_ranks_lie_in_their_intervals():
    """Nominal 95 % over repeated classes of eight teams."""
    skills = np.linspace(0.7, 0.8, 8)[::-1]
    inside = []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        hardness = draw.random(800)
        losses = [hardness + draw.normal(0, 0.2, 800) < skill for skill in skills]
        found = standings(losses, higher_is_better=True)
        true = np.arange(1, 9)
        inside.append((found.low <= true) & (true <= found.high))
    assert np.mean(inside) > 0.92


@pytest.mark.parametrize("losses", [[[1.0, 2], [1.0]], [[1.0, np.nan], [1, 1]], []])
def test_teams_that_cannot_be_compared_are_refused(losses):
    with pytest.raises(ChallengeError):
        standings(losses, higher_is_better=True)


def test_losses_of_every_metric_average_to_its_value(example):
    grading, truth = example.grading, example.truth
    predictions = grading.read_predictions(example.file(), truth.form)
    score = grading.score(predictions, truth)[example.name]["all"]
    assert score.losses.shape == (score.n,)
    assert score.losses.mean() == pytest.approx(score.value, abs=1e-9)


@pytest.mark.parametrize("name", ["f1_macro", "matthews", "roc_auc", "average_precision", "r2"])
def test_paired_losses_vary_as_the_difference_of_two_teams(name):
    """The deviation of a difference by losses, against many fresh samples."""
    draw = np.random.default_rng(1)

    def sample(n):
        truth = draw.integers(0, 2, n)
        made = [np.clip(truth * a + draw.random(n) * (1 - a), 0, 1) for a in (0.3, 0.2)]
        if name in ("f1_macro", "matthews"):
            return [(one > 0.5).astype(int) for one in made], truth
        return made, truth * 1.0 if name == "r2" else truth

    def scored(n):
        given, truth = sample(n)
        return [compute(name, one, truth) for one in given]

    first, second = scored(4000)
    paired = np.std(first.losses - second.losses) / np.sqrt(4000)
    many = [np.subtract(*(one.value for one in scored(4000))) for _ in range(80)]
    assert paired == pytest.approx(np.std(many), rel=0.3)
