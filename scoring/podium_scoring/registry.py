"""The metrics by name: one explicit dictionary, so that what there is can be read here."""

import difflib

from podium_scoring.errors import ChallengeError
from podium_scoring.metric import Metric
from podium_scoring.task_metrics import TASK_METRICS

_CLASSIFICATION = (
    Metric(
        name="accuracy",
        family="classification",
        title="Accuracy",
        higher_is_better=True,
        best=1.0,
        worst=0.0,
        unit="row",
        formula="share of rows whose predicted class is the true class",
        source="definition",
    ),
    Metric(
        name="balanced_accuracy",
        family="classification",
        title="Balanced accuracy",
        higher_is_better=True,
        best=1.0,
        worst=0.0,
        unit="row",
        formula="mean over the true classes of the share of their rows that are right",
        source="Brodersen et al. 2010",
    ),
    Metric(
        name="f1_macro",
        family="classification",
        title="Macro F1",
        higher_is_better=True,
        best=1.0,
        worst=0.0,
        unit="row",
        formula="mean over classes of 2·TP / (2·TP + FP + FN)",
        source="definition; a class without rows and predictions is left out",
    ),
    Metric(
        name="matthews",
        family="classification",
        title="Matthews correlation",
        higher_is_better=True,
        best=1.0,
        worst=-1.0,
        unit="row",
        formula="correlation of predicted and true classes (R_K)",
        source="Gorodkin 2004; 0 where one side has a single class",
    ),
)
_REGRESSION = (
    Metric(
        name="rmse",
        family="regression",
        takes="numbers",
        title="Root mean squared error",
        higher_is_better=False,
        best=0.0,
        worst=None,
        unit="row",
        formula="square root of the mean squared difference",
        source="definition",
    ),
    Metric(
        name="mae",
        family="regression",
        takes="numbers",
        title="Mean absolute error",
        higher_is_better=False,
        best=0.0,
        worst=None,
        unit="row",
        formula="mean absolute difference",
        source="definition",
    ),
)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*_CLASSIFICATION, *_REGRESSION, *TASK_METRICS)
}


def metric(name: str) -> Metric:
    """The metric of this name; ChallengeError with the nearest name if there is none."""
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `python -m podium_scoring list` lists all."
    raise ChallengeError(f"There is no metric {name!r}.{hint}")
