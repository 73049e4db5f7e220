"""Cookies, CSRF, headers, and what a reader sees of our faults."""

import io
import re
import subprocess
import sys

import pytest
from flask import request
from flask_wtf.csrf import generate_csrf

from podium import accounts
from podium.models import User
from podium.web import identity


@pytest.fixture
def browser(app, factory):
    """A client that is signed in by cookie, as after the sign-in page."""
    factory.competition()
    caller = factory.member("ada-01")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = caller.id, 0
    return client


@pytest.fixture
def csrf_token(app, browser):
    """The token that a page would carry for this browser."""

    @app.get("/give-a-token")
    def give():
        return generate_csrf()

    return browser.get("/give-a-token").text


def test_a_cookie_identifies_like_a_token(browser):
    assert browser.get("/api/v1/me").get_json()["handle"] == "ada-01"


def test_a_cookie_alone_changes_nothing_through_the_api(csrf_token, browser, error_of):
    answer = browser.post("/api/v1/competitions/toy/join")
    assert "CSRF" in error_of(answer, 400)["message"]
    answer = browser.post("/api/v1/competitions/toy/join", headers={"X-CSRFToken": csrf_token})
    assert answer.status_code == 200


def test_an_upload_by_cookie_needs_the_token_in_form_or_header(
    csrf_token, browser, predictions, error_of, installation
):
    def send(**extra):
        file = (io.BytesIO(predictions(1).encode()), "a.csv")
        headers = extra.pop("headers", {})
        form = {"file": file, **extra}
        return browser.post("/api/v1/competitions/toy/submissions", data=form, headers=headers)

    error_of(send(), 400)
    error_of(send(csrf_token="made up"), 400)
    assert list((installation.storage.root / "incoming").glob("*")) == []
    assert send(csrf_token=csrf_token).status_code == 201
    assert send(headers={"X-CSRFToken": csrf_token}).status_code == 201


def test_the_cookie_ends_with_a_new_password(browser, installation):
    with installation.database.writing() as session:
        accounts.find_user(session, "ada-01").session_epoch += 1
    assert browser.get("/api/v1/me").status_code == 401


def test_a_forged_cookie_is_nobody(app):
    client = app.test_client()
    client.set_cookie("podium", "eyJ1c2VyX2lkIjoxLCJlcG9jaCI6MH0.aSQ.forged")
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(("base_url", "secure"), [("", False), ("https://podium.test", True)])
def test_cookies_are_locked_to_the_site(make_app, factory, base_url, secure):
    app = make_app(base_url=base_url)
    ada = factory.person("ada-01")

    @app.get("/sign-in-ada")
    def sign_in():
        identity.sign_in(User(id=ada.id, session_epoch=0))
        return "ok"

    answer = app.test_client().get("/sign-in-ada", base_url=base_url or "http://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) is secure
    assert ("Strict-Transport-Security" in answer.headers) is secure


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/competitions", "/api/v1/nothing"])
def test_every_answer_carries_the_strict_headers(app, path):
    headers = app.test_client().get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert not re.search(r"https?:", headers["Content-Security-Policy"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_fault_of_ours_is_a_number_for_the_reader_and_a_traceback_in_the_log(
    app, error_of, caplog
):
    @app.get("/api/v1/broken")
    def broken():
        raise RuntimeError("the secret of the house")

    answer = app.test_client().get("/api/v1/broken")
    error = error_of(answer, 500)
    assert "secret" not in answer.text
    error_id = re.search(r"[0-9a-f]{12}", error["message"])[0]
    assert error_id in caplog.text
    assert "the secret of the house" in caplog.text


def test_health_readiness_and_metrics(app, factory, predictions):
    factory.competition()
    factory.submit(factory.member("ada-01"), predictions(1))
    client = app.test_client()
    assert client.get("/healthz").get_json()["ok"] is True
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]) == (
        200,
        {"database": True, "queue": True, "storage": True},
    )
    shown = client.get("/metrics").text
    assert 'podium_submissions{state="queued"} 1.0' in shown
    assert 'podium_queue_depth{queue="score"} 1.0' in shown
    assert 'podium_workers_online{queue="score"} 0.0' in shown


def test_without_a_queue_it_is_not_ready_but_lives(installation, make_app):
    installation.queue.connection.connection_pool.disconnect()
    installation.queue.connection.connection_pool.connection_kwargs["path"] = "/nowhere.sock"
    client = make_app(redis_url="unix:///nowhere.sock").test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["queue"]) == (503, False)
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/v1/competitions").status_code == 200  # limits fall back to memory


def test_the_address_behind_a_proxy_counts_only_if_the_proxy_is_trusted(make_app):
    def addresses(hops):
        app = make_app(trusted_proxies=hops)

        @app.get("/address")
        def address():
            return request.remote_addr

        return app.test_client().get("/address", headers={"X-Forwarded-For": "9.9.9.9"}).text

    assert (addresses(0), addresses(1)) == ("127.0.0.1", "9.9.9.9")


def test_the_web_process_never_loads_torch():
    code = "import sys, podium.app; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
