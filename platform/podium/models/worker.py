"""Worker processes that are or were online."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now


class WorkerProcess(Record):
    """A process that serves one queue; silent for longer than a lease means gone."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    device: Mapped[str] = mapped_column(default="cpu")
    version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
