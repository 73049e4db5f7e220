"""The queue under load: starting, reconciling, beating. Ratios in one run."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import func, insert, select

from podium import competitions, jobs, judging, turns
from podium.models import Submission, Team
from podium.models.record import now
from podium.reconciler import reconcile
from podium.scorer import Scorer
from podium.workers import Card

pytestmark = pytest.mark.benchmark
ONE_EACH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
STARTED: list[float] = []


def note_start() -> None:
    """What the bare worker runs."""
    STARTED.append(time.perf_counter())


class Noting(Scorer):
    """Notes when it has a submission in hand, and then judges it."""

    def work(self) -> None:
        work = judging.take(self._here, self.queue, self.name)
        note_start()
        assert work is not None
        judging.judge(self._here, work)


def median_ms(queue: Queue, enqueue: Callable[[int], object]) -> float:
    """From enqueueing to the start, in a worker that is there already, one at a time."""
    worker = SimpleWorker(
        [queue], connection=queue.connection, serializer=JSONSerializer, job_class=queue.job_class
    )
    times = []
    for index in range(50):
        begin = time.perf_counter()
        enqueue(index)
        worker.work(burst=True, logging_level="ERROR")
        times.append((STARTED[-1] - begin) * 1000)
    return statistics.median(times[10:])


@ONE_EACH
def test_from_the_queue_to_the_start_against_the_bare_worker(
    installation, factory, predictions, capsys
):
    bare = Queue("bare", connection=installation.queue.connection, serializer=JSONSerializer)
    floor = median_ms(bare, lambda _: bare.enqueue(note_start))
    factory.competition(daily_limit=10_000)
    ada = factory.member("ada-01")
    for index in range(50):
        factory.submit(ada, predictions(index % 21))
    installation.queue.connection.flushall()
    jobs.attach(Noting(installation, Card("w1", "score")))
    ours = median_ms(installation.queue.rq("score"), lambda _: installation.queue.wake("score"))
    with capsys.disabled():
        print(
            f"\nenqueue to start: bare RQ {floor:.2f} ms, with the turn and the lease {ours:.2f} ms"
        )
    assert ours < 20 * floor


@ONE_EACH
def test_a_pass_of_the_reconciler_with_a_hundred_thousand_waiting(installation, factory, capsys):
    factory.competition()
    count = 100_000
    fill(installation, count)
    reconcile(installation)  # wakes what may be woken
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        reconcile(installation)
        times.append((time.perf_counter() - begin) * 1000)
    begin = time.perf_counter()
    with installation.database.reading() as session:
        session.scalar(select(func.count()).select_from(Submission))
    bare = (time.perf_counter() - begin) * 1000
    with capsys.disabled():
        print(f"\n{count} waiting: pass {statistics.median(times):.1f} ms; count(*) {bare:.1f} ms")
    assert statistics.median(times) < 600
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        with installation.database.writing() as session:
            lease = turns.take(session, "score", "w1", "score", 10)
            assert lease is not None
        times.append((time.perf_counter() - begin) * 1000)
    with capsys.disabled():
        print(f"taking the next of them: {statistics.median(times):.1f} ms")
    assert statistics.median(times) < 100


def fill(installation, count: int) -> None:
    """Waiting submissions of a thousand teams."""
    with installation.database.writing() as session:
        competition_id = competitions.find(session, "toy").id
        session.execute(
            insert(Team),
            [{"competition_id": competition_id, "name": f"t{index}"} for index in range(1000)],
        )
        teams = session.scalars(select(Team.id)).all()
        moment = now()
        rows = [
            {
                "competition_id": competition_id,
                "team_id": teams[index % 1000],
                "kind": "predictions",
                "file_name": "p.csv",
                "file_key": "k",
                "sha256": "0" * 64,
                "size_bytes": 1,
                "state": "queued",
                "round": index // 1000,
                "received_at": moment + timedelta(milliseconds=index),
            }
            for index in range(count)
        ]
        for first in range(0, count, 10_000):
            session.execute(insert(Submission), rows[first : first + 10_000])
        turns.mend(session)


@ONE_EACH
def test_the_cost_of_a_heartbeat(installation, factory, predictions, capsys):
    factory.competition()
    factory.submit(factory.member("ada-01"), predictions(3))
    bench = Scorer(installation, Card("w1", "score"))
    bench.arrive()
    bench.holds = judging.take(installation, "score", "w1").lease
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        bench.beat()
        times.append((time.perf_counter() - begin) * 1000)
    with capsys.disabled():
        print(f"\na heartbeat with a lease: {statistics.median(times):.2f} ms, every 2 s")
    assert statistics.median(times) < 50
