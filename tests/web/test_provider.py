"""Signing in by an OpenID provider that runs as a process of its own, over real HTTP."""

import os
import re
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from podium import accounts, addresses, departure, proofs
from podium.models import Identity, User

PROVIDER = Path(__file__).parent.parent / "openidprovider.py"
PASSWORD = "correct horse"
ADA = {"sub": "1001", "email": "Ada@example.org", "email_verified": True}


class Provider:
    def __init__(self, url):
        self.url = url

    def says(self, **what):
        requests.post(f"{self.url}/says", json=what, timeout=10).raise_for_status()

    def rotate(self):
        requests.post(f"{self.url}/rotate", timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def process():
    environ = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(
        [sys.executable, str(PROVIDER)], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield Provider(process.stdout.readline().strip())
        process.terminate()


@pytest.fixture
def provider(process):
    process.says()
    return process


@pytest.fixture
def make_site(make_app, provider):
    def make(**settings):
        return make_app(
            **{
                "oidc_issuer": provider.url,
                "oidc_client_id": "podium",
                "oidc_client_secret": "a secret of the provider",
                "oidc_name": "the campus account",
            }
            | settings
        )

    return make


class Browser:
    """A browser: cookies here by Flask's client, the way to the provider by real HTTP."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path):
        return self.client.get(path, buffered=True)

    def post(self, path, page=None, **fields):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page or path).text)
        return self.client.post(path, data={"csrf_token": token[1], **fields}, buffered=True)

    def go(self, path="/sign-in/provider?next=/submissions"):
        """To the provider; gives the path that it sends the browser back to."""
        there = self.get(path)
        assert there.status_code == 302, there.text
        answer = requests.get(there.location, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def enter(self):
        return self.get(self.go())

    @property
    def handle(self):
        return self.get("/api/v1/me").get_json().get("handle")


def link_of(browser):
    """Where the button of the account page leads."""
    return unescape(
        re.search(r'href="(/account/identities/link[^"]*)"', browser.get("/account").text)[1]
    )


def refused(answer, status, words):
    assert answer.status_code == status, answer.text
    assert words in answer.text
    return True


def sign_up(app, handle="ada-01", email="ada@example.org"):
    browser = Browser(app)
    answer = browser.post("/sign-up", handle=handle, email=email, password=PASSWORD)
    assert answer.status_code == 303
    return browser


def test_somebody_new_chooses_a_handle_and_comes_back_as_the_same(make_site, installation):
    app = make_site()
    browser = Browser(app)
    assert "Sign in with the campus account" in browser.get("/sign-in").text
    assert browser.enter().location == "/sign-up/provider"
    page = browser.get("/sign-up/provider").text
    assert 'value="ada"' in page
    assert "ada@example.org" in page
    answer = browser.post("/sign-up/provider", handle="countess")
    assert (answer.status_code, answer.location) == (303, "/submissions")
    assert browser.handle == "countess"
    with installation.database.reading() as session:
        user = session.scalar(select(User).where(User.handle == "countess"))
        assert (user.email, user.unconfirmed) == ("ada@example.org", False)
    browser.post("/sign-out", page="/")
    assert browser.handle is None
    again = Browser(app)
    assert again.enter().location == "/submissions"
    assert again.handle == "countess"


def test_the_request_carries_state_nonce_and_a_challenge(make_site):
    asked = parse_qs(urlsplit(Browser(make_site()).get("/sign-in/provider").location).query)
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"token": {"aud": "another"}}, "cannot be trusted"),
        ({"token": {"nonce": "another"}}, "cannot be trusted"),
        ({"token": {"iss": "https://evil.example"}}, "cannot be trusted"),
        ({"token": {"exp": 1_000_000_000}}, "cannot be trusted"),
        ({"foreign_key": True}, "cannot be trusted"),
        ({"silent": True}, "did not answer as it should"),
        ({"refuses": True}, "did not let you in"),
        ({"claims": {"sub": "1001"}, "userinfo": {"sub": "1002"}}, "did not answer as it should"),
    ],
)
def test_a_wrong_answer_signs_nobody_in(make_site, provider, wrong, words):
    provider.says(**wrong)
    browser = Browser(make_site())
    answer = browser.enter()
    assert answer.status_code in (400, 403)
    assert words in answer.text
    assert browser.handle is None
    assert browser.get("/sign-up/provider").status_code == 400


def test_a_state_of_another_browser_and_a_code_used_before_are_refused(make_site):
    app = make_site()
    ada, eve = Browser(app), Browser(app)
    back = ada.go()
    assert refused(eve.get(back), 400, "not begun in this browser")
    assert refused(eve.get("/sign-in/provider/back?code=x&state=y"), 400, "not begun")
    assert ada.get(back).status_code == 303
    assert refused(ada.get(back), 400, "was used")
    code = parse_qs(urlsplit(back).query)["code"][0]
    state = parse_qs(urlsplit(eve.go()).query)["state"][0]
    assert refused(
        eve.get(f"/sign-in/provider/back?code={code}&state={state}"), 400, "cannot be trusted"
    )
    assert eve.handle is None


def test_new_keys_of_the_provider_are_fetched(make_site, provider):
    app = make_site()
    assert Browser(app).enter().status_code == 303
    provider.rotate()
    assert Browser(app).enter().status_code == 303


def test_a_provider_that_names_another_issuer_is_not_believed(make_site, provider):
    provider.says(issuer="https://evil.example")
    app = make_site()
    assert refused(Browser(app).get("/sign-in/provider"), 400, "did not answer as it should")
    provider.says()
    assert Browser(app).enter().status_code == 303


def test_a_provider_that_is_away_is_said_and_found_again(make_app):
    app = make_app(oidc_issuer="http://127.0.0.1:1", oidc_client_id="podium")
    assert refused(Browser(app).get("/sign-in/provider"), 400, "ConnectionError")


def confirm(installation, handle):
    with installation.database.writing() as session:
        user = accounts.find_user(session, handle)
        addresses.confirm(
            session, user.id, proofs.make(session, user.id, proofs.ADDRESS, user.email)
        )


def test_an_account_is_joined_by_an_address_that_both_sides_have_proved(make_site, installation):
    app = make_site(mail_url="smtp://mail.example.org")
    sign_up(app)
    assert refused(Browser(app).enter(), 409, "not certain that it is yours")
    confirm(installation, "ada-01")
    browser = Browser(app)
    assert browser.enter().status_code == 303
    assert browser.handle == "ada-01"


def test_an_address_that_nobody_proved_joins_nothing(make_site, provider, installation):
    """Without mail whoever signed up first with an address would get its owner's sign-in."""
    app = make_site()
    sign_up(app)
    assert refused(Browser(app).enter(), 409, "not certain that it is yours")
    confirm(installation, "ada-01")
    provider.says(claims=ADA | {"email_verified": False})
    browser = Browser(app)
    assert browser.enter().location == "/sign-up/provider"
    answer = browser.post("/sign-up/provider", handle="eve", email="ada@example.org")
    assert refused(answer, 409, "has an account already")
    answer = browser.post("/sign-up/provider", handle="eve", email="eve@example.org")
    assert answer.status_code == 303


def test_an_address_that_was_given_to_another_person_does_not_open_the_account(
    make_site, provider, installation
):
    app = make_site(mail_url="smtp://mail.example.org")
    sign_up(app)
    confirm(installation, "ada-01")
    assert Browser(app).enter().status_code == 303
    provider.says(claims=ADA | {"sub": "2002"})
    assert refused(Browser(app).enter(), 409, "not certain that it is yours")


def test_linking_and_removing_the_link(make_site, provider, installation):
    app = make_site()
    ada = sign_up(app, email="other@example.org")
    assert "Not linked" in ada.get("/account").text
    assert ada.get(ada.go(link_of(ada))).location == "/account"
    assert "Ada@example.org".lower() in ada.get("/account").text
    bob = sign_up(app, "bob-01", "bob@example.org")
    assert refused(bob.get(bob.go(link_of(bob))), 409, "linked to an account already")
    with installation.database.reading() as session:
        number = session.scalar(select(Identity.id))
    path = f"/account/identities/{number}/remove"
    assert bob.post(path, page="/account").status_code == 404
    assert ada.post(path, page="/account").status_code == 303
    assert Browser(app).enter().location == "/sign-up/provider"


def test_no_other_site_begins_to_link_an_account(make_site):
    ada = sign_up(make_site())
    for path in ("/account/identities/link", "/account/identities/link?token=x"):
        assert refused(ada.get(path), 400, "Begin by the button on your account page")


def test_a_link_that_was_begun_as_another_account_is_not_made(make_site):
    app = make_site()
    ada = sign_up(app)
    back = ada.go(link_of(ada))
    with ada.client.session_transaction() as cookie:
        states = {name: value for name, value in cookie.items() if name.startswith("_state_")}
    bob = sign_up(app, "bob-01", "bob@example.org")
    with bob.client.session_transaction() as cookie:
        cookie.update(states)
    assert refused(bob.get(back), 401, "another account")


def test_who_has_no_password_keeps_the_last_link_and_can_choose_one(make_site, installation):
    browser = Browser(make_site())
    browser.enter()
    browser.post("/sign-up/provider", handle="countess")
    assert "This account has none" in browser.get("/account").text
    with installation.database.reading() as session:
        number = session.scalar(select(Identity.id))
    answer = browser.post(f"/account/identities/{number}/remove", page="/account")
    assert answer.status_code == 409
    answer = browser.post("/sign-in", handle="countess", password="none")
    assert answer.status_code == 401


def test_who_has_left_is_new_again(make_site, installation):
    app = make_site()
    browser = Browser(app)
    browser.enter()
    browser.post("/sign-up/provider", handle="countess")
    with installation.database.writing() as session:
        departure.leave(session, accounts.find_user(session, "countess").id)
        assert session.scalars(select(Identity)).all() == []
    assert browser.handle is None
    assert Browser(app).enter().location == "/sign-up/provider"


def test_only_the_provider(make_site, api, error_of):
    app = make_site(oidc_only=True)
    browser = Browser(app)
    page = browser.get("/sign-in").text
    assert "campus account" in page
    assert 'name="password"' not in page
    assert 'name="password"' not in browser.get("/sign-up").text
    for path, fields in (("/sign-in", {}), ("/sign-up", {"email": "a@example.org"})):
        answer = browser.post(path, page="/", handle="ada-01", password=PASSWORD, **fields)
        assert refused(answer, 403, "Passwords are not used here")
    asked = {"handle": "ada-01", "email": "a@example.org", "password": PASSWORD}
    client = app.test_client(use_cookies=False)
    assert error_of(client.post("/api/v1/users", json=asked), 403)["code"] == "provider_only"
    del asked["email"]
    assert error_of(client.post("/api/v1/tokens", json=asked), 403)["code"] == "provider_only"
    assert browser.enter().status_code == 303


def test_without_a_provider_there_is_no_button(app):
    browser = Browser(app)
    assert "Sign in with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/provider").status_code == 400


def test_a_handle_page_does_not_stay_open_for_ever(make_site):
    browser = Browser(make_site())
    browser.enter()
    with browser.client.session_transaction() as cookie:
        cookie["arriving"] = cookie["arriving"] | {"at": time.time() - 3600}
    assert refused(browser.get("/sign-up/provider"), 400, "Begin at the sign-in page")
