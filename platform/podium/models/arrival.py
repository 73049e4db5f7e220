"""Files that arrive in pieces."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.record import Record, now


class Arrival(Record):
    """A file on its way to a competition; its id cannot be guessed."""

    __tablename__ = "arrivals"
    __table_args__ = (Index("ix_arrivals_user_id_moved_at", "user_id", "moved_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(
        ForeignKey("competitions.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)  # of the whole
    sha256: Mapped[str | None]  # of the whole, where its sender said so
    created_at: Mapped[datetime] = mapped_column(default=now)
    moved_at: Mapped[datetime] = mapped_column(default=now)  # the last piece came
    expires_at: Mapped[datetime] = mapped_column(index=True)

    pieces: Mapped[list["Piece"]] = relationship(
        order_by="Piece.start", lazy="selectin", passive_deletes=True
    )

    @property
    def offset_bytes(self) -> int:
        """How much of it is here: pieces follow each other without a gap."""
        return sum(piece.size_bytes for piece in self.pieces)


class Piece(Record):
    """A part of an arrival, where it begins, and its file. Nothing begins twice at one place."""

    __tablename__ = "pieces"

    arrival_id: Mapped[str] = mapped_column(
        ForeignKey("arrivals.id", ondelete="CASCADE"), primary_key=True
    )
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    file_key: Mapped[str]
