"""Signing in at a provider of identities, in a real Chromium and at a real provider's process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect
from tests.browser.visitors import sign_up
from tests.servers import free_port, serving

PROVIDER = Path(__file__).parents[1] / "openidprovider.py"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def provider() -> Iterator[str]:
    """Its address."""
    environ = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(
        [sys.executable, str(PROVIDER)], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def site(make_app, provider) -> Iterator[str]:
    port = free_port()
    app = make_app(
        base_url=f"http://127.0.0.1:{port}",
        oidc_issuer=provider,
        oidc_client_id="podium",
        oidc_client_secret="a secret of the provider",
        oidc_name="the campus account",
    )
    with serving(app, port) as address:
        yield address


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with the campus account").click()


def test_there_and_back_and_the_next_time_at_once(page, provider):
    sign_in(page)
    expect(page.get_by_text("new here. Choose how the boards call you")).to_be_visible()
    page.get_by_label("Handle").fill("ada-01")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("link", name="ada-01")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page)
    expect(page.get_by_role("link", name="ada-01")).to_be_visible()
    assert page.url.startswith(page.evaluate("location.origin"))


def test_what_goes_wrong_there_is_said_here(chromium, site, provider):
    requests.post(f"{provider}/says", json={"refuses": True}, timeout=10).raise_for_status()
    context = chromium.new_context(base_url=site)
    page = context.new_page()
    sign_in(page)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in with the campus account")).to_be_visible()
    context.close()


def test_an_account_with_a_password_is_linked(page, provider):
    sign_up(page, "ada-01")
    page.goto("/account")
    page.get_by_role("link", name="Link the campus account").click()
    expect(page.get_by_role("region", name="Linked sign-ins")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page)
    expect(page.get_by_role("link", name="ada-01")).to_be_visible()
