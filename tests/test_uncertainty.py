from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import update

from podium import competitions, entries, leaderboard, reconciler, uncertainty
from podium.models import Competition, Evaluation
from podium.models.record import now
from podium_scoring.board import standings


@pytest.fixture
def field(factory):
    """Four teams with 20, 19, 12 and 2 of twenty rows right."""
    factory.competition()
    for index, correct in enumerate((20, 19, 12, 2)):
        caller = factory.member(f"team-{index}")
        rows = "".join(f"{i},{i % 10 if i < correct else (i + 1) % 10}\n" for i in range(20))
        factory.judge(factory.submit(caller, "id,label\n" + rows))


def rows(installation, split="public"):
    with installation.database.reading() as session:
        return leaderboard.read(session, competitions.find(session, "toy"), split=split).rows


def test_intervals_and_groups_are_those_of_the_resampled_losses(installation, field):
    assert uncertainty.work(installation)
    right = np.array([[i < correct for i in range(1, 20, 2)] for correct in (20, 19, 12, 2)])
    expected = standings(right.astype(float), higher_is_better=True)
    found = rows(installation)
    assert [row.rank_low for row in found] == expected.low.tolist()
    assert [row.rank_high for row in found] == expected.high.tolist()
    assert [row.tie_group for row in found] == expected.group.tolist()
    assert [row.tied_with_leader for row in found] == [True, True, False, False]
    assert all(row.rank_low is not None for row in rows(installation, "private"))


def test_a_result_is_on_the_board_before_its_interval(installation, field):
    assert [row.rank for row in rows(installation)] == [1, 2, 3, 4]
    assert {row.rank_low for row in rows(installation)} == {None}


def test_a_board_is_computed_once_and_again_after_a_change(
    installation, factory, predictions, field
):
    assert uncertainty.work(installation)
    assert not uncertainty.work(installation)
    factory.judge(factory.submit(factory.member("late-01"), predictions(9)))
    later = now() + uncertainty.QUIET + timedelta(seconds=1)
    with installation.database.reading() as session:
        assert uncertainty.due(session, now()) is None  # it has not been quiet for a moment
        assert uncertainty.due(session, later) is not None


def test_a_better_submission_has_no_interval_of_the_one_before(
    installation, factory, predictions, field
):
    assert uncertainty.work(installation)
    factory.judge(factory.submit(factory.person("team-3"), predictions(20)))
    known = {row.team: row.rank_low for row in rows(installation)}
    assert known["team-3"] is None
    assert known["team-0"] == 1
    with installation.database.writing() as session:
        entries.rebuild(session, competitions.find(session, "toy"))
    assert {row.team: row.rank_low for row in rows(installation)} == known


def test_what_comes_in_meanwhile_is_computed_next(installation, field):
    assert uncertainty.work(installation)
    with installation.database.writing() as session:
        entries.touch(session, competitions.find(session, "toy").id)
        session.execute(update(Competition).values(intervals_at=None))
    assert uncertainty.work(installation)


def test_the_reconciler_wakes_a_worker_that_computes(installation, factory, field):
    reconciler.reconcile(installation)
    factory.serve()
    assert rows(installation)[0].tie_group == 1


def test_a_team_without_losses_is_left_out(installation, field):
    with installation.database.writing() as session:
        second = rows(installation)[1].submission_id
        session.execute(
            update(Evaluation).where(Evaluation.submission_id == second).values(losses_key="")
        )
    assert uncertainty.work(installation)
    assert [row.tie_group for row in rows(installation)] == [1, None, 2, 3]


def test_blocks_keep_the_mean_and_the_variance_of_the_mean():
    values = np.random.default_rng(0).normal(size=100_003)
    blocked = uncertainty.blocks(values, most=5_000)
    assert len(blocked) == 5_000
    assert blocked.mean() == pytest.approx(values.mean(), abs=1e-12)
    ratio = (blocked.std() / np.sqrt(len(blocked))) / (values.std() / np.sqrt(len(values)))
    assert ratio == pytest.approx(1, abs=0.03)
