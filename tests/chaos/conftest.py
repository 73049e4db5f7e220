"""A whole Podium that can be hurt: `podium up` and the servers under it, and who kills them."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from podium import accounts, competitions
from podium.client import Client, ProblemError
from podium.config import Config
from podium.installation import Installation
from podium.models import User

LEASE_S = 3.0
SETTINGS = {
    "LEASE_S": str(LEASE_S),
    "HEARTBEAT_S": "0.5",
    "RECONCILE_S": "0.5",
    "SCORE_WORKERS": "2",
    "RUN_WORKERS": "1",
    "API_LIMIT": "1000000 per minute",
    # Killed at random, one submission may lose more attempts than bad luck explains elsewhere.
    "MAX_ATTEMPTS": "10",
    "SECRET_KEY": "a key for tests",
}
PODIUM = [sys.executable, "-P", "-m", "podium.cli"]


@dataclass
class Whole:
    """A running `podium up` on a home of its own."""

    home: Path
    settings: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.parent / f"{self.home.name}.log"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "PODIUM" not in name}
        return kept | {f"PODIUM_{name}": value for name, value in self.settings.items()}

    def start(self) -> None:
        command = [*PODIUM, "up", "--home", str(self.home), "--port", str(self.port), "--no-demo"]
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, env=self.environment(), stdout=out, stderr=subprocess.STDOUT
            )
        self._until(lambda: b"Podium is ready" in self.log.read_bytes()[before:])

    def _until(self, is_met: Callable[[], bool], limit_s: float = 60) -> None:
        end = time.monotonic() + limit_s
        while not is_met():
            assert time.monotonic() < end, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=90)

    def kill_supervisor(self) -> None:
        """Everything is gone at once; then it is started again."""
        assert self.process is not None
        everything = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, left = psutil.wait_procs(everything, timeout=10)
        assert left == []
        self.start()

    def part(self, name: str) -> psutil.Process | None:
        """A part's first process; None while it is being started again."""
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return psutil.Process(int((self.home / "run" / f"{name}.pid").read_text()))
        return None

    def kill(self, name: str, child_of: bool = False) -> None:
        """kill -9 of a part, or of one of its children."""
        with contextlib.suppress(psutil.NoSuchProcess):
            part = self.part(name)
            victims = part.children(recursive=True) if part and child_of else [part]
            for victim in victims[:1]:
                if victim is not None:
                    victim.kill()

    def freeze(self, name: str, seconds: float) -> None:
        """Stop a part for longer than its lease, and let it go on."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if part := self.part(name):
                part.suspend()
                time.sleep(seconds)
                part.resume()

    def lose_redis(self) -> None:
        """Valkey dies and its file with it: every wake-up is gone."""
        self.kill("valkey")
        shutil.rmtree(self.home / "valkey", ignore_errors=True)

    def open(self) -> Installation:
        """The installation, from this process."""
        given = {name.lower(): value for name, value in self.settings.items()}
        return Installation.open(Config.load(self.home, **given))


@dataclass
class Teams:
    """Students who hand in until they have an answer, however often it takes."""

    whole: Whole
    tokens: dict[str, str]
    sent: dict[str, int] = field(default_factory=dict)  # idempotency key → submission

    def send(
        self, team: str, key: str, path: Path, kind: str = "predictions", url: str | None = None
    ) -> int:
        """Hand in; try again with the same key while the server is hurt."""
        client = Client(url or self.whole.url, self.tokens[team])
        while True:
            with contextlib.suppress(ProblemError):
                return self._send(client, key, path, kind)
            time.sleep(0.2)

    def _send(self, client: Client, key: str, path: Path, kind: str) -> int:
        try:
            answer = client.submit("toy", path, key, kind, key=key)
        except ProblemError as error:
            if error.status not in {0, 503}:
                raise AssertionError(f"{error.status}: {error.message}") from error
            raise
        self.sent[key] = int(answer["id"])
        return self.sent[key]

    def state(self, team: str, submission_id: int) -> str:
        """Where a submission stands, once the server says it."""
        client = Client(self.whole.url, self.tokens[team])
        while True:
            with contextlib.suppress(ProblemError):
                return str(client.submission(submission_id)["state"])
            time.sleep(0.05)


def enrol(installation: Installation, handles: list[str]) -> dict[str, str]:
    """People who have joined, with a token each."""
    tokens = {}
    with installation.database.writing() as session:
        competition = competitions.find(session, "toy")
        for handle in handles:
            user = User(handle=handle, email=f"{handle}@example.org", password_hash="none")
            session.add(user)
            session.flush()
            caller = accounts.Caller(user.id, handle, "student", frozenset(accounts.SCOPES))
            competitions.join(session, competition, caller)
            tokens[handle] = accounts.create_token(session, user.id, "chaos")[1]
    return tokens


class Trouble(threading.Thread):
    """Does one harmful thing after the other, at random moments, until it is told to stop."""

    def __init__(
        self,
        acts: dict[str, Callable[[], object]],
        seed: int,
        pause_s: tuple[float, float] = (0.2, 1.5),
    ) -> None:
        super().__init__(name="trouble", daemon=True)
        self.acts, self.seed, self.pause_s = acts, seed, pause_s
        self.done: list[str] = []
        self.failed: list[BaseException] = []
        self._enough = threading.Event()

    def run(self) -> None:
        chance = random.Random(self.seed)
        while not self._enough.wait(chance.uniform(*self.pause_s)):
            # Each at least once, in random order, before any comes again.
            left = [name for name in self.acts if self.done.count(name) == self._rounds()]
            name = chance.choice(left)
            try:
                self.acts[name]()
            except BaseException as error:
                self.failed.append(error)
                return
            self.done.append(name)

    def _rounds(self) -> int:
        return min(self.done.count(name) for name in self.acts)

    def __enter__(self) -> "Trouble":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()


@pytest.fixture
def make_whole(tmp_path: Path) -> Iterator[Callable[..., Whole]]:
    """Makes running Podiums, with settings of their own."""
    made: list[Whole] = []

    def make(name: str = "home", **settings: str) -> Whole:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        whole = Whole(tmp_path / name, SETTINGS | settings, port)
        made.append(whole)
        whole.start()
        return whole

    yield make
    for whole in made:
        whole.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 24 MiB, which can be filled; None to whom may not mount one."""
    if os.geteuid() != 0:  # CI is root: there the disk is filled
        yield None
        return
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "podium-test", str(folder)], check=True
    )
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def wait_until(is_met: Callable[[], object], limit_s: float) -> None:
    """Look again and again; AssertionError if it takes too long."""
    end = time.monotonic() + limit_s
    while not is_met():
        assert time.monotonic() < end, "it did not come to an end"
        time.sleep(0.1)


def fill_for(folder: Path, seconds: float) -> None:
    """Leave no byte free for a while."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * (1 << 16)):
            pass
    time.sleep(seconds)
    filler.unlink()


@pytest.fixture
def teams_of() -> Callable[[Whole, Any, int], Teams]:
    """Makes a toy competition on a running Podium, and so many teams in it."""

    def make(whole: Whole, host: Callable[[Installation], None], count: int) -> Teams:
        installation = whole.open()
        host(installation)
        tokens = enrol(installation, [f"team-{index:02}" for index in range(count)])
        installation.database.close()
        return Teams(whole, tokens)

    return make


@pytest.fixture
def chaos() -> Any:
    """The tools of this folder, by name."""
    return sys.modules[__name__]
