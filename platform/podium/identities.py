"""Identities: accounts at an OpenID provider by which people sign in here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from podium import proofs
from podium.accounts import HANDLE, NO_PASSWORD, create_user
from podium.errors import ConflictError, NoAccessError, NotFoundError
from podium.models import Identity, Proof, User


@dataclass(frozen=True)
class Claims:
    """What a provider says of who signed in there; `email` is lower case, or empty."""

    issuer: str
    subject: str
    email: str = ""
    is_verified: bool = False  # the provider has proved the address
    name: str = ""


def owner(session: Session, claims: Claims) -> User | None:
    """Whose identity this is; joined now where address and account are both confirmed.

    None for somebody new. The subject tells people apart, for a provider may give an address to
    another person later.
    """
    user = session.scalar(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == claims.issuer, Identity.subject == claims.subject)
    )
    if user is not None:
        if user.deleted_at is not None:
            raise NoAccessError("This account is deleted.")
        return user
    if not (claims.email and claims.is_verified):
        return None
    user = session.scalar(select(User).where(User.email == claims.email))
    if user is None:
        return None
    if _is_linked(session, user.id, claims.issuer) or not _has_confirmed(session, user):
        raise ConflictError(
            f"An account has the address {claims.email}, and it is not certain that it is yours. "
            "Sign in to it with its password; then link it on your account page.",
            code="not_linked",
        )
    link(session, user.id, claims)
    return user


def _is_linked(session: Session, user_id: int, issuer: str) -> bool:
    return bool(
        session.scalar(
            select(exists().where(Identity.user_id == user_id, Identity.issuer == issuer))
        )
    )


def _has_confirmed(session: Session, user: User) -> bool:
    """Whether the owner of the account has opened a link that was mailed to its address.

    Where no mail is sent, anybody may have signed up with an address.
    """
    return not user.unconfirmed and bool(
        session.scalar(
            select(
                exists().where(
                    Proof.user_id == user.id,
                    Proof.purpose == proofs.ADDRESS,
                    Proof.email == user.email,
                    Proof.used_at.is_not(None),
                )
            )
        )
    )


def create(
    session: Session,
    claims: Claims,
    handle: str,
    email: str,
    *,
    asks_mail: bool,
    language: str | None = None,
) -> User:
    """A new account of somebody who signed in at the provider; it has no password.

    An address that the provider has proved needs no link; another is as at sign-up.
    """
    if owner(session, claims) is not None:
        raise ConflictError("You have an account already: sign in again.")
    is_proved = claims.is_verified and bool(claims.email)
    user = create_user(
        session,
        handle,
        claims.email if is_proved else email,
        NO_PASSWORD,
        asks_mail=asks_mail and not is_proved,
        language=language,
    )
    link(session, user.id, claims)
    return user


def link(session: Session, user_id: int, claims: Claims) -> None:
    """Let a person sign in by this identity from now on."""
    session.add(
        Identity(user_id=user_id, issuer=claims.issuer, subject=claims.subject, email=claims.email)
    )
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError(
            "This sign-in is linked to an account already. Sign out, sign in by it, and remove "
            "the link there first.",
            code="linked",
        ) from None


def of_user(session: Session, user_id: int) -> Sequence[Identity]:
    """The identities that a person signs in by, oldest first."""
    return session.scalars(
        select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)
    ).all()


def remove(session: Session, user_id: int, identity_id: int) -> None:
    """End a link; ConflictError if nothing would be left to sign in with."""
    user = session.get_one(User, user_id, with_for_update=True)
    found = of_user(session, user_id)
    if identity_id not in [one.id for one in found]:
        raise NotFoundError("There is no such link of yours, or it was removed before.")
    if len(found) == 1 and user.password_hash == NO_PASSWORD:
        raise ConflictError(
            "You could not sign in any more: this account has no password. Choose one first, by "
            "the link of “Forgotten your password?”."
        )
    session.execute(delete(Identity).where(Identity.id == identity_id))


def free_handle(session: Session, claims: Claims) -> str:
    """A handle that fits and is free, near to how the provider calls the person."""
    wish = claims.name or claims.email.partition("@")[0] or "student"
    stem = re.sub(r"[^a-z0-9]+", "-", wish.partition("@")[0].lower()).strip("-")[:26]
    stem = stem if HANDLE.fullmatch(stem) else "student"
    taken = set(session.scalars(select(User.handle).where(User.handle.startswith(stem))))
    if stem not in taken:
        return stem
    return next(name for n in range(2, len(taken) + 3) if (name := f"{stem}-{n}") not in taken)
