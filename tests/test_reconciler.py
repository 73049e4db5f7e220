from datetime import timedelta

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import update

from podium import attempts
from podium.models import Attempt, Submission
from podium.models.record import now
from podium.reconciler import reconcile


@pytest.fixture
def submission_id(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(20))
    make_older(installation)
    return submission_id


def make_older(installation, **columns):
    with installation.database.writing() as session:
        session.execute(
            update(Submission).values(received_at=now() - timedelta(minutes=1), **columns)
        )


def state(installation, submission_id):
    with installation.database.reading() as session:
        return session.get_one(Submission, submission_id).state


def take(installation, submission_id, lease_s=10.0):
    with installation.database.writing() as session:
        return attempts.take(session, submission_id, "score", "w1", lease_s)


def test_what_waits_in_the_queue_is_left_alone(installation, submission_id):
    assert reconcile(installation).woken == 0


def test_after_the_loss_of_redis_everything_is_offered_again(installation, submission_id):
    installation.queue.connection.flushall()
    assert reconcile(installation).woken == 1
    assert installation.queue.depth("score") == 1
    assert reconcile(installation).woken == 0


def test_a_lease_that_ran_out_gives_the_submission_back(installation, submission_id):
    installation.queue.connection.flushall()
    take(installation, submission_id, lease_s=-1)
    repairs = reconcile(installation)
    assert (repairs.reclaimed, repairs.woken) == (1, 1)
    assert state(installation, submission_id) == "queued"


def test_a_lease_in_force_is_left_alone(installation, submission_id):
    take(installation, submission_id)
    assert reconcile(installation).reclaimed == 0
    assert state(installation, submission_id) == "scoring"


def test_a_submission_that_backs_off_is_not_offered_yet(installation, submission_id):
    installation.queue.connection.flushall()
    make_older(installation, not_before=now() + timedelta(seconds=30))
    assert reconcile(installation).woken == 0
    make_older(installation, not_before=now() - timedelta(seconds=1))
    assert reconcile(installation).woken == 1


def test_ended_submissions_are_never_offered(installation, submission_id):
    installation.queue.connection.flushall()
    make_older(installation, state="invalid")
    assert reconcile(installation).woken == 0


def test_two_reconcilers_do_no_harm(installation, factory, submission_id):
    installation.queue.connection.flushall()
    take(installation, submission_id, lease_s=-1)
    reconcile(installation)
    reconcile(installation)
    factory.serve("w2")
    assert state(installation, submission_id) == "scored"
    with installation.database.reading() as session:
        outcomes = [row.outcome for row in session.query(Attempt).order_by(Attempt.number)]
    assert outcomes == ["lost", "scored"]


def test_a_queue_that_does_not_answer_is_said_not_swallowed(
    installation, submission_id, monkeypatch
):
    monkeypatch.setattr(installation.queue, "connection", Redis(unix_socket_path="/nowhere.sock"))
    with pytest.raises(RedisError):
        reconcile(installation)
