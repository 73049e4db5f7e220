"""The outbox: what is to be said by mail, written with what it tells, sent later."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now

UNSENT = text("state IN ('waiting', 'sending')")


class Mail(Record):
    """One mail; its words and secrets are made when it is sent, so none lie here."""

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_unsent", "not_before", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index("ix_mails_recipient_created_at", "recipient", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    recipient: Mapped[str]
    kind: Mapped[str]  # of podium.letters
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="waiting")  # sending, sent, dropped, failed, unsure
    tries: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(default="")  # what the mail server said last
    created_at: Mapped[datetime] = mapped_column(default=now)
    not_before: Mapped[datetime] = mapped_column(default=now)
    moved_at: Mapped[datetime | None]  # since when it is in this state
