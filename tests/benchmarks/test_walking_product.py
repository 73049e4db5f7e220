"""From the POST of a file to its score.

Times are printed beside the bare limit of the same run; the bounds are ratios, or generous
multiples of the goals, so that a busy machine does not fail them.
"""

import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from podium import accounts, competitions
from podium.config import Config
from podium.installation import Installation
from podium.models import (
    Challenge,
    Competition,
    User,
)
from podium.models.record import now
from podium_scoring.column import Column
from podium_scoring.grading import Choice, Grading
from podium_scoring.schema import Schema

pytestmark = pytest.mark.benchmark
ROWS = 28_000


def answers_csv() -> bytes:
    chance = random.Random(0)
    rows = (
        f"{i},{chance.randrange(10)},{'Public' if i % 10 < 3 else 'Private'}" for i in range(ROWS)
    )
    return ("id,label,Usage\n" + "\n".join(rows) + "\n").encode()


def predictions_csv(seed: int) -> bytes:
    chance = random.Random(seed)
    order = chance.sample(range(ROWS), ROWS)
    rows = (f"{i},{chance.randrange(10)}" for i in order)
    return ("id,label\n" + "\n".join(rows) + "\n").encode()


def bare_ms(files: list[bytes], answers: bytes) -> float:
    """Reading, checking and scoring the same bytes in one warm process."""
    schema = Schema(Column("id", "integer"), (Column("label", "integer", 0, 9),))
    grading = Grading(schema, schema, (Choice("accuracy"),))
    truth = grading.read_truth(answers)
    times = []
    for content in files * 3:
        start = time.perf_counter()
        grading.score(grading.read_predictions(content, truth.form), truth)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def host(installation: Installation, spec: dict[str, Any]) -> None:
    """A competition of 28,000 rows without a limit."""
    sample = "id,label\n" + "".join(f"{i},0\n" for i in range(ROWS))
    for key, content in (
        ("bench/answers.csv", answers_csv()),
        ("bench/sample.csv", sample.encode()),
    ):
        with closing(installation.storage.receive(1 << 24)) as incoming:
            incoming.write(content)
            installation.storage.keep(incoming, key)
    with installation.database.writing() as session:
        challenge = Challenge(
            slug="bench",
            version=1,
            edition="full",
            spec=spec | {"slug": "bench"},
            text="# Bench\n",
            state="ready",
            seed=1,
            truth_version="bench-1",
            answers_key="bench/answers.csv",
            sample_key="bench/sample.csv",
            prepared_at=now(),
        )
        session.add(challenge)
        session.flush()
        session.add(
            Competition(
                slug="bench", challenge_id=challenge.id, title="Bench", daily_limit=1_000_000
            )
        )


@pytest.fixture
def server(tmp_path: Path, toy_spec: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """`podium up` with one score worker; gives its address and the tokens of eight teams."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "up"
    environment = os.environ | {"PODIUM_API_LIMIT": "1000000 per minute"}
    log = (tmp_path / "up.log").open("wb")
    command = [sys.executable, "-P", "-m", "podium.cli", "up", "--home", str(home), "--no-demo"]
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    while b"Podium is ready" not in (tmp_path / "up.log").read_bytes():
        time.sleep(0.1)
        assert process.poll() is None
    installation = Installation.open(Config.load(home))
    host(installation, toy_spec)
    tokens = []
    with installation.database.writing() as session:
        competition = competitions.find(session, "bench")
        for index in range(8):
            user = User(handle=f"team-{index}", email=f"{index}@x.org", password_hash="none")
            session.add(user)
            session.flush()
            caller = accounts.Caller(user.id, user.handle, "student", frozenset(accounts.SCOPES))
            competitions.join(session, competition, caller)
            tokens.append(accounts.create_token(session, user.id, "bench")[1])
    installation.database.close()
    yield f"http://127.0.0.1:{port}/api/v1", tokens
    process.send_signal(signal.SIGTERM)
    process.wait()
    log.close()


def post(client: requests.Session, base: str, content: bytes) -> int:
    answer = client.post(
        f"{base}/competitions/bench/submissions", files={"file": ("p.csv", content)}, timeout=60
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def client_of(token: str) -> requests.Session:
    client = requests.Session()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def test_from_the_post_to_the_score_one_at_a_time(server):
    base, tokens = server
    client = client_of(tokens[0])
    files = [predictions_csv(seed) for seed in range(30)]
    times = []
    for content in files:
        start = time.perf_counter()
        submission_id = post(client, base, content)
        while True:
            state = client.get(f"{base}/submissions/{submission_id}", timeout=60).json()["state"]
            if state == "scored":
                break
            assert state in {"queued", "scoring"}
            time.sleep(0.002)  # a busy loop would take the worker's processor
        times.append((time.perf_counter() - start) * 1000)
    median, bare = statistics.median(times[5:]), bare_ms(files[:5], answers_csv())
    print(f"\nPOST to scored: median {median:.1f} ms; bare read + check + score {bare:.1f} ms")
    assert median < 60 * bare


def test_sustained_submissions_of_eight_clients(server):
    base, tokens = server
    files = [predictions_csv(seed) for seed in range(8)]
    each = 38

    def send(index: int) -> None:
        client = client_of(tokens[index])
        for _ in range(each):
            post(client, base, files[index])

    threads = [threading.Thread(target=send, args=(index,)) for index in range(8)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    posted = time.perf_counter() - start
    client = client_of(tokens[0])
    while (
        sum(
            int(row["entries"])
            for row in client.get(f"{base}/competitions/bench/leaderboard", timeout=60).json()[
                "items"
            ]
        )
        < 8 * each
    ):
        time.sleep(0.02)
    took = time.perf_counter() - start
    rate, bare = 8 * each / took, 1000 / bare_ms(files[:3], answers_csv())
    print(
        f"\n{8 * each} submissions posted in {posted:.1f} s, scored in {took:.1f} s: {rate:.0f}/s"
    )
    print(f"one score worker, one web; bare scoring alone {bare:.0f}/s")
    assert rate > bare / 40
