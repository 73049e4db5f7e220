from datetime import timedelta

import pytest
from sqlalchemy import select, update

from podium import boardclock
from podium.models import Competition, Evaluation, Submission
from podium.models.record import now


@pytest.fixture
def host(api, factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id, closes_at=now() + timedelta(days=1))
    return api.as_(caller)


@pytest.fixture
def member(api, factory, host):
    """The API of somebody who has joined."""
    return lambda handle: api.as_(factory.member(handle))


def test_a_score_that_the_ladder_repeats_has_no_interval(api, installation, factory, predictions):
    factory.competition(anti_overfit="ladder")
    ada = factory.member("ada-01")
    factory.submit(ada, predictions(12))
    last = factory.submit(ada, predictions(10))
    api.judge()
    public = api.as_(ada).get(f"/submissions/{last}").get_json()["public"]
    assert public == {"accuracy": {"value": 0.6, "low": None, "high": None, "repeated": True}}
    with installation.database.reading() as session:
        kept = select(Evaluation.value).where(
            Evaluation.submission_id == last, Evaluation.split == "public"
        )
        assert session.scalars(kept).one() == 0.5


def test_of_an_address_only_a_keyed_hash_is_kept(installation, factory, member, predictions):
    assert member("ada-01").send(predictions(3)).status_code == 201
    assert member("bob-01").send(predictions(4)).status_code == 201
    with installation.database.reading() as session:
        sources = session.scalars(select(Submission.source)).all()
    assert sources[0] == sources[1]
    assert len(sources[0]) == 16
    assert "127" not in sources[0][:3]


def test_a_team_is_made_by_a_link_and_a_merge(member, api, factory):
    ada, bob = member("ada-01"), member("bob-01")
    made = ada.post("/competitions/toy/team/invitations", json={}).get_json()
    assert made["link"].endswith(f"/c/toy/team/join/{made['code']}")
    cy = api.as_(factory.person("cy-01"))
    entered = cy.post("/competitions/toy/team/accept", json={"code": made["code"]}).get_json()
    assert [one["handle"] for one in entered["team"]["members"]] == ["ada-01", "cy-01"]
    asked = bob.post("/competitions/toy/team/merge", json={"team": "ada-01"}).get_json()
    assert asked == {"team": None}
    assert ada.get("/competitions/toy/team").get_json()["team"]["asked_by"] == ["bob-01"]
    merged = ada.post("/competitions/toy/team/merge", json={"team": "bob-01"}).get_json()
    assert merged["team"]["name"] == "bob-01"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/team", {"name": "x"}, 400, "does not fit"),
        ("POST", "/team/invitations", {"handle": "nobody"}, 404, "no user"),
        ("POST", "/team/accept", {"code": "wrong"}, 404, "does not open"),
        ("POST", "/team/merge", {"team": "ada-01"}, 400, "your own team"),
        ("PUT", "/finals", {"submissions": [1, 2, 3]}, 429, "2 may be final"),
        ("PUT", "/finals", {"submissions": [77]}, 400, "no submission 77"),
        ("PUT", "/finals", {"submissions": ["x"]}, 400, ""),
    ],
)
def test_a_refusal_says_why(member, error_of, method, path, body, status, words):
    answer = member("ada-01").call(method, f"/competitions/toy{path}", json=body)
    assert words in error_of(answer, status)["message"]


def test_a_selected_submission_says_so_and_is_taken_out_again(member, api, predictions):
    ada = member("ada-01")
    number = ada.send(predictions(3)).get_json()["id"]
    api.judge()
    assert ada.post(f"/submissions/{number}/select").get_json()["selected"] == [number]
    assert ada.get(f"/submissions/{number}").get_json()["selected"] is True
    out = ada.call("DELETE", f"/submissions/{number}/select").get_json()
    assert (out["selected"], out["counting"]) == ([], [number])


def test_a_rescoring_goes_from_the_form_to_the_board(host, member, api, predictions):
    for handle, right in (("ada-01", 9), ("bob-01", 5)):
        member(handle).send(predictions(right))
    api.judge()
    begun = host.post("/competitions/toy/rescoring", data={"excluded": "1, 3", "reason": "blank"})
    assert begun.status_code == 201
    assert begun.get_json()["progress"]["waiting"] == 2
    api.judge()
    shown = host.get("/competitions/toy/rescoring").get_json()
    assert shown["progress"]["is_over"]
    assert [(one["team"], one["score_after"]) for one in shown["public"]] == [
        ("ada-01", 2 / 8),
        ("bob-01", 0.0),
    ]
    applied = host.post("/competitions/toy/rescoring/apply", json={}).get_json()
    assert applied["state"] == "applied"
    board = api.get("/competitions/toy/leaderboard").get_json()
    assert [row["score"] for row in board["items"]] == [2 / 8, 0.0]


def test_the_answers_may_be_sent_as_a_file_and_a_bad_metric_is_refused(host, error_of):
    rows = "".join(f"{i},{i % 10},{'Public' if i % 2 else 'Private'}\n" for i in range(20))
    answers = "id,label,Usage\n" + rows
    refused = host.send(answers, "/competitions/toy/rescoring", metric='{"name": ')
    assert "neither a name nor" in error_of(refused, 400)["message"]
    sent = host.send(answers, "/competitions/toy/rescoring", reason="typing errors")
    assert (sent.status_code, sent.get_json()["change"]) == (201, "answers mended")


def test_after_the_reveal_everybody_sees_private_scores(
    installation, host, member, api, predictions
):
    ada = member("ada-01")
    number = ada.send(predictions(9)).get_json()["id"]
    api.judge()
    assert ada.get(f"/submissions/{number}").get_json()["private"] is None
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    boardclock.tick(installation, now())
    assert ada.get(f"/submissions/{number}").get_json()["private"]["accuracy"]["value"] == 0.5
    shakeup = api.get("/competitions/toy/shakeup").get_json()
    assert (shakeup["total"], shakeup["items"][0]["climb"]) == (1, 0)
    history = api.get("/competitions/toy/history?split=private").get_json()
    assert [step["score"] for step in history["items"][0]["steps"]] == [0.4]


def test_made_up_names_are_all_that_others_read(host, member, api, predictions):
    host.call("PATCH", "/competitions/toy/board", json={"names": "pseudonymous"})
    for handle in ("ada-01", "bob-01"):
        member(handle).send(predictions(9))
    api.judge()
    for path in ("leaderboard", "history", "leaderboard?at=2100-01-01T00:00Z"):
        text = member("ada-01").get(f"/competitions/toy/{path}").text
        assert "bob-01" not in text, path
        assert "ada-01" in text, path
    assert "bob-01" in host.get("/competitions/toy/leaderboard").text
