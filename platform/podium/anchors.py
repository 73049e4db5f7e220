"""Anchors of grades that a competition's checks propose: sample, baseline, reference.

A host changes them before they are published; here is only what is known without asking.
"""

from typing import NamedTuple

from podium.boardrules import PRIVATE
from podium.models import Competition
from podium_scoring.grading import Choice

DIGITS = 6  # significant ones of a score that stands as a number
STARTS = ("perfect", "sample", "random")  # of the checks; the rest are baselines by name


class Proposed(NamedTuple):
    """A line of the form; `at` is a score or the name of a baseline, empty where none is known."""

    name: str
    at: str
    percent: str


def proposed(competition: Competition, baseline: str = "") -> list[Proposed]:
    """Sample 0 %, the worst baseline 60 %, the best one (or the answers themselves) 100 %.

    `baseline` is its name where no check has found one yet. Baselines stand by name, so that a
    rescoring moves the anchor with them.
    """
    scores = (competition.checks or {}).get("scores", {})
    known = {name: one[PRIVATE] for name, one in scores.items() if PRIVATE in one}
    metric = Choice.of(competition.challenge.spec["metric"]).record
    ordered = sorted(
        (name for name in known if name not in STARTS),
        key=lambda name: known[name] if metric.higher_is_better else -known[name],
    )
    worst = ordered[0] if ordered else baseline
    best = ordered[-1] if len(ordered) > 1 else _number(known.get("perfect"))
    return [
        Proposed("sample", _number(known.get("sample")), "0"),
        Proposed("baseline", worst, "60"),
        Proposed("reference", best, "100"),
    ]


def _number(score: float | None) -> str:
    return "" if score is None else f"{score:.{DIGITS}g}"
