"""Scoring what was scored before once more: a trial that its host applies or throws away."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.challenge import Challenge
from podium.models.record import Record, now

UNDECIDED = text("state = 'trial'")


class Rescoring(Record):
    """One rescoring of one competition, onto a revised challenge; at most one is undecided."""

    __tablename__ = "rescorings"
    __table_args__ = (
        Index(
            "ix_rescorings_undecided",
            "competition_id",
            unique=True,
            sqlite_where=UNDECIDED,
            postgresql_where=UNDECIDED,
        ),
        Index("ix_rescorings_competition_id", "competition_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenges.id"))  # as it would be
    before_id: Mapped[int] = mapped_column(ForeignKey("challenges.id"))  # as it was
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))  # of nobody; its work is theirs
    state: Mapped[str]  # trial, applied or discarded
    change: Mapped[str]  # what is different, in words
    reason: Mapped[str] = mapped_column(default="")
    runs_again: Mapped[bool] = mapped_column(default=False, server_default=false())
    raise_only: Mapped[bool] = mapped_column(default=False, server_default=false())
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[datetime] = mapped_column(default=now)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]

    challenge: Mapped[Challenge] = relationship(foreign_keys=challenge_id)
    before: Mapped[Challenge] = relationship(foreign_keys=before_id)
