"""A course's competition does not exist for whoever is not in the course, by any route."""

import io
import re

import pytest

from podium import competitions, courses, editing
from podium.models.record import now

STAFF_ONLY = 403


@pytest.fixture
def people(installation, factory):
    return factory.course(assistant=("tutor-01",), student=("ada-01",)) | {
        "eve-01": factory.person("eve-01"),
        "host-02": factory.person("host-02", "instructor"),
    }


@pytest.fixture
def submitted(installation, factory, people, predictions):
    """A submission of ada in the course's competition `toy`."""
    factory.competition(host_id=people["teacher-01"].id, is_practice=False)
    factory.offer("train.csv", b"x")
    with installation.database.writing() as session:
        storage = installation.storage
        editing.change(session, storage, people["teacher-01"], "toy", {"course": "dl"})
        competitions.join(session, competitions.find(session, "toy"), people["ada-01"])
    number = factory.submit(people["ada-01"], predictions(3))
    factory.judge(number)
    return number


def routes(app, slug):
    """Method and address of every route of a competition, pages and API."""
    for rule in app.url_map.iter_rules():
        if "slug" in rule.arguments:
            path = rule.rule.replace("<slug>", slug).replace("<name>", "train.csv")
            path = path.replace("<code>", "code").replace("<style>", "csv")
            path = re.sub("<int[^>]*>", "1", path)
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, path


@pytest.mark.parametrize("person", [None, "eve-01", "host-02"])
def test_no_route_tells_an_outsider_that_it_is_there(app, api, people, submitted, person):
    asker = api if person is None else api.as_(people[person])
    client = app.test_client(use_cookies=False)

    def seen(slug):
        for method, path in routes(app, slug):
            answer = client.open(path, method=method, headers=asker.headers)
            said = answer.text.replace(slug, "?") if path.startswith("/api/") else ""
            yield method, path.replace(slug, "?"), answer.status_code, said

    there, not_there = list(seen("toy")), list(seen("tow"))
    assert len(there) > 50
    # Forms of nobody are refused for want of a token, wherever they go.
    assert {status for _, _, status, _ in there} == ({400, 404} if person is None else {404})
    assert there == not_there


def test_neither_lists_nor_submissions_tell_of_it(app, api, people, submitted):
    eve = api.as_(people["eve-01"])
    assert eve.get("/competitions").get_json()["total"] == 0
    assert eve.get(f"/submissions/{submitted}").status_code == 404
    assert eve.get(f"/submissions/{submitted}/file").status_code == 404
    assert api.as_(people["ada-01"]).get("/competitions").get_json()["total"] == 1
    client = app.test_client(use_cookies=False)
    assert "toy" not in client.get("/", headers=eve.headers).text
    assert "/c/toy/" in client.get("/", headers=api.as_(people["ada-01"]).headers).text


def test_a_wrong_slug_is_not_answered_with_the_name_of_a_hidden_one(api, people, submitted):
    assert "toy" not in api.get("/competitions/tey").text


def test_an_assistant_sees_submissions_and_may_nothing_else_by_default(api, people, submitted):
    tutor = api.as_(people["tutor-01"])
    assert tutor.get(f"/submissions/{submitted}").get_json()["private"]
    assert tutor.get("/competitions/toy/leaderboard?split=private").status_code == 200
    until = "2100-01-01T00:00+00:00"
    refused = [
        tutor.post("/competitions/toy/grants", json={"team": "ada-01", "submissions": 1}),
        tutor.post("/competitions/toy/extensions", json={"team": "ada-01", "until": until}),
        tutor.post("/competitions/toy/disqualifications", json={"team": "ada-01", "reason": "x"}),
        tutor.post(f"/submissions/{submitted}/cancel"),
        tutor.post(f"/submissions/{submitted}/retry"),
        tutor.post("/competitions/toy/reveal", json={}),
        tutor.post("/competitions/toy/rescoring", data={"metric": "f1_macro"}),
        tutor.call("PATCH", "/competitions/toy", json={"title": "Mine"}),
        tutor.call("PATCH", "/competitions/toy/board", json={"finals": 1}),
        tutor.call("PATCH", "/courses/dl", json={"late_days": 9}),
        tutor.post("/courses/dl/code", json={}),
        tutor.post("/courses/dl/people", json={"handle": "eve-01"}),
    ]
    assert [answer.status_code for answer in refused] == [STAFF_ONLY] * len(refused)


@pytest.mark.parametrize("person", ["tutor-01", "ada-01"])
def test_no_form_of_the_manage_tab_works_for_who_may_only_look(app, api, people, submitted, person):
    client = app.test_client(use_cookies=False)
    headers = api.as_(people[person]).headers
    sent = {
        "team": "ada-01",
        "kind": "team",
        "to": "ada-01",
        "submissions": "1",
        "until": "2100-01-01T12:00",
        "reason": "x",
        "verb": "close",
        "name": "Mine",
        "title": "Mine",
        "time_zone": "UTC",
        "new_slug": "mine",
        "email": "ada-01@example.org",
        "percent": "100",
        "note": "x",
        "metric": "f1_macro",
    }
    answers = {}
    for method, path in routes(app, "toy"):
        if method == "POST" and path.startswith("/c/toy/manage"):
            file = {"file": (io.BytesIO(b"x"), "x.csv")} if "baseline" in path else {}
            answer = client.open(path, method=method, headers=headers, data=sent | file)
            answers[path] = answer.status_code
    assert len(answers) > 12
    assert answers == dict.fromkeys(answers, 403)


def test_an_assistant_may_what_the_course_allows(installation, api, people, submitted):
    with installation.database.writing() as session:
        courses.change(session, people["teacher-01"], "dl", {"assistants_may": ["allow"]})
    tutor = api.as_(people["tutor-01"])
    granted = tutor.post("/competitions/toy/grants", json={"team": "ada-01", "submissions": 1})
    assert granted.status_code == 200
    banned = {"team": "ada-01", "reason": "x"}
    assert tutor.post("/competitions/toy/disqualifications", json=banned).status_code == 403


def test_a_student_of_the_course_sees_no_more_than_any_student(api, people, submitted):
    bob = api.as_(people["ada-01"])
    assert bob.get("/competitions/toy/leaderboard?split=private").status_code == 403
    assert bob.get(f"/submissions/{submitted}").get_json()["private"] is None
    for path in ("/competitions/toy/board", "/competitions/toy/integrity", "/courses/dl/roster"):
        assert bob.get(path).status_code == 403
    shown = bob.get("/courses/dl").get_json()
    assert (shown["people"], shown["join_code"], shown["rights"]) == (None, None, [])


@pytest.mark.parametrize("path", ["/people", "/settings"])
def test_the_pages_of_staff_are_for_staff(app, api, people, path):
    client = app.test_client(use_cookies=False)
    statuses = {
        person: client.get(f"/courses/dl{path}", headers=api.as_(caller).headers).status_code
        for person, caller in people.items()
    }
    tutor = 200 if path == "/people" else 403
    assert statuses == {
        "teacher-01": 200,
        "tutor-01": tutor,
        "ada-01": 403,
        "eve-01": 404,
        "host-02": 404,
    }


def test_the_course_page_shows_times_in_its_zone(installation, app, api, people, submitted):
    with installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now().replace(
            year=2100, month=7, day=1, hour=16, minute=0
        )
    page = app.test_client(use_cookies=False).get(
        "/courses/dl/", headers=api.as_(people["ada-01"]).headers
    )
    assert "1 Jul 2100, 18:00 (Europe/Berlin)" in page.text
