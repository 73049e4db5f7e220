"""Speed of the metrics of rows, and of the way from a file to its score, beside the bare limit."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from podium_scoring import compute
from podium_scoring.classification import f1_macro
from podium_scoring.column import Column
from podium_scoring.grading import Choice, Grading
from podium_scoring.probability import log_loss, roc_auc
from podium_scoring.schema import Schema

pytestmark = pytest.mark.benchmark

Race = Callable[..., dict[str, float]]
MILLION = 1_000_000


def files(rows: int) -> tuple[bytes, bytes]:
    """Answers with Usage and predictions in another order, ids scattered."""
    draw = np.random.default_rng(0)
    ids = draw.permutation(3 * rows)[:rows]
    labels = draw.integers(0, 10, rows)
    usage = np.where(draw.random(rows) < 0.3, "Public", "Private")
    answers = "id,label,Usage\n" + "".join(
        f"{i},{y},{u}\n" for i, y, u in zip(ids, labels, usage, strict=True)
    )
    order = draw.permutation(rows)
    said = np.where(draw.random(rows) < 0.9, labels, draw.integers(0, 10, rows))[order]
    text = "id,label\n" + "".join(f"{i},{y}\n" for i, y in zip(ids[order], said, strict=True))
    return answers.encode(), text.encode()


@pytest.mark.parametrize("rows", [28_000, MILLION])
def test_the_way_from_a_file_to_its_accuracy_is_no_slower_than_pandas_and_a_scatter(
    race: Race, rows: int
) -> None:
    answers, file = files(rows)
    schema = Schema(Column("id", "integer"), (Column("label", "integer", 0, 9),))
    grading = Grading(schema, schema, (Choice("accuracy"),))
    truth = grading.read_truth(answers)
    ids = truth.answers.ids
    place = np.full(ids.max() + 1, -1)
    place[ids] = np.arange(rows)
    labels, splits = truth.answers.columns["label"], truth.splits

    def ours() -> list[float]:
        predictions = grading.read_predictions(file, truth.form)
        found = grading.score(predictions, truth)["accuracy"]
        return [found[split].value for split in splits]

    def scatter() -> list[float]:
        frame = pd.read_csv(io.BytesIO(file))
        said = np.empty(rows, np.int64)
        said[place[frame["id"].to_numpy()]] = frame["label"].to_numpy()
        return [float((said[kept] == labels[kept]).mean()) for kept in splits.values()]

    def merge() -> list[float]:
        table = pd.DataFrame({"id": ids, "truth": labels})
        both = table.merge(pd.read_csv(io.BytesIO(file)), on="id", validate="1:1")
        right = (both["label"] == both["truth"]).to_numpy()
        return [float(right[kept].mean()) for kept in splits.values()]

    assert ours() == scatter() == merge()
    times = race(runs=7, ours=ours, pandas_scatter=scatter, pandas_merge=merge)
    assert times["ours"] <= 1.15 * times["pandas_scatter"]


@pytest.fixture(scope="module")
def million() -> dict[str, Any]:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 10, MILLION)
    said = np.where(draw.random(MILLION) < 0.8, truth, draw.integers(0, 10, MILLION))
    chances = draw.random((MILLION, 10)) + np.eye(10)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    two = (truth < 5) * 1
    return {
        "truth": truth,
        "said": said,
        "chances": chances,
        "two": two,
        "score": np.clip(draw.normal(two, 1.5), -9, 9),
    }


def test_macro_f1_costs_one_count(race: Race, million: dict[str, Any]) -> None:
    truth, said = million["truth"], million["said"]
    expected = sk.f1_score(truth, said, average="macro")
    assert f1_macro(said, truth).value() == pytest.approx(expected, abs=1e-12)
    times = race(
        runs=9,
        f1_macro=lambda: f1_macro(said, truth).value(),
        bare_count=lambda: np.bincount(truth * 10 + said, minlength=100),
        sklearn=lambda: sk.f1_score(truth, said, average="macro"),
    )
    assert times["f1_macro"] <= 1.15 * times["bare_count"]


def test_log_loss_costs_one_look_up_and_one_logarithm(race: Race, million: dict[str, Any]) -> None:
    truth, chances = million["truth"], million["chances"]
    expected = sk.log_loss(truth, chances)
    assert log_loss(chances, truth).value() == pytest.approx(expected, abs=1e-12)
    rows = np.arange(MILLION)
    times = race(
        runs=5,
        log_loss=lambda: log_loss(chances, truth).value(),
        bare=lambda: -np.log(np.clip(chances[rows, truth], 1e-16, 1)).mean(),
        sklearn=lambda: sk.log_loss(truth, chances),
    )
    assert times["log_loss"] <= 1.15 * times["bare"]


def test_auc_costs_a_sort(race: Race, million: dict[str, Any]) -> None:
    two, score = million["two"], million["score"]
    expected = sk.roc_auc_score(two, score)
    assert roc_auc(score, two).value() == pytest.approx(expected, abs=1e-12)
    times = race(
        runs=5,
        roc_auc=lambda: roc_auc(score, two).value(),
        argsort=lambda: np.argsort(score),
        sklearn=lambda: sk.roc_auc_score(two, score),
    )
    assert times["roc_auc"] <= times["sklearn"] / 2


CASES: dict[str, Callable[[np.random.Generator], tuple[Any, Any]]] = {
    "accuracy": lambda d: (d.integers(0, 10, 10_000), d.integers(0, 10, 10_000)),
    "f1_macro": lambda d: (d.integers(0, 10, 10_000), d.integers(0, 10, 10_000)),
    "quadratic_kappa": lambda d: (d.integers(0, 10, 10_000), d.integers(0, 10, 10_000)),
    "rmse": lambda d: (d.random(10_000), d.random(10_000)),
    "r2": lambda d: (d.random(10_000), d.random(10_000)),
    "spearman": lambda d: (d.random(10_000), d.random(10_000)),
    "log_loss": lambda d: (d.dirichlet(np.ones(10), 10_000), d.integers(0, 10, 10_000)),
    "roc_auc": lambda d: (d.random(10_000), d.integers(0, 2, 10_000)),
    "average_precision": lambda d: (d.random(10_000), d.integers(0, 2, 10_000)),
    "calibration_error": lambda d: (d.random(10_000), d.integers(0, 2, 10_000)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_interval_of_ten_thousand_rows_takes_a_fraction_of_a_second(
    race: Race, name: str
) -> None:
    units = compute(name, *CASES[name](np.random.default_rng(2))).units
    generator = np.random.default_rng(0)

    def bare() -> None:
        for _ in range(1000):
            np.bincount(generator.integers(0, 10_000, 10_000), minlength=10_000)

    times = race(interval=lambda: units.interval(0), bare_resamples=bare)
    assert times["interval"] <= 6 * times["bare_resamples"]
