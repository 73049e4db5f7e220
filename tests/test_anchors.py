from types import SimpleNamespace

import pytest

from podium import anchors, checkup, competitions, plaincsv, publishing
from podium.anchors import Proposed


def of(scores, metric="accuracy", baseline=""):
    """What is proposed where the checks found these private scores."""
    checks = {"scores": {name: {"private": score} for name, score in scores.items()}}
    challenge = SimpleNamespace(spec={"metric": {"name": metric}})
    competition = SimpleNamespace(checks=checks if scores else None, challenge=challenge)
    return anchors.proposed(competition, baseline)


def test_the_worst_baseline_is_60_and_the_best_is_100():
    scores = {"perfect": 1.0, "sample": 0.5012345678, "random": 0.5, "Net": 0.9, "Line": 0.7}
    assert of(scores) == [
        Proposed("sample", "0.501235", "0"),
        Proposed("baseline", "Line", "60"),
        Proposed("reference", "Net", "100"),
    ]


def test_where_lower_is_better_the_order_is_the_other_way():
    scores = {"perfect": 0.0, "sample": 9.5, "Net": 1.5, "Line": 4.0}
    assert [one.at for one in of(scores, "rmse")] == ["9.5", "Line", "Net"]


@pytest.mark.parametrize(
    ("scores", "baseline", "at"),
    [
        ({"perfect": 1.0, "sample": 0.5, "Line": 0.7}, "", ["0.5", "Line", "1"]),
        ({}, "Line", ["", "Line", ""]),
        ({}, "", ["", "", ""]),
    ],
)
def test_what_is_not_known_stays_empty_and_one_baseline_leaves_the_answers(scores, baseline, at):
    assert [one.at for one in of(scores, baseline=baseline)] == at


def test_the_checks_of_a_draft_fill_the_anchors(installation, factory):
    teacher = factory.person("teacher-01", "instructor")
    wish = plaincsv.Wish("larger", "Larger", "Compare.", "y", "accuracy", {})
    table = "x,y\n" + "".join(f"{n % 10},{int(n % 10 > 4)}\n" for n in range(1000))
    made = plaincsv.folder(wish, plaincsv.divided(wish, table.encode()))
    publishing.draft(installation, teacher, "larger", made)
    checkup.work(installation)
    with installation.database.reading() as session:
        sample, _, reference = anchors.proposed(competitions.find(session, "larger"))
    assert 0.4 < float(sample.at) < 0.6
    assert reference.at == "1"
