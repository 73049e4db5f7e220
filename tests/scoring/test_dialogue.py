"""Dialogue metrics against scikit-learn, naive counting, and hand-computed cases."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import top_k_accuracy_score

from podium_scoring.dialogue import distinct_n, mrr, recall_at_k
from podium_scoring.errors import ChallengeError, SubmissionError


@pytest.mark.parametrize("k", [1, 2, 5])
def test_recall_equals_scikit_learns_top_k_accuracy(k: int) -> None:
    draw = np.random.default_rng(k)
    scores, answers = draw.normal(size=(200, 10)), draw.integers(0, 10, 200)
    expected = top_k_accuracy_score(answers, scores, k=k, labels=np.arange(10))
    assert recall_at_k(scores, answers, k=k).value() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_mrr_equals_sorting_every_row(k: int) -> None:
    draw = np.random.default_rng(k)
    scores, answers = draw.normal(size=(200, 10)), draw.integers(0, 10, 200)
    places = [
        list(np.argsort(-row)).index(answer) + 1
        for row, answer in zip(scores, answers, strict=True)
    ]
    expected = np.mean([1 / place if place <= (k or 10) else 0 for place in places])
    assert mrr(scores, answers, k=k).value() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_ties_score_the_mean_over_all_orders(k: int) -> None:
    draw = np.random.default_rng(0)
    scores, answers = draw.integers(0, 3, (40, 8)), draw.integers(0, 8, 40)
    recalls, reciprocals = [], []
    for _ in range(4000):
        broken = scores + draw.uniform(0, 0.5, scores.shape)
        recalls.append(recall_at_k(broken, answers, k=k).value())
        reciprocals.append(mrr(broken, answers).value())
    assert recall_at_k(scores, answers, k=k).value() == pytest.approx(np.mean(recalls), abs=0.005)
    assert mrr(scores, answers).value() == pytest.approx(np.mean(reciprocals), abs=0.005)


def test_a_constant_score_earns_chance() -> None:
    assert recall_at_k(np.zeros((5, 10)), np.arange(5)).value() == pytest.approx(0.1)
    assert mrr(np.zeros((1, 2)), [0]).value() == pytest.approx(0.75)


def test_one_context_with_the_true_reply_second() -> None:
    assert recall_at_k([[0.2, 0.9, 0.1]], [0], k=1).value() == 0.0
    assert recall_at_k([[0.2, 0.9, 0.1]], [0], k=2).value() == 1.0
    assert mrr([[0.2, 0.9, 0.1]], [0]).value() == 0.5


def test_lists_of_items_are_taken_as_recommendations() -> None:
    assert recall_at_k([[1, 2, 3]], [{2, 9}], k=2).value() == 0.5
    assert mrr([[1, 2, 3]], [{2, 9}]).value() == 0.5


@pytest.mark.parametrize(
    "scores",
    [[[0.1, float("nan")]], [[0.1, float("inf")]], [[0.1]], [0.1], [[0.1, 0.2]] * 2, [["a", "b"]]],
)
def test_scores_that_are_no_table_are_refused(scores: Any) -> None:
    with pytest.raises(SubmissionError):
        recall_at_k(scores, [1])


def test_a_missing_score_is_shown_with_its_place() -> None:
    with pytest.raises(SubmissionError, match="Row 2 has nan for candidate 1"):
        mrr([[1, 2], [float("nan"), 1]], [0, 0])


def test_answers_and_options_out_of_range_are_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="An answer is -1"):
        mrr([[1, 2]], [-1])
    with pytest.raises(ChallengeError, match="k is 0"):
        recall_at_k([[1, 2]], [1], k=0)


def test_distinct_n_of_hand_computed_replies() -> None:
    replies = ["I do not know", "i do not", "yes"]
    # words: i do not know i do not yes, 5 kinds of 8; pairs: 3 kinds of 5.
    assert distinct_n(replies, n=1).value() == 5 / 8
    assert distinct_n(replies, n=2).value() == 3 / 5
    assert distinct_n(replies, n=9).value() == 0.0


def test_distinct_n_intervals_equal_the_jackknife_done_the_long_way() -> None:
    draw = np.random.default_rng(0)
    replies = [" ".join(draw.choice(list("abcdef"), draw.integers(1, 6))) for _ in range(20)]
    units = distinct_n(replies, n=2)
    without = [distinct_n(replies[:i] + replies[i + 1 :], n=2).value() for i in range(20)]
    assert units.effects == pytest.approx(19 * (units.value() - np.array(without)))


def test_distinct_n_of_one_reply_has_no_interval() -> None:
    assert np.isnan(distinct_n(["a b c"]).interval(0)).all()


def test_a_reply_that_is_no_text_is_refused() -> None:
    replies: Any = ["a", 3]
    with pytest.raises(SubmissionError, match="Reply 2 is 3"):
        distinct_n(replies)


def test_the_interval_of_recall_holds_the_truth_about_95_times_in_100() -> None:
    draw = np.random.default_rng(1)
    inside = 0
    for experiment in range(1000):
        scores = draw.normal(size=(200, 10))
        scores[:, 0] += 1  # the true reply is the first
        low, high = recall_at_k(scores, np.zeros(200, int)).interval(experiment)
        inside += low <= 0.34094 <= high
    assert 0.92 <= inside / 1000 <= 0.98


def test_the_true_share_of_that_simulation() -> None:
    # P(N(1, 1) is above the greatest of 9 N(0, 1)), integrated on a grid.
    x = np.linspace(-8, 9, 200_001)
    share = np.trapezoid(norm.pdf(x - 1) * norm.cdf(x) ** 9, x)
    assert share == pytest.approx(0.34094, abs=2e-5)
