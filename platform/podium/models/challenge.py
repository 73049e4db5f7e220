"""Challenges as prepared on this installation, and the files students get."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.record import Record, now


class Challenge(Record):
    """One version of a challenge folder in one edition, with its hidden split of this installation.

    `truth_version` names the answers; it is empty until they are prepared.
    """

    __tablename__ = "challenges"
    __table_args__ = (UniqueConstraint("slug", "version", "edition", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    version: Mapped[int]
    edition: Mapped[str]  # small or full
    revision: Mapped[int] = mapped_column(default=0, server_default="0")  # of a rescoring
    spec: Mapped[dict[str, Any]]  # challenge.toml as podium.catalog wrote it
    text: Mapped[str] = mapped_column(deferred=True)  # README.md, what students read
    state: Mapped[str]  # preparing, ready or broken
    state_reason: Mapped[str] = mapped_column(default="")
    seed: Mapped[int] = mapped_column(BigInteger)  # private: it decides the hidden split
    truth_version: Mapped[str] = mapped_column(default="")
    answers_key: Mapped[str] = mapped_column(default="")  # for score workers only
    sample_key: Mapped[str] = mapped_column(default="")  # the form that files must fit
    excluded: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # ids
    created_at: Mapped[datetime] = mapped_column(default=now)
    prepared_at: Mapped[datetime | None]

    files: Mapped[list["ChallengeFile"]] = relationship(
        back_populates="challenge", cascade="all, delete-orphan", order_by="ChallengeFile.name"
    )


class ChallengeFile(Record):
    """One file that students download; what lies in private/ is for runs only."""

    __tablename__ = "challenge_files"
    __table_args__ = (UniqueConstraint("challenge_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenges.id", ondelete="CASCADE"))
    name: Mapped[str]
    file_key: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int | None]
    description: Mapped[str] = mapped_column(default="")

    challenge: Mapped[Challenge] = relationship(back_populates="files")
