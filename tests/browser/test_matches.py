"""The Matches tab in a browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import accounts, boardclock
from podium.models import Competition, User
from podium.models.record import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def site(app, installation, arena) -> Iterator[str]:
    """Five agents that have met."""
    for strength, name in enumerate(("ada", "bob", "cyd", "dan", "eve")):
        arena.hand_in(f"{name}-01", (0, 2, 2, 3, 1)[strength])
    arena.play_all()
    with installation.database.writing() as session:
        ada = session.get_one(User, arena.people["ada-01"].id)
        ada.password_hash = accounts.hashed("correct horse")
    with serving(app) as address:
        yield address


def test_who_beats_whom_is_read_and_a_game_is_looked_up(page, inspect):
    sign_in(page, "ada-01")
    page.goto("/c/duel/")
    page.get_by_role("link", name="Matches").click()
    rows = page.get_by_role("region", name="Who beats whom").locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("dan-01")
    expect(rows.last).to_contain_text("ada-01")
    expect(rows.last).to_contain_text("You")
    page.get_by_label("Team").fill("eve")
    page.get_by_role("button", name="Show").click()
    games = page.get_by_role("region", name="Games").locator("tbody tr")
    for game in games.all():
        expect(game).to_contain_text("eve-01")
    games.first.get_by_role("link").click()
    expect(page.locator("[data-player]").get_by_role("status")).to_contain_text("of 7")
    assert inspect(page, ["/c/duel/matches"]) == []


def test_the_final_round_is_followed_without_a_reload(page, inspect, arena):
    with arena.here.database.writing() as session:
        session.execute(
            update(Competition).values(closes_at=now() - timedelta(seconds=1), final_games=2)
        )
    boardclock.tick(arena.here, now())
    sign_in(page, "ada-01")
    page.goto("/c/duel/matches")
    told = page.locator("#final")
    expect(told).to_contain_text("Final round: 0 of 20 games.")
    first = arena.take()
    arena.report(first, arena.games(first))
    expect(told).to_contain_text("Final round: 4 of 20 games.", timeout=10_000)
    assert inspect(page, ["/c/duel/leaderboard"]) == []
    page.goto("/c/duel/matches")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    arena.play_all()
    expect(told).to_contain_text("all 20 games are played", timeout=10_000)
    boardclock.tick(arena.here, now())
    page.goto("/c/duel/leaderboard?split=private")
    expect(page.locator("main")).to_contain_text("those of the final round as well")
