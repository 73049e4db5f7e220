"""People and their API tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
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
