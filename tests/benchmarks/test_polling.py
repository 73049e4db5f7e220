"""500 students who look at live pages at once, against the server as `podium up` starts it.

Half of them look at the board, half at their submissions while one of these waits; everybody asks
as often as the page does: the board every 5 seconds with its ETag,
submissions every 3 (as when one has waited for half a minute), the state of the queue every 15. A
submission is scored every two seconds, so that the board keeps changing. Server, score worker and
the 500 share this machine.
"""

import asyncio
import random
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers import web

from podium import competitions, judging, signins
from podium.models import User

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
STUDENTS, SECONDS = 500, 30.0
BOARD, OWN, QUEUE = "/c/toy/leaderboard/rows", "/c/toy/submissions/rows", "/queue"
PATHS = {BOARD: 5.0, OWN: 3.0, QUEUE: 15.0}
GOAL_MS = 300


@pytest.fixture
def port(installation: Any) -> Iterator[int]:
    """Where the server runs; all students come from one address."""
    with web(installation, API_LIMIT="100000 per minute") as (_, url):
        yield int(url.rpartition(":")[2])


async def look(port: int, cookie: str, path: str, every_s: float, end: float, seen: Any) -> None:
    """One open page: asks again and again. Its connection has been closed by then, as it idles."""
    await asyncio.sleep(random.random() * every_s)
    tag = ""
    while (begun := time.monotonic()) < end:
        known = f"If-None-Match: {tag}\r\n" if tag else ""
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Cookie: {cookie}\r\nConnection: close\r\n{known}\r\n".encode())
        status, headers = await asyncio.wait_for(_answer(reader), 30)
        writer.close()
        seen.append((path, status, 1000 * (time.monotonic() - begun)))
        tag = headers.get("etag", tag)
        await asyncio.sleep(max(0.0, every_s - (time.monotonic() - begun)))


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status = int((await reader.readline()).split()[1])
    headers = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    await reader.readexactly(int(headers.get("content-length", 0)) if status != 304 else 0)
    return status, headers


def test_500_students_look_at_live_pages(
    installation: Any, factory: Any, app: Any, port: int, predictions: Any, request: Any
) -> None:
    factory.competition(daily_limit=10**6)
    students = [factory.member(f"s{number:03}") for number in range(STUDENTS)]
    for number, student in enumerate(students):
        factory.judge(factory.submit(student, predictions(number % 20)))
    signer = app.session_interface.get_signing_serializer(app)
    cookies = []
    with installation.database.writing() as session:
        for student in students:
            user = session.get_one(User, student.id)
            begun = signins.begin(session, user, "bench/1").id
            held = {"user_id": user.id, "epoch": user.session_epoch, "sign_in": begun}
            cookies.append(f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(held)}")
    stopped = threading.Event()

    def compete() -> None:
        while not stopped.wait(2.0):
            factory.submit(random.choice(students), predictions(random.randrange(20)))
            while work := judging.take(installation, "score", "w1"):
                judging.judge(installation, work)

    worker = threading.Thread(target=compete)
    worker.start()
    seen: list[tuple[str, int, float]] = []

    async def everybody() -> None:
        end = time.monotonic() + SECONDS
        await asyncio.gather(
            *(
                look(port, cookie, path, every_s, end, seen)
                for number, cookie in enumerate(cookies)
                for path, every_s in PATHS.items()
                if path in (QUEUE, (BOARD, OWN)[number % 2])
            )
        )

    asyncio.run(everybody())
    stopped.set()
    worker.join()
    with installation.database.reading() as session:
        assert competitions.find(session, "toy").board_revision > STUDENTS
    lines, slow = [], []
    for path in PATHS:
        times = sorted(ms for of, _, ms in seen if of == path)
        statuses = [status for of, status, _ in seen if of == path]
        p95 = times[round(0.95 * (len(times) - 1))]
        counts = {status: statuses.count(status) for status in sorted(set(statuses))}
        lines.append(
            f"{path}: {len(times) / SECONDS:.0f} a second, p50 {statistics.median(times):.1f} ms, "
            f"p95 {p95:.1f} ms, {counts}"
        )
        slow += [path] * (p95 > 3 * GOAL_MS)
        assert set(counts) <= {200, 304}
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        request.config.get_terminal_writer().line("\n" + "\n".join(lines))
    assert not slow
