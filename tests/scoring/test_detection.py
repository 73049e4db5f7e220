"""Detection metrics against pycocotools, hand-computed cases and hostile boxes."""

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from podium_scoring.detection import breakdown, coco_ap, coco_ap50, coco_ap75
from podium_scoring.errors import ChallengeError, SubmissionError

Box = dict[str, Any]


def scene(seed: int, images: int = 40, classes: int = 3) -> tuple[list[Box], dict[str, Any]]:
    """Answers with crowds and all sizes; results that jitter them, tie in score, and add noise."""
    draw = np.random.default_rng(seed)
    answers: list[Box] = []
    results: list[Box] = []
    for image in range(images):
        for _ in range(int(draw.integers(0, 8))):
            side = draw.choice([10, 40, 120]) * draw.uniform(0.6, 1.4, 2)
            corner = draw.uniform(0, 100, 2)
            kind = int(draw.integers(1, classes + 1))
            box = [*corner.tolist(), *side.tolist()]
            answers.append(
                {
                    "id": len(answers) + 1,
                    "image_id": image,
                    "category_id": kind,
                    "bbox": box,
                    "area": float(side.prod() * draw.uniform(0.7, 1.0)),
                    "iscrowd": int(draw.random() < 0.1),
                }
            )
            for _ in range(int(draw.integers(0, 4))):
                moved = (np.array(box) + draw.normal(0, 4, 4) * (side.mean() / 40)).clip(1)
                results.append(
                    {
                        "image_id": image,
                        "category_id": kind if draw.random() < 0.9 else 1,
                        "bbox": moved.tolist(),
                        "score": float(draw.integers(0, 20)) / 20,
                    }
                )
    kinds = [{"id": number, "name": f"kind {number}"} for number in range(1, classes + 1)]
    return results, {
        "images": [{"id": number} for number in range(images)],
        "categories": kinds,
        "annotations": answers,
    }


def pycocotools_statistics(results: list[Box], answers: dict[str, Any]) -> list[float]:
    """COCO's twelve numbers, AP, AP50, AP75, small, medium, large first."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = answers
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes([dict(box) for box in results]), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(number) for number in judge.stats]


def one_box(**changes: Any) -> list[Box]:
    return [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.5} | changes]


@pytest.fixture
def one_answer() -> dict[str, Any]:
    return {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 1, "name": "digit"}, {"id": 2, "name": "letter"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100}],
    }


@pytest.mark.parametrize("seed", range(8))
def test_all_six_precisions_equal_pycocotools(seed: int) -> None:
    results, answers = scene(seed)
    ours = [
        coco_ap(results, answers).value(),
        coco_ap50(results, answers).value(),
        coco_ap75(results, answers).value(),
        *(coco_ap(results, answers, area=size).value() for size in ("small", "medium", "large")),
    ]
    assert ours == pytest.approx(pycocotools_statistics(results, answers)[:6], abs=1e-12)


def test_more_boxes_than_the_limit_equal_pycocotools() -> None:
    draw = np.random.default_rng(3)
    results, answers = scene(3, images=2, classes=1)
    results = [box | {"score": float(draw.random())} for box in results * 60]
    expected = pycocotools_statistics(results, answers)[0]
    assert coco_ap(results, answers).value() == pytest.approx(expected, abs=1e-12)


def test_a_class_alone_equals_pycocotools_without_the_others() -> None:
    results, answers = scene(5)
    alone = answers | {
        "categories": [answers["categories"][1]],
        "annotations": [box for box in answers["annotations"] if box["category_id"] == 2],
    }
    expected = pycocotools_statistics([b for b in results if b["category_id"] == 2], alone)[0]
    assert coco_ap(results, answers, category=2).value() == pytest.approx(expected, abs=1e-12)
    assert breakdown(results, answers)["category kind 2"] == pytest.approx(expected, abs=1e-12)


def test_weighting_an_image_twice_equals_entering_it_twice() -> None:
    results, answers = scene(7, images=6)
    draw = np.random.default_rng(0)
    results = [box | {"score": float(draw.random())} for box in results]
    copies = [box | {"image_id": box["image_id"] + 100} for box in answers["annotations"]]
    twice = {
        "images": answers["images"] + [{"id": number + 100} for number in range(6)],
        "categories": answers["categories"],
        "annotations": answers["annotations"] + copies,
    }
    doubled = results + [box | {"image_id": box["image_id"] + 100} for box in results]
    weighted = coco_ap(results, answers).at(np.full(6, 2.0))
    assert weighted == pytest.approx(coco_ap(doubled, twice).value(), abs=1e-12)


def test_the_answers_themselves_score_one() -> None:
    _, answers = scene(1)
    answers["annotations"] = [box | {"iscrowd": 0} for box in answers["annotations"]]
    results = [box | {"score": 1.0} for box in answers["annotations"]]
    assert coco_ap(results, answers).value() == 1.0


def test_an_overlap_of_two_thirds_counts_at_half_and_not_at_three_quarters(
    one_answer: dict[str, Any],
) -> None:
    # 10 x 10 against 10 x 15 from the same corner: 100 / 150. It passes .50, .55, .60, .65.
    results = one_box(bbox=[0, 0, 10, 15])
    assert coco_ap50(results, one_answer).value() == 1.0
    assert coco_ap75(results, one_answer).value() == 0.0
    assert coco_ap(results, one_answer).value() == pytest.approx(0.4)


def test_a_surer_wrong_box_halves_the_precision(one_answer: dict[str, Any]) -> None:
    results = one_box() + one_box(image_id=2, score=0.9)
    assert coco_ap(results, one_answer).value() == pytest.approx(0.5)


def test_no_boxes_score_zero(one_answer: dict[str, Any]) -> None:
    units = coco_ap([], one_answer)
    assert units.value() == 0.0
    assert units.interval(0) == (0.0, 0.0)


def test_boxes_on_the_wrong_class_score_zero(one_answer: dict[str, Any]) -> None:
    assert coco_ap(one_box(category_id=2), one_answer).value() == 0.0


def test_the_order_of_the_file_does_not_matter_without_ties() -> None:
    results, answers = scene(9)
    draw = np.random.default_rng(0)
    results = [box | {"score": float(draw.random())} for box in results]
    shuffled = [results[place] for place in draw.permutation(len(results))]
    assert coco_ap(shuffled, answers).value() == coco_ap(results, answers).value()


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"image_id": 7}, "image_id"),
        ({"image_id": "one"}, "image_id"),
        ({"image_id": 1.5}, "image_id"),
        ({"image_id": None}, "image_id"),
        ({"image_id": 10**40}, "image_id"),
        ({"category_id": 9}, "category_id"),
        ({"category_id": [1]}, "category_id"),
        ({"bbox": [0, 0, 10]}, "bbox"),
        ({"bbox": [0, 0, -1, 10]}, "bbox"),
        ({"bbox": [0, 0, float("nan"), 10]}, "bbox"),
        ({"bbox": "0 0 10 10"}, "bbox"),
        ({"bbox": None}, "bbox"),
        ({"bbox": [[0, 0, 10, 10]]}, "bbox"),
        ({"bbox": [0, 0, 1e200, 1e200]}, "bbox"),
        ({"score": "0.5"}, "score"),
        ({"score": [0.5]}, "score"),
        ({"score": float("inf")}, "score"),
        ({"score": "high"}, "score"),
        ({"score": None}, "score"),
    ],
)
def test_a_strange_box_is_refused_with_its_place(
    one_answer: dict[str, Any], changes: dict[str, Any], column: str
) -> None:
    with pytest.raises(SubmissionError, match=f"Box 2 has {column}") as caught:
        coco_ap(one_box() + one_box(**changes), one_answer)
    assert caught.value.details[0].line == 2


@pytest.mark.parametrize("results", [{"boxes": []}, "boxes", [1], [[1, 2]], [None]])
def test_what_is_no_list_of_boxes_is_refused(one_answer: dict[str, Any], results: Any) -> None:
    with pytest.raises(SubmissionError):
        coco_ap(results, one_answer)


def test_a_size_without_answers_is_the_hosts_fault(one_answer: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError, match="no box of area 'large'"):
        coco_ap(one_box(), one_answer, area="large")


def test_an_unknown_size_is_the_hosts_fault(one_answer: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError, match="no area 'huge'"):
        coco_ap(one_box(), one_answer, area="huge")


@pytest.mark.parametrize("answers", [{}, {"images": [], "categories": [], "annotations": []}])
def test_answers_that_are_not_coco_are_the_hosts_fault(answers: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError):
        coco_ap([], answers)


def test_the_interval_repeats_for_a_seed_and_holds_the_value() -> None:
    results, answers = scene(2)
    units = coco_ap(results, answers)
    low, high = units.interval(4)
    assert units.interval(4) == (low, high)
    assert low < units.value() < high


def coverage(experiments: int, images: int) -> float:
    """How often the interval of AP50 of some images holds that of all 1,500."""
    results, answers = scene(1, images=1500, classes=1)
    draw = np.random.default_rng(0)
    results = [box | {"score": float(draw.random())} for box in results]
    truth = coco_ap50(results, answers).value()
    by_image: dict[int, tuple[list[Box], list[Box]]] = {i: ([], []) for i in range(1500)}
    for box in results:
        by_image[box["image_id"]][0].append(box)
    for box in answers["annotations"]:
        by_image[box["image_id"]][1].append(box)
    inside = 0
    for experiment in range(experiments):
        drawn = [by_image[i] for i in draw.integers(0, 1500, images)]
        units = coco_ap50(
            [box | {"image_id": new} for new, (found, _) in enumerate(drawn) for box in found],
            {
                "images": [{"id": new} for new in range(images)],
                "categories": answers["categories"],
                "annotations": [
                    box | {"image_id": new} for new, (_, real) in enumerate(drawn) for box in real
                ],
            },
        )
        low, high = units.interval(experiment)
        inside += low <= truth <= high
    return inside / experiments


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    assert 0.92 <= coverage(experiments=100, images=100) <= 0.98


@pytest.mark.slow
def test_the_interval_holds_the_truth_about_95_times_in_100_over_many_draws() -> None:
    assert 0.92 <= coverage(experiments=1000, images=100) <= 0.98


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
RESULT = st.fixed_dictionaries(
    {},
    optional={
        "image_id": st.just(1) | JSON,
        "category_id": st.just(1) | JSON,
        "bbox": st.lists(st.floats(-1, 20), min_size=4, max_size=4) | JSON,
        "score": st.floats(0, 1) | JSON,
    },
)


@given(results=st.lists(RESULT | JSON, max_size=4) | JSON)
def test_any_json_scores_or_is_refused(results: Any) -> None:
    answers = {
        "images": [{"id": 1}],
        "categories": [{"id": 1, "name": "digit"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10]}],
    }
    with contextlib.suppress(SubmissionError):
        assert 0 <= coco_ap(results, answers).value() <= 1
