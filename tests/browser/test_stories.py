"""Whole stories of students in a real Chromium: wide and at 360 px, with and without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from tests.browser.visitors import sign_up_and_join
from tests.servers import scoring, serving

from podium import competitions, reveal
from podium.models.record import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
WIDE, PHONE = 1280, 360


@pytest.fixture
def site(app, installation, factory, predictions) -> Iterator[str]:
    """A competition with a deadline, a baseline to beat and a score worker in a thread."""
    factory.competition(is_practice=False, closes_at=now() + timedelta(days=3), finals=1)
    factory.offer("sample_submission.csv", predictions(0).encode())
    factory.judge(factory.submit(factory.member("rival-01"), predictions(12)))
    with serving(app) as address, scoring(installation):
        yield address


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def open_browser(request, chromium: Browser, site: str):
    """A browser of its own for each person, as wide as a screen or as a phone."""
    contexts = []

    def opened(**options: Any) -> Page:
        size = ViewportSize(width=request.param, height=800)
        context = chromium.new_context(base_url=site, viewport=size, **options)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def fits(page: Page) -> None:
    """Nothing of the page lies beside the screen."""
    page.wait_for_load_state()
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"


def choose(page: Page, name: str, content: str) -> None:
    page.goto("/c/toy/submit")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )


def hand_in(page: Page, name: str, content: str) -> None:
    choose(page, name, content)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions**")
    row = page.get_by_role("row", name=name)
    expect(row.get_by_text("Scored")).to_be_visible(timeout=20_000)
    fits(page)


def end(installation) -> None:
    """The deadline passes, and what it reveals is revealed."""
    with installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now() - timedelta(seconds=1)
    with installation.database.writing() as session:
        reveal.when_due(session, competitions.find(session, "toy"), now())


def test_from_sign_up_to_the_final(open_browser, installation, predictions):
    page = open_browser()
    sign_up_and_join(page, "ada-01")
    choose(page, "bad.csv", predictions(15).replace("\n3,3", "\n3,33"))
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    expect(page.get_by_role("cell", name="an integer from 0 to 9")).to_be_visible()
    fits(page)
    hand_in(page, "good.csv", predictions(15))
    hand_in(page, "better.csv", predictions(18))

    page.goto("/c/toy/leaderboard")
    mine = page.get_by_role("row", name="ada-01")
    expect(mine.get_by_role("cell").first).to_have_text("1")
    fits(page)
    page.goto("/c/toy/submissions")
    page.get_by_role("row", name="better.csv").locator("button[name=selected]").click()
    expect(page.get_by_text("1 of 1 finals selected")).to_be_visible()

    end(installation)
    page.goto("/c/toy/submit")
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_disabled()
    page.goto("/c/toy/leaderboard")
    expect(page.get_by_role("row", name="ada-01")).to_contain_text("1")
    expect(page.get_by_text("Private").first).to_be_visible()
    fits(page)
    page.goto("/c/toy/leaderboard/shakeup")
    expect(page.get_by_role("row", name="ada-01")).to_be_visible()
    fits(page)


def test_two_students_become_one_team(open_browser, predictions):
    ada, bob = open_browser(), open_browser()
    sign_up_and_join(ada, "ada-01")
    sign_up_and_join(bob, "bob-01")
    hand_in(ada, "a.csv", predictions(14))
    hand_in(bob, "b.csv", predictions(17))

    ada.goto("/c/toy/team")
    ada.get_by_label("Team", exact=True).fill("bob-01")
    ada.get_by_role("button", name="Ask to merge").click()
    expect(ada.get_by_text("Asked to merge: bob-01")).to_be_visible()
    bob.goto("/notifications")
    fits(bob)
    bob.goto("/c/toy/team")
    expect(bob.get_by_text("asks to become one team with yours")).to_be_visible()
    bob.get_by_role("button", name="Merge with ada-01").click()
    expect(bob.get_by_role("row", name="ada-01")).to_be_visible()
    fits(bob)

    ada.goto("/c/toy/leaderboard")
    ours = ada.get_by_role("row").filter(has_text="You")
    expect(ours).to_have_count(1)
    expect(ours).to_contain_text("0.8")  # the better of both
    fits(ada)
    ada.goto("/c/toy/submissions")
    expect(ada.get_by_text("b.csv")).to_be_visible()
    expect(ada.get_by_text("a.csv")).to_be_visible()


def test_all_of_it_without_javascript(open_browser, predictions):
    page = open_browser(java_script_enabled=False)
    sign_up_and_join(page, "ada-01")
    choose(page, "bad.csv", "id,label\n0,33\n")
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    choose(page, "good.csv", predictions(15))
    page.get_by_role("button", name="Submit", exact=True).click()
    row = page.get_by_role("row", name="good.csv")
    expect(row).to_be_visible()
    for _ in range(50):
        page.goto("/c/toy/submissions")
        if row.get_by_text("Scored").is_visible():
            break
        page.wait_for_timeout(200)
    page.goto("/c/toy/leaderboard")
    expect(page.get_by_role("row", name="ada-01")).to_contain_text("You")
    page.goto("/c/toy/discussion")
    page.get_by_label("Title").fill("Is 0.75 good?")
    page.get_by_label("Text").fill("It is my *first*.")
    page.get_by_role("button", name="Write it").click()
    expect(page.get_by_role("heading", name="Is 0.75 good?", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
