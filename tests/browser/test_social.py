"""Accounts, notifications, discussions and errors in a real Chromium, on every page of them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import accounts, competitions, discussion, notifications, postman
from podium.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
FORMULA = "The loss is $\\frac{1}{n}\\sum_{i=1}^n (y_i - \\hat{y}_i)^2$, see #1.\n\n"
CODE = "```python\nfor batch in loader:\n    loss = model(batch)\n```\n\n"
BLOCK = "$$\np(y \\mid x) = \\frac{e^{z_y}}{\\sum_k e^{z_k}}\n$$\n\n"
TABLE = "| rate | score |\n|-|-|\n| 0.1 | 0.9 |"


@pytest.fixture
def site(make_app, installation, factory) -> Iterator[str]:
    """A competition with a discussion; two people and a host with passwords."""
    app = make_app(mail_url="smtp://127.0.0.1:1")
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    with installation.database.writing() as session:
        session.execute(update(User).values(password_hash=accounts.hashed("correct horse")))
        competition = competitions.find(session, "toy")
        thread = discussion.begin(
            session, competition, ada, "How is the loss meant?", FORMULA + CODE + BLOCK + TABLE
        )
        discussion.reply(session, competition, host, thread.id, "As **written** above.")
        discussion.reply(session, competition, bob, thread.id, "Thank you.\n\n> As written above.")
        pinned = discussion.begin(session, competition, host, "Read this first", "Be kind.")
        discussion.moderate(session, competition, host, pinned.id, pinned=True, locked=True)
        notifications.tell(
            session, notifications.DEADLINE, [ada.id], "Toy digits ends tomorrow.", "/c/toy/"
        )
    with serving(app) as address:
        yield address


class Postbox:
    def __init__(self):
        self.got = []

    def send(self, mail_id, message):
        self.got.append(message)


def test_every_page_of_it_is_accessible_and_fits(page, inspect):
    sign_in(page, "ada-01")
    own = ["/account", "/account/address", "/account/sign-ins", "/account/data"]
    own += ["/notifications", "/notifications/preferences"]
    talk = ["/c/toy/discussion", "/c/toy/discussion/1", "/c/toy/discussion/1?edit=1"]
    assert inspect(page, [*own, *talk]) == []
    sign_in(page, "host-01")
    assert inspect(page, ["/c/toy/discussion/2"]) == []
    page.context.clear_cookies()
    assert inspect(page, ["/forgot-password", "/sign-in"]) == []


def test_error_pages_are_accessible_and_fit(chromium, site, inspect, installation):
    context = chromium.new_context(base_url=site)  # its console says 404, as it should
    page = context.new_page()
    assert inspect(page, ["/nowhere", "/account", "/c/toy/submit"]) == []
    installation.config.home.mkdir(exist_ok=True)
    (installation.config.home / "maintenance").write_text("A new disk. Back at 14:00 UTC.")
    assert inspect(page, ["/c/toy/"]) == []
    context.close()


def test_a_question_is_answered_and_the_bell_says_so(page, installation):
    sign_in(page, "bob-01")
    page.goto("/c/toy/discussion")
    page.get_by_label("Title").fill("What is a seed?")
    page.get_by_label("Text").fill("I see $s$ everywhere.")
    page.get_by_role("button", name="Write it").click()
    expect(page.get_by_role("heading", name="What is a seed?", exact=True)).to_be_visible()
    sign_in(page, "host-01")
    page.goto("/c/toy/discussion")
    page.get_by_role("link", name="What is a seed?").click()
    page.get_by_label("Text").fill("A number.")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("A number.")).to_be_visible()
    sign_in(page, "bob-01")
    bell = page.get_by_role("link", name=re.compile("Notifications"))
    expect(bell).to_contain_text("1")
    bell.click()
    page.get_by_role("link", name="host-01 answers in “What is a seed?”").click()
    expect(page.get_by_text("A number.")).to_be_visible()
    expect(bell).not_to_contain_text("unread")


def test_a_forgotten_password_comes_back_by_mail(page, installation):
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail address").fill("ada-01@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    postbox = Postbox()
    postman.deliver(installation, postbox)
    (mail,) = [one for one in postbox.got if "/new-password/" in one.get_content()]
    page.goto(re.search(r"(/new-password/\S+)", mail.get_content())[1])
    page.get_by_label("New password", exact=True).fill("another horse")
    page.get_by_label("New password again").fill("another horse")
    page.get_by_role("button", name="Set the password").click()
    sign_in(page, "ada-01", "another horse")


def test_who_leaves_is_gone(page, installation):
    sign_in(page, "ada-01")
    page.goto("/account/data")
    page.get_by_label("Your handle").fill("ada-01")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    page.goto("/c/toy/discussion/1")
    expect(page.get_by_text("This post was deleted.")).to_be_visible()
    with installation.database.reading() as session:
        assert session.scalar(select(User.id).where(User.handle == "ada-01")) is None
