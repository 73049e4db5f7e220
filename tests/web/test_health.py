"""What machines read of the state of the house, and what the admin page shows of it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from podium.models import Submission, WorkerProcess
from podium.models.record import now
from podium.scorer import Scorer
from podium.workers import Card


@pytest.fixture
def numbers(app):
    """The metrics as they are read, by name and labels."""

    def read() -> dict[str, float]:
        answer = app.test_client().get("/metrics")
        assert answer.status_code == 200
        rows = (line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#")
        return {name: float(value) for name, value in rows}

    return read


@pytest.fixture
def waiting(factory, predictions) -> int:
    factory.competition()
    return factory.submit(factory.member("ada-01"), predictions(3))


def test_waits_work_and_ends_are_counted_by_queue(numbers, installation, factory, waiting):
    before = numbers()
    assert before['podium_queue_waiting{queue="score"}'] == 1
    assert before['podium_queue_depth{queue="score"}'] == 1
    assert before['podium_submissions{state="queued"}'] == 1
    assert before['podium_attempts_last_hour{outcome="lost",queue="score"}'] == 0
    factory.judge(waiting)
    after = numbers()
    assert after['podium_queue_waiting{queue="score"}'] == 0
    assert after['podium_attempts_last_hour{outcome="scored",queue="score"}'] == 1
    assert 0 < after['podium_attempt_seconds_last_hour{quantile="0.5",queue="score"}'] < 60


def test_the_oldest_wait_grows(numbers, installation, waiting):
    with installation.database.writing() as session:
        session.execute(update(Submission).values(received_at=now() - timedelta(minutes=2)))
    assert 119 < numbers()['podium_queue_oldest_seconds{queue="score"}'] < 180


def test_workers_tell_how_long_ago_they_were_heard(numbers, installation):
    Scorer(installation, Card("w1", "score")).arrive()
    assert numbers()['podium_workers_online{queue="score"}'] == 1
    with installation.database.writing() as session:
        session.execute(update(WorkerProcess).values(heartbeat_at=now() - timedelta(minutes=1)))
    found = numbers()
    assert found['podium_workers_online{queue="score"}'] == 0
    assert 59 < found['podium_worker_heartbeat_age_seconds{queue="score",worker="w1"}'] < 120


@pytest.fixture
def admin(app, factory, installation):
    """A browser in which an admin is signed in."""
    caller = factory.person("admin-01", "admin")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = caller.id, 0
    return client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_admin_page_shows_what_has_been_open_for_long_and_why(admin, installation, waiting):
    with installation.database.writing() as session:
        session.execute(update(Submission).values(received_at=now() - timedelta(hours=1)))
    page = admin.get("/admin/").text
    assert f'href="/submissions/{waiting}"' in page
    assert "none is online" in page


def test_an_admin_drains_a_worker_by_a_button(admin, installation):
    bench = Scorer(installation, Card("w1", "score"))
    bench.arrive()
    page = admin.get("/admin/").text
    answer = admin.post("/admin/workers/w1/drain", data={"csrf_token": token_of(page)})
    assert answer.status_code == 303
    assert bench.beat()
    assert "worker.drain" in admin.get("/admin/").text
