"""The materialised board: one row a team and split."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record


class BoardEntry(Record):
    """The best submission of a team on one split, ready to be listed.

    `order_key` grows from best to worst whatever the metric's direction, so that one index
    serves all boards; `score` is what people see.
    """

    __tablename__ = "board_entries"
    __table_args__ = (
        UniqueConstraint("competition_id", "split", "team_id"),
        Index(
            "ix_board_entries_order",
            "competition_id",
            "split",
            "ranked",
            "order_key",
            "received_at",
            "submission_id",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    split: Mapped[str]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    ranked: Mapped[bool]  # baselines are listed, not ranked
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    score: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    order_key: Mapped[float]
    received_at: Mapped[datetime]
    entries: Mapped[int]
    last_at: Mapped[datetime]
    others: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # by metric
    rank_before: Mapped[int | None]  # when the day began
    # How sure the place is, as podium.uncertainty computed it last; None where it has not.
    rank_low: Mapped[int | None]
    rank_high: Mapped[int | None]
    tie_group: Mapped[int | None]  # 1: not separable from the first


class BoardSegment(Record):
    """A stretch of a board with the number of ranked entries in it; see podium.positions."""

    __tablename__ = "board_segments"
    __table_args__ = (UniqueConstraint("competition_id", "split", "low_key", "low_received_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    split: Mapped[str]
    low_key: Mapped[float]
    low_received_at: Mapped[datetime]
    entries: Mapped[int]
