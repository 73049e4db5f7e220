"""Notifications, discussion and the own account from a shell."""

import csv
import io
import json
import zipfile

import pytest
from sqlalchemy import select

from podium import accounts, signins
from podium.models import User

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PASSWORD = "correct horse"


@pytest.fixture
def ada(installation, signed_in):
    """Somebody with a password."""
    with installation.database.writing() as session:
        user = accounts.create_user(session, "ada-01", "ada@example.org", accounts.hashed(PASSWORD))
        session.flush()
        caller = accounts.caller_of(session, user, frozenset(accounts.SCOPES))
    return signed_in(caller)


def rows(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_invitation_is_read_in_the_list_of_notifications(ada, factory, signed_in):
    factory.competition()
    bob = signed_in(factory.person("bob-01"))
    bob.run("competitions", "join", "toy")
    ada.run("competitions", "join", "toy")
    assert ada.run("team", "invite", "bob-01", "-c", "toy").returncode == 0
    (told,) = rows(bob.run("notifications", "list", "--unread", "--format", "json"))
    assert "ada-01" in told["text"]
    assert bob.run("notifications", "read").returncode == 2
    assert "0 unread" in bob.run("notifications", "read", str(told["id"])).stderr
    assert rows(bob.run("notifications", "list", "--unread", "--format", "json")) == []
    assert ada.run("team", "withdraw", "bob-01", "-c", "toy").returncode == 0
    assert bob.run("team", "accept", "-c", "toy").returncode != 0


def test_preferences_are_changed_by_kind(ada):
    kinds = {
        one["kind"]: one["way"]
        for one in rows(ada.run("notifications", "preferences", "--format", "json"))
    }
    kind = next(iter(kinds))
    way = "none" if kinds[kind] != "none" else "page"
    changed = rows(ada.run("notifications", "prefer", f"{kind}={way}", "--format", "json"))
    assert {one["kind"]: one["way"] for one in changed} == kinds | {kind: way}
    done = ada.run("notifications", "prefer", f"{kind}=loudly")
    assert (done.returncode, "none, page, digest or mail" in done.stderr) == (2, True)


def test_a_thread_from_question_to_answer(ada, factory, signed_in):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    staff = signed_in(host)
    ada.run("competitions", "join", "toy")
    ada.write("question.md", "Is `label` an **integer**?")
    assert ada.run("discussion", "post", "toy", "Of labels", "-f", "question.md").returncode == 0
    (thread,) = rows(ada.run("discussion", "list", "toy", "--format", "json"))
    number = str(thread["id"])
    assert staff.run("discussion", "reply", "toy", number, "-m", "It is.").returncode == 0
    shown = ada.run("discussion", "show", "toy", number)
    assert "host-01 (staff)" in shown.stdout
    assert "**integer**" in shown.stdout
    posts = rows(ada.run("discussion", "show", "toy", number, "--format", "json"))["posts"]
    own, other = (str(post["id"]) for post in posts)
    assert ada.run("discussion", "edit", "toy", own, "-m", "Solved").returncode == 0
    assert ada.run("discussion", "edit", "toy", other, "-m", "Mine").returncode in (3, 4)
    assert ada.run("discussion", "moderate", "toy", number, "--lock").returncode == 3
    assert staff.run("discussion", "moderate", "toy", number, "--lock", "--pin").returncode == 0
    assert ada.run("discussion", "reply", "toy", number, "-m", "Thanks").returncode != 0
    assert staff.run("discussion", "hide", "toy", own, "--reason", "off topic").returncode == 0
    listed = ada.run("discussion", "show", "toy", number, "--format", "csv").stdout
    first = next(csv.DictReader(io.StringIO(listed)))
    assert first["hidden"] == "off topic"
    assert ada.run("discussion", "post", "toy", "No text").returncode == 2


def test_a_language_is_chosen_and_a_wrong_one_is_told(ada, installation):
    assert ada.run("account", "language", "de").returncode == 0
    with installation.database.reading() as session:
        assert session.scalar(select(User.language).where(User.handle == "ada-01")) == "de"
    wrong = ada.run("account", "language", "xx")
    assert (wrong.returncode, "There are en, de." in wrong.stderr) == (2, True)
    assert ada.run("account", "language", "auto").returncode == 0


def test_sign_ins_are_listed_and_ended(ada, installation):
    with installation.database.writing() as session:
        user = session.query(User).filter_by(handle="ada-01").one()
        for browser in ("Firefox/130 (X11; Linux)", "Chrome/128 (Windows NT 10.0)"):
            signins.begin(session, user, browser)
    listed = rows(ada.run("account", "sign-ins", "--format", "json"))
    assert len(listed) == 2
    assert ada.run("account", "sign-out", str(listed[0]["id"])).returncode == 0
    assert len(rows(ada.run("account", "sign-ins", "--format", "json"))) == 1
    assert ada.run("account", "sign-out", "--everywhere").returncode == 0
    assert rows(ada.run("account", "sign-ins", "--format", "json")) == []
    assert ada.run("account", "sign-out").returncode == 2


def test_a_token_of_a_script_may_only_what_it_is_given(ada):
    made = ada.run(
        *("account", "token", "--name", "ci", "--scope", "read", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
    )
    script = type(ada)(ada.folder, ada.url, ada.variables | {"PODIUM_TOKEN": made.stdout.strip()})
    assert rows(script.run("whoami", "--format", "json"))["scopes"] == ["read"]
    listed = rows(ada.run("account", "tokens", "--format", "json"))
    (number,) = [str(one["id"]) for one in listed if one["name"] == "ci"]
    done = script.run("account", "revoke", number)
    assert (done.returncode, "lacks the scope 'submit'" in done.stderr) == (3, True)
    assert ada.run("account", "revoke", number).returncode == 0
    assert script.run("whoami").returncode == 3


def test_an_account_from_sign_up_to_deletion(shell, installation):
    made = shell.run(
        *("account", "create", "bob-01", "bob@example.org", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
    )
    assert made.returncode == 0, made.stderr
    shell.run("login", "--handle", "bob-01", "--password-stdin", stdin=f"{PASSWORD}\n")
    changed = shell.run(
        "account", "password", "--password-stdin", stdin=f"{PASSWORD}\nbattery staple\n"
    )
    assert changed.returncode == 0, changed.stderr
    assert shell.run("account", "export", "-o", "mine.zip").stdout == "mine.zip\n"
    with zipfile.ZipFile(shell.folder / "mine.zip") as archive:
        assert any("bob-01" in archive.read(name).decode() for name in archive.namelist())
    wrong = shell.run("account", "delete", "--yes", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert wrong.returncode == 2
    gone = shell.run("account", "delete", "--yes", "--password-stdin", stdin="battery staple\n")
    assert gone.returncode == 0, gone.stderr
    assert shell.run("whoami").returncode == 3


def test_a_setting_means_what_its_declared_type_means(factory, signed_in):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    staff = signed_in(host)
    edit = ("competitions", "edit", "toy", "--format", "json", "--set")
    assert rows(staff.run(*edit, "title=2026"))["title"] == "2026"
    assert rows(staff.run(*edit, "season=2026"))["season"] == "2026"
    assert rows(staff.run(*edit, "daily_limit=7"))["daily_limit"] == 7
    assert rows(staff.run(*edit, "total_limit=70"))["total_limit"] == 70
    assert rows(staff.run(*edit, "total_limit="))["total_limit"] is None
    assert rows(staff.run(*edit, "holds_reveal=true"))["holds_reveal"] is True
    done = rows(staff.run("competitions", "audit", "toy", "--format", "json"))
    assert {one["by"] for one in done} == {"host-01"}
    for wrong, said in (
        ("daily_limit=many", "a whole number"),
        ("holds_reveal=1", "true or false"),
        ("dayly_limit=7", "Did you mean 'daily_limit'"),
        ("title", "no NAME=VALUE"),
    ):
        done = staff.run(*edit, wrong)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
