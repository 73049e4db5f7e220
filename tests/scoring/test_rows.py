"""Metrics of rows against scikit-learn and scipy, by hand, and where they are degenerate."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy import stats

from podium_scoring import ChallengeError, ScoringError, SubmissionError, compute

EXACT = 1e-12
GRADES = np.random.default_rng(0)


def value(name, predictions, answers, **options):
    return compute(name, np.asarray(predictions), np.asarray(answers), **options).value


@pytest.fixture(params=["two classes", "five classes", "text", "sparse integers", "rare classes"])
def classes(request):
    """Predictions and answers, right for about 60 %."""
    draw = np.random.default_rng(7)
    k = 2 if request.param == "two classes" else 5
    answers = draw.integers(0, k, 800)
    if request.param == "rare classes":
        answers = np.minimum(draw.geometric(0.6, 800), 9)
    said = np.where(draw.random(800) < 0.6, answers, draw.integers(0, k + 1, 800))
    if request.param == "text":
        names = np.array(["ant", "bee", "cat", "dog", "eel", "fox"], object)
        return names[said], names[answers]
    if request.param == "sparse integers":
        return said * 100_003 - 7, answers * 100_003 - 7
    return said, answers


CLASSES = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": lambda y, p: float(
        np.mean([(p[y == one] == one).mean() for one in np.unique(y)])
    ),
    "f1_macro": lambda y, p: sk.f1_score(y, p, average="macro", zero_division=0),
    "f1_micro": lambda y, p: sk.f1_score(y, p, average="micro"),
    "f1_weighted": lambda y, p: sk.f1_score(y, p, average="weighted", zero_division=0),
    "matthews": sk.matthews_corrcoef,
}


@pytest.mark.parametrize("name", CLASSES)
def test_metrics_of_classes_equal_scikit_learn(classes, name):
    said, answers = classes
    assert value(name, said, answers) == pytest.approx(
        CLASSES[name](answers.astype(str), said.astype(str)), abs=EXACT
    )


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", ["precision", "recall"])
def test_precision_and_recall_equal_scikit_learn(classes, name, average):
    said, answers = (one.astype(str) for one in classes)
    oracle = getattr(sk, f"{name}_score")
    expected = oracle(answers, said, average=average, zero_division=0)
    assert value(name, *classes, average=average) == pytest.approx(expected, abs=EXACT)


def test_quadratic_kappa_equals_scikit_learn():
    draw = np.random.default_rng(3)
    answers = draw.integers(1, 6, 500)
    said = np.clip(answers + draw.integers(-2, 3, 500), 1, 5)
    expected = sk.cohen_kappa_score(answers, said, weights="quadratic")
    assert value("quadratic_kappa", said, answers) == pytest.approx(expected, abs=EXACT)


@pytest.fixture(params=[2, 3, 10])
def probabilities(request):
    """Probabilities (n, k), some rows tied, and true classes."""
    k = request.param
    draw = np.random.default_rng(5)
    answers = draw.integers(0, k, 600)
    weights = draw.random((600, k)) + 0.7 * np.eye(k)[answers]
    weights[::7] = np.round(weights[::7], 1) + 0.05
    return weights / weights.sum(axis=1, keepdims=True), answers


def test_log_loss_equals_scikit_learn(probabilities):
    given, answers = probabilities
    assert value("log_loss", given, answers) == pytest.approx(
        sk.log_loss(answers, given), abs=EXACT
    )


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_auc_and_average_precision_equal_scikit_learn(probabilities, average):
    given, answers = probabilities
    if given.shape[1] == 2:
        auc = sk.roc_auc_score(answers, given[:, 1])
        precision = sk.average_precision_score(answers, given[:, 1])
    else:
        auc = sk.roc_auc_score(answers, given, multi_class="ovr", average=average)
        one_hot = np.eye(given.shape[1])[answers]
        precision = sk.average_precision_score(one_hot, given, average=average)
    assert value("roc_auc", given, answers, average=average) == pytest.approx(auc, abs=EXACT)
    assert value("average_precision", given, answers, average=average) == pytest.approx(
        precision, abs=EXACT
    )


def test_brier_equals_scikit_learn(probabilities):
    given, answers = probabilities
    expected = sk.brier_score_loss(answers, given[:, 1] if given.shape[1] == 2 else given)
    assert value("brier", given, answers) == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("k", [1, 2])
def test_top_k_accuracy_equals_scikit_learn_where_nothing_is_tied(probabilities, k):
    given, answers = probabilities
    given = given + 1e-6 * np.random.default_rng(0).random(given.shape)
    given /= given.sum(axis=1, keepdims=True)
    if given.shape[1] == 2 and k == 2:
        expected = 1.0
    else:
        scores = given[:, 1] if given.shape[1] == 2 else given
        expected = sk.top_k_accuracy_score(answers, scores, k=k)
    assert value("top_k_accuracy", given, answers, k=k) == pytest.approx(expected, abs=EXACT)


def test_calibration_error_is_that_of_its_definition(probabilities):
    given, answers = probabilities
    sure, right = given.max(axis=1), given.argmax(axis=1) == answers
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (sure > low) & (sure <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert value("calibration_error", given, answers) == pytest.approx(expected, abs=1e-9)


NUMBERS = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
    "rmsle": sk.root_mean_squared_log_error,
    "spearman": lambda y, p: stats.spearmanr(y, p).statistic,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_metrics_of_numbers_equal_scikit_learn_and_scipy(name):
    draw = np.random.default_rng(11)
    answers = draw.gamma(2, 3, 700) + 1e5 * (name == "r2")
    said = np.abs(answers + draw.normal(0, 1, 700)).round(1)  # with ties
    assert value(name, said, answers) == pytest.approx(NUMBERS[name](answers, said), rel=1e-9)


BY_HAND = [
    ("accuracy", [1, 1, 0, 2], [1, 0, 0, 2], {}, 0.75),
    ("balanced_accuracy", [1, 1, 0, 1], [1, 0, 0, 0], {}, (1 + 1 / 3) / 2),
    ("precision", [1, 1, 0, 1], [1, 0, 0, 0], {}, (1 / 3 + 1) / 2),
    ("recall", [1, 1, 0, 1], [1, 0, 0, 0], {"average": "weighted"}, 0.5),
    ("f1_macro", [1, 1, 0, 1], [1, 0, 0, 0], {}, 0.5),  # 2/4 of either class
    ("f1_micro", [1, 1, 0, 1], [1, 0, 0, 0], {}, 0.5),
    ("f1_weighted", [0, 0, 0, 1], [0, 0, 1, 1], {}, (2 * 4 / 5 + 2 * 2 / 3) / 4),
    ("matthews", [1, 1, 0, 0], [1, 0, 0, 0], {}, 1 / math.sqrt(3)),
    ("quadratic_kappa", [1, 2, 3, 4], [1, 2, 3, 3], {}, 1 - 1 / 8),  # 32 / 4 by chance
    ("log_loss", [[0.5, 0.5], [0.2, 0.8]], [0, 1], {}, -(math.log(0.5) + math.log(0.8)) / 2),
    ("brier", [0.8, 0.4], [1, 0], {}, (0.04 + 0.16) / 2),
    ("brier", [[0.2, 0.8], [0.6, 0.4]], [1, 0], {}, (0.04 + 0.16) / 2),
    ("top_k_accuracy", [[0.4, 0.3, 0.3], [0.1, 0.2, 0.7]], [1, 0], {"k": 2}, 0.25),  # a tie: half
    ("roc_auc", [0.1, 0.4, 0.4, 0.9], [0, 0, 1, 1], {}, 3.5 / 4),
    ("average_precision", [0.9, 0.8, 0.7], [1, 0, 1], {}, (1 + 2 / 3) / 2),
    ("calibration_error", [[0.9, 0.1], [0.9, 0.1]], [0, 1], {}, 0.4),
    ("rmse", [1.0, 2.0, 3.0], [1.0, 2.0, 6.0], {}, math.sqrt(3)),
    ("mae", [1.0, 2.0, 3.0], [1.0, 2.0, 6.0], {}, 1.0),
    ("mape", [1.0, 3.0], [2.0, 2.0], {}, 0.5),
    ("r2", [1.0, 2.0, 3.0], [1.0, 2.0, 6.0], {}, 1 - 9 / 14),
    ("rmsle", [0.0, 1.0], [1.0, 1.0], {}, math.log(2) / math.sqrt(2)),
    ("spearman", [1.0, 2.0, 3.0], [10.0, 30.0, 20.0], {}, 0.5),
]


@pytest.mark.parametrize(("name", "said", "answers", "options", "expected"), BY_HAND)
def test_by_hand(name, said, answers, options, expected):
    assert value(name, said, answers, **options) == pytest.approx(expected, abs=EXACT)


DEGENERATE = [
    ("accuracy", [3], [3], 1.0),
    ("accuracy", [0, 0], [1, 1], 0.0),
    ("balanced_accuracy", [0, 1], [0, 0], 0.5),
    ("f1_macro", [7, 7], [7, 7], 1.0),
    ("f1_macro", [0, 0], [1, 1], 0.0),
    ("precision", [0, 0], [1, 1], 0.0),
    ("matthews", [1, 1], [0, 1], 0.0),
    ("quadratic_kappa", [2, 2], [2, 2], 1.0),
    ("quadratic_kappa", [3, 1], [1, 3], -1.0),
    ("log_loss", [[0.0, 1.0]], [0], -math.log(2**-52)),
    ("log_loss", [[1.0, 0.0]], [0], 0.0),
    ("roc_auc", [0.5, 0.5, 0.5], [0, 1, 1], 0.5),
    ("roc_auc", [0.9, 0.1], [0, 1], 0.0),
    ("average_precision", [0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 0.25),
    ("calibration_error", [1.0, 0.0], [1, 0], 0.0),
    ("rmse", [4.0], [1.0], 3.0),
    ("spearman", [2.0, 2.0, 2.0], [1.0, 2.0, 3.0], 0.0),
    ("spearman", [3.0, 2.0, 1.0], [1.0, 2.0, 3.0], -1.0),
    ("r2", [2.0, 2.0, 2.0], [1.0, 2.0, 3.0], 0.0),
]


@pytest.mark.parametrize(("name", "said", "answers", "expected"), DEGENERATE)
def test_degenerate_cases(name, said, answers, expected):
    score = compute(name, np.array(said), np.array(answers))
    assert score.value == pytest.approx(expected, abs=EXACT)
    if score.low is not None:
        assert score.low <= score.high


UNDEFINED = [
    ("roc_auc", [0.2, 0.8], [1, 1], ChallengeError),
    ("average_precision", [0.2, 0.8], [0, 0], ChallengeError),
    ("r2", [1.0, 2.0], [3.0, 3.0], ChallengeError),
    ("mape", [1.0, 2.0], [0.0, 3.0], ChallengeError),
    ("spearman", [1.0, 2.0], [3.0, 3.0], ChallengeError),
    ("rmsle", [-2.0, 2.0], [1.0, 3.0], SubmissionError),
    ("rmsle", [1.0, 2.0], [-1.0, 3.0], ChallengeError),
    ("log_loss", [[0.5, np.nan], [0.2, 0.8]], [0, 1], SubmissionError),
    ("log_loss", [[1.5, -0.5], [0.2, 0.8]], [0, 1], SubmissionError),
    ("log_loss", [[0.5, 0.5], [0.2, 0.8]], [0, 2], ChallengeError),
    ("roc_auc", [np.inf, 0.5], [0, 1], SubmissionError),
    ("rmse", [np.nan, 0.5], [0.0, 1.0], SubmissionError),
    ("rmse", [1.0, 0.5], [0.0, np.inf], ChallengeError),
    ("quadratic_kappa", ["a", "b"], ["a", "b"], ChallengeError),
]


@pytest.mark.parametrize(("name", "said", "answers", "error"), UNDEFINED)
def test_what_has_no_score_is_refused_with_whose_it_is(name, said, answers, error):
    with pytest.raises(ScoringError) as caught:
        compute(name, np.array(said), np.array(answers))
    assert type(caught.value) is error


def test_a_strange_row_is_named():
    with pytest.raises(SubmissionError, match="Row 2 has nan"):
        compute("mae", np.array([1.0, np.nan]), np.array([1.0, 2.0]))


def test_many_classes_are_counted_without_a_square_table():
    draw = np.random.default_rng(0)
    answers = draw.integers(0, 3000, 5000) * 17
    said = np.where(draw.random(5000) < 0.5, answers, draw.integers(0, 3000, 5000) * 17)
    score = compute("f1_macro", said, answers)
    expected = sk.f1_score(answers, said, average="macro", zero_division=0)
    assert score.value == pytest.approx(expected, abs=EXACT)
    assert score.low < score.value + 0.1


def test_the_interval_of_many_rows_resamples_blocks_of_them():
    draw = np.random.default_rng(0)
    answers = draw.normal(size=300_000)
    score = compute("mae", answers + draw.normal(size=300_000), answers)
    # the absolute value of a standard normal has deviation √(1 - 2/π)
    half = 1.96 * math.sqrt(1 - 2 / math.pi) / math.sqrt(300_000)
    assert (score.high - score.low) / 2 == pytest.approx(half, rel=0.15)
