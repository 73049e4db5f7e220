"""What people have won: a row for each person of a ranked team of a competition of a season."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.competition import Competition, Team
from podium.models.record import Record


class Result(Record):
    """One person's result; `points` are those of the day on which it ended."""

    __tablename__ = "results"

    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    season: Mapped[str] = mapped_column(index=True)
    rank: Mapped[int]
    teams: Mapped[int]  # ranked ones
    members: Mapped[int]  # people of the team
    medal: Mapped[str]  # gold, silver, bronze or none: empty
    points: Mapped[float]
    ended_at: Mapped[datetime]

    competition: Mapped[Competition] = relationship()
    team: Mapped[Team] = relationship()
