"""The Matches tab without scripts: before, during and after the final round."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from podium import boardclock
from podium.models import Competition, Submission
from podium.models.record import now


@pytest.fixture
def reader(app, arena):
    """Reads a page as somebody."""

    def read(path, caller):
        client = app.test_client()
        with client.session_transaction() as session:
            session["user_id"], session["epoch"] = caller.id, 0
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    return read


@pytest.fixture
def season(arena):
    """Three agents that have met; the competition is over."""
    for strength, name in enumerate(("ada-01", "bob-01", "cyd-01")):
        arena.hand_in(name, strength)
    arena.play_all()
    with arena.here.database.writing() as session:
        session.execute(
            update(Competition).values(closes_at=now() - timedelta(seconds=1), final_games=2)
        )
    return arena


def test_the_tab_is_for_games_of_two_only(reader, arena, factory):
    ada = factory.member("ada-01", "duel")
    assert "No game has been played yet" in reader("/c/duel/matches", ada)
    factory.competition()
    assert "/c/toy/matches" not in reader("/c/toy/", ada)
    assert "Nobody plays against anybody here" in reader("/c/toy/matches", ada)


def test_the_final_is_told_from_before_it_to_its_end(reader, season):
    ada = season.people["ada-01"]
    assert "After the deadline there is a final round" in reader("/c/duel/matches", ada)
    boardclock.tick(season.here, now())
    assert "Final round: 0 of 6 games." in reader("/c/duel/matches/final", ada)
    assert "The final round is being played" in reader("/c/duel/leaderboard", ada)
    first = season.take()
    season.report(first, season.games(first))
    page = reader("/c/duel/matches", ada)
    assert "Final round: 2 of 6 games." in page
    assert '<span class="tag">Final</span>' not in page
    season.play_all()
    boardclock.tick(season.here, now())
    page = reader("/c/duel/matches", ada)
    assert "all 6 games are played" in page
    assert page.count('<span class="tag">Final</span>') == 6
    only = reader("/c/duel/matches?only_final=1", ada)
    assert "6 games" in only


def test_a_host_reads_what_to_do_about_games_that_could_not_be_played(reader, season, factory):
    boardclock.tick(season.here, now())
    host = factory.person("host-01", "instructor")
    assert "Final round: 0 of 6 games" in reader("/c/duel/manage", host)
    with season.here.database.writing() as session:
        session.execute(
            update(Submission)
            .where(Submission.original_id.is_not(None))
            .values(state="error", verdict="platform_fault")
        )
    assert "run it again on the" in reader("/c/duel/matches", host)
    assert "The host knows" in reader("/c/duel/matches", season.people["ada-01"])
    assert "Reveal the private board" in reader("/c/duel/manage", host)
