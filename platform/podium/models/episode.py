"""Episodes: games that agents played, alone or against each other, and who played them."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.competition import Competition
from podium.models.record import Record, now
from podium.models.submission import Submission


class Episode(Record):
    """One game. Its replay is a stretch of a stored file that holds those of one attempt.

    `number` names the hidden seed, which itself stands nowhere here.
    """

    __tablename__ = "episodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    split: Mapped[str]  # public or private; of two players, those of the final round are private
    game: Mapped[str]
    steps: Mapped[int]
    result: Mapped[str]  # one line for people
    is_trial: Mapped[bool]  # an agent against itself, to see whether it plays; not rated
    replay_key: Mapped[str]
    replay_start: Mapped[int]
    replay_bytes: Mapped[int]
    played_at: Mapped[datetime] = mapped_column(default=now)

    competition: Mapped[Competition] = relationship()
    players: Mapped[list["Player"]] = relationship(order_by="Player.seat")


class Player(Record):
    """One agent's part in an episode; the first seat begins."""

    __tablename__ = "players"

    episode_id: Mapped[int] = mapped_column(
        ForeignKey("episodes.id", ondelete="CASCADE"), primary_key=True
    )
    seat: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), index=True
    )
    score: Mapped[float]  # a return, or 1 for a game won, ½ drawn, 0 lost
    fault: Mapped[str]  # what it did wrong, if it did

    submission: Mapped[Submission] = relationship()


class Finalist(Record):
    """An agent that was in the pool when it was locked; `place` is where it sits, from 0 on."""

    __tablename__ = "finalists"
    __table_args__ = (UniqueConstraint("competition_id", "place"),)

    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True
    )
    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int]

    submission: Mapped[Submission] = relationship()
