"""What visitors do at first, in a browser."""

from playwright.sync_api import Page, expect

PASSWORD = "correct horse"


def sign_in(page: Page, handle: str, password: str = PASSWORD) -> None:
    """Be this person, whoever it was before."""
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def sign_up(page: Page, handle: str) -> None:
    """Make an account."""
    page.goto("/sign-up")
    _fill_in(page, handle)


def sign_up_and_join(page: Page, handle: str) -> None:
    """Come to the competition `toy`, make an account, take part."""
    page.goto("/c/toy/")
    page.get_by_role("link", name="Sign up to take part").click()
    _fill_in(page, handle)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in Toy digits")).to_be_visible()


def _fill_in(page: Page, handle: str) -> None:
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("E-mail address").fill(f"{handle}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
