"""Pages of a course: whoever comes by the code of one that asks first."""

import pytest

from podium import courses


@pytest.fixture
def people(installation, factory):
    made = factory.course(assistant=("tutor-01",))
    with installation.database.writing() as session:
        courses.change(session, made["teacher-01"], "dl", {"asks_first": True})
        code = courses.renew_code(session, made["teacher-01"], "dl", until=None).join_code
    return made | {"code": code}


def pages(app, api, caller):
    client = app.test_client(use_cookies=False)
    headers = api.as_(caller).headers
    return lambda path, **sent: client.open(
        path, method="POST" if sent else "GET", data=sent, headers=headers
    )


def test_a_request_is_made_shown_and_granted(app, api, factory, people):
    eve, teacher = factory.person("eve-01"), pages(app, api, people["teacher-01"])
    see = pages(app, api, eve)
    assert see("/courses/join", code=people["code"]).location == "/courses/"
    assert see("/courses/dl/").status_code == 404
    page = teacher("/courses/dl/people").text
    assert "eve-01@example.org" in page
    assert "1 asks" in page
    (asked,) = api.as_(people["teacher-01"]).get("/courses/dl/requests").get_json()["items"]
    act = f"/courses/dl/requests/{asked['id']}"
    assert pages(app, api, people["tutor-01"])(act, accepts="1").status_code == 403
    assert teacher(act, accepts="1").status_code == 303
    assert see("/courses/dl/").status_code == 200
    assert "Ask to join" not in teacher("/courses/dl/people").text


def test_the_api_says_that_one_waits(api, factory, people, error_of):
    eve = api.as_(factory.person("eve-01"))
    error = error_of(eve.post("/courses/join", json={"code": people["code"]}), 403)
    assert error["code"] == "asked"
    teacher = api.as_(people["teacher-01"])
    (asked,) = teacher.get("/courses/dl/requests").get_json()["items"]
    act = f"/courses/dl/requests/{asked['id']}"
    assert teacher.post(act, json={"accepts": False, "reason": "full"}).status_code == 204
    assert eve.get("/courses/dl").status_code == 404
    assert teacher.get("/courses/dl").get_json()["asks_first"] is True
