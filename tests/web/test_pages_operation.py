"""The pages of admins: storage with what may go, settings without secrets, stuck jobs."""

import html

import pytest
from sqlalchemy import update

from podium import judging
from podium.models import Submission
from podium.models.record import now
from podium.usage import ARRIVING

SECRETS = ("hunter2", "a key for tests", "swordfish")


@pytest.fixture
def root(factory):
    return factory.person("root-01", "admin")


def pages(app, api, caller):
    client = app.test_client(use_cookies=False)
    headers = api.as_(caller).headers
    return lambda path, **sent: client.open(
        path, method="POST" if sent else "GET", data=sent, headers=headers
    )


@pytest.fixture
def old(installation, factory, predictions):
    """An invalid file of long ago."""
    factory.competition()
    number = factory.submit(factory.member("ada-01"), "id,label\n0,12\n")
    factory.judge(number)
    with installation.database.writing() as session:
        long_ago = now() - 100 * ARRIVING
        session.execute(update(Submission).values(received_at=long_ago, ended_at=long_ago))
    return number


def test_settings_are_shown_without_a_secret_anywhere(make_app, api, installation, root):
    database = installation.config.database_url
    secret = {
        "base_url": "https://podium:hunter2@podium.example.org/?token=swordfish",
        "secret_key": "a key for tests",
    }
    app = make_app(**secret)
    see = pages(app, api, root)
    for path in ("/admin/settings", "/api/v1/operation/settings", "/admin/", "/admin/storage"):
        said = see(path).text
        assert not [word for word in SECRETS if word in said], path
    shown = html.unescape(see("/admin/settings").text)
    assert "https://podium:•••@podium.example.org/?token=•••" in shown
    assert "retention_days" in shown
    assert database.split("://")[0] in shown


def test_what_would_go_is_shown_first_and_then_deleted(app, api, root, old, installation):
    see = pages(app, api, root)
    page = see("/admin/storage?days=90").text
    assert "Nothing is deleted yet" in page
    assert "Delete 1 file<" in page
    with installation.database.reading() as session:
        assert session.get_one(Submission, old).file_key
    assert see("/admin/storage/prune", days="90", reason="room").status_code == 303
    answer = see(f"/submissions/{old}/file")
    assert answer.status_code == 404
    assert "was deleted on" in answer.text
    assert "to save room" in see(f"/submissions/{old}").text
    assert see(f"/api/v1/submissions/{old}/file").status_code == 404


def test_the_api_says_and_does_the_same(api, root, old):
    admin = api.as_(root)
    asked = {"days": 90}
    said = admin.post("/operation/storage/prune", json=asked).get_json()
    assert (said["applied"], said["uncounted"]["files"]) == (False, 1)
    done = admin.post("/operation/storage/prune", json=asked | {"apply": True}).get_json()
    assert (done["applied"], done["total"]["files"]) == (True, 1)
    assert admin.post("/operation/storage/prune", json=asked).get_json()["total"]["files"] == 0
    used = admin.get("/operation/storage").get_json()
    assert used["kinds"]["submissions"]["files"] == 0


def test_a_stuck_job_is_taken_from_its_worker_on_the_page(
    app, api, root, installation, factory, predictions
):
    factory.competition()
    number = factory.submit(factory.member("ada-01"), predictions(13))
    judging.take(installation, "score", "frozen")
    with installation.database.writing() as session:
        session.execute(update(Submission).values(received_at=now() - ARRIVING))
    see = pages(app, api, root)
    assert f"/admin/submissions/{number}/release" in see("/admin/").text
    assert see(f"/admin/submissions/{number}/release", reason="hangs").status_code == 303
    with installation.database.reading() as session:
        assert session.get_one(Submission, number).state == "queued"
    assert f"/admin/submissions/{number}/release" not in see("/admin/").text


@pytest.mark.parametrize("path", ["/admin/storage", "/admin/settings"])
def test_nobody_but_admins_sees_them(app, api, factory, path):
    assert pages(app, api, factory.person("host-01", "instructor"))(path).status_code == 403
