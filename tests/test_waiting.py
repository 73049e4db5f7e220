"""What those who wait are told, and how far it is from what happens."""

import random
import statistics
from datetime import timedelta

import pytest
from sqlalchemy import update

from podium import judging, waiting
from podium.models import Attempt, Submission
from podium.models.record import now
from podium.scorer import Scorer
from podium.workers import RECONCILE, Card

LEASE_S = 600.0


def place(installation, submission_id):
    with installation.database.reading() as session:
        return waiting.place(session, session.get_one(Submission, submission_id), LEASE_S)


@pytest.fixture
def submission_id(factory, predictions):
    factory.competition()
    return factory.submit(factory.member("ada-01"), predictions(1))


def test_without_a_worker_nobody_knows_when_and_it_says_so(installation, submission_id):
    told = place(installation, submission_id)
    assert (told.position, told.eta_s) == (1, None)
    assert "none is online" in told.reason


def test_with_a_worker_it_is_a_matter_of_seconds(installation, submission_id):
    Scorer(installation, Card("w1", "score")).arrive()
    told = place(installation, submission_id)
    assert (told.position, told.reason) == (1, "")
    assert told.eta_s < 2


def test_a_worker_that_fell_silent_does_not_count(installation, submission_id):
    Scorer(installation, Card("w1", "score")).arrive()
    with installation.database.reading() as session:
        found = session.get_one(Submission, submission_id)
        assert waiting.place(session, found, -1.0).eta_s is None


def test_what_is_tried_again_after_a_fault_says_when(installation, submission_id):
    Scorer(installation, Card("w1", "score")).arrive()
    with installation.database.writing() as session:
        session.execute(update(Submission).values(not_before=now() + timedelta(seconds=30)))
    told = place(installation, submission_id)
    assert "tried again at" in told.reason
    assert 25 < told.eta_s <= 30


def test_a_team_with_enough_at_work_is_told_so(installation, factory, predictions):
    factory.competition(team_running=1)
    ada = factory.member("ada-01")
    for correct in range(2):
        factory.submit(ada, predictions(correct))
    Scorer(installation, Card("w1", "score")).arrive()
    judging.take(installation, "score", "w1")
    assert "Your team has 1 at work" in place(installation, 2).reason


def test_the_reconcilers_trouble_is_told_for_it_is_everybodys(installation, submission_id):
    Scorer(installation, Card("w1", "score")).arrive()
    Scorer(installation, Card("r1", RECONCILE, trouble="The queue's server is gone.")).arrive()
    assert place(installation, submission_id).reason == "The queue's server is gone."


def test_what_has_ended_has_no_place(installation, factory, submission_id):
    factory.judge(submission_id)
    assert place(installation, submission_id) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_estimate_is_near_what_a_replayed_load_then_takes(installation, factory, predictions):
    """Two competitions, one ten times as slow; the clock is the load's own.

    Each submission is told its wait as it enters; then they are served in turn, each for its
    time. The median error of what was told is measured against what came.
    """
    chance = random.Random(5)
    seconds = {"quick": 2.0, "slow": 20.0}
    for slug in seconds:
        factory.competition(slug, daily_limit=100)
    Scorer(installation, Card("w1", "score")).arrive()
    members = {
        slug: [factory.member(f"{slug}-{index}", slug) for index in range(8)] for slug in seconds
    }
    kinds: dict[int, str] = {}

    def hand_in(count: int) -> list[int]:
        ids = []
        for _ in range(count):
            slug = "slow" if chance.random() < 0.3 else "quick"
            caller = chance.choice(members[slug])
            ids.append(factory.submit(caller, predictions(1), slug=slug))
            kinds[ids[-1]] = slug
        return ids

    def serve() -> tuple[int, float] | None:
        """Serve the next; its id and how long it took by the load's clock."""
        work = judging.take(installation, "score", "w1")
        if work is None:
            return None
        took = seconds[kinds[work.submission.id]] * chance.uniform(0.7, 1.3)
        judging.judge(installation, work)
        with installation.database.writing() as session:
            attempt = session.query(Attempt).order_by(Attempt.id.desc()).first()
            attempt.started_at = attempt.ended_at - timedelta(seconds=took)
        return work.submission.id, took

    hand_in(20)
    while serve():  # what the estimate learns from
        pass
    ids = hand_in(40)
    told = {one: place(installation, one).eta_s for one in ids}
    clock, came = 0.0, {}
    while found := serve():
        came[found[0]] = clock
        clock += found[1]
    assert list(came) == sorted(ids, key=lambda one: told[one])  # the order is exact
    # The times are as good as a mean of twenty can be where each varies by thirty per cent.
    errors = [abs(told[one] - came[one]) / clock for one in ids]
    assert statistics.median(errors) < 0.15
