"""The words of mails, made when a mail is sent: so the outbox holds no secret and nothing stale.

A letter is written in English and said in its reader's language; see `podium.sayings`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import outbox, proofs
from podium.languages import ENGLISH
from podium.models import Mail, Notification, User
from podium.models.record import now
from podium.sayings import in_language

CONFIRM, PASSWORD, ADDRESS_CHANGED, PASSWORD_CHANGED, EVENT, DIGEST = KINDS = (
    *("confirm", "password", "address_changed", "password_changed", "event", "digest"),
)
ROUTINE = frozenset({EVENT, DIGEST})  # what stands behind the bell as well
MOST_RESETS = 3  # an hour, to one address: nobody is flooded with mail that others ask for
MOST_LINES = 100


@dataclass(frozen=True)
class Letter:
    """A mail as it is read."""

    subject: str
    body: str


def compose(session: Session, mail: Mail, url: str) -> Letter | None:
    """The letter of a mail, with links under `url`; None if nobody is to be written to."""
    return _WRITERS[mail.kind](session, mail, url)


def _owner(session: Session, mail: Mail) -> User | None:
    user = session.get(User, mail.user_id) if mail.user_id is not None else None
    return user if user is not None and user.deleted_at is None else None


def _confirm(session: Session, mail: Mail, url: str) -> Letter | None:
    user = _owner(session, mail)
    if user is None or (user.email == mail.recipient and not user.unconfirmed):
        return None
    secret, say = proofs.make(session, user.id, proofs.ADDRESS, mail.recipient), _sayer(user)
    return Letter(
        say("Confirm your e-mail address"),
        say(
            f"The account {user.handle} on Podium was given this address.\n\n"
            f"Confirm that it is yours, signed in as {user.handle}:\n\n"
            f"{url}/account/address/{secret}\n\n"
            "The link works once, for three days. If this account is not yours, do nothing: "
            "without the confirmation it gets no place that is kept for you."
        ),
    )


def _password(session: Session, mail: Mail, url: str) -> Letter | None:
    user = session.scalar(
        select(User).where(User.email == mail.recipient, User.deleted_at.is_(None))
    )
    since = now() - timedelta(hours=1)
    before = outbox.asked_since(session, mail.recipient, PASSWORD, since, before=mail.id)
    if user is None or before >= MOST_RESETS:
        return None
    secret, say = proofs.make(session, user.id, proofs.PASSWORD, user.email), _sayer(user)
    return Letter(
        say("Choose a new password"),
        say(
            f"Somebody, probably you, asked for a new password of {user.handle} on Podium.\n\n"
            f"Choose one here:\n\n{url}/new-password/{secret}\n\nThe link works once, for an "
            "hour. If you did not ask, do nothing: the password stays."
        ),
    )


def _address_changed(session: Session, mail: Mail, url: str) -> Letter | None:
    user = _owner(session, mail)
    if user is None:
        return None
    say = _sayer(user)
    return Letter(
        say("Your address was changed"),
        say(
            f"The account {user.handle} on Podium has another e-mail address from now on, and this "
            f"one is not used any more.\n\nIf you did not do this, write to the host of {url}."
        ),
    )


def _password_changed(session: Session, mail: Mail, url: str) -> Letter | None:
    user = _owner(session, mail)
    if user is None:
        return None
    say = _sayer(user)
    return Letter(
        say("Your password was changed"),
        say(
            f"The password of {user.handle} on Podium was changed, and all sign-ins elsewhere have "
            f"ended.\n\nIf you did not do this, choose a new one: {url}/forgot-password"
        ),
    )


def _event(session: Session, mail: Mail, url: str) -> Letter | None:
    user = _owner(session, mail)
    if user is None:
        return None
    text = _sayer(user)(str(mail.facts["text"]))
    return Letter(_one_line(text), f"{text}\n\n{url}{mail.facts['link']}\n\n{_foot(user, url)}")


def _digest(session: Session, mail: Mail, url: str) -> Letter | None:
    """What has come together since the last digest; it is not told again."""
    user = _owner(session, mail)
    if user is None:
        return None
    ids = mail.facts["ids"]
    found = session.scalars(
        select(Notification)
        .where(Notification.id.in_(ids), Notification.user_id == user.id)
        .order_by(Notification.id)
        .limit(MOST_LINES)
    ).all()
    unread = [one for one in found if one.read_at is None]
    if not unread:
        return None
    say, number = _sayer(user), len(unread)
    lines = "\n".join(f"- {say(one.text)}\n  {url}{one.link}" for one in unread)
    since = say(
        "One event since the last mail:" if number == 1 else f"{number} events since the last mail:"
    )
    return Letter(
        say("One event on Podium" if number == 1 else f"{number} events on Podium"),
        f"{since}\n\n{lines}\n\n{_foot(user, url)}",
    )


def _foot(user: User, url: str) -> str:
    say = _sayer(user)
    return say(f"Which events you are told of by mail: {url}/notifications/preferences")


def _sayer(user: User) -> Callable[[str], str]:
    """Says sentences of ours in a person's language."""
    return lambda text: in_language(text, user.language or ENGLISH)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"


_WRITERS: dict[str, Callable[[Session, Mail, str], Letter | None]] = {
    CONFIRM: _confirm,
    PASSWORD: _password,
    ADDRESS_CHANGED: _address_changed,
    PASSWORD_CHANGED: _password_changed,
    EVENT: _event,
    DIGEST: _digest,
}
