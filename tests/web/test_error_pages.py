"""Every error is a page with clear words and a way out, also when the database is away."""

import pytest
from flask import abort
from sqlalchemy import text

from podium.competitions import find


@pytest.fixture
def client(app, factory):
    factory.competition()

    @app.get("/fail/<int:status>")
    def fail(status):
        if status == 500:
            raise RuntimeError("the secret of the house")
        abort(status)

    return app.test_client()


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_an_error_is_a_page_with_one_heading_and_a_way_out(client, status, caplog):
    answer = client.get(f"/fail/{status}")
    assert answer.status_code == status
    assert answer.text.count("<h1") == 1
    assert f'<p class="quiet small">{status}</p>' in answer.text
    assert "To the challenges" in answer.text
    assert "the secret" not in answer.text
    assert "Something went wrong" not in answer.text or status == 500


def test_a_page_that_is_not_there_offers_a_search(client):
    answer = client.get("/nowhere")
    assert "There is nothing at this address" in answer.text
    assert 'role="search"' in answer.text
    assert "Did you mean &#39;toy&#39;?" in client.get("/c/tay/").text


def test_who_is_not_signed_in_comes_back_to_where_they_were(client):
    answer = client.get("/c/toy/submit")
    assert answer.status_code == 401
    assert 'href="/sign-in?next=/c/toy/submit"' in answer.text


def test_a_body_that_is_too_large_is_told_and_where_files_go(app, client):
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = "x"
    answer = client.post("/sign-in", data={"handle": "x" * (2 << 20)})
    assert answer.status_code == 413
    assert "on the Submit tab" in answer.text


def test_a_limit_says_how_long_to_wait(make_app):
    client = make_app(api_limit="2 per minute").test_client()
    answers = [client.get("/") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert "Try again in 1 min." in answers[-1].text or "Try again in 60 s." in answers[-1].text
    assert "Try again</a>" in answers[-1].text


def test_the_page_of_an_error_does_not_need_the_database(client, installation, caplog):
    with installation.database.engine.begin() as connection:
        for table in ("submissions", "competitions"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_elsewhere"))
    answer = client.get("/")
    assert answer.status_code in (500, 503)
    assert answer.text.count("<h1") == 1
    assert "Content-Security-Policy" in answer.headers


def test_while_it_is_worked_on_there_is_a_page_that_says_so(
    client, installation, factory, error_of
):
    root = factory.person("root-01", "admin")
    file = installation.config.home / "maintenance"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("A new disk is put in.\nBack at 14:00 UTC.\n")
    for path in ("/", "/c/toy/", "/account"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "60"
        assert "A new disk is put in. Back at 14:00 UTC." in answer.text
        assert "Podium is being worked on" in answer.text
    assert error_of(client.get("/api/v1/competitions"), 503)["code"] == "maintenance"
    assert client.get("/healthz").status_code == 200
    assert client.get("/sign-in").status_code == 200
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = root.id, 0
    assert client.get("/c/toy/").status_code == 200  # an admin looks before it opens again
    file.unlink()
    assert client.get("/").status_code == 200
    with installation.database.reading() as session:
        assert find(session, "toy")


def test_browsers_find_the_icon(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 301
    icon = client.get(answer.location, buffered=True)
    assert icon.mimetype == "image/svg+xml"
    assert "prefers-color-scheme: dark" in icon.text
