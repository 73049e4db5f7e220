"""People and their API tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now


class User(Record):
    """A person; `role` is student, instructor or admin."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)  # lower case
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default="student")
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised: all its sign-ins end
    # Signed up where mail is sent, and the address is not confirmed yet; see podium.addresses.
    unconfirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    # How the person is told of each kind of event, where not by default; see podium.notifications.
    told_by: Mapped[dict[str, Any] | None]
    # Of pages and mails, one of podium.languages; none yet: what the browser prefers.
    language: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class SignIn(Record):
    """One browser that a person is signed in with; its cookie carries the id."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    browser: Mapped[str]  # as it names itself, for people to know it again
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)


class Proof(Record):
    """A mailed secret that works once: who has it reads the mail of `email`."""

    __tablename__ = "proofs"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]  # address or password
    email: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the secret
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Identity(Record):
    """An account at an OpenID provider by which a person signs in; the subject is its id there."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str]  # as the provider said it when they were linked
    created_at: Mapped[datetime] = mapped_column(default=now)


class Token(Record):
    """An API token; only its SHA-256 is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]  # its first characters, to tell tokens apart
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
