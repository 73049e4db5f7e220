"""Speed of COCO AP on 5,000 images: the ratio to faster-coco-eval and pycocotools, same run."""

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from faster_coco_eval import COCO as FasterCOCO
from faster_coco_eval import COCOeval_faster
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from podium_scoring.detection import breakdown, coco_ap

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def scene() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """5,000 images, 20,000 answers of 10 classes, 50,000 results."""
    draw = np.random.default_rng(0)
    n, m = 20_000, 50_000
    image, kind = draw.integers(0, 5000, n), draw.integers(1, 11, n)
    boxes = np.concatenate([draw.uniform(0, 70, (n, 2)), draw.uniform(10, 60, (n, 2))], axis=1)
    near = draw.integers(0, n, m)
    moved = boxes[near] + draw.normal(0, 4, (m, 4))
    moved[:, 2:] = moved[:, 2:].clip(1)
    answers = [
        {"id": i + 1, "image_id": int(image[i]), "category_id": int(kind[i]), "iscrowd": 0}
        | {"bbox": boxes[i].tolist(), "area": float(boxes[i, 2] * boxes[i, 3])}
        for i in range(n)
    ]
    results = [
        {"image_id": int(image[j]), "category_id": int(kind[j]), "bbox": moved[i].tolist()}
        | {"score": float(score)}
        for i, (j, score) in enumerate(zip(near, draw.random(m), strict=True))
    ]
    return results, {
        "images": [{"id": i} for i in range(5000)],
        "categories": [{"id": i, "name": str(i)} for i in range(1, 11)],
        "annotations": answers,
    }


def judged(coco: Any, judge: Any, results: list[Any], answers: dict[str, Any]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco()
        truth.dataset = answers
        truth.createIndex()
        work = judge(truth, truth.loadRes([dict(box) for box in results]), "bbox")
        work.evaluate()
        work.accumulate()
        work.summarize()
    return float(work.stats[0])


def test_coco_ap_costs_no_more_than_faster_coco_eval(
    scene: tuple[list[dict[str, Any]], dict[str, Any]], race: Callable[..., dict[str, float]]
) -> None:
    results, answers = scene
    units = coco_ap(results, answers)
    times = race(
        coco_ap=lambda: coco_ap(results, answers).value(),
        all_sizes=lambda: breakdown(results, answers),
        faster_coco_eval=lambda: judged(FasterCOCO, COCOeval_faster, results, answers),
        pycocotools=lambda: judged(COCO, COCOeval, results, answers),
        interval=lambda: units.interval(0),
    )
    exact = judged(COCO, COCOeval, results, answers)
    assert units.value() == pytest.approx(exact, abs=1e-12)
    assert times["all_sizes"] <= 1.15 * times["faster_coco_eval"]
