"""What is asked for in a column: the form of a submission that follows its values and the metric.

Labels and numbers are handed in as they are. A metric of probabilities asks for a number between
0 and 1: of two classes for the later one, of more for each; answers are then the classes' places.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from podium.errors import BadRequestError
from podium_scoring import METRICS, Metric, compute
from podium_scoring.errors import ScoringError

MOST_CLASSES = 200
SHOWN = 5  # rows of a worked example
SURE = 0.8  # how sure the example's predictions are where a probability is asked for


@dataclass(frozen=True)
class Target:
    """The column that is asked for: how challenge.toml declares it, and how answers are written."""

    name: str
    columns: list[dict[str, Any]]  # of a submission
    sample: list[str]  # what the sample submission says in every row
    probabilities: tuple[str, ...] = ()  # columns of which the metric takes them
    classes: tuple[str, ...] = ()  # whose places the answers are; empty: answers as they are

    def answer(self, value: str) -> str:
        """What stands in the answers for a value."""
        return str(self.classes.index(value)) if self.probabilities else value

    @property
    def declared(self) -> dict[str, Any]:
        """The tables `submission` and `answers` of challenge.toml, without the id."""
        if not self.probabilities:
            return {"submission": {"columns": self.columns}}
        high = len(self.classes) - 1
        answer = {"name": self.name, "type": "integer", "low": 0, "high": high}
        return {
            "submission": {"columns": self.columns, "probabilities": list(self.probabilities)},
            "answers": {"columns": [answer]},
        }


@dataclass(frozen=True)
class Example:
    """A metric worked out on a few rows: the answer, what somebody might say, and the score."""

    header: list[str]
    rows: list[list[str]]  # the answer, then each column of a submission
    metric: Metric
    value: float

    @property
    def said(self) -> str:
        """As Markdown for those who take part."""
        lines = ["| " + " | ".join(self.header) + " |", "|" + " --- |" * len(self.header)]
        lines += ["| " + " | ".join(_cell(one) for one in row) + " |" for row in self.rows]
        return "\n".join(lines) + f"\n\n{self.metric.title} of these rows is {self.value:.4g}.\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:60]


def need_metric(name: str) -> Metric:
    """The metric of this name; BadRequestError if there is none."""
    found = METRICS.get(name)
    if found is None:
        raise BadRequestError(
            f"There is no metric {name!r}. `python -m podium_scoring list` lists them.",
            field="metric",
        )
    return found


def of(name: str, metric: Metric, values: Sequence[str]) -> Target:
    """The target that a column of these values is, for this metric."""
    distinct = sorted(set(values))
    whole = all(_is_integer(one) for one in distinct)
    if metric.family == "probability":
        ordered = sorted(distinct, key=int) if whole else distinct
        return _of_probabilities(name, ordered)
    if whole and len(distinct) <= MOST_CLASSES:
        numbers = sorted(map(int, distinct))
        column = {"name": name, "type": "integer", "low": numbers[0], "high": numbers[-1]}
        return Target(name, [column], [str(numbers[0])], classes=tuple(map(str, numbers)))
    if all(_is_number(one) for one in distinct):
        middle = sorted(map(float, values))[len(values) // 2]
        return Target(name, [{"name": name, "type": "number"}], [repr(middle)])
    _need_few(name, distinct)
    column = {"name": name, "type": "string", "allowed": distinct}
    return Target(name, [column], [distinct[0]], classes=tuple(distinct))


def _of_probabilities(name: str, classes: list[str]) -> Target:
    _need_few(name, classes)
    if len(classes) < 2:
        raise BadRequestError(
            f"{name} has one value only. A metric of probabilities asks for two or more.",
            field="target",
        )
    asked = classes[1:] if len(classes) == 2 else classes
    names = [f"p_{one}" for one in asked]
    columns = [
        {"name": column, "type": "number", "description": f"the probability of {name} {one}"}
        for column, one in zip(names, asked, strict=True)
    ]
    even = repr(round(1 / len(classes), 6))
    sample = [even] * len(names)
    if len(names) > 1:  # so that a row sums to one
        sample[-1] = repr(round(1 - float(even) * (len(names) - 1), 6))
    return Target(name, columns, sample, tuple(names), tuple(classes))


def _need_few(name: str, distinct: Sequence[str]) -> None:
    if len(distinct) > MOST_CLASSES:
        raise BadRequestError(
            f"{name} has {len(distinct)} values that are no numbers; the most is "
            f"{MOST_CLASSES} classes.",
            field="target",
        )


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdigit() and len(text) < 18


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False


def example(
    target: Target, metric: Metric, options: dict[str, Any], values: Sequence[str]
) -> Example | None:
    """The metric on a few training values, the last of them missed; None where it has no value.

    The rows are of the training part, so that students may read them.
    """
    chosen = _few(values)
    if len(set(chosen)) < 2:
        return None
    missed = [*chosen[:-1], next(one for one in chosen if one != chosen[-1])]
    answers: Any
    if target.probabilities:
        answers = np.array([target.classes.index(one) for one in chosen])
        rest = (1 - SURE) / (len(target.classes) - 1)
        whole = np.full((len(chosen), len(target.classes)), rest)
        whole[np.arange(len(chosen)), [target.classes.index(one) for one in missed]] = SURE
        given = whole[:, 1:] if len(target.probabilities) == 1 else whole
        told = [[f"{one:.2g}" for one in row] for row in given]
        given = given[:, 0] if len(target.probabilities) == 1 else given
    else:
        is_label = target.classes and metric.family == "classification"
        places = {one: place for place, one in enumerate(target.classes)}
        both = [
            [places[one] if is_label else float(one) for one in part] for part in (missed, chosen)
        ]
        given, answers = (np.array(part) for part in both)
        told = [[one] for one in missed]
    try:
        value = compute(metric.name, given, answers, **options).value
    except (ScoringError, ValueError, TypeError):  # of text, or of too few rows
        return None
    names = (column["name"] for column in target.columns)
    header = [f"{target.name} (the answer)", *(f"{name} (predicted)" for name in names)]
    rows = [[answer, *row] for answer, row in zip(chosen, told, strict=True)]
    return Example(header, rows, metric, value)


def _few(values: Sequence[str]) -> list[str]:
    """A few values in their order, of different ones where there are any."""
    first: dict[str, int] = {}
    for place, value in enumerate(values):
        first.setdefault(value, place)
        if len(first) == SHOWN - 2:
            break
    rest = (place for place in range(len(values)) if place not in first.values())
    places = [*first.values(), *itertools.islice(rest, SHOWN - len(first))]
    return [values[place] for place in sorted(places)]
