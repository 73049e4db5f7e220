import pytest
from sqlalchemy import select

from podium import attempts, worker
from podium.errors import ConfigError
from podium.jobqueue import ListedJob
from podium.jobs import Bench
from podium.models import Attempt, Submission, WorkerProcess


def states(installation):
    with installation.database.reading() as session:
        return session.scalars(select(Submission.state).order_by(Submission.id)).all()


def test_a_worker_empties_its_queue(installation, factory, predictions):
    factory.competition()
    for index in range(3):
        factory.submit(factory.member(f"p-{index}"), predictions(index))
    worker.serve(installation, "score", "w1", burst=True)
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
    worker.serve(installation, "score", "w1", burst=True)
    assert states(installation) == ["scored"]
    with installation.database.reading() as session:
        rows = session.scalars(select(Attempt).order_by(Attempt.number)).all()
    assert [row.outcome for row in rows] == ["lost", "scored"]


def test_a_worker_is_listed_while_it_lives(installation):
    worker.Heart(Bench(installation, "score", "w1")).register()
    with installation.database.reading() as session:
        assert session.scalars(select(WorkerProcess.queue)).all() == ["score"]
    worker.serve(installation, "score", "w1", burst=True)
    with installation.database.reading() as session:
        assert session.scalars(select(WorkerProcess)).all() == []


def test_a_function_that_is_not_on_the_list_is_not_run(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(5))
    queue = installation.queue.rq("score")
    job = queue.enqueue("os.system", "touch /tmp/podium-was-here", job_id="evil")
    worker.serve(installation, "score", "w1", burst=True)
    assert ListedJob.fetch(
        job.id, connection=queue.connection, serializer=queue.serializer
    ).is_failed
    assert states(installation) == ["scored"]  # and the worker went on
    assert submission_id


def test_a_queue_that_nobody_serves_is_refused(installation):
    with pytest.raises(ConfigError, match="No worker serves"):
        worker.serve(installation, "match", "w1", burst=True)
