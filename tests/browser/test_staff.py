"""What goes wrong in a term, in a real Chromium: a wrong answer, a stuck job, a full disk."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update
from tests.browser.visitors import sign_in
from tests.servers import scoring, serving

from podium import accounts, backup, competitions, judging
from podium.app import create_app
from podium.config import Config
from podium.installation import Installation
from podium.models import Submission, User
from podium.models.record import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
ANSWERS = "id,label,Usage\n" + "".join(
    f"{i},{i % 10},{'Public' if i % 2 else 'Private'}\n" for i in range(20)
)


@pytest.fixture
def site(app, installation, factory, predictions) -> Iterator[str]:
    """A course with a competition of twenty rows; ada is ahead of bob; a worker in a thread."""
    people = factory.course(assistant=("tutor-01",), student=("ada-01", "bob-01"))
    factory.person("root-01", "admin")
    factory.competition(is_practice=False, host_id=people["teacher-01"].id)
    with installation.database.writing() as session:
        toy = competitions.find(session, "toy")
        toy.course_id = next(iter(people["teacher-01"].courses))
        session.execute(update(User).values(password_hash=accounts.hashed("correct horse")))
        for handle in ("ada-01", "bob-01"):
            competitions.join(session, toy, people[handle])
    for handle, right in (("ada-01", 14), ("bob-01", 10)):
        factory.judge(factory.submit(people[handle], predictions(right)))
    with serving(app) as address:
        yield address


@pytest.fixture
def worker(site, installation) -> Iterator[None]:
    """A score worker that serves while a test runs."""
    with scoring(installation, checks=True):
        yield


def csv(name: str, content: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


@pytest.mark.usefixtures("worker")
def test_a_wrong_answer_is_mended_and_the_difference_applied(page, inspect):
    sign_in(page, "teacher-01")
    page.goto("/c/toy/leaderboard?split=private")
    expect(page.get_by_role("row", name="ada-01")).to_contain_text("0.7")

    page.goto("/c/toy/manage/rescoring")
    # Row 0 was said to be 0 and is 1: whoever was right there is wrong now.
    mended = ANSWERS.replace("0,0,Private", "0,1,Private", 1)
    page.get_by_label("Mended answers").set_input_files(csv("answers.csv", mended))
    page.get_by_label("Reason, which teams read").fill("Row 0 was mislabelled.")
    page.get_by_role("button", name="Begin a trial").click()
    apply = page.get_by_role("button", name="Apply")
    expect(apply).to_be_visible(timeout=20_000)
    difference = page.get_by_role("region", name="Difference of the private board")
    expect(difference.get_by_role("row", name="ada-01")).to_contain_text("0.6000")
    page.goto("/c/toy/leaderboard?split=private")
    expect(page.get_by_role("row", name="ada-01")).to_contain_text("0.7")  # not yet

    page.goto("/c/toy/manage/rescoring")
    page.get_by_label("Note for the log").fill("Checked with the author.")
    apply.click()
    expect(page.get_by_text("Applied. Every team finds it")).to_be_visible()
    page.goto("/c/toy/leaderboard?split=private")
    expect(page.get_by_role("row", name="ada-01")).to_contain_text("0.6")
    page.goto("/c/toy/")
    expect(page.get_by_text("Row 0 was mislabelled.")).to_be_visible()
    assert inspect(page, ["/c/toy/manage/rescoring"]) == []


def test_an_assistant_looks_and_may_neither_grade_nor_act(page):
    sign_in(page, "tutor-01")
    page.goto("/c/toy/manage/submissions")
    expect(page.get_by_role("row", name="ada-01")).to_be_visible()
    expect(page.get_by_text("Act", exact=True)).to_have_count(0)
    for link in ("Grades", "Rescoring", "Announcements", "Stage"):
        expect(page.get_by_role("link", name=link, exact=True)).to_have_count(0)
    for path in ("grades", "rescoring", "announcements", "publish", "text"):
        assert page.request.get(f"/c/toy/manage/{path}").status == 403


def test_a_host_tells_filters_and_disqualifies(page, installation, inspect):
    sign_in(page, "teacher-01")
    page.goto("/c/toy/manage/announcements")
    page.get_by_label("Title").first.fill("Deadline moved")
    page.get_by_label("Text (Markdown)").first.fill("Until **Monday**.")
    expect(page.locator("#text-new-preview strong")).to_have_text("Monday")
    page.get_by_role("button", name="Post").click()
    page.goto("/c/toy/")
    expect(page.locator(".announcement strong")).to_have_text("Monday")

    page.goto("/c/toy/manage/submissions")
    page.get_by_label("Team").fill("ada")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("1 submission that fit")).to_be_visible()
    page.locator("details.acts summary").click()
    page.locator("details.acts").get_by_label("Reason").fill("the same file as another team")
    page.get_by_role("button", name="Disqualify").click()
    expect(page.get_by_text("is disqualified; its team reads why")).to_be_visible()
    expect(page.get_by_text("1 submission that fit")).to_be_visible()
    page.goto("/c/toy/leaderboard")
    expect(page.get_by_role("row", name="ada-01")).to_have_count(0)
    page.goto("/c/toy/manage/submissions?counts=disqualified")
    page.locator("details.acts summary").click()
    page.get_by_role("button", name="Reinstate").click()
    page.goto("/c/toy/leaderboard")
    expect(page.get_by_role("row", name="ada-01")).to_have_count(1)

    page.goto("/c/toy/manage/participants")
    with page.expect_download() as saved:
        page.locator("a[href$='participants.csv']").click()
    assert "ada-01@example.org" in saved.value.path().read_text()
    pages = ["submissions", "participants", "announcements", "text"]
    assert inspect(page, ["/c/toy/", *(f"/c/toy/manage/{one}" for one in pages)]) == []


@pytest.mark.usefixtures("worker")
def test_three_files_become_a_draft(page, inspect):
    sign_in(page, "teacher-01")
    page.goto("/teach/new")
    form = page.locator("form", has=page.get_by_role("heading", name="From three files"))
    train = "key,x,kind\n" + "".join(f"t{n},{n % 10},{int(n % 10 > 4)}\n" for n in range(300))
    test = "key,x\n" + "".join(f"q{n},{n % 10}\n" for n in range(100))
    answers = "key,truth\n" + "".join(f"q{n},{int(n % 10 > 4)}\n" for n in range(100))
    for label, name, content in (
        ("Training rows (CSV)", "train.csv", train),
        ("Test rows (CSV)", "test.csv", test),
        ("Answers (CSV)", "answers.csv", answers.replace("q7,1", "q7,")),
    ):
        form.get_by_label(label).set_input_files(csv(name, content))
    form.get_by_label("Column to predict").fill("kind")
    form.get_by_label("Short name").fill("three")
    form.get_by_text("How columns are called").click()
    form.get_by_label("Column of the answer").fill("truth")
    form.get_by_label("What students read (Markdown)").fill("Some *words*.")
    expect(form.locator(".preview em")).to_have_text("words")
    form.get_by_role("button", name="Show the counts").click()
    expect(form.get_by_text("The answers, line 9, column truth: expected a value")).to_be_visible()
    form.get_by_label("Answers (CSV)").set_input_files(csv("answers.csv", answers))
    form.get_by_role("button", name="Show the counts").click()
    expect(form.get_by_text("300 rows for training, 100 to predict")).to_be_visible()
    expect(form.get_by_text("Accuracy 0.8")).to_be_visible()
    page.screenshot(path="tests/screenshots/three-files-counts.png", full_page=True)
    form.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("Only its staff sees it")).to_be_visible()
    page.goto("/c/three/")
    expect(page.get_by_text("Accuracy of these rows is 0.8.")).to_be_visible()
    assert inspect(page, ["/teach/new", "/c/three/"]) == []


def test_an_admin_takes_a_stuck_job_from_its_worker_and_makes_room(
    page, installation, factory, predictions, inspect
):
    factory.judge(factory.submit(factory.as_now(factory.person("ada-01")), "id,label\n0,12\n"))
    number = factory.submit(factory.as_now(factory.person("bob-01")), predictions(5))
    assert judging.take(installation, "score", "frozen").lease.submission_id == number
    past = now() - timedelta(days=400)
    with installation.database.writing() as session:
        session.execute(update(Submission).values(received_at=past))
        session.execute(
            update(Submission).where(Submission.ended_at.is_not(None)).values(ended_at=past)
        )
    sign_in(page, "root-01")
    page.goto("/admin/")
    page.get_by_role("button", name=f"Take from its worker submission {number}").click()
    expect(page.get_by_text(f"Submission {number} waits again")).to_be_visible()
    assert factory.judge_all() == 1
    page.goto(f"/submissions/{number}")
    expect(page.get_by_text("An admin took it from its worker")).to_be_visible()
    expect(page.locator("#submission .state").first).to_have_text("Scored")

    page.goto("/admin/storage")
    page.get_by_role("button", name="Show what would go").click()
    page.get_by_label("Reason, for the log").fill("the disk is full")
    page.get_by_role("button", name="Delete 1 file").click()
    expect(page.get_by_text("1 files were deleted")).to_be_visible()
    faults = inspect(
        page, ["/admin/", "/admin/storage", "/admin/storage?days=30", "/admin/settings"]
    )
    assert faults == []


@pytest.mark.usefixtures("worker")
def test_a_backup_made_while_people_work_is_a_podium_that_goes_on(
    page, installation, factory, predictions, tmp_path
):
    factory.offer("train.csv", b"x" * 1000)
    bob = factory.as_now(factory.person("bob-01"))
    stopped = threading.Event()

    def submit() -> None:
        while not stopped.is_set():
            factory.submit(bob, predictions(10))

    with installation.database.writing() as session:
        competitions.find(session, "toy").daily_limit = 1000
    working = threading.Thread(target=submit)
    working.start()
    with (tmp_path / "podium.tar").open("wb") as out:
        report = backup.write(installation, out)
    stopped.set()
    working.join()
    assert report.missing == []

    config = Config.load(
        tmp_path / "new",
        database_url=f"sqlite:///{tmp_path / 'new' / 'podium.db'}",
        redis_url=installation.config.redis_url,
        storage_url=(tmp_path / "new" / "files").as_uri(),
    )
    restored = Installation.open(config)
    with (tmp_path / "podium.tar").open("rb") as kept:
        backup.restore(restored, kept)
    with serving(create_app(restored)) as address:
        there = page.context.browser.new_context(base_url=address).new_page()
        sign_in(there, "ada-01")  # with the password of before
        there.goto("/c/toy/leaderboard")
        own = there.get_by_role("row").filter(has_text="ada-01")
        expect(own).to_contain_text("0.70")
        there.goto("/c/toy/data")
        with there.expect_download() as file:
            there.get_by_role("link", name="train.csv").first.click()
        assert file.value.path().read_bytes() == b"x" * 1000
        there.context.close()
    while judging_left(restored):
        pass
    with restored.database.reading() as session:
        states = set(session.scalars(select(Submission.state)))
    assert states == {"scored"}  # what waited at the moment of the backup is not lost
    restored.database.close()


def judging_left(restored: Installation) -> bool:
    """Judge what still waits; whether there was something."""
    taken = judging.take(restored, "score", "w2")
    if taken is not None:
        judging.judge(restored, taken)
    return taken is not None
