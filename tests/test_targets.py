import random

import pytest

from podium import plaincsv, targets
from podium.errors import BadRequestError
from podium_scoring import METRICS

WISH = plaincsv.Wish("kinds", "Kinds", "Say it.", "y", "accuracy", {})


def example(metric, values, **options):
    record = METRICS[metric]
    return targets.example(targets.of("y", record, values), record, options, values)


def made(metric, values, **options):
    """The folder of a table whose target has these values in turn."""
    wish = plaincsv.Wish("kinds", "Kinds", "Say it.", "y", metric, options)
    lines = "".join(f"{n},{values[n % len(values)]}\n" for n in range(300))
    return plaincsv.folder(wish, plaincsv.divided(wish, f"x,y\n{lines}".encode()))


def test_the_last_row_of_an_example_is_missed():
    found = example("accuracy", ["0", "1", "1", "0", "1", "0"])
    assert found.header == ["y (the answer)", "y (predicted)"]
    assert found.rows == [["0", "0"], ["1", "1"], ["1", "1"], ["0", "0"], ["1", "0"]]
    assert found.value == 0.8


def test_an_example_of_numbers_is_the_metric_of_these_rows():
    found = example("mae", ["1.5", "2.5", "4.0", "8.0", "10.0", "3.0"])
    assert found.value == pytest.approx((10.0 - 1.5) / 5)


def test_an_example_of_classes_covers_two_of_them():
    assert example("f1_macro", ["a"] * 20 + ["b"]).rows[-1] == ["b", "a"]
    assert example("accuracy", ["a"] * 20) is None


def test_an_example_of_probabilities_says_them_for_each_class():
    found = example("log_loss", ["a", "b", "c", "a", "b"])
    assert found.header == [
        "y (the answer)",
        "p_a (predicted)",
        "p_b (predicted)",
        "p_c (predicted)",
    ]
    assert found.rows[0] == ["a", "0.8", "0.1", "0.1"]
    assert found.value == pytest.approx((4 * 0.2231435513 + 2.302585093) / 5)


def test_students_read_the_example_and_no_test_row():
    folder = made("accuracy", ["1", "0"])
    assert "Accuracy of these rows is 0.8." in folder.text
    assert "| y (the answer) | y (predicted) |" in folder.text


@pytest.mark.parametrize(
    ("metric", "values", "columns"),
    [
        ("log_loss", ["0", "1"], ["p_1"]),
        ("roc_auc", ["no", "yes"], ["p_yes"]),
        ("brier", ["a", "b", "c"], ["p_a", "p_b", "p_c"]),
        ("log_loss", ["2", "10", "3"], ["p_2", "p_3", "p_10"]),
        ("average_precision", ["0", "1"], ["p_1"]),
    ],
)
def test_a_metric_of_probabilities_asks_for_them_and_scores_them(metric, values, columns):
    folder = made(metric, values)
    assert [one.name for one in folder.spec.submission.columns] == columns
    grading = folder.spec.grading
    truth = grading.read_truth(folder.answers)
    sample = grading.read_predictions(folder.public["sample_submission.csv"], truth.form)
    classes = values if len(columns) > 1 else None
    chance = random.Random(0)
    lines = ["id," + ",".join(columns)]
    for id_, answer in zip(truth.answers.ids, _answers(folder), strict=True):
        if classes is None:
            lines.append(f"{id_},{0.9 if answer == 1 else 0.1 * chance.random()}")
        else:
            rest = 0.1 / (len(columns) - 1)
            lines.append(
                f"{id_},"
                + ",".join(str(0.9 if place == answer else rest) for place in range(len(columns)))
            )
    good = grading.read_predictions("\n".join(lines).encode() + b"\n", truth.form)
    best, start = (grading.score(one, truth)[metric]["private"].value for one in (good, sample))
    assert best > start if METRICS[metric].higher_is_better else best < start


def _answers(folder):
    lines = folder.answers.decode().splitlines()
    at = lines[0].split(",").index("y")
    return [int(line.split(",")[at]) for line in lines[1:]]


def test_a_metric_that_there_is_not_is_named():
    with pytest.raises(BadRequestError, match="no metric 'acuracy'"):
        targets.need_metric("acuracy")


def test_one_value_is_no_question_of_probability():
    with pytest.raises(BadRequestError, match="one value only"):
        targets.of("y", METRICS["log_loss"], ["1", "1"])
