"""The reference page of the metrics is what the dictionary says."""

import os
from pathlib import Path

import pytest

from podium_scoring import METRICS
from podium_scoring.metric import KINDS
from podium_scoring.reference import FAMILIES, page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_the_page_is_made_from_the_dictionary():
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_all_there_is_to_know(name):
    metric = METRICS[name]
    assert metric.name == name
    assert metric.family in FAMILIES
    assert metric.takes in KINDS
    assert all(
        (metric.title, metric.formula, metric.source, metric.cost, metric.unit, metric.libraries)
    )
    assert all(option.help for option in metric.options.values())
