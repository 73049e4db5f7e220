"""The metrics by name: one explicit dictionary, so that what there is can be read here."""

import difflib

from podium_scoring.errors import ChallengeError
from podium_scoring.metric import Metric
from podium_scoring.row_metrics import ROW_METRICS
from podium_scoring.task_metrics import TASK_METRICS

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*ROW_METRICS, *TASK_METRICS)}


def metric(name: str) -> Metric:
    """The metric of this name; ChallengeError with the nearest name if there is none."""
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `python -m podium_scoring list` lists all."
    raise ChallengeError(f"There is no metric {name!r}.{hint}")
