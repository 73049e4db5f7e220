"""One installation's means in one record: settings, database, files and queue."""

from dataclasses import dataclass
from typing import Self

from podium.config import Config
from podium.database import Database
from podium.jobqueue import JobQueue
from podium.storage import Storage, open_storage


@dataclass(frozen=True)
class Installation:
    """What the rest of the house works with; opened once a process."""

    config: Config
    database: Database
    storage: Storage
    queue: JobQueue

    @classmethod
    def open(cls, config: Config) -> Self:
        """Open all four; nothing is contacted before it is needed."""
        return cls(
            config, Database(config.database), open_storage(config.storage), JobQueue(config.redis)
        )
