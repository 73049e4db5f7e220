"""Every metric of a task by its name: the record says what the function does."""

import contextlib
import inspect
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium_scoring import METRICS, ChallengeError, ScoringError, compute
from podium_scoring.task_metrics import TASK_METRICS

NAMES = [metric.name for metric in TASK_METRICS]
BOX = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.5}
BOXES = {
    "images": [{"id": 1}, {"id": 2}],
    "categories": [{"id": 1, "name": "digit"}],
    "annotations": [BOX | {"area": 100}, BOX | {"area": 100, "image_id": 2}],
}
MASKS = [np.eye(3, dtype=int), np.ones((3, 3), int)]
TEXTS = ["the cat sat on the mat", "a dog ran under the old tree"]
IMAGES = np.random.default_rng(0).normal(size=(40, 3))
GAMES = [["a", "b"], ["b", "c"], ["c", "a"]]

# Of each metric: predictions that are as good as can be, answers, options.
PERFECT: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    **dict.fromkeys(
        ["coco_ap", "coco_ap50", "coco_ap75"], ([BOX, BOX | {"image_id": 2}], BOXES, {})
    ),
    **dict.fromkeys(["mean_iou", "dice"], (MASKS, MASKS, {})),
    **dict.fromkeys(["bleu", "chrf", "chrf_pp", "ter"], (TEXTS, TEXTS, {})),
    **dict.fromkeys(["recall_at_k", "mrr"], ([[0.1, 0.9], [0.8, 0.2]], [1, 0], {})),
    "distinct_n": (TEXTS, TEXTS, {"n": 6}),
    **dict.fromkeys(
        ["ndcg", "map_at_k", "precision_at_k", "hit_rate", "coverage"],
        ([[1, 2], [3, 4]], [{1, 2}, {3, 4}], {"k": 2}),
    ),
    "novelty": ([[1], [2]], [{1}, {2}], {}),
    **dict.fromkeys(
        ["frechet", "kernel_distance", "generative_precision", "generative_recall", "density"],
        (IMAGES, IMAGES, {}),
    ),
    "coverage_manifold": (IMAGES, IMAGES, {}),
    "copy_rate": (IMAGES + 100, IMAGES, {}),
    "mean_return": ([1.0, 2.0], [0, 1], {}),
    "win_rate": ([1, 1], [0, 1], {}),
    "bradley_terry": ([1, 1, 0], GAMES, {"agent": "a"}),
}


@pytest.mark.parametrize("name", NAMES)
def test_options_and_defaults_are_those_of_the_function(name: str) -> None:
    metric = METRICS[name]
    module = import_module(f"podium_scoring.{metric.family}")
    parameters = inspect.signature(getattr(module, name)).parameters.values()
    taken = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    taken.pop("popularity", None)  # a mapping: for callers in Python only
    assert {key: option.default for key, option in metric.options.items()} == taken


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_scores_best_or_finite(name: str) -> None:
    predictions, answers, options = PERFECT[name]
    score = compute(name, predictions, answers, **options)
    assert np.isfinite(score.value)
    if name == "kernel_distance":  # unbiased, so the same images even score a little below 0
        assert -1 < score.value <= 0
    elif np.isfinite(METRICS[name].best):
        assert score.value == pytest.approx(METRICS[name].best, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_is_the_same_for_a_seed(name: str) -> None:
    predictions, answers, options = PERFECT[name]
    first = compute(name, predictions, answers, seed=3, **options)
    second = compute(name, predictions, answers, seed=3, **options)
    assert (first.low, first.high) == (second.low, second.high)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_the_hosts_fault(name: str) -> None:
    predictions, answers, _ = PERFECT[name]
    with pytest.raises(ChallengeError, match="has no option 'beauty'"):
        compute(name, predictions, answers, beauty=1)


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].aligned])
def test_the_order_of_the_units_does_not_matter(name: str) -> None:
    predictions, answers, options = PERFECT[name]
    predictions = [*predictions[::-1]] if name != "win_rate" else [1, 0]  # not perfect any more
    forwards = compute(name, predictions, answers, **options).value
    backwards = compute(name, predictions[::-1], answers[::-1], **options).value
    assert forwards == pytest.approx(backwards)


NUMBERS = st.floats() | st.integers()
WRONG: dict[str, Any] = {
    "boxes": st.dictionaries(st.text(max_size=9), st.floats()),
    "texts": st.text(max_size=12) | st.text("0123456789 ", max_size=12),
    "numbers": NUMBERS,
    "pairs": st.lists(NUMBERS, min_size=2, max_size=2),
    "lists": st.lists(st.integers() | st.text(max_size=2), max_size=3),
    "squares": st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=3, max_size=3),
    "mixed": st.none() | st.text(max_size=3) | st.floats() | st.booleans() | st.lists(NUMBERS),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_predictions_score_finite_or_are_refused(
    name: str, kind: str, data: st.DataObject
) -> None:
    _, answers, options = PERFECT[name]
    n = len(answers) if METRICS[name].aligned else data.draw(st.integers(0, 5))
    predictions = data.draw(st.lists(WRONG[kind], min_size=n, max_size=n))
    with contextlib.suppress(ScoringError):
        score = compute(name, predictions, answers, **options)
        assert np.isfinite(score.value)
