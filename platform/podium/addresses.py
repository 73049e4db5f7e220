"""E-mail addresses: confirming them, changing them, and coming back in through them."""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from podium import letters, outbox, proofs
from podium.accounts import (
    fitting_email,
    need_free_email,
    revoke_tokens,
    set_password,
    take_places,
)
from podium.errors import ConflictError, LimitError, NotFoundError
from podium.models import User
from podium.models.record import now

MOST_CONFIRMATIONS = 3  # an hour, to one address


def ask_again(session: Session, user_id: int) -> str:
    """Send the link that confirms the own address once more; returns the address."""
    user = session.get_one(User, user_id, with_for_update=True)
    if not user.unconfirmed:
        raise ConflictError(f"{user.email} is confirmed already.")
    _ask(session, user.id, user.email)
    return user.email


def change(session: Session, user_id: int, email: str, *, asks_mail: bool) -> User:
    """Use another address: once it is confirmed, or at once where no mail is sent."""
    email = fitting_email(email)
    user = session.get_one(User, user_id, with_for_update=True)
    if user.email == email:
        raise ConflictError(f"{email} is your address already.", field="email")
    need_free_email(session, email)
    if asks_mail:
        _ask(session, user.id, email)
    else:
        _set(session, user, email)
    return user


def _ask(session: Session, user_id: int, email: str) -> None:
    since = now() - timedelta(hours=1)
    if outbox.asked_since(session, email, letters.CONFIRM, since) >= MOST_CONFIRMATIONS:
        raise LimitError(
            f"{email} was written to {MOST_CONFIRMATIONS} times within an hour. Look for the mail "
            "among the unwanted ones, or try again later.",
            resets_at=now() + timedelta(hours=1),
        )
    outbox.put(session, email, letters.CONFIRM, user_id=user_id)


def confirm(session: Session, user_id: int, secret: str) -> User:
    """Believe an address, signed in as the account that it was given to.

    Only then: who has signed up with somebody else's address must not get it confirmed by them.
    """
    if proofs.peek(session, secret, proofs.ADDRESS).user_id != user_id:
        raise NotFoundError(
            "This link belongs to another account. Sign in as the one that its mail names.",
            code="link_of_another",
        )
    proof = proofs.use(session, secret, proofs.ADDRESS)
    user = session.get_one(User, user_id, with_for_update=True)
    if user.email != proof.email:
        outbox.put(session, user.email, letters.ADDRESS_CHANGED, user_id=user.id)
        _set(session, user, proof.email)
    user.unconfirmed = False
    take_places(session, user)
    proofs.void(session, user.id, proofs.ADDRESS)
    return user


def _set(session: Session, user: User, email: str) -> None:
    need_free_email(session, email)
    user.email = email
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError(f"{email!r} was taken just now.", field="email") from None
    proofs.void(session, user.id, proofs.PASSWORD)  # those were for the other address
    if not user.unconfirmed:
        take_places(session, user)


def forgot_password(session: Session, email: str) -> None:
    """Ask for a link to a new password.

    The same is done for every address: whether it has an account is looked up when the mail is
    sent, so that neither words nor time tell it.
    """
    outbox.put(session, fitting_email(email), letters.PASSWORD)


def reset_password(session: Session, secret: str, password_hash: str) -> User:
    """Set a new password by a mailed link; every sign-in ends."""
    proof = proofs.use(session, secret, proofs.PASSWORD)
    user = session.get_one(User, proof.user_id, with_for_update=True)
    if user.email != proof.email or user.deleted_at is not None:
        raise NotFoundError("This link was for another address.", code="link_over")
    set_password(session, user.id, password_hash)
    if user.unconfirmed:  # nobody had proved to be its owner before: what was made then ends
        revoke_tokens(session, user.id)
        user.unconfirmed = False
        take_places(session, user)
    return user
