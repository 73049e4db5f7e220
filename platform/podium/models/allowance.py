"""What a host allows a team, a student or a section beyond the rules of the competition."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now


class Grant(Record):
    """Extra submissions: on one local day of the competition, and in all."""

    __tablename__ = "grants"

    id: Mapped[int] = mapped_column(primary_key=True)
    # To whom: a team, or in a competition a student or a section of its course.
    team_id: Mapped[int | None] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), index=True
    )
    competition_id: Mapped[int | None] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    section: Mapped[str | None]
    day: Mapped[date]
    submissions: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[datetime] = mapped_column(default=now)


class Extension(Record):
    """A later deadline; the last one given to somebody is in force."""

    __tablename__ = "extensions"

    id: Mapped[int] = mapped_column(primary_key=True)
    # To whom: a team, or in a competition a student or a section of its course.
    team_id: Mapped[int | None] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), index=True
    )
    competition_id: Mapped[int | None] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    section: Mapped[str | None]
    closes_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[datetime] = mapped_column(default=now)
