"""The connection to the database and its two kinds of transaction: reading and writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from podium.errors import ConfigError

BUSY_TIMEOUT_MS = 30_000


class Database:
    """An engine with the house's rules for SQLite and PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url)
        backend = self.url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise ConfigError(f"Podium runs on sqlite and postgresql, not on {backend!r}.")
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite:
            if not self.url.database or self.url.database == ":memory:":
                raise ConfigError("SQLite in memory is not shared by processes: name a file.")
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(self.url, pool_size=20, max_overflow=20)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(self.url, pool_size=10, max_overflow=20, pool_pre_ping=True)
        self._writer: Engine = self.engine.execution_options(podium_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state; nothing it changes is kept."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or undone by any exception.

        SQLite takes its one write lock at the start (`BEGIN IMMEDIATE`), so that what is read
        inside is still true when it is written; PostgreSQL code locks rows with FOR UPDATE.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections (needed before a fork)."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # what was answered with 201 survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("podium_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
