"""How long the server takes for each page of a home in the middle of a large term.

Every page is asked for by whom it is meant, in one process, and its p50 and p95 are printed with
the bare limit: a page that reads next to nothing. The bound is a multiple of that.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from sqlalchemy import event
from tests.benchmarks import termhome
from tests.benchmarks.termhome import ADMIN, PASSWORD, STUDENT, TEACHER

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.parametrize(
        "database_url", [os.environ.get("PAGES_DATABASE", "sqlite")], indirect=True
    ),
]
TIMES = 25
MOST = 40  # times the bare limit
BARE = "/help/verdicts"
PAGES: dict[str | None, tuple[str, ...]] = {
    None: ("/", "/sign-in", "/c/c003/", "/c/c003/leaderboard"),
    STUDENT: (
        *("/", "/submissions", "/notifications", "/notifications/preferences", "/account"),
        *("/account/sign-ins", "/account/data", "/courses/", "/courses/dl/", "/seasons/"),
        *("/seasons/2026", "/people/u0001", "/c/c001/", "/c/c001/data", "/c/c001/starter"),
        *("/c/c001/submit", "/c/c001/submissions", "/c/c001/submissions/rows"),
        *("/c/c001/leaderboard", "/c/c001/leaderboard/rows", "/c/c001/leaderboard?page=5"),
        *("/c/c001/rules", "/c/c001/team", "/c/c001/discussion", "/c/c001/discussion/1"),
        *("/c/c001/grade", "/c/c002/leaderboard", "/c/c002/leaderboard/shakeup"),
        *("/submissions/1", "/submissions/501", "/queue"),
    ),
    TEACHER: (
        *("/", "/teach/", "/courses/dl/people", "/courses/dl/gradebook", "/courses/dl/settings"),
        *("/c/c001/leaderboard?split=private", "/c/c001/manage", "/c/c001/manage/activity"),
        *("/c/c001/manage/submissions", "/c/c001/manage/submissions?state=invalid&team=u00"),
        *("/c/c001/manage/participants", "/c/c001/manage/integrity", "/c/c001/manage/rescoring"),
        *("/c/c001/manage/announcements", "/c/c001/manage/grades", "/c/c001/manage/publish"),
    ),
    ADMIN: ("/admin/", "/admin/settings", "/admin/storage"),
}


class Taken(NamedTuple):
    """Of one page: milliseconds, statements, and bytes as they are sent."""

    p50: float
    p95: float
    statements: int
    size_bytes: int


@pytest.fixture
def visit(app: Any, installation: Any, factory: Any) -> Callable[[str | None, str], Taken]:
    termhome.fill(factory)
    browsers = {}
    for handle in PAGES:
        browser = browsers[handle] = app.test_client()
        if handle is not None:
            form = browser.get("/sign-in").text
            token = form.split('name="csrf_token" value="')[1].split('"')[0]
            said = {"handle": handle, "password": PASSWORD, "csrf_token": token}
            assert browser.post("/sign-in", data=said).status_code == 303
    count = [0]

    def on_execute(*_: object) -> None:
        count[0] += 1

    event.listen(installation.database.engine, "before_cursor_execute", on_execute)
    gc.collect()
    gc.freeze()  # as the server does when it is ready

    def visit(handle: str | None, path: str) -> Taken:
        times = []
        for _ in range(TIMES):
            count[0], start = 0, time.perf_counter()
            answer = browsers[handle].get(path, headers={"Accept-Encoding": "br"})
            times.append(1000 * (time.perf_counter() - start))
            assert answer.status_code == 200, (path, answer.status_code)
        times.sort()
        p95 = times[round(0.95 * (TIMES - 1))]
        return Taken(statistics.median(times), p95, count[0], len(answer.data))

    return visit


def test_pages_of_a_large_term(visit: Any, request: pytest.FixtureRequest) -> None:
    bare = visit(None, BARE)
    taken = {
        f"{path} ({handle or 'nobody'})": visit(handle, path)
        for handle, paths in PAGES.items()
        for path in paths
    }
    lines = [f"{'page':60} {'p50':>7} {'p95':>7} {'SQL':>4} {'KiB':>6}"]
    for name, one in sorted({f"bare: {BARE}": bare, **taken}.items(), key=lambda x: -x[1].p95):
        size = one.size_bytes / 1024
        lines.append(f"{name:60} {one.p50:7.1f} {one.p95:7.1f} {one.statements:4} {size:6.1f}")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        request.config.get_terminal_writer().line("\n" + "\n".join(lines))
    slow = {name: one.p50 for name, one in taken.items() if one.p50 > MOST * bare.p50}
    assert not slow
