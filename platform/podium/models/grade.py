"""Grades: how a competition's scores become percent, and what each student was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.course import Enrolment
from podium.models.record import Record


class GradeScheme(Record):
    """The published rule of one competition: scores with their percent, from worst to best."""

    __tablename__ = "grade_schemes"

    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str]  # anchors: linear between them; thresholds: steps
    # Each has name, percent, and score or baseline (a team's name, whose score it is).
    points: Mapped[list[Any]]
    equal_in_ties: Mapped[bool] = mapped_column(default=False, server_default=false())
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class Grade(Record):
    """A student's grade: what an instructor decided by hand, and what was last released."""

    __tablename__ = "grades"
    __table_args__ = (UniqueConstraint("competition_id", "enrolment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    enrolment_id: Mapped[int] = mapped_column(
        ForeignKey("enrolments.id", ondelete="CASCADE"), index=True
    )
    override: Mapped[float | None]  # in percent; no rescoring touches it
    note: Mapped[str] = mapped_column(default="")
    overridden_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    overridden_at: Mapped[datetime | None]
    released: Mapped[dict[str, Any] | None]  # what the student reads; see podium.grades
    released_at: Mapped[datetime | None]

    enrolment: Mapped[Enrolment] = relationship()
