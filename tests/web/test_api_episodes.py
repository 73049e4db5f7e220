"""Agents over HTTP: what run workers are given and bring, and what people see of it."""

import io
import re
import zipfile

import numpy as np
import pytest

from podium import accounts, competitions
from podium.models import Submission
from podium.referee import Replay

CARD = {"name": "r1", "queue": "run", "host": "h1", "pid": 7, "version": "1"}
AGENT = b"def act(observation, info):\n    return 0\n"


class Hand:
    """A run worker, by hand."""

    def __init__(self, api, queue):
        self.api = api
        self.card = CARD | {"queue": queue, "name": queue}

    def take(self):
        items = self.api.post("/work/assignments", json=self.card).get_json()["items"]
        return items[0] if items else None

    def of(self, token, method, path, **request):
        return self.api.call(method, f"/work/{path}", headers={"Podium-Attempt": token}, **request)

    def report(self, token, outcome, **said):
        answer = self.of(token, "POST", "report", json={"outcome": outcome} | said)
        assert answer.status_code == 200, answer.text
        return answer.get_json()["is_taken"]


@pytest.fixture
def hand(api, installation, factory):
    admin = factory.person("admin-01", "admin")
    with installation.database.writing() as session:
        text = accounts.create_token(session, admin.id, "runs", ["work"])[1]
    worker = type(api)(api.app, installation, {"Authorization": f"Bearer {text}"})
    return lambda queue: Hand(worker, queue)


@pytest.fixture
def ada(factory, lander):
    factory.competition("lander", declared=lander)
    return factory.member("ada-01", "lander")


def replay(steps: int) -> bytes:
    tracks = {"action": np.arange(steps), "observation": np.ones((steps, 2)) / 3}
    return Replay("LunarLander-v3", "x", tracks).to_bytes()


@pytest.fixture
def flown(hand, factory, ada, installation) -> int:
    """A submission of ada's that has been flown and scored."""
    submission_id = factory.submit(ada, AGENT, "lander", kind="agent", file_name="agent.py")
    worker = hand("run")
    assignment = worker.take()
    token, contents = assignment["token"], [replay(n) for n in (1, 2, 3, 4)]
    rows = "".join(f"{number},{number}.5\n" for number in (1, 2, 3, 4))
    assert worker.of(token, "PUT", "output", data=f"episode,return\n{rows}").status_code == 204
    assert worker.of(token, "PUT", "replays", data=b"".join(contents)).status_code == 204
    played = [
        {
            "number": number,
            "steps": number,
            "result": "done",
            "sides": [{"submission_id": submission_id, "score": number + 0.5, "fault": ""}],
            "replay_bytes": len(content),
        }
        for number, content in enumerate(contents, 1)
    ]
    assert worker.report(token, "ran", episodes=played)
    factory.judge_all()
    return submission_id


def test_a_run_worker_is_given_the_seeds_and_nobody_else_is(hand, api, factory, ada):
    submission_id = factory.submit(ada, AGENT, "lander", kind="agent")
    assignment = hand("run").take()
    assert assignment["seeds"] == [[1, 8101], [2, 8102], [3, 8103], [4, 8104]]
    team = api.as_(ada)
    seeds = re.compile(r"(?<![\d.])810[1-4](?!\d)")  # not the fraction of a moment
    for path in (
        *("/competitions/lander", "/competitions/lander/files", f"/submissions/{submission_id}"),
        *("/competitions/lander/environment", f"/submissions/{submission_id}/log"),
    ):
        answer = team.get(path)
        assert answer.status_code == 200
        assert not seeds.search(answer.text), path


def test_the_mean_return_is_scored_on_each_split(api, ada, installation, flown):
    shown = api.as_(ada).get(f"/submissions/{flown}").get_json()
    assert shown["public"]["mean_return"]["value"] == 2.5  # episodes 1 and 3
    assert shown["private"] is None
    with installation.database.reading() as session:
        rows = session.get_one(Submission, flown).evaluations
        assert {row.split: row.value for row in rows} == {"public": 2.5, "private": 3.5}


def test_a_team_lists_its_public_episodes_and_a_host_all(api, factory, ada, flown):
    found = api.as_(ada).get(f"/submissions/{flown}/episodes").get_json()
    assert [(one["number"], one["players"][0]["score"]) for one in found["items"]] == [
        *((3, 3.5), (1, 1.5))
    ]
    admin = api.as_(factory.person("root-01", "admin"))
    assert admin.get(f"/submissions/{flown}/episodes").get_json()["total"] == 4
    paged = admin.get(f"/submissions/{flown}/episodes?per_page=3&page=2").get_json()
    assert [one["number"] for one in paged["items"]] == [1]


def test_who_sees_a_solo_episode_and_its_replay(api, factory, ada, flown):
    (public, _) = api.as_(ada).get(f"/submissions/{flown}/episodes").get_json()["items"]
    admin = api.as_(factory.person("root-01", "admin"))
    everything = admin.get(f"/submissions/{flown}/episodes").get_json()["items"]
    private = next(one["id"] for one in everything if one["split"] == "private")
    bob = api.as_(factory.member("bob-01", "lander"))
    answers = {
        (who, episode): caller.get(f"/episodes/{number}{end}").status_code
        for who, caller in {"ada": api.as_(ada), "bob": bob, "admin": admin, "": api}.items()
        for episode, number in {"public": public["id"], "private": private}.items()
        for end in ("", "/replay")
    }
    assert answers == {
        ("ada", "public"): 200,
        ("ada", "private"): 404,
        ("bob", "public"): 404,
        ("bob", "private"): 404,
        ("admin", "public"): 200,
        ("admin", "private"): 200,
        ("", "public"): 401,
        ("", "private"): 401,
    }


def test_a_replay_is_numbers_by_name_with_the_step_first(api, ada, flown):
    team = api.as_(ada)
    (third, _) = team.get(f"/submissions/{flown}/episodes").get_json()["items"]
    found = team.get(third["replay_url"].removeprefix("/api/v1")).get_json()
    assert found["episode"]["number"] == 3
    assert found["tracks"] == {"action": [0, 1, 2], "observation": [[0.3333, 0.3333]] * 3}


def test_an_agent_that_failed_shows_what_it_did(hand, api, factory, ada):
    submission_id = factory.submit(ada, AGENT, "lander", kind="agent")
    worker = hand("run")
    token = worker.take()["token"]
    worker.of(token, "PUT", "replays", data=replay(1))
    side = {"submission_id": submission_id, "score": -600, "fault": "The action is 7."}
    played = {"number": 1, "steps": 0, "result": "x", "sides": [side]}
    said = {"reason": "It made no move.", "episodes": [played | {"replay_bytes": 10}]}
    assert worker.report(token, "protocol", **said)
    (episode,) = api.as_(ada).get(f"/submissions/{submission_id}/episodes").get_json()["items"]
    assert episode["players"][0]["fault"] == "The action is 7."


@pytest.mark.parametrize("score", ["NaN", '"high"', "null"])
def test_a_report_with_a_score_that_is_none_is_refused(hand, factory, ada, score):
    submission_id = factory.submit(ada, AGENT, "lander", kind="agent")
    worker = hand("run")
    token = worker.take()["token"]
    side = f'{{"submission_id": {submission_id}, "score": {score}}}'
    episode = f'{{"number": 1, "steps": 1, "result": "", "sides": [{side}], "replay_bytes": 1}}'
    answer = worker.of(
        token,
        "POST",
        "report",
        data=f'{{"outcome": "ran", "episodes": [{episode}]}}',
        content_type="application/json",
    )
    assert answer.status_code == 400


@pytest.fixture
def met(hand, factory, duel, api):
    """Two agents that have met once: bob's won both games."""
    factory.competition("duel", declared=duel)
    people = {name: factory.member(name, "duel") for name in ("ada-01", "bob-01")}
    ids = [factory.submit(person, name, "duel", kind="agent") for name, person in people.items()]
    worker = hand("match")
    for _ in ids:
        assignment = worker.take()
        own, token = assignment["submission_id"], assignment["token"]
        played = []
        for match in assignment["matches"]:
            other = match["opponent"]
            if other != own:
                path = f"opponents/{other}"
                assert worker.of(token, "GET", path).data == b"ada-01"
            fault = "It burnt the secret 42." if other != own else ""
            sides = [
                {"submission_id": own, "score": 1.0},
                {"submission_id": other, "score": 0.0, "fault": fault},
            ]
            game = {"number": match["number"], "steps": 3, "result": "won by player 1"}
            content = {"replay_bytes": len(replay(3))}
            played += [game | content | {"sides": sides}] * (1 if other == own else 2)
        worker.of(token, "PUT", "replays", data=replay(3) * len(played))
        assert worker.report(token, "ran", episodes=played)
    return ids, people


def test_games_of_two_are_for_everybody_who_is_signed_in_but_faults_are_not(api, factory, met):
    ids, people = met
    bob = api.as_(people["bob-01"])
    game = bob.get(f"/submissions/{ids[1]}/episodes").get_json()["items"][0]
    faults = {}
    for name, person in (people | {"cyd-01": factory.person("cyd-01")}).items():
        shown = api.as_(person).get(f"/episodes/{game['id']}").get_json()
        faults[name] = shown["players"][1]["fault"]
    assert faults == {
        "ada-01": "It burnt the secret 42.",
        "bob-01": "It erred; its team can read how.",
        "cyd-01": "It erred; its team can read how.",
    }


def test_who_won_is_on_the_board_with_an_interval(api, met):
    rows = api.get("/competitions/duel/leaderboard").get_json()["items"]
    assert [row["team"] for row in rows] == ["bob-01", "ada-01"]
    assert all(row["low"] < row["score"] < row["high"] for row in rows)


def test_only_agents_of_the_same_pool_are_opponents(hand, factory, met, lander):
    factory.competition("lander", declared=lander)
    other = factory.submit(factory.member("dan-01", "lander"), AGENT, "lander", kind="agent")
    factory.submit(factory.member("cyd-01", "duel"), b"cyd", "duel", kind="agent")
    worker = hand("match")
    token = worker.take()["token"]
    assert worker.of(token, "GET", f"opponents/{met[0][0]}").status_code == 200
    assert worker.of(token, "GET", f"opponents/{other}").status_code == 403
    assert worker.of(token, "GET", "opponents/999").status_code == 403


def test_the_environment_is_that_of_the_worker_that_came_last(hand, api, ada):
    worker = hand("run")
    packages = {"python": "3.99.0", "numpy": "2.0.0"}
    card = worker.card | {"packages": packages}
    assert worker.api.post("/work/workers", json=card).status_code == 204
    told = api.get("/competitions/lander/environment").get_json()
    assert told["packages"] == packages
    assert told["run"]["agent"]["game"] == "LunarLander-v3"
    answer = api.as_(ada).send(
        bundle('entry = "agent.py"\npackages = ["numpy>=2.1"]\n'),
        "/competitions/lander/check",
        name="agent.zip",
        kind="agent",
    )
    assert "numpy 2.0.0" in answer.get_json()["message"]


def bundle(manifest: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("agent.py", AGENT)
        archive.writestr("submission.toml", manifest)
    return packed.getvalue()


def test_matches_and_the_matrix_over_http(api, met):
    _, people = met
    bob = api.as_(people["bob-01"])
    found = bob.get("/competitions/duel/matches?per_page=3").get_json()
    assert (found["total"], len(found["items"])) == (8, 3)
    game = found["items"][0]
    assert [(one["team"], one["score"], one["erred"]) for one in game["players"]] == [
        ("bob-01", 1.0, False),
        ("ada-01", 0.0, True),
    ]
    assert "burnt" not in bob.get("/competitions/duel/matches").text  # the words of a fault
    assert bob.get(game["replay_url"].removeprefix("/api/v1")).status_code == 200
    assert bob.get("/competitions/duel/matches?team=nobody").get_json()["total"] == 0
    first, second = bob.get("/competitions/duel/matrix").get_json()["items"]
    assert (first["team"], first["cells"]) == (
        "bob-01",
        [None, {"games": 8, "points": 8.0, "share": 1.0}],
    )
    assert second["cells"][0]["share"] == 0.0
    assert bob.get("/competitions/duel/matrix?top=1").status_code == 400


def test_an_episode_calls_the_other_team_as_the_board_does(api, met, installation, factory):
    ids, people = met
    with installation.database.writing() as session:
        competitions.find(session, "duel").names = "pseudonymous"
    bob = api.as_(people["bob-01"])
    number = bob.get(f"/submissions/{ids[1]}/episodes").get_json()["items"][0]["id"]
    for path in (f"/episodes/{number}", f"/episodes/{number}/replay", "/competitions/duel/matrix"):
        told = bob.get(path).text
        assert "bob-01" in told
        assert "ada-01" not in told
    with installation.database.writing() as session:
        competitions.find(session, "duel").names = "hidden"
    seen = {
        name: api.as_(who).get(f"/episodes/{number}").status_code
        for name, who in {
            "bob": people["bob-01"],
            "cyd": factory.person("cyd-01"),
            "admin": factory.person("root-01", "admin"),
        }.items()
    }
    assert seen == {"bob": 200, "cyd": 404, "admin": 200}
