"""Sends what lies in the outbox, through SMTP or, without a mail server, into a folder.

It runs in a thread of the reconciler: a mail server that is slow keeps nobody from their work.
"""

import email.utils
import logging
import smtplib
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from podium import letters, notifications, outbox
from podium.config import Config
from podium.errors import ConfigError
from podium.installation import Installation
from podium.letters import Letter
from podium.models import Mail
from podium.models.record import now

TIMEOUT_S = 20.0
KIND = "X-Podium-Kind"
NOWHERE = ".invalid"  # addresses that are none: of the first admin, of who has left
PORTS = {"smtp": 587, "smtps": 465}

log = logging.getLogger(__name__)


class LaterError(Exception):
    """The mail was not taken, and may be tried again."""


class RefusedError(Exception):
    """The mail was refused for good."""


class UnsureError(Exception):
    """The mail server had the text and did not answer: it may have been sent."""


class Transport(Protocol):
    """A way for a mail to leave."""

    def send(self, mail_id: int, message: EmailMessage) -> None:
        """Send it, or raise one of the three errors above."""


@dataclass(frozen=True)
class Folder:
    """No mail server: each mail is a file that the operator can read."""

    path: Path

    def send(self, mail_id: int, message: EmailMessage) -> None:
        """Write the mail as a file; what the bell tells as well is one line of the log."""
        if message[KIND] in letters.ROUTINE:
            log.info(
                "no mail server is set: not mailed to %s: %s", message["To"], message["Subject"]
            )
            return
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.path / f"{mail_id}.eml"
        try:
            with file.open("xb") as out:
                file.chmod(0o600)
                out.write(message.as_bytes(policy=SMTP))
        except OSError as error:
            raise LaterError(f"{file}: {error.strerror}") from None
        log.info("no mail server is set: the mail to %s is in %s", message["To"], file)


@dataclass(frozen=True)
class Smtp:
    """A mail server; a password is only ever sent through an encrypted connection."""

    host: str
    port: int
    user: str
    password: str
    is_encrypted: bool

    @classmethod
    def at(cls, url: str) -> "Smtp":
        """The server of a PODIUM_MAIL_URL; ConfigError if it is of another form."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ConfigError(
                "PODIUM_MAIL_URL is smtp://user:password@host:587 or smtps://host:465, not "
                f"{parts.scheme}://…"
            )
        return cls(
            parts.hostname,
            parts.port or PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            parts.scheme == "smtps",
        )

    def send(self, mail_id: int, message: EmailMessage) -> None:
        """Speak with the server; what happens before the text can be tried again."""
        text = message.as_bytes(policy=SMTP)
        sender = email.utils.parseaddr(message["From"])[1]
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise LaterError(_said(error)) from None
        try:
            self._envelope(server, sender, message["To"])
            try:
                code, answer = server.data(text)
            except smtplib.SMTPDataError as error:  # before the text
                raise LaterError(_said(error)) from None
            except (OSError, smtplib.SMTPException) as error:
                raise UnsureError(_said(error)) from None
            _need_taken(code, answer)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.is_encrypted:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        try:
            server.ehlo()
            if not self.is_encrypted and (self.user or server.has_extn("starttls")):
                server.starttls(context=context)  # raises where it is not offered
                server.ehlo()
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def _envelope(self, server: smtplib.SMTP, sender: str, recipient: str) -> None:
        try:
            _need_taken(*server.mail(sender))
            _need_taken(*server.rcpt(recipient))
        except (OSError, smtplib.SMTPException) as error:
            raise LaterError(_said(error)) from None


def _need_taken(code: int, answer: bytes) -> None:
    said = f"{code} {answer.decode(errors='replace')}"
    if code >= 500:
        raise RefusedError(said)
    if code >= 300:
        raise LaterError(said)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__


def transport(config: Config) -> Transport:
    """How mails leave this installation."""
    return Smtp.at(config.mail_url) if config.mail_url else Folder(config.home / "mail")


def gather(installation: Installation) -> int:
    """Put the digests that are due into the outbox; how many."""
    with installation.database.reading() as session:
        people = notifications.due_digests(session, now())
    for user_id in people:
        with installation.database.writing() as session:
            notifications.gather(session, user_id)
    return len(people)


def deliver(installation: Installation, way: Transport) -> int:
    """Send all that is due; returns how many mails left."""
    database = installation.database
    with database.reading() as session:
        if not outbox.is_due(session, now()):
            return 0
    with database.writing() as session:
        if unsure := outbox.abandon(session, now()):
            log.warning("%s mails may or may not have been sent: not sent again", unsure)
    count = 0
    while True:
        with database.writing() as session:
            mail = outbox.claim(session, now())
            if mail is None:
                return count
            letter = None
            if not mail.recipient.endswith(NOWHERE):
                letter = letters.compose(session, mail, installation.config.url)
            if letter is None:
                outbox.settle(session, mail.id, outbox.DROPPED)
        if letter is not None:
            message = _message(installation.config, mail, letter)
            count += _send(installation, way, mail.id, message)


def _send(installation: Installation, way: Transport, mail_id: int, message: EmailMessage) -> bool:
    state, trouble = outbox.SENT, ""
    try:
        way.send(mail_id, message)
    except RefusedError as error:
        state, trouble = outbox.FAILED, str(error)
    except UnsureError as error:
        state, trouble = outbox.UNSURE, str(error)
    except LaterError as error:
        state, trouble = outbox.WAITING, str(error)
    with installation.database.writing() as session:
        if state == outbox.WAITING:
            state = outbox.put_off(session, mail_id, trouble)
        else:
            outbox.settle(session, mail_id, state, trouble)
    if trouble:
        log.warning("mail %s is %s: %s", mail_id, state, trouble)
    return state == outbox.SENT


def _message(config: Config, mail: Mail, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = config.mail_from
    message["To"] = mail.recipient
    message[KIND] = mail.kind
    message["Date"] = email.utils.format_datetime(now())
    host = urlsplit(config.url).hostname or "podium"
    message["Message-ID"] = f"<podium-{mail.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's holiday note answers
    message.set_content(letter.body)
    return message


def start(installation: Installation) -> None:
    """Send mails in a thread, for ever."""
    way = transport(installation.config)  # a wrong setting is said now
    threading.Thread(target=_serve, args=(installation, way), name="postman", daemon=True).start()


def _serve(installation: Installation, way: Transport) -> None:
    forgets_at = now()
    while True:
        try:
            gather(installation)
            deliver(installation, way)
            if now() >= forgets_at:
                with installation.database.writing() as session:
                    outbox.forget(session, now())
                forgets_at = now() + timedelta(days=1)
        except SQLAlchemyError as error:
            log.warning("mails wait, tried again in a moment: %s", error)
        time.sleep(installation.config.reconcile_s)
