import hashlib
import io
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import event

from podium import accounts, judging
from podium.models import Challenge, User
from podium.verdicts import Verdict

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct horse"
TABS = ("", "data", "submit", "submissions", "leaderboard", "rules")


class Browser:
    """A browser without scripts: follows forms with their CSRF token."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path, **options):
        return self.client.get(path, buffered=True, **options)

    def post(self, path, page=None, **fields):
        """Send the form of a page, with the token that stands in it."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page or path).text)
        assert token, f"no form on {page or path}"
        return self.client.post(path, data={"csrf_token": token[1], **fields})

    def sign_up(self, handle="ada-01"):
        answer = self.post(
            "/sign-up", handle=handle, email=f"{handle}@example.org", password=PASSWORD
        )
        assert answer.status_code == 303
        return self

    def hand_in(self, content, name="p.csv", **fields):
        return self.post("/c/toy/submit", file=(io.BytesIO(content.encode()), name), **fields)


@pytest.fixture
def browser(app, factory):
    factory.competition()
    factory.offer("sample_submission.csv", b"id,label\n0,0\n")
    return Browser(app)


@pytest.fixture
def ada(browser):
    browser.sign_up()
    assert browser.post("/c/toy/join", page="/c/toy/").status_code == 303
    return browser


def judge(installation):
    while work := judging.take(installation, "score", "test"):
        judging.judge(installation, work)


def test_everybody_sees_the_public_pages(browser):
    for path in ("/", "/c/toy/", "/c/toy/data", "/c/toy/leaderboard", "/c/toy/rules"):
        assert browser.get(path).status_code == 200, path
    for path in ("/sign-in", "/sign-up", "/help/verdicts", "/queue"):
        assert browser.get(path).status_code == 200, path


def test_pages_of_ones_own_ask_who_it_is(browser):
    for path in ("/c/toy/submit", "/c/toy/submissions", "/submissions", "/account", "/admin/"):
        answer = browser.get(path)
        assert answer.status_code == 401
        assert "/sign-in?next=" in answer.text


def test_from_sign_up_to_the_own_row_on_the_board_without_scripts(ada, installation, predictions):
    answer = ada.hand_in(predictions(15), message="first")
    assert answer.status_code == 303
    assert "Waiting (1st)" in ada.get(answer.location).text
    judge(installation)
    assert "Scored" in ada.get("/c/toy/submissions").text
    board = ada.get("/c/toy/leaderboard").text
    assert 'class="me' in board.replace("  ", " ")
    assert "ada-01" in board
    assert "rank 1" in ada.get("/").text


def test_every_page_has_one_h1_its_landmarks_and_no_inline_code(ada, installation, predictions):
    ada.hand_in(predictions(15))
    judge(installation)
    paths = ["/", "/account", "/submissions", "/submissions/1", "/help/verdicts", "/nowhere"]
    for path in [*paths, *(f"/c/toy/{tab}" for tab in TABS)]:
        text = ada.get(path).text
        assert text.count("<h1") == 1, path
        assert "<main id=" in text
        assert "<nav" in text
        assert "Skip to the content" in text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", text), path
        assert not re.search(r'(src|href)="(https?:)?//', text), path


def test_what_people_write_is_shown_as_text(ada, installation, predictions):
    evil = "<script>alert(1)</script>"
    ada.post(
        "/c/toy/submit",
        file=(io.BytesIO(predictions(3).encode()), f"{evil}.csv"),
        message=evil,
    )
    ada.post(
        "/c/toy/submit",
        file=(io.BytesIO(f"id,label\n{evil},1\n".encode()), "x.csv"),
    )
    with installation.database.writing() as session:
        session.get_one(Challenge, 1).text = f"# T\n\n{evil}\n\n[x](javascript:alert(1))"
    judge(installation)
    for path in (
        "/submissions",
        "/submissions/1",
        "/submissions/2",
        "/c/toy/",
        "/c/toy/submissions",
    ):
        text = ada.get(path).text
        assert "alert(1)" in text or path == "/c/toy/"
        assert evil not in text
        assert 'href="javascript' not in text


def test_a_file_that_does_not_fit_is_told_by_the_check_and_costs_nothing(ada):
    form = {"file": (io.BytesIO(b"id,label\n0,12\n"), "bad.csv")}
    text = ada.post("/c/toy/check", page="/c/toy/submit", **form).text
    assert "bad.csv does not fit" in text
    assert "an integer from 0 to 9" in text
    assert "<strong>5 of 5</strong>" in text


def test_an_invalid_submission_shows_its_places_and_costs_nothing(ada, installation):
    ada.hand_in("id,label\n0,12\n")
    judge(installation)
    text = ada.get("/submissions/1").text
    assert "Invalid" in text
    assert "&#39;12&#39;" in text
    assert "does not count" in text
    assert "<strong>5 of 5</strong>" in ada.get("/c/toy/submit").text


def test_over_the_limit_the_button_is_off_and_says_why(ada, installation, predictions):
    for correct in range(5):
        ada.hand_in(predictions(correct))
    text = ada.get("/c/toy/submit").text
    assert re.search(r'<button class="button" disabled aria-describedby="why">', text)
    assert "The daily limit is reached. It resets in" in text


def test_the_same_form_twice_is_one_submission_and_with_another_file_another(ada, predictions):
    answers = [
        ada.hand_in(predictions(correct), idempotency_key="form-1").location
        for correct in (4, 4, 5)
    ]
    assert [answer.rpartition("-")[2] for answer in answers] == ["1", "1", "2"]


def test_the_private_score_is_for_hosts_only(ada, installation, predictions, app):
    ada.hand_in(predictions(15))
    judge(installation)
    shown = ada.get("/submissions/1").text
    assert "private" not in shown
    assert ">0.70<" in shown
    assert ">0.80<" not in shown
    host = Browser(app).sign_up("root-01")
    with installation.database.writing() as session:
        accounts.set_role(session, "root-01", "admin", by=None)
    assert ">0.80<" in host.get("/submissions/1").text


def test_somebody_elses_submission_is_not_there(ada, app, predictions):
    ada.hand_in(predictions(15))
    bob = Browser(app).sign_up("bob-01")
    for path in ("/submissions/1", "/submissions/1/file"):
        assert bob.get(path).status_code == 404
    token = re.search(r'name="csrf_token" value="([^"]+)"', bob.get("/account").text)[1]
    answer = bob.client.post("/submissions/1/cancel", data={"csrf_token": token})
    assert answer.status_code == 404


def test_a_form_without_its_token_is_refused(ada, predictions):
    for path in ("/sign-out", "/account/tokens", "/theme", "/c/toy/join"):
        assert ada.client.post(path).status_code == 400
    form = {"file": (io.BytesIO(predictions(1).encode()), "p.csv")}
    assert ada.client.post("/c/toy/submit", data=form).status_code == 400


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_after_sign_in_nobody_is_sent_to_another_site(browser, address):
    browser.sign_up()
    fields = {"handle": "ada-01", "password": PASSWORD, "next": address}
    assert browser.post("/sign-in", **fields).location == "/"


def test_a_token_is_shown_once(ada):
    made = ada.post("/account/tokens", page="/account", name="laptop", scopes=["read"], days="9")
    token = re.search(r"pod_[\w-]{30,}", made.text)[0]
    assert token not in ada.get("/account").text
    assert "laptop" in ada.get("/account").text


def test_a_changed_password_ends_other_sign_ins(ada, app):
    other = Browser(app)
    other.post("/sign-in", handle="ada-01", password=PASSWORD)
    assert other.get("/account").status_code == 200
    fields = {"old": PASSWORD, "new": "battery staple", "again": "battery staple"}
    assert ada.post("/account/password", page="/account", **fields).status_code == 303
    assert ada.get("/account").status_code == 200
    assert other.get("/account").status_code == 401


def test_only_admins_see_the_admin_page_and_a_role_change_is_audited(ada, installation):
    assert ada.get("/admin/").status_code == 403
    with installation.database.writing() as session:
        accounts.set_role(session, "ada-01", "admin", by=None)
        session.merge(User(handle="bob-01", email="b@example.org", password_hash="none"))
    assert (
        ada.post(
            "/admin/users/bob-01/role", page="/admin/", role="instructor", reason="teaches 6.S191"
        ).status_code
        == 303
    )
    text = ada.get("/admin/").text
    assert "teaches 6.S191" in text
    assert "No worker is online" in text


def test_the_help_page_has_every_verdict(browser):
    text = browser.get("/help/verdicts").text
    assert all(f'id="{verdict}"' in text for verdict in Verdict)


def test_the_board_answers_304_until_it_changes(ada, installation, predictions):
    path = "/c/toy/leaderboard/rows"
    tag = ada.get(path).headers["ETag"]
    assert ada.get(path, headers={"If-None-Match": tag}).status_code == 304
    ada.hand_in(predictions(3))
    judge(installation)
    assert ada.get(path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("part", ["leaderboard/rows", "submissions/rows"])
def test_a_part_that_looks_again_is_told_anew_in_another_language(ada, predictions, part):
    ada.hand_in(predictions(3))
    english = ada.get(f"/c/toy/{part}")
    asked = {"If-None-Match": english.headers["ETag"], "Accept-Language": "de"}
    ada.post("/language", page="/account", language="de")
    german = ada.get(f"/c/toy/{part}", headers=asked)
    assert german.status_code == 200
    assert german.text != english.text


def test_the_number_of_statements_of_a_page_does_not_grow_with_its_rows(
    ada, installation, factory, predictions
):
    def statements(path):
        count = 0

        def on_execute(*_):
            nonlocal count
            count += 1

        event.listen(installation.database.engine, "before_cursor_execute", on_execute)
        assert ada.get(path).status_code == 200
        event.remove(installation.database.engine, "before_cursor_execute", on_execute)
        return count

    paths = ("/", "/c/toy/", "/c/toy/leaderboard", "/c/toy/submissions", "/submissions")
    before = {}
    for round_ in range(2):
        for index in range(3):
            caller = factory.member(f"p-{round_}-{index}")
            factory.submit(caller, predictions(index))
        ada.hand_in(predictions(round_))
        ada.hand_in(predictions(round_ + 7))
        judge(installation)
        counts = {path: statements(path) for path in paths}
        assert counts == (before or counts)
        before = counts
    assert max(before.values()) <= 24


def test_vendored_files_are_what_their_manifests_say():
    for folder in (ROOT / "platform/podium/web/static/vendor", ROOT / "tests/browser/vendor"):
        listed = tomllib.loads((folder / "manifest.toml").read_text())["file"]
        assert {entry["name"] for entry in listed} | {"manifest.toml"} == {
            path.name for path in folder.iterdir()
        }
        for entry in listed:
            content = (folder / entry["name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["name"]


def test_the_first_load_is_light_and_what_follows_lighter(ada, factory, predictions):
    for number in range(60):
        factory.judge(factory.submit(factory.member(f"p-{number:03}"), predictions(number % 20)))
    ada.hand_in(predictions(3))

    def sent(path):
        answer = ada.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        return len(answer.data)

    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', ada.get("/c/toy/").text)
    assert sent("/c/toy/") + sum(map(sent, assets)) <= 150_000
    tabs = ("", "data", "starter", "submit", "submissions", "leaderboard", "rules", "discussion")
    for path in ("/", "/submissions", "/account", *(f"/c/toy/{tab}" for tab in tabs)):
        own = set(re.findall(r'src="(/static/[^"]+)"', ada.get(path).text)) - set(assets)
        assert sent(path) + sum(map(sent, own)) <= 30_000, path
