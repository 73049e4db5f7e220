"""Speed of mean IoU on 500 masks of 256 x 256: the ratio to counting pairs of labels in numpy."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from podium_scoring.segmentation import mean_iou

pytestmark = pytest.mark.benchmark


def test_mean_iou_costs_little_more_than_counting(race: Callable[..., dict[str, float]]) -> None:
    draw = np.random.default_rng(0)
    answers = np.kron(draw.integers(0, 8, (500, 8, 8)), np.ones((1, 32, 32), int)).astype(np.uint8)
    guesses = np.where(draw.random(answers.shape) < 0.8, answers, 0).astype(np.uint8)

    def counted() -> float:
        table = np.bincount((answers.astype(np.int64) * 8 + guesses).ravel(), minlength=64).reshape(
            8, 8
        )
        right = np.diag(table)
        return float((right / (table.sum(0) + table.sum(1) - right)).mean())

    assert mean_iou(guesses, answers).value() == pytest.approx(counted(), abs=1e-12)
    times = race(
        mean_iou=lambda: mean_iou(guesses, answers).value(),
        counted=counted,
        sklearn_on_a_tenth=lambda: jaccard_score(
            answers[:50].ravel(), guesses[:50].ravel(), average="macro"
        ),
    )
    assert times["mean_iou"] <= 1.15 * times["counted"]
