from datetime import timedelta

import pytest

from podium import competitions
from podium.models.record import now


@pytest.fixture
def toy(api, factory):
    factory.competition()
    return api


def test_everyone_sees_the_list_with_metric_and_direction(toy):
    page = toy.get("/competitions").get_json()
    assert page["total"] == 1
    shown = page["items"][0]
    assert (shown["slug"], shown["status"], shown["joined"]) == ("toy", "open", False)
    assert shown["metric"] == {
        "name": "accuracy",
        "title": "Accuracy",
        "higher_is_better": True,
        "options": {},
    }


def test_the_list_is_filtered_by_level_search_and_membership(toy, factory):
    factory.competition("second")
    ada = toy.as_(factory.member("ada-01", "second"))

    def slugs(query):
        return [item["slug"] for item in ada.get(f"/competitions?{query}").get_json()["items"]]

    assert slugs("mine=true") == ["second"]
    assert slugs("search=SECO") == ["second"]
    assert slugs("level=advanced") == []
    assert slugs("per_page=1&page=2") == ["toy"]  # by slug where titles are the same


@pytest.mark.parametrize(
    "query", ["page=0", "per_page=1000", "page=x", "level=hard", "colour=red", "per_page=-1"]
)
def test_a_query_that_does_not_fit_is_a_bad_request(toy, error_of, query):
    error = error_of(toy.get(f"/competitions?{query}"), 400)
    assert error["details"][0]["column"] == query.split("=")[0]


def test_a_competition_tells_text_format_and_largest_file(toy):
    shown = toy.get("/competitions/toy").get_json()
    assert shown["text"] == "# Toy\n"
    assert [column["name"] for column in shown["submission"]["columns"]] == ["id", "label"]
    assert shown["submission"]["max_bytes"] > 0
    assert shown["state_reason"] is None


def test_an_unknown_competition_is_answered_with_the_nearest(toy, error_of):
    assert "Did you mean 'toy'" in error_of(toy.get("/competitions/toyy"), 404)["message"]


def test_joining_twice_is_joining_once(toy, factory):
    ada = toy.as_(factory.person("ada-01"))
    for _ in range(2):
        assert ada.post("/competitions/toy/join").get_json() == {
            "competition": "toy",
            "team": "ada-01",
        }
    assert ada.get("/competitions/toy").get_json()["teams"] == 1


def test_nobody_joins_after_the_end(toy, factory, error_of):
    with toy.installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now() - timedelta(days=1)
    ada = toy.as_(factory.person("ada-01"))
    assert error_of(ada.post("/competitions/toy/join"), 403)["code"] == "closed"


def test_limits_tell_what_is_used_and_left(toy, factory, predictions):
    ada = toy.as_(factory.member("ada-01"))
    ada.send(predictions(1))
    shown = ada.get("/competitions/toy/limits").get_json()
    assert (shown["used_today"], shown["allowed_now"], shown["total"]) == (1, 4, 1)
    assert shown["limited_by"] is None
    assert shown["resets_at"].endswith("Z")


def test_files_are_listed_with_size_and_digest(toy, factory):
    factory.offer("train.csv", b"id,label\n")
    shown = toy.get("/competitions/toy/files").get_json()["items"][0]
    assert (shown["name"], shown["size_bytes"]) == ("train.csv", 9)
    assert len(shown["sha256"]) == 64


def test_a_file_comes_whole_or_in_parts(toy, factory):
    factory.offer("train.csv", b"0123456789")
    ada = toy.as_(factory.person("ada-01"))
    path = "/competitions/toy/files/train.csv"
    whole = ada.get(path)
    assert (whole.status_code, whole.data) == (200, b"0123456789")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"] == "attachment; filename=train.csv"
    part = ada.get(path, headers={"Range": "bytes=4-", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, b"456789")
    assert part.headers["Content-Range"] == "bytes 4-9/10"
    other = ada.get(path, headers={"Range": "bytes=4-", "If-Range": '"of another file"'})
    assert (other.status_code, other.data) == (200, b"0123456789")
    assert ada.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_a_part_behind_the_end_is_refused(toy, factory, error_of):
    factory.offer("train.csv", b"0123456789")
    ada = toy.as_(factory.person("ada-01"))
    answer = ada.get("/competitions/toy/files/train.csv", headers={"Range": "bytes=10-"})
    assert error_of(answer, 416)["code"] == "bad_range"
    assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("name", ["nothing.csv", "..%2f..%2fsecret-key", "answers.csv"])
def test_only_listed_files_can_be_had(toy, factory, error_of, name):
    factory.offer("train.csv", b"x")
    ada = toy.as_(factory.person("ada-01"))
    error_of(ada.get(f"/competitions/toy/files/{name}"), 404)
