"""Seasons, medals and profiles on pages and over HTTP."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from podium import competitions, reveal
from podium.models import Competition
from podium.models.record import now


@pytest.fixture
def over(installation, factory, predictions):
    """A season of one competition, which ada won before bob and cyd."""
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id, season="Spring 2027")
    for place, name in enumerate(("ada-01", "bob-01", "cyd-01", "dan-01", "eve-01")):
        factory.judge(factory.submit(factory.member(name), predictions(20 - 3 * place)))
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    with installation.database.writing() as session:
        reveal.when_due(session, competitions.find(session, "toy"), now())
    return host


@pytest.fixture
def read(app):
    """A page as somebody reads it, or nobody."""

    def read(path, caller=None, status=200):
        client = app.test_client()
        if caller is not None:
            with client.session_transaction() as session:
                session["user_id"], session["epoch"] = caller.id, 0
        answer = client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    return read


def test_the_season_lists_people_with_points_and_medals(read, over):
    assert "Spring 2027" in read("/seasons/")
    page = read("/seasons/Spring%202027")
    assert page.index("ada-01") < page.index("bob-01") < page.index("cyd-01")
    assert "23,019" in page
    assert "/people/ada-01" in page
    read("/seasons/2020", status=404)


def test_the_final_board_and_the_profile_carry_medals(read, over, factory):
    board = read("/c/toy/leaderboard?split=private")
    assert board.count("medal-silver") == 1
    assert board.count("medal-bronze") == 1
    assert "medal-" not in read("/c/toy/leaderboard?split=public")
    profile = read("/people/ada-01")
    assert "medal-silver" in profile
    assert "1 <span" in profile
    assert "Spring 2027" in profile
    ada = factory.person("ada-01")
    assert "/people/ada-01" in read("/account", ada)


def test_a_person_without_a_board_is_told_so_and_others_nothing(read, over, factory):
    zoe = factory.person("zoe-01")
    assert "You stand on no final board yet" in read("/people/zoe-01", zoe)
    read("/people/zoe-01", status=404)
    read("/people/nobody", status=404)


def test_the_same_over_http(api, over):
    assert api.get("/seasons").get_json() == {"items": ["Spring 2027"]}
    found = api.get("/seasons/Spring 2027?per_page=2").get_json()
    assert (found["total"], found["competitions"]) == (5, ["toy"])
    assert [(one["handle"], one["silver"], one["bronze"]) for one in found["items"]] == [
        ("ada-01", 1, 0),
        ("bob-01", 0, 1),
    ]
    person = api.get("/people/bob-01").get_json()
    assert (person["bronze"], person["history"][0]["rank"]) == (1, 2)
    rows = api.get("/competitions/toy/leaderboard?split=private").get_json()["items"]
    assert [row["medal"] for row in rows[:3]] == ["silver", "bronze", ""]
    host = api.as_(over)
    host.call("PATCH", "/competitions/toy", json={"season": ""})
    assert api.get("/seasons").get_json() == {"items": []}
    assert api.get("/people/bob-01").get_json()["history"][0]["points"] is None
