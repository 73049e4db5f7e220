"""Segmentation metrics against scikit-learn over pixels, hand-computed masks and hostile runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.segmentation import decode_runs, dice, encode_runs, mean_iou
from podium_scoring.units import Sums

PAIRS = [(mean_iou, jaccard_score), (dice, f1_score)]


def scene(seed: int, n: int = 12, classes: int = 4) -> tuple[Any, Any]:
    """Blocky answers and guesses that are right in most blocks, of two shapes."""
    draw = np.random.default_rng(seed)
    guesses, answers = [], []
    for place in range(n):
        blocks = (4, 5) if place % 2 else (3, 6)
        truth = draw.integers(0, classes, blocks)
        guess = np.where(draw.random(blocks) < 0.7, truth, draw.integers(0, classes, blocks))
        answers.append(np.kron(truth, np.ones((3, 3), int)))
        guesses.append(np.kron(guess, np.ones((3, 3), int)))
    return guesses, answers


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_pooled_pixels_equal_scikit_learn(
    ours: Callable[..., Sums], oracle: Callable[..., float], seed: int
) -> None:
    guesses, answers = scene(seed)
    flat = [np.concatenate([mask.ravel() for mask in masks]) for masks in (answers, guesses)]
    expected = oracle(*flat, average="macro")
    assert ours(guesses, answers).value() == pytest.approx(expected, abs=1e-12)
    without = oracle(*flat, average="macro", labels=[1, 2, 3])
    assert ours(guesses, answers, background=False).value() == pytest.approx(without, abs=1e-12)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_the_mean_of_images_equals_scikit_learn(
    ours: Callable[..., Sums], oracle: Callable[..., float]
) -> None:
    guesses, answers = scene(0)
    each = [
        oracle(answer.ravel(), guess.ravel(), average="macro")
        for guess, answer in zip(guesses, answers, strict=True)
    ]
    assert ours(guesses, answers, per_image=True).value() == pytest.approx(np.mean(each), abs=1e-12)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_ignored_pixels_do_not_count(
    ours: Callable[..., Sums], oracle: Callable[..., float]
) -> None:
    guesses, answers = scene(1)
    for answer in answers:
        answer[:4] = 255
    flat = [np.concatenate([mask[4:].ravel() for mask in masks]) for masks in (answers, guesses)]
    expected = oracle(*flat, average="macro")
    value = ours(guesses, answers, ignore_label=255).value()
    assert value == pytest.approx(expected, abs=1e-12)


def test_hand_computed_masks() -> None:
    # Class 0: 1 of 3 pixels shared; class 1: 1 of 3.
    guess, answer = np.array([[0, 0], [1, 1]]), np.array([[0, 1], [0, 1]])
    assert mean_iou([guess], [answer]).value() == pytest.approx(1 / 3)
    assert dice([guess], [answer]).value() == pytest.approx(1 / 2)


def test_a_class_in_neither_is_left_out() -> None:
    mask = np.array([[0, 2]])
    assert mean_iou([mask], [mask], classes=5).value() == 1.0


def test_an_empty_image_rightly_left_empty_scores_one() -> None:
    empty, full = np.zeros((2, 2), int), np.ones((2, 2), int)
    options: dict[str, Any] = {"background": False, "per_image": True, "classes": 2}
    assert dice([empty], [empty], **options).value() == 1.0
    assert dice([full], [empty], **options).value() == 0.0
    assert dice([empty, full], [empty, empty], **options).value() == 0.5


@pytest.mark.parametrize("ours", [mean_iou, dice])
def test_the_answers_score_one_and_all_wrong_scores_zero(ours: Callable[..., Sums]) -> None:
    _, answers = scene(2)
    assert ours(answers, answers).value() == pytest.approx(1.0)
    assert ours([(mask + 1) % 4 for mask in answers], answers).value() == 0.0


def test_saying_the_ignore_label_is_a_miss() -> None:
    guess, answer = np.array([[255, 1]]), np.array([[1, 1]])
    assert mean_iou([guess], [answer], ignore_label=255, background=False).value() == 0.5


def test_runs_score_as_the_masks_they_write() -> None:
    draw = np.random.default_rng(0)
    guesses = [(draw.random((5, 7)) < 0.5).astype(int) for _ in range(6)]
    answers = [(draw.random((5, 7)) < 0.5).astype(int) for _ in range(6)]
    expected = dice(guesses, answers, background=False).value()
    runs = [encode_runs(mask) for mask in guesses]
    truth = [encode_runs(mask) for mask in answers]
    assert dice(runs, answers, background=False).value() == expected
    assert dice(runs, truth, background=False, shape="5x7").value() == expected


def test_any_mask_survives_its_run_lengths() -> None:
    draw = np.random.default_rng(1)
    for _ in range(50):
        mask = (draw.random(draw.integers(1, 9, 2)) < draw.random()).astype(np.uint8)
        assert (decode_runs(encode_runs(mask), *mask.shape) == mask).all()


@pytest.mark.parametrize(
    "text", ["1", "a b", "0 1", "1 0", "1 -1", "7 1", "6 2", "1 3 2 1", "4 1 1 1", "1 " + "9" * 40]
)
def test_strange_runs_are_refused(text: str) -> None:
    with pytest.raises(SubmissionError, match="Run lengths"):
        decode_runs(text, 2, 3)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((2, 3), int),
        np.zeros((2, 2)),
        np.full((2, 2), 2),
        np.full((2, 2), -1),
        None,
        "1 9",
        [[0, 1], [0]],
    ],
)
def test_a_strange_mask_is_refused_with_its_number(mask: Any) -> None:
    good = np.array([[0, 1], [1, 0]])
    with pytest.raises(SubmissionError, match="Mask 2"):
        mean_iou([good, mask], [good, good], ignore_label=255)


def test_a_mask_too_few_is_refused() -> None:
    with pytest.raises(SubmissionError, match="There are 0 masks"):
        mean_iou([], [np.ones((1, 1), int)])


@pytest.mark.parametrize(
    ("answers", "options"),
    [
        ([], {}),
        ([np.zeros((2, 2))], {}),
        ([np.zeros(4, int)], {}),
        (["1 2"], {}),
        (["1 9"], {"shape": "2x2"}),
        (["1 2"], {"shape": "2 by 2"}),
        ([np.full((2, 2), 3)], {"classes": 2}),
        ([np.zeros((2, 2), int)], {"background": False}),
    ],
)
def test_strange_answers_are_the_hosts_fault(answers: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError):
        mean_iou([np.zeros((2, 2), int)] * len(answers), answers, **options)


def test_the_interval_of_iou_holds_the_truth_about_95_times_in_100() -> None:
    guesses, answers = scene(7, n=2000)
    population = mean_iou(guesses, answers)
    draw = np.random.default_rng(0)
    inside = 0
    for experiment in range(300):
        rows = draw.integers(0, 2000, 100)
        low, high = Sums(population.values[rows], population.reduce).interval(experiment)
        inside += low <= population.value() <= high
    assert 0.92 <= inside / 300 <= 0.98
