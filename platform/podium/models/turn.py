"""Whose turn it is: what each competition has had of a queue."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record


class Turn(Record):
    """A competition in a queue, in the units of start-time fair queueing (`podium.turns`)."""

    __tablename__ = "turns"

    queue: Mapped[str] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True
    )
    begun: Mapped[float] = mapped_column(default=0.0)  # virtual time at which its last one began
    served: Mapped[float] = mapped_column(default=0.0)  # … and at which its next one may begin
    round: Mapped[int] = mapped_column(default=0)  # of its teams: the round of the last taken
