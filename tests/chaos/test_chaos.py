"""Hundreds of submissions while everything under them is killed, frozen, filled and lost.

At the end each is there once, scored once, counted once, and the board is that of a run in which
nothing happened. `CHAOS_SUBMISSIONS` makes it longer: `make chaos`.
"""

import math
import os
import random
import signal
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from podium import competitions, leaderboard, limits
from podium.models import Attempt, Evaluation, Submission, Team
from podium.models.record import now
from podium.verdicts import USES_QUOTA, State

SUBMISSIONS = int(os.environ.get("CHAOS_SUBMISSIONS", "50"))
TEAMS = 10
SENDERS = 4
QUOTA = 1_000_000
BAD = "id,label\n0,twelve\n"
CODE = "code"
SCRIPT = """
import time
time.sleep(0.2)
with open("/out/predictions.csv", "w") as out:
    out.write({text!r})
"""
RUNS = {"kinds": ["predictions", CODE], "run": {"inputs": []}}


@pytest.fixture
def files(tmp_path, predictions):
    """What teams hand in: files with 0 to 20 right rows, and a bad one."""
    paths = {}
    for correct in range(21):
        paths[correct] = tmp_path / f"{correct}.csv"
        paths[correct].write_text(predictions(correct))
        paths[CODE, correct] = tmp_path / f"{correct}.zip"
        with zipfile.ZipFile(paths[CODE, correct], "w") as bundle:
            bundle.writestr("predict.py", SCRIPT.format(text=predictions(correct)))
    paths[None] = tmp_path / "bad.csv"
    paths[None].write_text(BAD)
    return paths


@dataclass(frozen=True)
class Planned:
    """One submission: who hands it in, how many rows are right (None for a bad file), its kind."""

    key: str
    team: str
    correct: int | None
    kind: str

    @property
    def file(self) -> object:
        """The name of its file among the files."""
        return (CODE, self.correct) if self.kind == CODE else self.correct


def plan(seed: int) -> list[Planned]:
    """What is handed in, in this order: a tenth is bad, every sixth is code to be run."""
    chance = random.Random(seed)
    work = []
    for index in range(SUBMISSIONS):
        correct = None if chance.random() < 0.1 else chance.randrange(21)
        kind = CODE if correct is not None and chance.random() < 1 / 6 else "predictions"
        team = f"team-{chance.randrange(TEAMS):02}"
        work.append(Planned(f"key-{index}", team, correct, kind))
    return work


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
                one = waiting.pop()
            try:
                teams.send(one.team, one.key, files[one.file], one.kind, url=url)
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
        assert Counter(one.idempotency_key for one in found) == Counter(one.key for one in work)
        assert {one.idempotency_key: one.id for one in found} == teams.sent
        ends = Counter(one.state for one in found)
        bad = sum(one.correct is None for one in work)
        assert ends == Counter({State.SCORED: len(work) - bad, State.INVALID: bad})
        names = {team.id: team.name for team in session.scalars(select(Team))}
        scored = Counter(
            session.scalars(select(Attempt.submission_id).where(Attempt.outcome == "scored"))
        )
        assert scored == Counter(one.id for one in found if one.state == State.SCORED)
        ran = Counter(
            session.scalars(select(Attempt.submission_id).where(Attempt.outcome == "ran"))
        )
        assert ran == Counter(one.id for one in found if one.kind == CODE)
        scores = Counter(session.scalars(select(Evaluation.submission_id)))
        assert scores == {one: 2 for one in scored}
        assert session.scalars(select(Attempt.id).where(Attempt.ended_at.is_(None))).all() == []
        competition = competitions.find(session, "toy")
        for team_id, name in names.items():
            used = sum(one.correct is not None and one.team == name for one in work)
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
    for one in work:
        if one.correct is None:
            continue
        entries[one.team] += 1
        # Rows with odd ids are public: 1, 3, … of those below `correct` are right.
        place = (-(one.correct // 2) / 10, received[one.key])
        best[one.team] = min(best.get(one.team, place), place)
    order = sorted(best, key=best.__getitem__)
    return [(team, -best[team][0], entries[team]) for team in order]


def hurting(whole, chaos, disk=None, postgres=None):
    """What can happen to one Podium, by name."""
    acts = {
        "a score worker dies": lambda: whole.kill("score-1"),
        "the other score worker dies": lambda: whole.kill("score-2"),
        "a run worker dies": lambda: whole.kill("run-1"),
        "a sandbox dies": lambda: whole.kill("run-1", child_of=True),
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
    # A part of the plan before, during and after each of the things that happen.
    size = math.ceil(len(work) / (len(acts) + 1))
    with chaos.Trouble(acts, seed) as trouble:
        for index in range(len(acts) + 1):
            hand_in_all(teams, files, work[index * size :][:size])
            chaos.wait_until(lambda so_far=index: len(trouble.done) > so_far or trouble.failed, 120)
    assert trouble.failed == []
    installation = whole.open()
    try:
        settle(installation, chaos)
        check(installation, teams, work)
    finally:
        installation.database.close()
        installation.queue.connection.close()


def host(factory_of):
    return lambda installation: factory_of(installation).competition(
        spec=RUNS, daily_limit=QUOTA, team_running=4
    )


def test_nothing_is_lost_or_doubled_on_sqlite(
    small_disk, make_whole, teams_of, files, chaos, factory_of
):
    whole = make_whole(**({"STORAGE_URL": small_disk.as_uri()} if small_disk else {}))
    teams = teams_of(whole, host(factory_of), TEAMS)
    run(whole, teams, files, chaos, hurting(whole, chaos, disk=small_disk), seed=1)


def test_nothing_is_lost_or_doubled_on_postgresql(
    own_postgres, make_whole, teams_of, files, chaos, factory_of
):
    own_postgres.create("podium")
    whole = make_whole(DATABASE_URL=own_postgres.url.format("podium"))
    teams = teams_of(whole, host(factory_of), TEAMS)
    run(whole, teams, files, chaos, hurting(whole, chaos, postgres=own_postgres), seed=2)


def test_two_homes_that_share_everything_score_each_submission_once(
    own_postgres, valkey_url, make_whole, teams_of, files, chaos, factory_of, tmp_path
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
    with chaos.Trouble(acts, seed=3) as trouble:
        hand_in_all(teams, files, work, urls=(first.url, second.url))
        chaos.wait_until(lambda: len(trouble.done) >= len(acts) or trouble.failed, 120)
    assert trouble.failed == []
    installation = first.open()
    try:
        settle(installation, chaos)
        check(installation, teams, work)
    finally:
        installation.database.close()
        installation.queue.connection.close()
