"""Addresses, passwords by mail, sign-ins, one's data, and leaving."""

import json
import re
import threading
import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from podium import accounts, addresses, courses, leaderboard, postman, proofs, roster
from podium.competitions import find
from podium.errors import ConflictError, NoAccessError, NotFoundError
from podium.models import Enrolment, Mail, Membership, Proof, SignIn, Submission, Team, Token, User
from podium.models.record import now

PASSWORD = "correct horse"


class Postbox:
    """A way for mails to leave that keeps them."""

    def __init__(self, installation):
        self.installation, self.got = installation, []

    def send(self, mail_id, message):
        self.got.append(message)

    def link(self, path):
        """The secret of the last link under a path, once all mails are delivered."""
        postman.deliver(self.installation, self)
        found = re.search(rf"{path}/(\S+)", self.got[-1].get_content())
        return found[1]


class Browser:
    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path):
        return self.client.get(path, buffered=True)

    def post(self, path, page=None, **fields):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page or path).text)
        return self.client.post(path, data={"csrf_token": token[1], **fields}, buffered=True)

    def sign_up(self, handle="ada-01", email=None):
        email = email or f"{handle}@example.org"
        answer = self.post("/sign-up", handle=handle, email=email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return self

    def sign_in(self, handle="ada-01", password=PASSWORD):
        return self.post("/sign-in", handle=handle, password=password)

    @property
    def handle(self):
        answer = self.client.get("/api/v1/me")
        return answer.get_json().get("handle")


@pytest.fixture
def postbox(installation):
    return Postbox(installation)


@pytest.fixture
def mailing(make_app):
    """An app whose installation sends mail."""
    return make_app(mail_url="smtp://mail.example.org")


@pytest.fixture
def browser(app):
    return Browser(app)


def token_of(app, handle):
    asked = {"handle": handle, "password": PASSWORD}
    answer = app.test_client(use_cookies=False).post("/api/v1/tokens", json=asked)
    return answer.get_json()["token"]


def places(installation):
    with installation.database.reading() as session:
        rows = session.execute(
            select(Enrolment.email, User.handle)
            .outerjoin(User, User.id == Enrolment.user_id)
            .where(Enrolment.role == "student")
        )
        return {email: handle for email, handle in rows}


@pytest.fixture
def listed(factory, installation):
    """A course whose class list has the address of ada."""
    people = factory.course("dl")
    with installation.database.writing() as session:
        roster.apply(session, people["teacher-01"], "dl", b"email\nada-01@example.org\n")
    return people["teacher-01"]


def test_a_place_of_a_class_list_is_given_to_a_confirmed_address_only(
    mailing, installation, listed, postbox
):
    browser = Browser(mailing).sign_up()
    assert places(installation) == {"ada-01@example.org": None}
    assert "not confirmed yet" in browser.get("/account").text
    secret = postbox.link("/account/address")
    assert "Confirm ada-01@example.org" in browser.get(f"/account/address/{secret}").text
    assert places(installation) == {"ada-01@example.org": None}  # looking does nothing
    assert browser.post(f"/account/address/{secret}").status_code == 303
    assert places(installation) == {"ada-01@example.org": "ada-01"}
    assert browser.get(f"/account/address/{secret}").status_code == 404
    assert "not confirmed yet" not in browser.get("/account").text


def test_who_signs_up_with_somebody_elses_address_cannot_have_it_confirmed_by_them(
    mailing, installation, listed, postbox
):
    Browser(mailing).sign_up("eve-01", "ada-01@example.org")
    secret = postbox.link("/account/address")
    ada = Browser(mailing).sign_up("ada-01", "other@example.org")
    assert "belongs to another account" in ada.get(f"/account/address/{secret}").text
    assert Browser(mailing).get(f"/account/address/{secret}").status_code == 401
    with installation.database.writing() as session:
        user_id = accounts.find_user(session, "ada-01").id
        with pytest.raises(NotFoundError, match="another account"):
            addresses.confirm(session, user_id, secret)
    assert places(installation) == {"ada-01@example.org": None}


def test_no_other_way_into_a_kept_place_without_the_confirmation(
    mailing, installation, listed, factory
):
    Browser(mailing).sign_up()
    eve = factory.as_now(factory.person("ada-01"))
    with installation.database.writing() as session:
        course = courses.renew_code(session, listed, "dl", until=None)
        code = course.join_code
    for act in (
        lambda session: courses.join(session, eve, code),
        lambda session: courses.enrol(session, listed, "dl", "ada-01", "student"),
    ):
        with (
            pytest.raises(NoAccessError, match="not confirmed yet"),
            installation.database.writing() as session,
        ):
            act(session)
    with installation.database.writing() as session:  # a later list gives it nothing either
        content = b"email\nada-01@example.org\n"
        people = courses.create(session, listed, "dl2", "Another", "UTC")
        teacher = accounts.caller_of(session, session.get_one(User, listed.id), listed.scopes)
        roster.apply(session, teacher, people.slug, content)
    assert places(installation) == {"ada-01@example.org": None}
    with installation.database.writing() as session:
        courses.change(session, listed, "dl", {"mail_domains": ["example.org"]})
        session.execute(Enrolment.__table__.delete().where(Enrolment.role == "student"))
    with (
        pytest.raises(NoAccessError, match="Confirm yours first"),
        installation.database.writing() as session,
    ):
        courses.join(session, eve, code)


def test_without_mail_an_address_counts_as_before(browser, installation, listed):
    browser.sign_up()
    assert places(installation) == {"ada-01@example.org": "ada-01"}
    with installation.database.reading() as session:
        assert session.scalars(select(Mail)).all() == []


def test_where_it_is_asked_nothing_but_reading_goes_before_the_confirmation(
    make_app, installation, factory, postbox, predictions, error_of
):
    factory.competition()
    app = make_app(mail_url="smtp://mail.example.org", confirm_addresses=True)
    browser = Browser(app).sign_up()
    assert browser.get("/c/toy/").status_code == 200
    answer = browser.post("/c/toy/join", page="/c/toy/")
    assert answer.status_code == 403
    assert "Confirm your e-mail address first" in answer.text
    token = token_of(app, "ada-01")
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client(use_cookies=False)
    answer = client.post("/api/v1/competitions/toy/join", headers=headers)
    assert error_of(answer, 403)["code"] == "unconfirmed"
    secret = postbox.link("/account/address")
    answer = client.post("/api/v1/me/address/confirm", headers=headers, json={"secret": secret})
    assert answer.status_code == 200
    assert client.post("/api/v1/competitions/toy/join", headers=headers).status_code == 200


def test_the_link_is_sent_again_three_times_an_hour(mailing, postbox):
    browser = Browser(mailing).sign_up()
    for _ in range(2):
        assert browser.post("/account/address/again", page="/account/address").status_code == 303
    answer = browser.post("/account/address/again", page="/account/address")
    assert answer.status_code == 429
    postman.deliver(postbox.installation, postbox)
    assert len(postbox.got) == 3


def test_another_address_counts_once_it_is_confirmed_and_the_old_one_is_told(
    mailing, installation, postbox
):
    browser = Browser(mailing).sign_up()
    answer = browser.post("/account/address", email="new@example.org", password="wrong horse")
    assert (answer.status_code, "does not match" in answer.text) == (400, True)
    browser.post("/account/address", email="new@example.org", password=PASSWORD)
    secret = postbox.link("/account/address")
    assert postbox.got[-1]["To"] == "new@example.org"
    assert "ada-01@example.org" in browser.get("/account").text
    browser.post(f"/account/address/{secret}")
    assert "new@example.org" in browser.get("/account").text
    postman.deliver(installation, postbox)
    assert (postbox.got[-1]["To"], postbox.got[-1]["Subject"]) == (
        "ada-01@example.org",
        "Your address was changed",
    )


def test_an_address_that_was_taken_meanwhile_is_refused(mailing, installation, postbox):
    browser = Browser(mailing).sign_up()
    browser.post("/account/address", email="new@example.org", password=PASSWORD)
    secret = postbox.link("/account/address")
    Browser(mailing).sign_up("bob-01", "new@example.org")
    assert browser.post(f"/account/address/{secret}").status_code == 409
    assert browser.get(f"/account/address/{secret}").status_code == 200  # nothing was used up


def test_a_forgotten_password_is_replaced_once_and_every_sign_in_ends(
    app, browser, installation, postbox
):
    browser.sign_up()
    other = Browser(app)
    assert other.sign_in().status_code == 303
    stranger = Browser(app)
    assert stranger.post("/forgot-password", email="ada-01@example.org").status_code == 200
    secret = postbox.link("/new-password")
    path = f"/new-password/{secret}"
    answer = stranger.post(path, new="another horse", again="a typing error")
    assert (answer.status_code, "differ" in answer.text) == (400, True)
    assert stranger.post(path, new="short", again="short").status_code == 400
    assert stranger.post(path, new="another horse", again="another horse").status_code == 303
    assert stranger.get(path).status_code == 404
    assert (browser.handle, other.handle) == (None, None)
    assert stranger.sign_in(password=PASSWORD).status_code == 401
    assert stranger.sign_in(password="another horse").status_code == 303
    postman.deliver(installation, postbox)
    assert postbox.got[-1]["Subject"] == "Your password was changed"


def test_a_link_is_too_old_after_an_hour(browser, installation, postbox):
    browser.sign_up()
    browser.client.post("/api/v1/password-resets", json={"email": "ada-01@example.org"})
    with installation.database.writing() as session:
        addresses.forgot_password(session, "ada-01@example.org")
    secret = postbox.link("/new-password")
    with installation.database.writing() as session:
        session.scalars(select(Proof).order_by(Proof.id.desc())).first().expires_at = now()
    answer = browser.get(f"/new-password/{secret}")
    assert answer.status_code == 404
    assert "too old" in answer.text


def test_of_two_at_once_one_link_serves_one(browser, installation, postbox):
    browser.sign_up()
    with installation.database.writing() as session:
        addresses.forgot_password(session, "ada-01@example.org")
    secret = postbox.link("/new-password")
    outcomes = []

    def reset(number):
        try:
            with installation.database.writing() as session:
                addresses.reset_password(session, secret, f"hash {number}")
            outcomes.append("set")
        except NotFoundError:
            outcomes.append("over")

    threads = [threading.Thread(target=reset, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["over"] * 5 + ["set"]


def test_asking_for_a_link_does_not_tell_who_has_an_account(browser, installation, app):
    browser.sign_up()
    answers, written = [], []
    for email in ("ada-01@example.org", "nobody-1@example.org"):
        answer = Browser(app).post("/forgot-password", email=email)
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
        answers.append((answer.status_code, text.replace(email, "…")))
        with installation.database.reading() as session:
            mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
            written.append((mail.kind, mail.user_id, mail.facts, mail.state))
    assert answers[0] == answers[1]
    assert written[0] == written[1]  # the same work: time tells nothing either


def test_a_reset_of_an_account_that_was_never_confirmed_ends_its_tokens(
    mailing, installation, postbox
):
    Browser(mailing).sign_up("eve-01", "ada-01@example.org")
    token = token_of(mailing, "eve-01")
    with installation.database.writing() as session:
        addresses.forgot_password(session, "ada-01@example.org")
    secret = postbox.link("/new-password")
    Browser(mailing).post(f"/new-password/{secret}", new="another horse", again="another horse")
    headers = {"Authorization": f"Bearer {token}"}
    assert mailing.test_client().get("/api/v1/me", headers=headers).status_code == 401
    with installation.database.reading() as session:
        assert accounts.find_user(session, "eve-01").unconfirmed is False


def test_sign_ins_are_listed_and_ended_one_by_one_or_together(app, browser, installation):
    browser.sign_up()
    phone, laptop = Browser(app), Browser(app)
    phone.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 15) Firefox/140.0"
    phone.sign_in()
    laptop.sign_in()
    page = browser.get("/account/sign-ins").text
    assert "Firefox on Android" in page
    assert page.count("This one") == 1
    with installation.database.reading() as session:
        ids = [one.id for one in session.scalars(select(SignIn).order_by(SignIn.id))]
    assert len(ids) == 3
    browser.post(f"/account/sign-ins/{ids[1]}/end", page="/account/sign-ins")
    assert (browser.handle, phone.handle, laptop.handle) == ("ada-01", None, "ada-01")
    browser.post("/account/sign-ins/end", page="/account/sign-ins")
    assert (browser.handle, laptop.handle) == ("ada-01", None)
    token = token_of(app, "ada-01")
    browser.post("/account/sign-ins/end", page="/account/sign-ins", everything="1")
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.handle is None
    assert app.test_client().get("/api/v1/me", headers=headers).status_code == 401


def test_somebody_elses_sign_in_is_not_there(app, browser, installation):
    browser.sign_up()
    eve = Browser(app).sign_up("eve-01")
    with installation.database.reading() as session:
        id_ = session.scalars(select(SignIn.id).order_by(SignIn.id)).first()
    assert eve.post(f"/account/sign-ins/{id_}/end", page="/account/sign-ins").status_code == 404
    assert browser.handle == "ada-01"


def test_a_signed_out_cookie_that_was_kept_does_not_work_again(app, browser):
    browser.sign_up()
    kept = browser.client.get_cookie("podium").value
    browser.post("/sign-out", page="/")
    thief = app.test_client()
    thief.set_cookie("podium", kept)
    assert thief.get("/api/v1/me").status_code == 401


def test_the_archive_has_what_is_known_and_nothing_of_others_or_private(
    app, factory, installation, predictions
):
    factory.competition()
    ada = factory.member("ada-01")
    submission_id = factory.submit(ada, predictions(15), message="my first")
    factory.submit(factory.member("bob-01"), predictions(3), message="of somebody else")
    factory.judge_all()
    with installation.database.writing() as session:
        _, text = accounts.create_token(session, ada.id, "laptop")
    headers = {"Authorization": f"Bearer {text}"}
    client = app.test_client()
    answer = client.get("/api/v1/me/export", headers=headers, buffered=True)
    assert answer.headers["Content-Disposition"] == "attachment; filename=podium-ada-01.zip"
    with zipfile.ZipFile(BytesIO(answer.data)) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert archive.read(f"files/{submission_id}/predictions.csv").decode() == predictions(15)
        (row,) = json.loads(archive.read("submissions.json"))
        assert (row["message"], row["competition"]) == ("my first", "toy")
        assert [(one["split"], one["value"]) for one in row["scores"]] == [("public", 0.7)]
        account = json.loads(archive.read("account.json"))
        assert account["tokens"][0]["name"] == "laptop"
    assert "somebody else" not in whole
    assert "password" not in whole
    assert text not in whole
    for _ in range(5):
        answer = client.get("/api/v1/me/export", headers=headers, buffered=True)
    assert answer.status_code == 429


def test_leaving_erases_the_person_and_keeps_the_board(
    browser, factory, installation, predictions, listed
):
    factory.competition()
    browser.sign_up()
    ada = factory.person("ada-01")
    factory.member("ada-01")
    submission_id = factory.submit(ada, predictions(15), message="secret of ada")
    factory.judge_all()
    answer = browser.post(
        "/account/data/leave", page="/account/data", handle="ada-01", password="wrong horse"
    )
    assert answer.status_code == 400
    answer = browser.post(
        "/account/data/leave", page="/account/data", handle="ada", password=PASSWORD
    )
    assert "Type your handle" in answer.text
    answer = browser.post(
        "/account/data/leave", page="/account/data", handle="ada-01", password=PASSWORD
    )
    assert answer.status_code == 303
    assert browser.handle is None
    with installation.database.reading() as session:
        board = leaderboard.read(session, find(session, "toy"))
        called = f"deleted account {ada.id}"
        assert [(row.team, row.rank, row.members) for row in board.rows] == [(called, 1, [called])]
        user = session.get_one(User, ada.id)
        assert (user.email, user.password_hash) == (f"deleted-{ada.id}@podium.invalid", "none")
        assert session.get_one(Submission, submission_id).message == ""
        for table in (SignIn, Token):
            rows = session.scalars(select(table).where(table.user_id == ada.id)).all()
            assert all(getattr(row, "revoked_at", None) for row in rows)
    assert places(installation) == {"ada-01@example.org": None}  # the list is the course's
    assert browser.sign_in().status_code == 401
    browser.sign_up()  # handle and address are free
    assert browser.handle == "ada-01"
    assert browser.get("/c/toy/leaderboard").text.count("deleted account") >= 1


def test_a_team_of_several_goes_on_without_who_left(browser, factory, installation):
    factory.competition()
    browser.sign_up()
    ada, bob = factory.member("ada-01"), factory.person("bob-01")
    with installation.database.writing() as session:
        team = session.scalars(select(Team).where(Team.leader_id == ada.id)).one()
        team.name = "The two"
        session.add(Membership(competition_id=team.competition_id, team_id=team.id, user_id=bob.id))
    browser.post("/account/data/leave", page="/account/data", handle="ada-01", password=PASSWORD)
    with installation.database.reading() as session:
        team = session.scalars(select(Team).where(Team.name == "The two")).one()
        assert team.leader_id == bob.id
        members = session.scalars(select(Membership.user_id)).all()
        assert members == [bob.id]


def test_who_is_alone_responsible_names_another_first(app, installation, listed):
    browser = Browser(app).sign_up("root-01")
    with installation.database.writing() as session:
        accounts.set_role(session, "root-01", "admin", by=None)
    answer = browser.post(
        "/account/data/leave", page="/account/data", handle="root-01", password=PASSWORD
    )
    assert "only admin" in answer.text
    with installation.database.writing() as session:
        session.get_one(User, listed.id).password_hash = accounts.hashed(PASSWORD)
    teacher = Browser(app)
    teacher.sign_in("teacher-01")
    answer = teacher.post(
        "/account/data/leave", page="/account/data", handle="teacher-01", password=PASSWORD
    )
    assert answer.status_code == 409
    assert "only instructor of Course dl" in answer.text


def test_an_old_cookie_without_a_listed_sign_in_works_until_signed_out_everywhere(
    app, factory, installation
):
    caller = factory.person("ada-01")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = caller.id, 0
    assert client.get("/api/v1/me").status_code == 200
    with installation.database.writing() as session:
        _, text = accounts.create_token(session, caller.id, "test")
    headers = {"Authorization": f"Bearer {text}"}
    assert app.test_client().delete("/api/v1/me/sign-ins", headers=headers).status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_the_last_use_of_a_sign_in_is_noted_now_and_then(browser, installation):
    browser.sign_up()
    with installation.database.writing() as session:
        session.scalars(select(SignIn)).one().seen_at = now() - timedelta(hours=3)
    assert browser.handle == "ada-01"
    with installation.database.reading() as session:
        assert now() - session.scalars(select(SignIn)).one().seen_at < timedelta(minutes=1)


def test_proofs_serve_one_purpose(installation, factory):
    ada = factory.person("ada-01")
    with installation.database.writing() as session:
        secret = proofs.make(session, ada.id, proofs.ADDRESS, "ada-01@example.org")
        session.flush()
        with pytest.raises(NotFoundError):
            addresses.reset_password(session, secret, "none")
        with pytest.raises(ConflictError, match="is your address already"):
            addresses.change(session, ada.id, "ada-01@example.org", asks_mail=False)


GERMAN = {"Accept-Language": "de-DE,de;q=0.9"}


def language_of(installation, handle):
    with installation.database.reading() as session:
        return session.scalar(select(User.language).where(User.handle == handle))


def test_a_language_chosen_signed_in_is_the_accounts_on_every_device(app, browser, installation):
    browser.sign_up()
    assert language_of(installation, "ada-01") == "en"
    browser.post("/language", page="/account", language="de")
    assert language_of(installation, "ada-01") == "de"
    phone = Browser(app)
    assert '<html lang="en"' in phone.get("/").text
    phone.sign_in()
    assert '<html lang="de"' in phone.get("/").text
    phone.post("/language", page="/account", language="xx")
    assert language_of(installation, "ada-01") == "de"


def test_who_signs_up_on_a_german_page_gets_german_mails(mailing, installation, postbox):
    client = mailing.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-up").text)[1]
    fields = {"handle": "ada-01", "email": "ada@example.org", "password": PASSWORD}
    client.post("/sign-up", data={"csrf_token": token, **fields}, headers=GERMAN)
    assert language_of(installation, "ada-01") == "de"
    postman.deliver(installation, postbox)
    assert postbox.got[-1]["Subject"] == "Bestätige deine E-Mail-Adresse"


def test_the_api_sets_the_language_and_takes_it_back(browser, installation):
    token = installation_token(installation, browser.sign_up().handle)
    call = browser.client.put
    headers = {"Authorization": f"Bearer {token}"}
    assert call("/api/v1/me/language", json={"language": "de"}, headers=headers).status_code == 204
    assert browser.client.get("/api/v1/me", headers=headers).json["language"] == "de"
    assert call("/api/v1/me/language", json={"language": None}, headers=headers).status_code == 204
    assert language_of(installation, "ada-01") is None
    wrong = call("/api/v1/me/language", json={"language": "xx"}, headers=headers)
    assert wrong.status_code == 400
    assert wrong.json["error"]["message"] == "There is no language 'xx'. There are en, de."


def installation_token(installation, handle):
    with installation.database.writing() as session:
        user = session.scalars(select(User).where(User.handle == handle)).one()
        return accounts.create_token(session, user.id, "test")[1]


def test_scripts_read_their_words_at_an_address_that_changes_with_them(app):
    client = app.test_client()
    assert "data-words" not in client.get("/").text
    address = re.search(r'data-words="([^"]+)"', client.get("/", headers=GERMAN).text)[1]
    answer = client.get(address)
    assert answer.json["words"]["nothing"] == "nichts"
    assert answer.cache_control.max_age > 86400
    assert client.get("/words/xx.json").status_code == 404
