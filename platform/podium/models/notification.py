"""What people are told on the page: the list behind the bell."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now

UNREAD = text("read_at IS NULL")
IN_DIGEST = text("in_digest")


class Notification(Record):
    """One event, told to one person; `key` keeps the same event from being told twice."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notifications_unread", "user_id", sqlite_where=UNREAD, postgresql_where=UNREAD),
        Index(
            "ix_notifications_digest",
            *("user_id", "created_at"),
            sqlite_where=IN_DIGEST,
            postgresql_where=IN_DIGEST,
        ),
        Index("ix_notifications_key", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]  # of podium.notifications
    key: Mapped[str]
    text: Mapped[str]
    link: Mapped[str]  # a path of this site
    in_digest: Mapped[bool] = mapped_column(default=False, server_default=false())  # not mailed yet
    created_at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]
