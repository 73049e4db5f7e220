"""What holds for every metric, from the file to the score."""

import math
import random
from dataclasses import replace

import pytest

from podium_scoring import METRICS, SubmissionError


def test_a_perfect_submission_scores_best(example):
    metric, found = METRICS[example.name], example.score()
    assert math.isfinite(found.value)
    if metric.name == "kernel_distance":  # unbiased, so that equal images score a little below 0
        assert -1 < found.value <= 0
    elif math.isfinite(metric.best):
        assert found.value == pytest.approx(metric.best, abs=1e-6)


def test_the_order_of_the_rows_does_not_matter(example):
    rows = random.Random(1).sample(example.rows, len(example.rows))
    assert example.score(rows).value == pytest.approx(example.score().value, abs=1e-9)


def test_the_names_of_the_ids_do_not_matter(example):
    key = example.grading.submission.id.name
    old = [row["id"] for row in example.answers or example.annotations["images"]]
    if example.grading.submission.rows is not None:
        old = []  # the ids of generated images are declared; those of real ones have no part
    names = dict(zip(old, random.Random(2).sample(range(1000, 2000), len(old)), strict=True))

    def renamed(rows, key):
        return [row | {key: names.get(row[key], row[key])} for row in rows]

    annotations = example.annotations and {
        "images": renamed(example.annotations["images"], "id"),
        "categories": example.annotations["categories"],
        "annotations": renamed(example.annotations["annotations"], "image_id"),
    }
    other = replace(
        example,
        answers=renamed(example.answers, "id"),
        rows=renamed(example.rows, key),
        annotations=annotations,
    )
    assert other.score().value == pytest.approx(example.score().value, abs=1e-9)


def refused(example, rows):
    with pytest.raises(SubmissionError) as caught:
        example.score(rows)
    return caught.value


def test_a_double_id_is_refused_with_its_row(example):
    if example.grading.submission.repeated:  # a box more of an image is no fault
        assert math.isfinite(example.score([*example.rows, example.rows[0]]).value)
        return
    error = refused(example, [*example.rows, example.rows[0]])
    assert error.details[0].line == len(example.rows) + 2  # after the header
    assert error.details[0].expected == "each id once"


def test_a_missing_id_is_refused_by_name(example):
    if example.grading.submission.repeated:  # an image may have no box
        assert math.isfinite(example.score(example.rows[1:]).value)
        return
    error = refused(example, example.rows[1:])
    assert f"a row for id {example.rows[0]['id']}" in error.message


def test_an_unknown_id_is_refused_with_its_row(example):
    key = example.grading.submission.id.name
    error = refused(example, [*example.rows[:-1], example.rows[-1] | {key: 987_654}])
    number = len(example.rows) + (0 if example.annotations else 1)
    assert (error.details[0].line, error.details[0].column) == (number, key)
    assert "987654" in error.details[0].got


@pytest.mark.parametrize("word", ["NaN", "inf", "-Infinity"])
def test_what_is_no_finite_number_is_refused_with_its_row(example, word):
    numbers = [
        one.name for one in example.grading.submission.columns if one.type in ("integer", "number")
    ]
    if not numbers:  # in a text these are words
        return
    name = "score" if example.annotations else numbers[0]
    value = float(word) if example.annotations else word
    error = refused(example, [example.rows[0] | {name: value}, *example.rows[1:]])
    assert error.details[0].line == (1 if example.annotations else 2)
    assert word.lstrip("-").lower()[:3] in error.details[0].got.lower()
