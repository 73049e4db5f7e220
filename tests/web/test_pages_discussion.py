"""The Discussion tab without scripts."""

import re

import pytest

from podium import accounts

PASSWORD = "correct horse"


class Browser:
    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path):
        return self.client.get(path, buffered=True)

    def post(self, path, page=None, **fields):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page or path).text)
        return self.client.post(path, data={"csrf_token": token[1], **fields}, buffered=True)

    def sign_up(self, handle):
        self.post("/sign-up", handle=handle, email=f"{handle}@example.org", password=PASSWORD)
        return self


@pytest.fixture
def ada(app, factory):
    factory.competition()
    return Browser(app).sign_up("ada-01")


@pytest.fixture
def admin(app, ada, installation):
    root = Browser(app).sign_up("root-01")
    with installation.database.writing() as session:
        accounts.set_role(session, "root-01", "admin", by=None)
    return root


LIST = "/c/toy/discussion"


def test_asking_answering_changing_and_taking_back(ada, admin):
    answer = ada.post(LIST, title="Where to begin", text="With $x^2$ or #1?")
    assert answer.status_code == 303
    path = answer.location
    page = ada.get(path).text
    assert "<msup>" in page
    assert 'href="/submissions/1"' in page
    answer = admin.post(path, text="With the sample.")
    assert answer.location == f"{path}#p-2"
    page = ada.get(path).text
    assert page.count('<span class="tag tag-staff">Staff</span>') == 1
    assert "Hide" not in page
    assert "answers in" in ada.get("/notifications").text
    assert 'name="text"' in ada.get(f"{path}?edit=1").text
    ada.post(f"{LIST}/posts/1/edit", page=path, text="Never mind.")
    assert "Never mind." in ada.get(path).text
    assert "changed" in ada.get(path).text
    ada.post(f"{LIST}/posts/1/delete", page=path)
    assert "This post was deleted." in ada.get(path).text


def test_moderation_by_forms(ada, admin, app):
    path = ada.post(LIST, title="Where to begin", text="How?").location
    admin.post(f"{path}/moderate", page=path, pinned="1")
    admin.post(f"{path}/moderate", page=path, locked="1")
    page = ada.get(path).text
    assert ("Pinned" in page, "nobody answers any more" in page) == (True, True)
    assert ada.post(path, page=LIST, text="but").status_code == 403
    admin.post(f"{LIST}/posts/1/hide", page=path, reason="rude")
    nobody = Browser(app)
    page = nobody.get(path).text
    assert "Hidden by staff: rude" in page
    assert "How?" not in page
    admin.post(f"{LIST}/posts/1/hide", page=path, hidden="0")
    assert "How?" in nobody.get(path).text
    admin.post(f"{path}/moderate", page=path, hidden="1", reason="off topic")
    assert nobody.get(path).status_code == 404
    assert "Where to begin" not in nobody.get(LIST).text
    assert "Hidden: off topic" in admin.get(LIST).text
    assert ada.post(f"{path}/moderate", page=LIST, pinned="0").status_code == 403


def test_what_did_not_fit_stays_in_the_form(ada):
    answer = ada.post(LIST, title="Where to begin", text=" ")
    assert answer.status_code == 400
    assert 'value="Where to begin"' in answer.text


def test_an_empty_list_and_a_search_without_a_find_say_what_to_do(ada, app):
    assert "Nobody has written yet" in ada.get(LIST).text
    assert "Sign in</a> to write" in Browser(app).get(LIST).text
    assert "All threads" in ada.get(f"{LIST}?search=x").text


def test_pages_have_one_h1_and_no_inline_code(ada, admin):
    path = ada.post(LIST, title="<script>alert(1)</script>", text="<b onclick=x>").location
    for page in (LIST, path, f"{path}?edit=1", "/notifications", "/notifications/preferences"):
        for browser in (ada, admin):
            text = browser.get(page).text
            assert text.count("<h1") == 1, page
            assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=x>", text), page
            assert "<script>alert" not in text
