"""An instructor's term in a real Chromium: class list, competition, extension, reveal, grades."""

import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from tests.browser.visitors import sign_in
from tests.servers import scoring, serving

from podium import accounts, competitions, positions
from podium.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
STUDENTS = ("ada-01", "bob-01", "cy-01")
CLASS = "First name,Last name,ID number,Email address\n" + "".join(
    f"{handle},S,{number},{handle}@example.org\n" for number, handle in enumerate(STUDENTS, 100)
)


def table(rows: int = 1200) -> str:
    chance = random.Random(3)
    lines = ["x,y,label"]
    for _ in range(rows):
        x, y = chance.random(), chance.random()
        lines.append(f"{x:.6f},{y:.6f},{int((x > y) != (chance.random() < 0.05))}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def site(app, installation, factory) -> Iterator[str]:
    """An instructor and three students with passwords; a score worker in a thread."""
    factory.person("teacher-01", "instructor")
    for handle in STUDENTS:
        factory.person(handle)
    with installation.database.writing() as session:
        session.execute(update(User).values(password_hash=accounts.hashed("correct horse")))
    with serving(app) as address, scoring(installation, checks=True):
        yield address


def upload(page: Page, label: str, name: str, content: str) -> None:
    page.get_by_label(label).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )


def predicted(installation, wrong: float) -> str:
    """What x > y says of the test rows, with a part of them turned round."""
    with installation.database.reading() as session:
        challenge = competitions.find(session, "larger").challenge
        key = next(one.file_key for one in challenge.files if one.name == "test.csv")
    with installation.storage.open(key) as file:
        lines = file.read().decode().splitlines()[1:]
    said = ["id,label"]
    for place, line in enumerate(lines):
        id_, x, y = line.split(",")
        turned = place < wrong * len(lines)
        said.append(f"{id_},{int((float(x) > float(y)) != turned)}")
    return "\n".join(said) + "\n"


def test_a_term_from_the_class_list_to_the_grades(page, installation, factory, inspect):
    sign_in(page, "teacher-01")

    page.goto("/courses/")
    page.get_by_label("Title").fill("Deep learning")
    page.get_by_label("Short name").fill("dl")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Create").click()
    upload(page, "CSV file", "class.csv", CLASS)
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("3, 3 of them with an account")).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("3 students, 0 assistants, 1 instructor.")).to_be_visible()

    page.goto("/teach/new?course=dl")
    form = page.locator("form", has=page.get_by_role("heading", name="From a table"))
    form.get_by_label("CSV with the answers in it").set_input_files(
        {"name": "data.csv", "mimeType": "text/csv", "buffer": table().encode()}
    )
    form.get_by_label("Column to predict").fill("label")
    form.get_by_label("Short name").fill("larger")
    form.get_by_label("Title").fill("Which is larger")
    form.get_by_role("button", name="Show the counts").click()
    expect(page.get_by_text("720 rows for training, 480 to predict")).to_be_visible()
    form.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()

    upload(page, "What a simple solution predicts", "rule.csv", predicted(installation, 0.2))
    page.get_by_role("button", name="Hand it in").click()
    publish = page.get_by_role("button", name="Publish")
    for _ in range(60):
        page.goto("/c/larger/manage/publish")
        if publish.is_enabled():
            break
        page.wait_for_timeout(500)
    expect(page.get_by_text("score as they should")).to_be_visible()
    publish.click()
    expect(page.locator("strong[aria-current=step]")).to_have_text("Open")

    for handle, wrong in (("ada-01", 0.0), ("bob-01", 0.3)):
        caller = factory.as_now(factory.person(handle))
        with installation.database.writing() as session:
            competitions.join(session, competitions.find(session, "larger"), caller)
        factory.submit(caller, predicted(installation, wrong), "larger")
    page.goto("/c/larger/manage/activity")
    expect(page.get_by_text("cy-01 S")).to_be_visible()

    page.goto("/c/larger/manage/publish")
    page.get_by_role("button", name="Close now").click()
    page.goto("/c/larger/manage")
    extend = page.locator("form[action$=extend]")
    extend.get_by_label("To a").select_option("student")
    extend.get_by_label("Its name").fill("cy-01")
    extend.get_by_label("Until").fill("2100-01-01T12:00")
    extend.get_by_label("Reason").fill("was ill")
    extend.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("cell", name="cy-01")).to_be_visible()
    cy = factory.as_now(factory.person("cy-01"))
    with installation.database.writing() as session:
        competitions.join(session, competitions.find(session, "larger"), cy)
    factory.submit(cy, predicted(installation, 0.1), "larger")
    _wait_until_scored(installation, 3)

    extend = page.locator("form[action$=extend]")
    extend.get_by_label("To a").select_option("student")
    extend.get_by_label("Its name").fill("cy-01")
    extend.get_by_label("Until").fill("2020-01-01T12:00")
    extend.get_by_role("button", name="Extend").click()
    page.goto("/c/larger/manage")
    page.get_by_role("button", name="Reveal the private board").click()

    page.goto("/c/larger/manage/grades")
    for line, (name, score, percent) in enumerate(
        [("sample", "0.5", "0"), ("baseline", "Logistic regression", "60"), ("top", "1", "100")]
    ):
        page.get_by_label(f"Name of point {line + 1}").fill(name)
        page.get_by_label(f"Score or baseline of point {line + 1}").fill(score)
        page.get_by_label(f"Percent of point {line + 1}").fill(percent)
    page.get_by_role("button", name="Publish the rule").click()
    expect(page.get_by_text("This is a preview")).to_be_visible()
    page.get_by_role("button", name="Release 3 grades").click()
    page.get_by_label("Into a list of").select_option("moodle")
    upload(page, "Its class list", "moodle.csv", CLASS + "Guest,S,999,guest@example.org\n")
    page.get_by_role("button", name="Match").click()
    expect(page.get_by_text("3 students matched.")).to_be_visible()
    expect(page.get_by_text("line 5: 999 guest@example.org")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download for Moodle").click()
    assert saved.value.path().read_text().startswith("ID number,Email address,Which is larger\n")

    faults = inspect(
        page,
        [
            "/teach/",
            "/teach/new",
            "/courses/",
            "/courses/dl/",
            "/courses/dl/people",
            "/courses/dl/settings",
            "/courses/dl/gradebook",
            "/c/larger/manage",
            "/c/larger/manage/publish",
            "/c/larger/manage/activity",
            "/c/larger/manage/grades",
        ],
    )
    assert faults == []

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "ada-01")
    page.goto("/c/larger/grade")
    expect(page.get_by_text("counts, with")).to_be_visible()
    assert inspect(page, ["/c/larger/grade"]) == []


def _wait_until_scored(installation, number: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with installation.database.reading() as session:
            competition = competitions.find(session, "larger")
            scored = positions.read(session, competition.id, "private").total
        if scored == number:
            return
        time.sleep(0.1)
    raise TimeoutError("the submissions were not scored")
