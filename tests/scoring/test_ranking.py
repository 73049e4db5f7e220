"""Recommendation metrics against trec_eval, hand-computed cases and strange lists."""

from collections.abc import Callable
from typing import Any

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, nDCG

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.ranking import (
    coverage,
    hit_rate,
    map_at_k,
    mrr,
    ndcg,
    novelty,
    precision_at_k,
    recall_at_k,
)
from podium_scoring.relevance import Relevance
from podium_scoring.units import Sums

Truth = list[dict[int, float]]
MEANS = [ndcg, map_at_k, precision_at_k, recall_at_k, hit_rate, mrr]


def users(seed: int, n: int = 50, items: int = 40) -> tuple[list[list[int]], Truth]:
    """Ragged lists, some shorter than k, and graded relevance with an empty user or two."""
    draw = np.random.default_rng(seed)
    lists = [draw.permutation(items)[: draw.integers(1, 25)].tolist() for _ in range(n)]
    truth = [
        {int(item): float(draw.integers(1, 4)) for item in draw.permutation(items)[:count]}
        for count in draw.integers(0, 12, n)
    ]
    return lists, truth


def trec_eval(measure: Any, lists: list[list[int]], truth: Truth) -> float:
    """The mean over users with a relevant item, by trec_eval."""
    judged = [user for user in range(len(truth)) if truth[user]]
    run = {
        str(user): {str(item): -float(place) for place, item in enumerate(lists[user])}
        for user in judged
    }
    grades = {
        str(user): {str(item): int(gain) for item, gain in truth[user].items()} for user in judged
    }
    return float(ir_measures.calc_aggregate([measure], grades, run)[measure])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("ours", "measure"),
    [
        (lambda lists, truth: ndcg(lists, truth, k=10), nDCG @ 10),
        (lambda lists, truth: ndcg(lists, truth, k=3), nDCG @ 3),
        (lambda lists, truth: map_at_k(lists, truth, k=10, capped=False), AP @ 10),
        (lambda lists, truth: precision_at_k(lists, truth, k=10), P @ 10),
        (lambda lists, truth: recall_at_k(lists, truth, k=5), R @ 5),
        (lambda lists, truth: mrr(lists, truth), RR),
    ],
)
def test_equals_trec_eval(ours: Callable[..., Sums], measure: Any, seed: int) -> None:
    lists, truth = users(seed)
    expected = trec_eval(measure, lists, truth)
    assert ours(lists, truth).value() == pytest.approx(expected, abs=1e-12)


def test_ndcg_of_a_hand_computed_list() -> None:
    # gains 3, 0, 2 in places 1 to 3; the best order has 3, 2, 1.
    value = ndcg([[1, 9, 2]], [{1: 3.0, 2: 2.0, 3: 1.0}], k=3).value()
    best = 3 + 2 / np.log2(3) + 1 / 2
    assert value == pytest.approx((3 + 2 / 2) / best)


def test_ndcg_with_exponential_gains_of_a_hand_computed_list() -> None:
    value = ndcg([[2, 1]], [{1: 2.0, 2: 1.0}], k=2, exponential=True).value()
    assert value == pytest.approx((1 + 3 / np.log2(3)) / (3 + 1 / np.log2(3)))


def test_the_capped_map_of_a_hand_computed_list() -> None:
    # hits in places 1 and 3 of 3, five relevant: (1 + 2/3) / 3.
    value = map_at_k([[1, 9, 2]], [[1, 2, 3, 4, 5]], k=3).value()
    assert value == pytest.approx((1 + 2 / 3) / 3)


def test_hit_rate_counts_users_with_any_hit() -> None:
    assert hit_rate([[1, 2], [3, 4], [5, 6]], [{2}, {9}, {5, 6}], k=2).value() == 2 / 3


def test_mrr_stops_at_k() -> None:
    assert mrr([[1, 2, 3]], [{3}], k=2).value() == 0.0
    assert mrr([[1, 2, 3]], [{3}]).value() == pytest.approx(1 / 3)


def test_coverage_counts_distinct_items_of_the_catalogue() -> None:
    units = coverage([[1, 2], [2, 3]], [{1}, {2}], k=2, catalogue=10)
    assert units.value() == 0.3


def test_coverage_without_a_catalogue_counts_items_of_the_answers() -> None:
    assert coverage([[1, 8], [9, 1]], [{1, 2}, {3, 4}], k=2).value() == 0.25


def test_a_catalogue_smaller_than_the_lists_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="hold 3 items, the catalogue has 2"):
        coverage([[1, 2, 3]], [{1}], catalogue=2)


def test_coverage_intervals_equal_the_jackknife_done_the_long_way() -> None:
    lists, truth = users(0, n=12)
    units = coverage(lists, truth, k=5, catalogue=40)
    without = [
        coverage(lists[:i] + lists[i + 1 :], truth[:i] + truth[i + 1 :], k=5, catalogue=40).value()
        for i in range(12)
    ]
    assert units.effects == pytest.approx(11 * (units.value() - np.array(without)))


def test_novelty_of_hand_computed_lists() -> None:
    # Item 1 is with half the users (1 bit), item 2 with a quarter (2 bits), item 9 with nobody.
    truth = [{1}, {1}, {2}, {3}]
    assert novelty([[1, 2], [1, 2], [1, 2], [1, 2]], truth, k=2).value() == pytest.approx(1.5)
    assert novelty([[9]] * 4, truth, k=2).value() == pytest.approx(2.0)
    assert novelty([[1]] * 4, truth, k=1, popularity={1: 1.0}).value() == 0.0


def test_a_popularity_of_zero_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="shares above 0"):
        novelty([[1]], [{1}], popularity={1: 0.0})


@pytest.mark.parametrize("metric", MEANS)
def test_the_best_order_scores_one(metric: Callable[..., Sums]) -> None:
    truth: Truth = [{1: 3.0, 2: 2.0, 4: 1.0}, {7: 1.0, 8: 1.0, 9: 1.0}]
    lists = [[1, 2, 4], [8, 7, 9]]
    assert metric(lists, truth, k=3).value() == pytest.approx(1.0)


@pytest.mark.parametrize("metric", MEANS)
def test_all_wrong_or_empty_lists_score_zero(metric: Callable[..., Sums]) -> None:
    truth = [{1}, {2}]
    assert metric([[5], [6]], truth, k=3).value() == 0.0
    assert metric([[], []], truth, k=3).value() == 0.0


@pytest.mark.parametrize("metric", [*MEANS, coverage, novelty])
@pytest.mark.parametrize("seed", range(3))
def test_texts_arrays_and_prepared_answers_give_the_same(
    metric: Callable[..., Any], seed: int
) -> None:
    lists, truth = users(seed)
    lists = [row + [item for item in range(100, 130)] for row in lists]
    sets = [set(answer) for answer in truth]
    expected = metric(lists, sets, k=5).value()
    array = np.array([row[:20] for row in lists])
    texts = [" ".join(map(str, row)) for row in lists]
    answers = [" ".join(map(str, sorted(answer))) for answer in sets]
    scattered = [[item * 10**9 for item in row] for row in lists]
    far = [{item * 10**9 for item in answer} for answer in sets]
    assert metric(array, Relevance.of(sets), k=5).value() == pytest.approx(expected)
    assert metric(texts, answers, k=5).value() == pytest.approx(expected)
    assert metric(texts, sets, k=5).value() == pytest.approx(expected)
    assert metric(scattered, far, k=5).value() == pytest.approx(expected)


def test_lookup_without_a_table_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    lists, truth = users(4)
    expected = ndcg(lists, truth).value()
    monkeypatch.setattr("podium_scoring.relevance.TABLE_CELLS", 10)
    assert ndcg(lists, truth).value() == expected


@pytest.mark.parametrize("lists", [[[1, 2, 1]], np.array([[1, 2, 1]]), ["1 2 1"]])
def test_an_item_named_twice_is_refused(lists: Any) -> None:
    with pytest.raises(SubmissionError, match="List 1 names item 1 twice"):
        ndcg(lists, [{1}])


def test_a_list_too_few_is_refused() -> None:
    with pytest.raises(SubmissionError, match=r"There are 1 lists\. The answers have 2 users"):
        ndcg([[1]], [{1}, {2}])


@pytest.mark.parametrize("lists", [[None], [5], ["one two"], [[1.5]], ["99999999999999999999999"]])
def test_what_is_no_list_of_items_is_refused(lists: Any) -> None:
    with pytest.raises(SubmissionError):
        ndcg(lists, [{1}])


@pytest.mark.parametrize("answers", [[], [set()], [{1: 0.0}], [{1: float("nan")}]])
def test_answers_without_a_relevant_item_are_the_hosts_fault(answers: Any) -> None:
    with pytest.raises(ChallengeError):
        ndcg([[1]] * len(answers), answers)


def test_a_negative_k_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="k is -1"):
        recall_at_k([[1]], [{1}], k=-1)


def test_the_interval_of_ndcg_holds_the_truth_about_95_times_in_100() -> None:
    lists, truth = users(11, n=3000)
    population = ndcg(lists, truth)
    draw = np.random.default_rng(2)
    inside = 0
    for experiment in range(300):
        rows = draw.integers(0, population.n, 150)
        low, high = Sums(population.values[rows], population.reduce).interval(experiment)
        inside += low <= population.value() <= high
    assert 0.92 <= inside / 300 <= 0.98
