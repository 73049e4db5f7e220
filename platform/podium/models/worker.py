"""Worker processes that are or were online."""

from datetime import datetime
from typing import Any

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from podium.models.record import Record, now


class WorkerProcess(Record):
    """A process that serves one queue; silent for longer than a lease means gone.

    Reconcilers are listed too, under the queue `reconcile`.
    """

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    device: Mapped[str] = mapped_column(default="cpu")  # cpu, or the name of a GPU
    memory_mib: Mapped[int] = mapped_column(default=0, server_default="0")  # of the GPU
    driver: Mapped[str] = mapped_column(default="", server_default="")
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    trouble: Mapped[str] = mapped_column(default="", server_default="")  # why it does not work
    packages: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    warm: Mapped[int] = mapped_column(default=0, server_default="0")  # sandboxes that wait
    warm_mib: Mapped[int] = mapped_column(default=0, server_default="0")  # … hold together
    is_draining: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
