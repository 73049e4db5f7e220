"""Proofs: mailed secrets that work once and for a while. Only their digests are kept."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.errors import NotFoundError
from podium.models import Proof
from podium.models.record import now

ADDRESS, PASSWORD = "address", "password"
LASTS = {ADDRESS: timedelta(days=3), PASSWORD: timedelta(hours=1)}
BYTES = 32


def make(session: Session, user_id: int, purpose: str, email: str) -> str:
    """A new secret for whoever reads the mail of this address."""
    secret = secrets.token_urlsafe(BYTES)
    proof = Proof(
        user_id=user_id,
        purpose=purpose,
        email=email,
        digest=_digest(secret),
        expires_at=now() + LASTS[purpose],
    )
    session.add(proof)
    return secret


def peek(session: Session, secret: str, purpose: str) -> Proof:
    """What a secret proves, without using it up; NotFoundError if it does not work (any more)."""
    proof = session.scalar(
        select(Proof).where(
            Proof.digest == _digest(secret),
            Proof.purpose == purpose,
            Proof.used_at.is_(None),
            Proof.expires_at > now(),
        )
    )
    if proof is None:
        raise NotFoundError(
            "This link does not work any more: it was used, or it is too old. Ask for a new one.",
            code="link_over",
        )
    return proof


def use(session: Session, secret: str, purpose: str) -> Proof:
    """Use a secret up: of two at once, one gets NotFoundError."""
    proof = peek(session, secret, purpose)
    taken = session.execute(
        update(Proof)
        .where(Proof.id == proof.id, Proof.used_at.is_(None))
        .values(used_at=now())
        .returning(Proof.id)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        raise NotFoundError("This link was used just now.", code="link_over")
    return proof


def void(session: Session, user_id: int, purpose: str) -> None:
    """End all open secrets of a person for a purpose."""
    session.execute(
        update(Proof)
        .where(Proof.user_id == user_id, Proof.purpose == purpose, Proof.used_at.is_(None))
        .values(used_at=now())
        .execution_options(synchronize_session=False)
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
