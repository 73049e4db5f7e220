"""Mails: written with what they tell, sent once, tried again, and never waited for."""

import re
import socket
import threading
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from podium import accounts, addresses, letters, notifications, outbox, postman
from podium.config import Config
from podium.errors import ConfigError
from podium.models import Mail, Proof
from podium.models.record import now


class Receiver:
    """A mail server's side: keeps what it gets, or answers as it is told."""

    def __init__(self):
        self.got, self.answers, self.rcpt_answers = [], [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "gone":
            self.got.append(message_from_bytes(envelope.content, policy=policy.default))
            server.transport.abort()
            return "250 OK"
        if answer.startswith("250"):
            self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return answer


@pytest.fixture
def receiver():
    handler = Receiver()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.url = f"smtp://127.0.0.1:{port}"
    yield handler
    controller.stop()


@pytest.fixture
def way(receiver):
    return postman.Smtp.at(receiver.url)


def put(installation, factory, handle="ada-01"):
    caller = factory.person(handle)
    with installation.database.writing() as session:
        facts = {"text": "Your submission 7 is scored.", "link": "/submissions/7"}
        outbox.put(session, f"{handle}@example.org", letters.EVENT, facts, user_id=caller.id)
    return caller


def states(installation):
    with installation.database.reading() as session:
        return list(session.scalars(select(Mail.state).order_by(Mail.id)))


def hasten(installation):
    """Let what waits for its next try be due now."""
    with installation.database.writing() as session:
        for mail in session.scalars(select(Mail)):
            mail.not_before = now()


def test_a_mail_arrives_once_with_its_headers(installation, factory, receiver, way):
    put(installation, factory)
    assert postman.deliver(installation, way) == 1
    assert postman.deliver(installation, way) == 0
    (mail,) = receiver.got
    assert mail["To"] == "ada-01@example.org"
    assert mail["From"] == installation.config.mail_from
    assert mail["Subject"] == "Your submission 7 is scored."
    assert mail["Auto-Submitted"] == "auto-generated"
    assert f"{installation.config.url}/submissions/7" in mail.get_content()
    assert states(installation) == ["sent"]


def test_a_mail_is_in_the_language_of_who_reads_it(installation, factory, receiver, way):
    people = {name: factory.person(name) for name in ("ada-01", "bob-01")}
    with installation.database.writing() as session:
        accounts.speak(session, people["ada-01"].id, "de")
        text = "Submission 7 in Toy: it is scored."
        ids = [one.id for one in people.values()]
        notifications.prefer(session, ids[0], {notifications.SCORED: notifications.MAIL})
        notifications.prefer(session, ids[1], {notifications.SCORED: notifications.MAIL})
        notifications.tell(session, notifications.SCORED, ids, text, "/submissions/7")
        addresses.forgot_password(session, "ada-01@example.org")
    assert postman.deliver(installation, way) == 3
    event, english, password = receiver.got
    assert event["Subject"] == "Abgabe 7 in Toy: bewertet."
    assert "Wovon du per Mail erfährst: " in event.get_content()
    assert english["Subject"] == text
    assert password["Subject"] == "Wähle ein neues Passwort"
    assert "für ada-01 auf Podium gebeten" in password.get_content()
    assert re.search(r"/new-password/\S+\s", password.get_content())


def test_a_digest_is_german_too(installation, factory, receiver, way):
    ada = factory.person("ada-01")
    with installation.database.writing() as session:
        accounts.speak(session, ada.id, "de")
        for number in (7, 8):
            text = f"Submission {number} in Toy: it is scored."
            notifications.tell(
                session, notifications.REPLY, [ada.id], text, f"/submissions/{number}"
            )
        notifications.gather(session, ada.id)
    postman.deliver(installation, way)
    assert receiver.got[0]["Subject"] == "2 Ereignisse auf Podium"
    said = receiver.got[0].get_content()
    assert "2 Ereignisse seit der letzten Mail:" in said
    assert "- Abgabe 8 in Toy: bewertet." in said


@pytest.mark.parametrize("kind", letters.KINDS[:4])
def test_every_letter_is_german_as_a_whole(installation, factory, kind):
    ada = factory.person("ada-01")
    with installation.database.writing() as session:
        accounts.speak(session, ada.id, "de")
        recipient = "new@example.org" if kind == letters.CONFIRM else "ada-01@example.org"
        outbox.put(session, recipient, kind, {}, user_id=ada.id)
        mail = session.scalars(select(Mail)).one()
        letter = letters.compose(session, mail, "https://podium.example")
    bare = re.sub(r"https?://\S+", "", f"{letter.subject} {letter.body}")
    assert not re.search(r"\b(the|you|this|if|and|your)\b", bare, re.IGNORECASE), bare


def test_what_is_rolled_back_is_never_sent(installation, factory, receiver, way):
    caller = factory.person("ada-01")

    def fail():
        with installation.database.writing() as session:
            outbox.put(session, "a@x.org", letters.PASSWORD_CHANGED, user_id=caller.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert postman.deliver(installation, way) == 0
    assert receiver.got == []


def test_a_busy_server_is_tried_again_later_and_given_up_at_last(
    installation, factory, receiver, way
):
    put(installation, factory)
    receiver.answers = ["451 come back later"] * 6
    assert postman.deliver(installation, way) == 0
    assert postman.deliver(installation, way) == 0  # not due
    with installation.database.reading() as session:
        mail = session.scalars(select(Mail)).one()
        assert (mail.state, mail.tries, mail.trouble) == ("waiting", 1, "451 come back later")
        assert now() < mail.not_before < now() + timedelta(seconds=outbox.BACKOFF_S[0] + 1)
    for _ in range(5):
        hasten(installation)
        postman.deliver(installation, way)
    assert states(installation) == ["failed"]
    hasten(installation)
    assert postman.deliver(installation, way) == 0
    assert receiver.got == []


def test_a_second_try_arrives(installation, factory, receiver, way):
    put(installation, factory)
    receiver.rcpt_answers = ["450 greylisted"]
    assert postman.deliver(installation, way) == 0
    hasten(installation)
    assert postman.deliver(installation, way) == 1
    assert len(receiver.got) == 1


def test_an_address_that_is_refused_is_not_tried_again(installation, factory, receiver, way):
    put(installation, factory)
    receiver.rcpt_answers = ["550 no such person"]
    assert postman.deliver(installation, way) == 0
    assert states(installation) == ["failed"]


def test_a_server_that_falls_silent_after_the_text_is_not_sent_the_text_again(
    installation, factory, receiver, way
):
    put(installation, factory)
    receiver.answers = ["gone"]
    postman.deliver(installation, way)
    assert states(installation) == ["unsure"]
    hasten(installation)
    postman.deliver(installation, way)
    assert len(receiver.got) == 1


def test_without_a_server_the_mail_waits(installation, factory):
    put(installation, factory)
    nobody = postman.Smtp.at("smtp://127.0.0.1:1")
    assert postman.deliver(installation, nobody) == 0
    assert states(installation) == ["waiting"]


def test_what_a_killed_process_had_claimed_is_unsure_and_not_sent(
    installation, factory, receiver, way
):
    put(installation, factory)
    with installation.database.writing() as session:
        assert outbox.claim(session, now())
    assert postman.deliver(installation, way) == 0  # perhaps it is being sent just now
    assert states(installation) == ["sending"]
    with installation.database.writing() as session:
        session.scalars(select(Mail)).one().moved_at = now() - outbox.CLAIM_LASTS * 2
    assert postman.deliver(installation, way) == 0
    assert states(installation) == ["unsure"]
    assert receiver.got == []


def test_several_postmen_send_each_mail_once(installation, factory, receiver, way):
    for number in range(30):
        put(installation, factory, f"ada-{number:02}")
    threads = [threading.Thread(target=postman.deliver, args=(installation, way)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(mail["To"] for mail in receiver.got) == [
        f"ada-{number:02}@example.org" for number in range(30)
    ]
    assert set(states(installation)) == {"sent"}


def test_without_a_mail_server_links_are_files_that_only_the_operator_reads(
    installation, factory, caplog
):
    put(installation, factory)
    with installation.database.writing() as session:
        addresses.forgot_password(session, "ada-01@example.org")
    way = postman.transport(installation.config)
    with caplog.at_level("INFO"):
        assert postman.deliver(installation, way) == 2
    (file,) = (installation.config.home / "mail").iterdir()
    assert "/new-password/" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    # What the bell tells as well is a line of the log.
    assert "ada-01@example.org: Your submission 7 is scored." in caplog.text


def test_a_link_to_a_new_password_is_mailed_to_accounts_only_and_three_times_an_hour(
    installation, factory, receiver, way
):
    factory.person("ada-01")
    with installation.database.writing() as session:
        addresses.forgot_password(session, "nobody@example.org")
        for _ in range(5):
            addresses.forgot_password(session, " Ada-01@example.org")
    postman.deliver(installation, way)
    assert [mail["To"] for mail in receiver.got] == ["ada-01@example.org"] * 3
    assert states(installation) == ["dropped", "sent", "sent", "sent", "dropped", "dropped"]
    secrets = [re.search(r"/new-password/(\S+)", mail.get_content())[1] for mail in receiver.got]
    with installation.database.reading() as session:
        digests = [proof.digest for proof in session.scalars(select(Proof))]
        assert len({*digests, *secrets}) == 6
        assert all(one.facts == {} for one in session.scalars(select(Mail)))


def test_old_mails_are_forgotten(installation, factory, receiver, way):
    put(installation, factory)
    postman.deliver(installation, way)
    with installation.database.writing() as session:
        outbox.forget(session, now() + outbox.KEPT / 2)
    assert states(installation) == ["sent"]
    with installation.database.writing() as session:
        outbox.forget(session, now() + outbox.KEPT * 2)
    assert states(installation) == []


@pytest.mark.parametrize("url", ["imap://x", "smtp:", "mail.example.org"])
def test_a_wrong_mail_url_is_said_at_the_start(url):
    with pytest.raises(ConfigError, match="PODIUM_MAIL_URL is"):
        postman.Smtp.at(url)


def test_confirming_addresses_needs_mail(tmp_path):
    with pytest.raises(ConfigError, match="needs PODIUM_MAIL_URL"):
        Config.load(tmp_path, confirm_addresses=True)


def test_a_password_is_not_sent_without_encryption(installation, factory, receiver):
    put(installation, factory)
    host = receiver.url.removeprefix("smtp://")
    way = postman.Smtp.at(f"smtp://podium:secret@{host}")
    assert postman.deliver(installation, way) == 0
    assert states(installation) == ["waiting"]
    with installation.database.reading() as session:
        assert "STARTTLS" in session.scalars(select(Mail.trouble)).one()
