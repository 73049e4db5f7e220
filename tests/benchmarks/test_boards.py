"""Boards of a hundred thousand teams and a million submissions: read, record, rebuild, resample.

Times are printed beside the bare limit of the same run; the bounds are generous multiples of the
goals, so that a busy machine does not fail them.
"""

import functools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from podium import competitions, entries, leaderboard, losses, uncertainty
from podium.installation import Installation
from podium.leaderboard import Reader
from podium.models import (
    BoardEntry,
    Competition,
    Evaluation,
    Membership,
    Submission,
    Team,
    User,
)
from podium_scoring.units import weight_blocks

pytestmark = pytest.mark.benchmark
START = datetime(2026, 9, 1, tzinfo=UTC)
CHUNK = 10_000
# What the models fill in, which rows that go past them lack.
DEFAULTS: dict[Any, dict[str, Any]] = {
    User: {"password_hash": "none", "role": "student", "session_epoch": 0, "created_at": START},
    Team: {"is_baseline": False, "created_at": START},
    Membership: {"joined_at": START},
    Evaluation: {"created_at": START},
    Submission: {
        **dict.fromkeys(("message", "reason"), ""),
        **dict.fromkeys(("more_details", "attempt"), 0),
        "selected": False,
        "details": [],
    },
}


def fill(installation: Installation, teams: int, each: int) -> None:
    """Teams with a member and scored submissions, by bulk insertion; the board comes after."""
    with installation.database.writing() as session:
        competition_id = competitions.find(session, "toy").id
        numbers = range(1, teams + 1)
        in_bulk(
            session, User, ({"id": i, "handle": f"u{i}", "email": f"{i}@x.org"} for i in numbers)
        )
        in_bulk(
            session,
            Team,
            ({"id": i, "competition_id": competition_id, "name": f"u{i}"} for i in numbers),
        )
        in_bulk(
            session,
            Membership,
            ({"competition_id": competition_id, "team_id": i, "user_id": i} for i in numbers),
        )
        session.execute(
            update(Competition).where(Competition.id == competition_id).values(team_count=teams)
        )
    with installation.database.writing() as session:
        in_bulk(session, Submission, submissions(competition_id, teams, each))
        in_bulk(session, Evaluation, evaluations(teams * each))


def in_bulk(session: Any, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(DEFAULTS.get(table, {}) | row)
        if len(batch) == CHUNK:
            session.execute(insert(table.__table__), batch)
            batch = []
    if batch:
        session.execute(insert(table.__table__), batch)


def submissions(competition_id: int, teams: int, each: int) -> Iterator[dict[str, Any]]:
    for number in range(teams * each):
        at = START + timedelta(seconds=number)
        yield {
            "id": number + 1,
            "competition_id": competition_id,
            "team_id": number % teams + 1,
            "kind": "predictions",
            "file_name": "p.csv",
            "file_key": "k",
            "sha256": "0" * 64,
            "size_bytes": 1,
            "state": "scored",
            "verdict": "scored",
            "received_at": at,
            "ended_at": at,
        }


def evaluations(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for number in range(count):
        for split in ("public", "private"):
            yield {
                "submission_id": number + 1,
                "scorer_version": "1",
                "truth_version": "t",
                "split": split,
                "metric": "accuracy",
                "value": chance.random(),
                "n": 10,
                "signature": "s",
            }


class Taken(NamedTuple):
    """Medians in milliseconds: of the clock, and of this process' own work."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} ms ({self.cpu:.1f} of its own)"


def median_ms(act: Callable[[], object], times: int = 15) -> Taken:
    taken = []
    for _ in range(times):
        start, worked = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - start, time.process_time() - worked))
    return Taken(*(1000 * statistics.median(each) for each in zip(*taken, strict=True)))


@pytest.mark.parametrize("teams", [1_000, 100_000])
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_board_of_many_teams(installation, factory, app, teams, database_url):
    factory.competition()
    fill(installation, teams, each=10)
    if not database_url.startswith("sqlite"):
        with installation.database.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    start, worked = time.perf_counter(), time.process_time()
    with installation.database.writing() as session:
        number = entries.rebuild(session, competitions.find(session, "toy"))
    rebuilt_s, own_s = time.perf_counter() - start, time.process_time() - worked
    assert number == 10 * teams
    print(
        f"\n{teams:>7} teams, {number:,} submissions: rebuilt in {rebuilt_s:.1f} s, {own_s:.1f} own"
    )
    client = app.test_client()
    reader = Reader(teams // 2)
    for page in (1, teams // 100, teams // 50):
        with installation.database.reading() as session:
            competition = competitions.find(session, "toy")
            board = leaderboard.read(session, competition, page=page, reader=reader)
            assert len(board.rows) == 50
            assert board.mine is not None
            taken = median_ms(functools.partial(read, session, competition, page, reader))
        query = f"/api/v1/competitions/toy/leaderboard?page={page}"
        api = median_ms(lambda query=query: client.get(query))
        html = median_ms(lambda page=page: client.get(f"/c/toy/leaderboard/rows?page={page}"))
        print(f"page {page:>5}: read {taken}, API {api}, table {html}")
        assert taken.cpu < 50
    record(installation, teams)
    assert own_s < 180


def read(session: Session, competition: Competition, page: int, reader: Reader) -> None:
    """A page from the database, not from the session."""
    session.expire_all()
    leaderboard.read(session, competition, page=page, reader=reader)


def record(installation: Installation, teams: int) -> None:
    """Recording a result, against the same transaction without the board."""
    numbers = iter(range(10 * teams + 1, 10 * teams + 1000))
    chance = random.Random(2)

    def score(*, with_board: bool) -> None:
        number, team_id = next(numbers), chance.randrange(1, teams + 1)
        with installation.database.writing() as session:
            competition = competitions.find(session, "toy")
            row = next(submissions(competition.id, 1, 1))
            at = START + timedelta(days=90, seconds=number)
            session.execute(
                insert(Submission), [row | {"id": number, "team_id": team_id, "received_at": at}]
            )
            rows = [one | {"submission_id": number} for one in evaluations(1)]
            session.execute(insert(Evaluation), [one | {"value": chance.random()} for one in rows])
            if with_board:
                entries.hold(session, team_id)
                entries.refresh(session, competition, [team_id])

    bare = median_ms(lambda: score(with_board=False), 60)
    whole = median_ms(lambda: score(with_board=True), 60)
    print(f"recording: {whole} with both boards, {bare} without")
    assert whole.cpu - bare.cpu < 25


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rank_intervals_of_five_hundred_teams(installation, factory, race):
    factory.competition()
    teams, rows = 500, 10_000
    fill(installation, teams, each=1)
    draw = np.random.default_rng(0)
    right = (draw.random((teams, rows)) < np.linspace(0.6, 0.9, teams)[:, None]).astype(float)
    keys = [losses.keep(installation.storage, {"public": one}) for one in right]
    with installation.database.writing() as session:
        session.execute(
            update(Evaluation),
            [
                {"id": evaluation_id, "losses_key": keys[submission_id - 1]}
                for evaluation_id, submission_id in session.execute(
                    select(Evaluation.id, Evaluation.submission_id).where(
                        Evaluation.split == "public"
                    )
                )
            ],
        )
        entries.rebuild(session, competitions.find(session, "toy"))

    def work() -> None:
        with installation.database.writing() as session:
            session.execute(update(Competition).values(intervals_at=None))
            entries.touch(session, competitions.find(session, "toy").id)
        assert uncertainty.work(installation)

    def bare() -> None:
        for weights in weight_blocks(0, rows, 1000):
            weights @ right.T

    times = race(
        work=work,
        losses_read=lambda: [losses.read(installation.storage, key) for key in keys],
        bare_resamples_and_product=bare,
    )
    with installation.database.reading() as session:
        known = session.scalar(
            select(func.count()).select_from(BoardEntry).where(BoardEntry.tie_group.is_not(None))
        )
    assert known == teams
    assert times["work"] < 4 * times["bare_resamples_and_product"]
