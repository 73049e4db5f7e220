"""A metric that a challenge brings: a file with `score(solution, submission, row_id_column_name)`.

The form is Kaggle's, so that a metric file of a competition there runs unmodified. Both arguments
are pandas frames of the same rows in the same order, the ids included and Usage left out. A file
is run when its challenge is first scored; whoever calls this decides in what process.
"""

import inspect
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring import kaggle_metric_utilities
from podium_scoring.errors import ChallengeError, Detail, SubmissionError
from podium_scoring.metric import Metric
from podium_scoring.units import Floats, Interval, Linear

if TYPE_CHECKING:
    import pandas

LONGEST = 280  # characters of a message to participants
VISIBLE = "ParticipantVisibleError"  # the name of exceptions whose message participants see
FUNCTION = "score"
GROUPS = 20  # of rows, left out one at a time for the interval


Masks = Sequence[NDArray[np.bool_]]
# As HostMetric.scores, but wherever the caller wants a host's file to be run.
Confined = Callable[
    ["HostMetric", "pandas.DataFrame", "pandas.DataFrame", str, Mapping[str, Any], Masks],
    list[float],
]
_confined: Confined | None = None


def confine(run: Confined | None) -> None:
    """From now on let `run` call metric files instead of this process; None undoes that."""
    global _confined
    _confined = run


@dataclass(frozen=True)
class HostMetric:
    """A host's metric: its name, its source, and where better is, which nobody guesses."""

    name: str
    source: str
    higher_is_better: bool

    @property
    def record(self) -> Metric:
        """As the dictionary of metrics would list it."""
        return Metric(
            name=self.name,
            family="host",
            title=self.name.replace("_", " ").capitalize(),
            higher_is_better=self.higher_is_better,
            best=math.inf if self.higher_is_better else -math.inf,
            worst=None,
            unit="row",
            formula="metric.py of the challenge",
            source="the host",
            takes="frames",
            cost="20 further calls for the interval",
            libraries=("numpy", "pandas"),
        )

    @cached_property
    def function(self) -> Callable[..., Any]:
        """What the file calls `score`; ChallengeError if it fails to run or has none."""
        module = ModuleType("metric")
        sys.modules.setdefault("kaggle_metric_utilities", kaggle_metric_utilities)
        try:
            exec(compile(self.source, "metric.py", "exec"), module.__dict__)
        except Exception as error:  # whatever a host's file raises is the host's to mend
            raise ChallengeError(f"metric.py cannot be run: {_said(error)}") from error
        function = getattr(module, FUNCTION, None)
        if not callable(function):
            raise ChallengeError(
                f"metric.py has no function {FUNCTION!r}. It takes solution, submission and "
                "row_id_column_name."
            )
        return function  # type: ignore[no-any-return]  # the file carries no types

    def units(
        self,
        submission: "pandas.DataFrame",
        solution: "pandas.DataFrame",
        row_id: str,
        options: Mapping[str, Any],
    ) -> "Judged":
        """The score of two frames of the same rows, to be asked for its interval."""
        run = _confined or HostMetric.scores

        def call(masks: Masks) -> list[float]:
            return run(self, solution, submission, row_id, options, masks)

        (estimate,) = call([np.ones(len(solution), np.bool_)])
        return Judged(estimate, len(solution), call)

    def scores(
        self,
        solution: "pandas.DataFrame",
        submission: "pandas.DataFrame",
        row_id: str,
        options: Mapping[str, Any],
        masks: Masks,
    ) -> list[float]:
        """The score of the rows of each mask (n,); the file is run in this process."""
        known = inspect.signature(self.function).parameters
        strange = [name for name in options if name not in known]
        takes_any = any(one.kind is one.VAR_KEYWORD for one in known.values())
        if strange and not takes_any:
            raise ChallengeError(f"score of metric.py has no option {strange[0]!r}.")
        return [
            self._call(
                solution[kept].reset_index(drop=True),
                submission[kept].reset_index(drop=True),
                row_id,
                options,
            )
            for kept in masks
        ]

    def _call(
        self,
        solution: "pandas.DataFrame",
        submission: "pandas.DataFrame",
        row_id: str,
        options: Mapping[str, Any],
    ) -> float:
        try:
            value = self.function(solution, submission, row_id, **options)
        except Exception as error:  # sorted by whose it is, and told to them alone
            if any(one.__name__ == VISIBLE for one in type(error).__mro__):
                message = str(error).strip()[:LONGEST] or "The metric refused the file."
                place = Detail(None, None, "what the metric takes", message)
                raise SubmissionError(message, [place]) from error
            raise ChallengeError(f"metric.py failed: {_said(error)}") from error
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ChallengeError(f"metric.py gave {value!r}. It must give a finite number.")
        return number


@dataclass(frozen=True)
class Judged:
    """A host's score, and how to have it again for some of the rows."""

    estimate: float
    n: int
    call: Callable[[Masks], list[float]]

    def value(self) -> float:
        """The score."""
        return self.estimate

    def interval(self, seed: int) -> Interval:
        """Student's, by leaving out a twentieth of the rows at a time, drawn by the seed.

        None where the metric cannot be had of fewer rows.
        """
        groups = min(self.n, GROUPS)
        if groups < 2:
            return math.nan, math.nan
        group = np.random.default_rng(seed).permutation(self.n) % groups
        try:
            left = np.array(self.call([group != one for one in range(groups)]))
        except (ChallengeError, SubmissionError):
            return math.nan, math.nan
        return Linear(self.estimate, (groups - 1) * (self.estimate - left)).interval(seed)

    def losses(self) -> Floats:
        """The score for every row: of a function that nobody knows, no row has its own."""
        return np.full(self.n, self.estimate)


def _said(error: Exception) -> str:
    """What a host needs to find the fault: the exception and where metric.py raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "metric.py"]
    place = f", line {lines[-1]}" if lines else ""
    return f"{error!r}{place}"
