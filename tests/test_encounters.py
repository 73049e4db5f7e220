"""Who met whom: the list of games and the matrix of wins, and who may see what of them."""

import pytest
from sqlalchemy import update

from podium import competitions, conduct, encounters
from podium.boardrules import HIDDEN, PSEUDONYMOUS
from podium.leaderboard import NOBODY, Reader
from podium.models import Competition, Episode


@pytest.fixture
def three(arena):
    """Three agents of known strength that have played their games; their ids by name."""
    ids = {name: arena.hand_in(f"{name}-01", n) for n, name in enumerate(("ada", "bob", "cyd"))}
    arena.play_all()
    return ids


def listed(installation, reader=NOBODY, **asked):
    asked = {"sees_private": False, "per_page": 200} | asked
    with installation.database.reading() as session:
        found = competitions.find(session, "duel")
        return encounters.games(session, found, reader, **asked)


def squared(installation, reader=NOBODY, **asked):
    with installation.database.reading() as session:
        found = competitions.find(session, "duel")
        return encounters.matrix(session, found, reader, **{"sees_private": False} | asked)


def set_names(installation, names):
    with installation.database.writing() as session:
        session.execute(update(Competition).values(names=names))


def test_games_are_listed_with_seats_and_results_and_without_trials(installation, three):
    total, games = listed(installation)
    assert total == len(games) > 8
    assert [game.id for game in games] == sorted((game.id for game in games), reverse=True)
    for game in games:
        first, second = game.players
        assert {first.score, second.score} == {0.0, 1.0}
        assert first.submission != second.submission
    begun = [game.players[0].submission for game in games]
    assert begun.count(three["ada"]) == sum(
        game.players[1].submission == three["ada"] for game in games
    )


def test_games_are_paged_and_filtered_by_team(installation, three):
    total, games = listed(installation)
    paged = [listed(installation, page=page, per_page=3)[1] for page in range(1, total // 3 + 2)]
    assert [one for page in paged for one in page] == games
    of_ada, found = listed(installation, team="ADA")
    assert of_ada == len(found)
    assert found == [one for one in games if any(p.team == "ada-01" for p in one.players)]
    assert listed(installation, team="%")[0] == 0


def test_the_matrix_says_the_points_of_each_against_each_in_the_order_of_ratings(
    installation, three
):
    rows = squared(installation)
    assert [row.team for row in rows] == ["cyd-01", "bob-01", "ada-01"]
    _, games = listed(installation)
    for i, row in enumerate(rows):
        assert row.cells[i] is None
        for j, other in enumerate(rows):
            if i == j:
                continue
            pair = {row.submission, other.submission}
            met = [g for g in games if {p.submission for p in g.players} == pair]
            assert row.cells[j].games == len(met)
            assert row.cells[j].points == (len(met) if i < j else 0)
    assert [row.team for row in squared(installation, top=2)] == ["cyd-01", "bob-01"]


def test_on_a_pseudonymous_board_nobody_is_found_by_name(installation, three, arena):
    set_names(installation, PSEUDONYMOUS)
    _, games = listed(installation)
    names = {part.team for game in games for part in game.players}
    assert len(names) == 3
    assert not any("-01" in name for name in names)
    assert listed(installation, team="ada")[0] == 0
    assert listed(installation, team=min(names))[0] > 0
    with installation.database.reading() as session:
        team = competitions.team_of(
            session, competitions.find(session, "duel").id, arena.people["ada-01"].id
        )
    own = {p.team for game in listed(installation, Reader(team.id))[1] for p in game.players}
    assert "ada-01" in own
    assert "bob-01" not in own
    assert len(squared(installation)) == 3


def test_on_a_hidden_board_one_sees_the_own_games_and_no_matrix(installation, three, arena):
    set_names(installation, HIDDEN)
    assert listed(installation) == (0, [])
    assert squared(installation) == []
    with installation.database.reading() as session:
        team = competitions.team_of(
            session, competitions.find(session, "duel").id, arena.people["ada-01"].id
        )
    total, games = listed(installation, Reader(team.id))
    assert total > 0
    assert all(any(part.is_me for part in game.players) for game in games)
    assert squared(installation, Reader(team.id)) == []
    host = Reader(is_host=True)
    assert listed(installation, host)[0] > total
    assert len(squared(installation, host)) == 3


def test_the_games_of_the_disqualified_are_for_hosts(installation, three, factory):
    admin = factory.person("root-01", "admin")
    before, _ = listed(installation)
    with installation.database.writing() as session:
        conduct.disqualify_team(session, admin, "duel", "ada-01", "It looked up moves.")
    after, games = listed(installation)
    assert 0 < after < before
    assert not any(part.team == "ada-01" for game in games for part in game.players)
    assert listed(installation, Reader(is_host=True))[0] == before
    assert [row.team for row in squared(installation)] == ["cyd-01", "bob-01"]


def test_private_games_are_for_those_who_see_private_scores(installation, three):
    with installation.database.writing() as session:
        session.execute(update(Episode).where(Episode.id > 6).values(split="private"))
    total, games = listed(installation)
    assert not any(game.is_final for game in games)
    assert listed(installation, sees_private=True)[0] > total
    finals = listed(installation, sees_private=True, only_final=True)[1]
    assert finals
    assert all(game.is_final for game in finals)
    assert listed(installation, only_final=True) == (0, [])
    public = sum(cell.games for row in squared(installation) for cell in row.cells if cell)
    assert public == 2 * total
