import pytest
from sqlalchemy import select, update

from podium import attempts, judging, turns, workers
from podium.errors import NotFoundError
from podium.jobqueue import ListedJob
from podium.models import Attempt, Submission, WorkerProcess
from podium.models.record import now
from podium.scorer import Scorer
from podium.workers import Card


def listed(installation):
    with installation.database.reading() as session:
        return session.scalars(select(WorkerProcess.name)).all()


def states(installation):
    with installation.database.reading() as session:
        return session.scalars(select(Submission.state).order_by(Submission.id)).all()


def test_a_worker_empties_its_queue(installation, factory, predictions):
    factory.competition()
    for index in range(3):
        factory.submit(factory.member(f"p-{index}"), predictions(index))
    factory.serve()
    assert states(installation) == ["scored"] * 3
    assert installation.queue.depth("score") == 0


def test_a_worker_takes_up_at_once_what_it_held_when_it_was_killed(
    installation, factory, predictions
):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(5))
    installation.queue.connection.flushall()
    with installation.database.writing() as session:
        attempts.take(session, submission_id, "score", "w1", lease_s=1000)
    factory.serve()
    assert states(installation) == ["scored"]
    with installation.database.reading() as session:
        rows = session.scalars(select(Attempt).order_by(Attempt.number)).all()
    assert [row.outcome for row in rows] == ["lost", "scored"]


def test_a_worker_is_listed_while_it_lives(installation, factory):
    bench = Scorer(installation, Card("w1", "score"))
    bench.arrive()
    assert listed(installation) == ["w1"]
    assert not bench.beat()
    bench.leave()
    assert listed(installation) == []


def test_a_worker_that_was_cleared_away_while_frozen_is_listed_again(installation):
    bench = Scorer(installation, Card("w1", "score"))
    bench.arrive()
    bench.leave()
    bench.beat()
    assert listed(installation) == ["w1"]


def test_a_heartbeat_prolongs_the_lease_that_is_held(installation, factory, predictions):
    factory.competition()
    factory.submit(factory.member("ada-01"), predictions(5))
    bench = Scorer(installation, Card("w1", "score"))
    bench.arrive()
    bench.holds = judging.take(installation, "score", "w1").lease
    with installation.database.writing() as session:
        session.execute(update(Attempt).values(lease_until=now()))
    bench.beat()
    with installation.database.reading() as session:
        assert session.scalars(select(Attempt.lease_until)).one() > now()


def test_workers_that_are_asked_to_drain_are_told_at_their_next_heartbeat(installation):
    benches = [Scorer(installation, Card(f"w{index}", "score")) for index in range(3)]
    for bench in benches:
        bench.arrive()
    with installation.database.writing() as session:
        assert workers.drain(session, ["w1"], None) == ["w1"]
    assert [bench.beat() for bench in benches] == [False, True, False]
    with installation.database.writing() as session:
        assert workers.drain(session, [], "score") == ["w0", "w1", "w2"]
    assert all(bench.beat() for bench in benches)
    benches[1].arrive()  # started anew by its supervisor
    assert not benches[1].beat()


def test_draining_an_unknown_worker_names_it(installation):
    with (
        pytest.raises(NotFoundError, match="'w9'"),
        installation.database.writing() as session,
    ):
        workers.drain(session, ["w9"], None)


def test_a_wake_up_that_found_nothing_to_begin_is_made_good_when_work_ends(
    installation, factory, predictions
):
    factory.competition(team_running=1)
    ada = factory.member("ada-01")
    for correct in range(3):
        factory.submit(ada, predictions(correct))
    busy = judging.take(installation, "score", "other")
    factory.serve("w1")  # uses up all wake-ups while the team has its one at work
    assert states(installation) == ["scoring", "queued", "queued"]
    judging.judge(installation, busy)
    turns.relay(installation, "score")
    factory.serve("w1")
    assert states(installation) == ["scored"] * 3


def test_a_function_that_is_not_on_the_list_is_not_run(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(5))
    queue = installation.queue.rq("score")
    job = queue.enqueue("os.system", "touch /tmp/podium-was-here", job_id="evil")
    factory.serve()
    assert ListedJob.fetch(
        job.id, connection=queue.connection, serializer=queue.serializer
    ).is_failed
    assert states(installation) == ["scored"]  # and the worker went on
    assert submission_id
