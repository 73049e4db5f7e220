"""Competitions, the teams in them and who belongs to a team."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.account import User
from podium.models.challenge import Challenge
from podium.models.record import Record, now


class Competition(Record):
    """A challenge hosted for an audience, with dates, limits and a board of its own."""

    __tablename__ = "competitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenges.id"), index=True)
    title: Mapped[str]
    is_practice: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    time_zone: Mapped[str] = mapped_column(default="UTC")  # where the day of the limit starts
    daily_limit: Mapped[int] = mapped_column(default=5)
    total_limit: Mapped[int | None]
    finals: Mapped[int] = mapped_column(default=2)
    weight: Mapped[float] = mapped_column(default=1.0, server_default="1")  # its share of workers
    team_running: Mapped[int] = mapped_column(default=2, server_default="2")  # at most, of a team
    host_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    team_count: Mapped[int] = mapped_column(default=0)  # without baselines
    board_revision: Mapped[int] = mapped_column(default=0)  # raised with every change of a board
    created_at: Mapped[datetime] = mapped_column(default=now)

    challenge: Mapped[Challenge] = relationship(lazy="joined", innerjoin=True)


class Team(Record):
    """Who competes; one person alone is a team of one. Baselines are teams of nobody."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("competition_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    name: Mapped[str]
    is_baseline: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    members: Mapped[list["Membership"]] = relationship(back_populates="team")


class Membership(Record):
    """A person's place in a competition: in exactly one team."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("competition_id", "user_id"),
        Index("ix_memberships_team_id", "team_id"),
        Index("ix_memberships_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    joined_at: Mapped[datetime] = mapped_column(default=now)

    team: Mapped[Team] = relationship(back_populates="members")
    user: Mapped[User] = relationship()
