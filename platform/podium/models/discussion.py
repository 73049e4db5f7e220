"""What people ask and answer about a competition."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.account import User
from podium.models.competition import Competition
from podium.models.record import Record, now


class Thread(Record):
    """A question or a remark, with its answers below."""

    __tablename__ = "threads"
    __table_args__ = (
        Index("ix_threads_competition_id_pinned_last_at", "competition_id", "pinned", "last_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    title: Mapped[str]
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    locked: Mapped[bool] = mapped_column(default=False, server_default=false())
    hidden: Mapped[str] = mapped_column(default="", server_default="")  # why; empty: it is not
    replies: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)

    competition: Mapped[Competition] = relationship()


class Post(Record):
    """One text of a thread; the first is the question."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("ix_posts_thread_id", "thread_id"),
        Index("ix_posts_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    text: Mapped[str]  # Markdown, as written
    hidden: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]  # its text is gone then

    thread: Mapped[Thread] = relationship()
    user: Mapped[User | None] = relationship(lazy="joined")
