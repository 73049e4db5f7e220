"""Seasons, profile and the board with medals in a browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from tests.servers import serving

from podium import competitions, reveal
from podium.models import Competition
from podium.models.record import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def site(app, installation, factory, predictions) -> Iterator[str]:
    """Two competitions of twelve teams, over and revealed; one counts."""
    for slug, season in (("toy", "2026"), ("other", "")):
        factory.competition(slug, season=season)
        for place in range(12):
            person = factory.member(f"player-{place + 1:02}", slug)
            factory.judge(factory.submit(person, predictions(20 - place), slug))
        with installation.database.writing() as session:
            session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
        with installation.database.writing() as session:
            reveal.when_due(session, competitions.find(session, slug), now())
    with serving(app) as address:
        yield address


def test_from_the_season_to_a_person_to_the_final_board(page, inspect):
    page.goto("/")
    page.get_by_role("link", name="Seasons").click()
    page.get_by_role("link", name="2026").click()
    page.get_by_role("link", name="player-01").click()
    expect(page.get_by_role("heading", name="player-01")).to_be_visible()
    rows = page.get_by_role("region", name="Competitions").locator("tbody tr")
    expect(rows).to_have_count(2)
    rows.last.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("Gold")
    paths = ["/seasons/2026", "/people/player-01", "/c/toy/leaderboard?split=private"]
    assert inspect(page, paths) == []
