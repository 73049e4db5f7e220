"""What code that failed says to its team, and what hosts and admins see of the queue."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import accounts, assignments
from podium.assignments import Report
from podium.attempts import Spent
from podium.models import Submission, User
from podium.models.record import now
from podium.scorer import Scorer
from podium.workers import Card

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
MODEL = {
    "file": "test.npz",
    "inputs": [{"name": "image", "scale": 0.00392156862745098}],
    "output": [10],
}
RUNS = {
    "kinds": ["predictions", "model", "code"],
    "run": {"inputs": ["test.npz"], "model": MODEL},
}
RUN = Card("gpu-host-1-run-1", "run")
TRACE = """rows 1
Traceback (most recent call last):
  File "/code/predict.py", line 7, in <module>
    label = images.argmx(axis=1)
AttributeError: 'numpy.ndarray' object has no attribute 'argmx'
"""


@pytest.fixture
def site(app, installation, factory, predictions) -> Iterator[str]:
    """A host's competition in which something failed, something waits, something is at work."""
    host = factory.person("host-01", "admin")
    with installation.database.writing() as session:
        user = session.get_one(User, host.id)
        user.password_hash = accounts.hashed("correct horse")
    factory.competition(spec=RUNS, host_id=host.id, closes_at=now() + timedelta(days=9))
    factory.offer("test.npz", b"x")
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    factory.judge(factory.submit(bob, predictions(12)))
    assignments.arrive(installation, RUN)
    failed = factory.submit(ada, zipped(), kind="code", file_name="bundle.zip")
    fail(installation)
    broken = factory.submit(bob, predictions(5), file_name="lost.csv")
    for _ in range(3):
        with installation.database.writing() as session:
            session.execute(update(Submission).values(not_before=None))
        lose(installation, factory, broken)
    Scorer(installation, Card("host-1-score-1", "score")).arrive()
    waiting = factory.submit(ada, predictions(9), file_name="waits.csv")
    with installation.database.writing() as session:
        long_ago = now() - timedelta(hours=1)
        session.execute(
            update(Submission).where(Submission.id == waiting).values(received_at=long_ago)
        )
        user = session.get_one(User, ada.id)
        user.password_hash = accounts.hashed("correct horse")
    assert failed
    with serving(app) as address:
        yield address


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("predict.py", "pass\n")
    return packed.getvalue()


def fail(installation) -> None:
    """What a run worker reports of a typo."""
    assignment = assignments.take(installation, RUN)
    assert assignment is not None
    said = Report(
        "exception",
        "It ended with status 1. This was seen on the first 1 % of the rows.",
        log=TRACE,
        spent=Spent(0.31, 0.28, 41 << 20),
    )
    lease = assignments.read_token(installation, assignment.token)
    assert assignments.report(installation, lease, said)


def lose(installation, factory, submission_id: int) -> None:
    """An attempt that fails through a fault of ours: the file is gone."""
    with installation.database.reading() as session:
        key = session.get_one(Submission, submission_id).file_key
    installation.storage.delete(key)
    factory.judge(submission_id)


def test_a_failed_run_is_understood_from_its_page_alone(page, inspect):
    sign_in(page, "ada-01")
    page.goto("/c/toy/submissions")
    row = page.get_by_role("row", name="bundle.zip")
    expect(row).to_contain_text("status 1")
    row.get_by_role("link").first.click()
    expect(page.get_by_text("'numpy.ndarray' object has no attribute 'argmx'")).to_be_visible()
    expect(page.get_by_text("on the first 1 % of the rows")).to_be_visible()
    expect(page.get_by_role("cell", name="0.31 s")).to_be_visible()
    number = page.url.rpartition("/")[2]
    assert inspect(page, [f"/submissions/{number}", "/c/toy/submit", "/c/toy/submissions"]) == []


def test_a_host_grants_a_team_more_and_runs_again_what_was_lost(page, inspect):
    sign_in(page, "host-01")
    page.goto("/c/toy/")
    page.get_by_role("link", name="Manage 1 in error").click()
    expect(page.get_by_role("row", name="bob-01")).to_contain_text("not in the storage")
    grant = page.locator("form", has=page.get_by_role("heading", name="Extra submissions"))
    grant.get_by_label("Its name").fill("ada-01")
    grant.get_by_label("How many more").fill("3")
    grant.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("ada-01 has 3 more submissions")).to_be_visible()
    assert inspect(page, ["/c/toy/manage"]) == []
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("waits again")).to_be_visible()


def test_an_admin_sees_workers_queues_and_what_has_been_open_for_long(page, inspect):
    sign_in(page, "host-01")
    page.goto("/admin/")
    workers = page.get_by_role("region", name="Workers")
    expect(workers.get_by_role("row", name="gpu-host-1-run-1")).to_be_visible()
    stuck = page.get_by_role("region", name="Open for long")
    expect(stuck.get_by_role("row", name="ada-01")).to_be_visible()
    assert inspect(page, ["/admin/"]) == []
    workers.get_by_role("button", name="Drain host-1-score-1").click()
    expect(page.get_by_text("ends after what it has in hand")).to_be_visible()
