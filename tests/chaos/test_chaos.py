"""Hundreds of submissions while everything under them is killed, frozen, filled and lost.

At the end each is there once, scored once, counted once, and the board is that of a run in which
nothing happened. `CHAOS_SUBMISSIONS` makes it longer: `make chaos`.
"""

import math
import os
import random
import signal
import threading
from collections import Counter

import pytest
from sqlalchemy import select

from podium import competitions, leaderboard, limits
from podium.models import Attempt, Evaluation, Submission, Team
from podium.models.record import now
from podium.verdicts import USES_QUOTA, State

SUBMISSIONS = int(os.environ.get("CHAOS_SUBMISSIONS", "80"))
TEAMS = 10
SENDERS = 4
QUOTA = 1_000_000
BAD = "id,label\n0,twelve\n"


@pytest.fixture
def files(tmp_path, predictions):
    """What teams hand in: files with 0 to 20 right rows, and a bad one."""
    paths = {}
    for correct in range(21):
        paths[correct] = tmp_path / f"{correct}.csv"
        paths[correct].write_text(predictions(correct))
    paths[None] = tmp_path / "bad.csv"
    paths[None].write_text(BAD)
    return paths


def plan(seed: int) -> list[tuple[str, str, int | None]]:
    """Who hands in what: a key, a team, and how many rows are right (None for a bad file)."""
    chance = random.Random(seed)
    return [
        (
            f"key-{index}",
            f"team-{chance.randrange(TEAMS):02}",
            None if chance.random() < 0.1 else chance.randrange(21),
        )
        for index in range(SUBMISSIONS)
    ]


def hand_in_all(teams, files, work, urls=(None,)) -> None:
    """Several students at once, each sending until it is answered."""
    waiting = list(reversed(work))
    lock = threading.Lock()
    failed: list[BaseException] = []

    def send(url) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                key, team, correct = waiting.pop()
            try:
                teams.send(team, key, files[correct], url=url)
            except BaseException as error:
                failed.append(error)
                return

    threads = [
        threading.Thread(target=send, args=(urls[index % len(urls)],)) for index in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def settle(installation, chaos, limit_s=90) -> None:
    """Wait until every submission has ended."""

    def is_over() -> bool:
        with installation.database.reading() as session:
            return not session.scalars(
                select(Submission.id).where(Submission.ended_at.is_(None)).limit(1)
            ).all()

    chaos.wait_until(is_over, limit_s)


def check(installation, teams, work) -> None:
    """Nothing lost, nothing twice, quotas exact, the board as if nothing had happened."""
    with installation.database.reading() as session:
        found = session.scalars(select(Submission)).all()
        assert Counter(one.idempotency_key for one in found) == Counter(key for key, *_ in work)
        assert {one.idempotency_key: one.id for one in found} == teams.sent
        ends = Counter(one.state for one in found)
        bad = sum(correct is None for *_, correct in work)
        assert ends == Counter({State.SCORED: len(work) - bad, State.INVALID: bad})
        names = {team.id: team.name for team in session.scalars(select(Team))}
        scored = Counter(
            session.scalars(select(Attempt.submission_id).where(Attempt.outcome == "scored"))
        )
        assert scored == Counter(one.id for one in found if one.state == State.SCORED)
        scores = Counter(session.scalars(select(Evaluation.submission_id)))
        assert scores == {one: 2 for one in scored}
        assert session.scalars(select(Attempt.id).where(Attempt.ended_at.is_(None))).all() == []
        competition = competitions.find(session, "toy")
        for team_id, name in names.items():
            used = sum(correct is not None for _, sender, correct in work if sender == name)
            held = limits.of_team(session, competition, team_id, now())
            assert (name, held.used_today) == (name, used)
            assert used == sum(
                one.team_id == team_id and State(one.state) in USES_QUOTA for one in found
            )
        received = {one.idempotency_key: (one.received_at, one.id) for one in found}
        board = leaderboard.read(session, competition, per_page=TEAMS)
        shown = [(row.team, row.score, row.entries) for row in board.rows]
    assert shown == naive_board(work, received)


def naive_board(work, received) -> list[tuple[str, float, int]]:
    """The ranking by its definition: best public score, then the earlier reception."""
    best: dict[str, tuple[float, object]] = {}
    entries: Counter[str] = Counter()
    for key, team, correct in work:
        if correct is None:
            continue
        entries[team] += 1
        # Rows with odd ids are public: 1, 3, … of those below `correct` are right.
        place = (-(correct // 2) / 10, received[key])
        best[team] = min(best.get(team, place), place)
    order = sorted(best, key=best.__getitem__)
    return [(team, -best[team][0], entries[team]) for team in order]


def hurting(whole, chaos, disk=None, postgres=None):
    """What can happen to one Podium, by name."""
    acts = {
        "a score worker dies": lambda: whole.kill("score-1"),
        "the other score worker dies": lambda: whole.kill("score-2"),
        "a run worker dies": lambda: whole.kill("run-1"),
        "the web dies": lambda: whole.kill("web"),
        "a web process dies": lambda: whole.kill("web", child_of=True),
        "the reconciler dies": lambda: whole.kill("reconciler"),
        "valkey restarts with its file": lambda: whole.kill("valkey"),
        "valkey restarts without": whole.lose_redis,
        "the supervisor dies": whole.kill_supervisor,
        "a worker freezes past its lease": lambda: whole.freeze("score-1", 1.5 * chaos.LEASE_S),
    }
    if disk is not None:
        acts["the disk is full"] = lambda: chaos.fill_for(disk, 1.0)
    if postgres is not None:
        acts["postgresql crashes"] = lambda: crash(postgres)
    return acts


def crash(postgres) -> None:
    postgres.stop(signal.SIGQUIT)
    postgres.start()


def run(whole, teams, files, chaos, acts, seed) -> None:
    """The plan, carried out while it hurts; then the reckoning."""
    work = plan(seed)
    trouble = chaos.Trouble(acts, seed)
    trouble.start()
    # A part of the plan before, during and after each of the things that happen.
    size = math.ceil(len(work) / (len(acts) + 1))
    for index in range(len(acts) + 1):
        hand_in_all(teams, files, work[index * size :][:size])
        chaos.wait_until(lambda so_far=index: len(trouble.done) > so_far or trouble.failed, 120)
    trouble.stop()
    installation = whole.open()
    try:
        settle(installation, chaos)
        check(installation, teams, work)
    finally:
        installation.database.close()
        installation.queue.connection.close()


def host(factory_of):
    return lambda installation: factory_of(installation).competition(
        daily_limit=QUOTA, team_running=4
    )


def test_nothing_is_lost_or_doubled_on_sqlite(
    make_whole, teams_of, files, chaos, factory_of, small_disk
):
    whole = make_whole(STORAGE_URL=small_disk.as_uri())
    teams = teams_of(whole, host(factory_of), TEAMS)
    run(whole, teams, files, chaos, hurting(whole, chaos, disk=small_disk), seed=1)


def test_nothing_is_lost_or_doubled_on_postgresql(
    make_whole, teams_of, files, chaos, factory_of, own_postgres
):
    own_postgres.create("podium")
    whole = make_whole(DATABASE_URL=own_postgres.url.format("podium"))
    teams = teams_of(whole, host(factory_of), TEAMS)
    run(whole, teams, files, chaos, hurting(whole, chaos, postgres=own_postgres), seed=2)


def test_two_homes_that_share_everything_score_each_submission_once(
    make_whole, teams_of, files, chaos, factory_of, own_postgres, valkey_url, tmp_path
):
    own_postgres.create("podium")
    shared = {
        "DATABASE_URL": own_postgres.url.format("podium"),
        "REDIS_URL": valkey_url,
        "STORAGE_URL": (tmp_path / "files").as_uri(),
    }
    first, second = make_whole("one", **shared), make_whole("two", **shared)
    teams = teams_of(first, host(factory_of), TEAMS)
    work = plan(3)
    acts = {
        "a worker of the first dies": lambda: first.kill("score-1"),
        "a worker of the second freezes": lambda: second.freeze("score-1", 1.5 * chaos.LEASE_S),
        "one reconciler dies": lambda: second.kill("reconciler"),
    }
    trouble = chaos.Trouble(acts, seed=3)
    trouble.start()
    hand_in_all(teams, files, work, urls=(first.url, second.url))
    trouble.stop()
    installation = first.open()
    try:
        settle(installation, chaos)
        check(installation, teams, work)
    finally:
        installation.database.close()
        installation.queue.connection.close()
