"""The pictures of the docs: taken of real pages, and written by `make pictures`.

In every run the pages are asked for what the pictures show, so that none can go stale unseen.
"""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import accounts, boardclock, competitions, entries, uncertainty
from podium.models import Competition, Team, User
from podium.models.record import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
BASELINE = "Convolutional network"
RIGHT = {
    "ada-01": (0.974, 0.981),
    "grace-01": (0.978,),
    "alan-01": (0.952, 0.969),
    "barbara-01": (0.931,),
    "edsger-01": (0.903, 0.918),
}
BASELINE_RIGHT = 0.962
ROWS = 4000
SIZE = {"width": 1000, "height": 720}


def answers() -> str:
    usage = ("Public", "Private", "Private")
    return "id,label,Usage\n" + "".join(f"{i},{i % 10},{usage[i % 3]}\n" for i in range(ROWS))


def guessed(right: float, seed: int) -> str:
    chance = random.Random(seed)
    return "id,label\n" + "".join(
        f"{i},{i % 10 if chance.random() < right else (i + 1) % 10}\n" for i in range(ROWS)
    )


@pytest.fixture
def site(app, installation, factory) -> Iterator[str]:
    """The digits with a baseline and five teams."""
    sample = guessed(0.1, 0).encode()
    factory.competition("digits", ({}, answers().encode(), sample), {"title": "Handwritten digits"})
    factory.offer("sample_submission.csv", sample, slug="digits")
    for seed, (handle, tries) in enumerate([(BASELINE, (BASELINE_RIGHT,)), *RIGHT.items()]):
        caller = factory.member("net-01" if handle == BASELINE else handle, "digits")
        for number, right in enumerate(tries):
            factory.submit(caller, guessed(right, 10 * seed + number), "digits", message="wider")
    factory.judge_all()
    with installation.database.writing() as session:
        net = session.scalars(select(Team).where(Team.name == "net-01")).one()
        net.name, net.is_baseline = BASELINE, True
        session.execute(update(Competition).values(title="Handwritten digits"))
        password = accounts.hashed("correct horse")
        session.execute(update(User).values(password_hash=password))
    with installation.database.writing() as session:
        entries.rebuild(session, competitions.find(session, "digits"))
    boardclock.tick(installation, now())
    uncertainty.work(installation)
    with serving(app) as address:
        yield address


def take(page: Page, name: str) -> None:
    """Keep a picture of what is seen, where pictures are asked for."""
    if os.environ.get("UPDATE_PICTURES") == "1":
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def test_the_pictures_of_the_docs_show_what_there_is(page, tmp_path):
    page.set_viewport_size(SIZE)
    sign_in(page, "ada-01")
    page.goto("/c/digits/leaderboard")
    board = page.locator("#board")
    expect(board.get_by_role("row", name="ada-01")).to_contain_text("You")
    expect(board.get_by_role("row", name=BASELINE)).to_contain_text("Baseline")
    take(page, "leaderboard")

    wrong = tmp_path / "submission.csv"
    wrong.write_text(re.sub(r"\n17,\d\n", "\n17,12\n", guessed(0.9, 1)))
    page.goto("/c/digits/submit")
    page.locator("input[type=file]").set_input_files(wrong)
    expect(page.get_by_role("main")).to_contain_text("from 0 to 9")
    page.evaluate("scrollTo(0, 0)")
    take(page, "check")

    page.goto("/c/digits/submissions")
    expect(page.get_by_role("main")).to_contain_text("Scored")
    take(page, "submissions")


def test_the_help_pages_are_fit_for_everybody(page, inspect):
    assert inspect(page, ["/help/api", "/help/api/shapes", "/help/verdicts"]) == []
