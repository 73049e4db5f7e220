"""Courses and who belongs to them, with or without an account."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.account import User
from podium.models.record import Record, now


class Course(Record):
    """A class of one term: people with roles and sections, and competitions of its own."""

    __tablename__ = "courses"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    join_code: Mapped[str | None] = mapped_column(unique=True)  # None: nobody joins by a code
    join_until: Mapped[datetime | None]
    # Whoever comes by the code waits until staff lets them in; see podium.joinrequests.
    asks_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    mail_domains: Mapped[list[Any]] = mapped_column(default=list)  # who may join; empty: all
    assistants_may: Mapped[list[Any]] = mapped_column(default=list)  # of accounts.RIGHTS
    late_days: Mapped[int] = mapped_column(default=0)  # of each student, for the whole course
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Enrolment(Record):
    """A person's place in a course; `user_id` is empty until somebody signs up with the address."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("course_id", "email"),
        UniqueConstraint("course_id", "user_id"),
        Index("ix_enrolments_user_id", "user_id"),
        Index("ix_enrolments_email", "email"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    email: Mapped[str]  # lower case
    name: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")  # the university's own
    section: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="student")  # or assistant, instructor
    created_at: Mapped[datetime] = mapped_column(default=now)

    course: Mapped[Course] = relationship()
    user: Mapped[User | None] = relationship()


class JoinRequest(Record):
    """A person who came by a course's join code and waits; gone when staff has decided."""

    __tablename__ = "join_requests"
    __table_args__ = (UniqueConstraint("course_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    asked_at: Mapped[datetime] = mapped_column(default=now)

    course: Mapped[Course] = relationship()
    user: Mapped[User] = relationship()
