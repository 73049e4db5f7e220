"""What hosts tell everybody in a competition."""

from datetime import datetime

from sqlalchemy import ForeignKey, true
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now


class Announcement(Record):
    """A short text of a host. Pinned, it stands on the overview; else among the earlier ones."""

    __tablename__ = "announcements"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), index=True
    )
    title: Mapped[str]
    text: Mapped[str] = mapped_column(default="")  # Markdown
    is_pinned: Mapped[bool] = mapped_column(default=True, server_default=true())
    posted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    posted_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]
