import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from podium import boardclock
from podium.models import BoardEntry, Competition
from podium.models.record import now


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id, closes_at=now() + timedelta(days=1))
    return caller


def read(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_team_from_its_name_to_a_merge(factory, signed_in, host):
    ada = signed_in(factory.member("ada-01"))
    bob = signed_in(factory.member("bob-01"))
    cy = signed_in(factory.person("cy-01"))
    made = read(ada.run("team", "create", "Lovelaces", "-c", "toy", "--format", "json"))
    assert made["team"] == "Lovelaces"
    assert ada.run("team", "invite", "cy-01", "-c", "toy").returncode == 0
    assert read(cy.run("team", "show", "toy", "--format", "json"))["invited_by"] == ["Lovelaces"]
    entered = read(cy.run("team", "accept", "Lovelaces", "-c", "toy", "--format", "json"))
    assert entered["members"] == ["ada-01", "cy-01"]
    link = ada.run("team", "invite", "-c", "toy")
    assert "/c/toy/team/join/" in link.stdout
    assert "is asked" in ada.run("team", "merge", "bob-01", "-c", "toy").stderr
    assert "one team now: Lovelaces" in bob.run("team", "merge", "Lovelaces", "-c", "toy").stderr
    refused = cy.run("team", "merge", "nobody", "-c", "toy")
    assert (refused.returncode, "no team 'nobody'" in refused.stderr) == (4, True)


def test_finals_are_chosen_and_shown(factory, signed_in, predictions, host):
    caller = factory.member("ada-01")
    ids = [factory.submit(caller, predictions(right)) for right in (9, 5, 3)]
    factory.judge_all()
    ada = signed_in(caller)
    shown = ada.run("select", "-c", "toy", "--format", "json")
    assert read(shown)["counting"] == ids[:2]
    assert "Nothing is selected" in shown.stderr
    assert read(ada.run("select", str(ids[2]), "--format", "json"))["selected"] == [ids[2]]
    assert ada.run("select", *map(str, ids)).returncode == 6
    file = ada.write("preds.csv", predictions(1))
    done = ada.run("submit", "toy", "-f", file, "--final")
    assert "Selected as final: 2 of 2." in done.stderr


def test_a_rescoring_is_previewed_and_applied(
    installation, factory, signed_in, scorer, predictions, host
):
    for handle, right in (("ada-01", 9), ("bob-01", 5)):
        factory.submit(factory.member(handle), predictions(right))
    factory.judge_all()
    shell = signed_in(host)
    done = shell.run("rescore", "toy", "--exclude", "1", "--reason", "blank", "--format", "json")
    told = {row["team"]: row["score_after"] for row in read(done)}
    assert told == {"ada-01": 3 / 9, "bob-01": 1 / 9}
    assert "2 of 2 rescored" in done.stderr
    assert shell.run("rescore", "toy", "--apply").returncode == 0
    board = read(shell.run("leaderboard", "toy", "--format", "json"))
    assert {row["team"]: row["score"] for row in board} == told
    assert shell.run("rescore", "toy", "--discard").returncode == 4


def test_a_host_sets_options_disqualifies_and_reveals(
    installation, factory, signed_in, predictions, host
):
    factory.submit(factory.member("ada-01"), predictions(9))
    factory.judge_all()
    shell = signed_in(host)
    options = read(shell.run("board", "toy", "--set", "holds_reveal=true", "--format", "json"))
    assert options["holds_reveal"] is True
    assert shell.run("board", "toy", "--set", "names=secret").returncode == 2
    assert shell.run("reveal", "toy").returncode == 6
    assert shell.run("disqualify", "toy", "--team", "ada-01", "--reason", "x").returncode == 0
    assert read(shell.run("leaderboard", "toy", "--format", "json")) == []
    assert shell.run("disqualify", "toy", "--team", "ada-01", "--lift").returncode == 0
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    boardclock.tick(installation, now())
    nobody = signed_in(factory.person("eve-01"))
    assert nobody.run("leaderboard", "toy", "--private").returncode == 3
    assert nobody.run("shakeup", "toy").returncode == 3
    assert shell.run("reveal", "toy").returncode == 0
    assert read(nobody.run("leaderboard", "toy", "--private", "--format", "json"))[0]["rank"] == 1
    assert read(nobody.run("shakeup", "toy", "--format", "json"))[0]["public_rank"] == 1
    assert set(read(shell.run("integrity", "toy"))) == {"twins", "errors", "code", "sources"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_board_is_made_anew_on_the_machine_that_runs_podium(
    installation, config, factory, shell, predictions, host
):
    factory.submit(factory.member("ada-01"), predictions(9))
    factory.judge_all()
    with installation.database.writing() as session:
        session.execute(update(BoardEntry).values(score=0.0, order_key=0.0))
    shell.variables["PODIUM_DATABASE_URL"] = config.database
    done = shell.run("leaderboard", "rebuild", "toy")
    assert (done.returncode, done.stderr) == (
        0,
        "toy: both boards made anew from 1 scored submissions.\n",
    )
    board = read(shell.run("leaderboard", "toy", "--format", "json"))
    assert board[0]["score"] == 0.4
    assert shell.run("leaderboard", "rebuild").returncode == 2


def test_a_season_and_a_person_are_shown(installation, factory, signed_in, predictions, host):
    for handle, right in (("ada-01", 9), ("bob-01", 5), ("cy-01", 3)):
        factory.judge(factory.submit(factory.member(handle), predictions(right)))
    teacher = signed_in(host)
    assert teacher.run("competitions", "edit", "toy", "--set", "season=2026").returncode == 0
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    boardclock.tick(installation, now())
    ada = signed_in(factory.person("ada-01"))
    assert read(ada.run("season", "--format", "json")) == [{"season": "2026"}]
    standings = read(ada.run("season", "2026", "--format", "json"))
    assert [(one["rank"], one["handle"], one["is_me"]) for one in standings] == [
        (1, "ada-01", True),
        (2, "bob-01", False),
        (3, "cy-01", False),
    ]
    done = ada.run("person", "ada-01", "--format", "json")
    assert read(done)[0]["rank"] == 1
    assert "points today" in done.stderr
    assert ada.run("person", "nobody").returncode == 4
