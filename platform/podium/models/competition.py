"""Competitions, the teams in them and who belongs to a team."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
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
    # What students read, where the host has written it; None: as the challenge says.
    text: Mapped[str | None] = mapped_column(deferred=True)
    is_practice: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    # After the deadline: still on time, still taken, and what a started day costs of the credit.
    grace_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    late_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    late_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    time_zone: Mapped[str] = mapped_column(default="UTC")  # where the day of the limit starts
    daily_limit: Mapped[int] = mapped_column(default=5)
    total_limit: Mapped[int | None]
    finals: Mapped[int] = mapped_column(default=2)
    weight: Mapped[float] = mapped_column(default=1.0, server_default="1")  # its share of workers
    team_running: Mapped[int] = mapped_column(default=2, server_default="2")  # at most, of a team
    host_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # Of a course it is seen by the course's people only, and hosted by its staff.
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    # Seen by its staff only, until it is published; see podium.publishing and podium.checkup.
    is_draft: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Whoever wants in waits until its staff lets them in; see podium.entryrequests.
    asks_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    checks: Mapped[dict[str, Any] | None]
    checks_wanted_at: Mapped[datetime | None]
    team_count: Mapped[int] = mapped_column(default=0)  # without baselines
    team_size: Mapped[int] = mapped_column(default=5, server_default="5")  # people, at most
    merges_until: Mapped[datetime | None]  # None: as long as it is open
    board_revision: Mapped[int] = mapped_column(default=0)  # raised with every change of a board
    # What the board shows, to whom and since when; see podium.boardrules.
    names: Mapped[str] = mapped_column(default="named", server_default="named")
    order_by: Mapped[str] = mapped_column(default="first", server_default="first")
    anti_overfit: Mapped[str] = mapped_column(default="none", server_default="none")
    freezes_at: Mapped[datetime | None]
    window_days: Mapped[int | None]
    holds_reveal: Mapped[bool] = mapped_column(default=False, server_default=false())
    revealed_at: Mapped[datetime | None]
    day_noted: Mapped[date | None]  # whose beginning BoardEntry.rank_before tells
    # Of the rank intervals: the revision they were computed at, and when they were begun.
    intervals_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    intervals_at: Mapped[datetime | None]
    # Of agents that play each other; see podium.finalround. No games: no final round.
    final_games: Mapped[int] = mapped_column(default=0, server_default="0")  # of each pair
    final_began_at: Mapped[datetime | None]  # from then on nobody enters or leaves the pool
    final_ended_at: Mapped[datetime | None]
    season: Mapped[str] = mapped_column(default="", server_default="")  # empty: counts for none
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
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    disqualified: Mapped[str] = mapped_column(default="", server_default="")  # why; empty: is not
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id", ondelete="SET NULL"))
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
    downloaded_at: Mapped[datetime | None]  # the first file

    team: Mapped[Team] = relationship(back_populates="members")
    user: Mapped[User] = relationship()


class EntryRequest(Record):
    """A person who wants into a competition that lets in one by one; gone when let in."""

    __tablename__ = "entry_requests"
    __table_args__ = (UniqueConstraint("competition_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    declined_at: Mapped[datetime | None]  # None: it waits
    reason: Mapped[str] = mapped_column(default="")  # of declining, which the person reads

    user: Mapped[User] = relationship()


class Invitation(Record):
    """An open door into a team: for one person, or for whoever has the link's code."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[str | None] = mapped_column(unique=True)  # SHA-256 of the link's code
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]  # accepted, or withdrawn

    team: Mapped[Team] = relationship()


class MergeRequest(Record):
    """One team asks another to become one; when both have asked, they are merged."""

    __tablename__ = "merge_requests"
    __table_args__ = (UniqueConstraint("team_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[datetime] = mapped_column(default=now)
