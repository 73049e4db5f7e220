"""A whole installation as one tar: every row and every file that a row names, and back again.

Taken while everything runs: the rows are read in one transaction, and what a row names was durable
before the row was. Rows are JSON, so that a backup of SQLite can be restored into PostgreSQL. The
files come first: until the last row is in, an interrupted restore has changed no table.
"""

import contextlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy import Connection, Date, DateTime, MetaData, Table, func, insert, select, text

from podium import __version__, schema
from podium.errors import ConflictError, FaultError
from podium.installation import Installation
from podium.models import Record, User

FORMAT = 1
CHUNK = 1 << 20
ROWS = 1000  # read and written at once
NOT_FILES = frozenset({"idempotency_key", "order_key", "low_key"})
SECRET = "secret-key"


@dataclass
class Report:
    """What was written or read."""

    rows: int = 0
    files: int = 0
    size_bytes: int = 0
    missing: list[str] = field(default_factory=list)  # named by a row, not in the storage


def write(installation: Installation, out: IO[bytes]) -> Report:
    """Write everything to a stream, in little memory whatever its size.

    ConflictError where the database has another schema than this code.
    """
    report = Report()
    database = installation.database
    revision, own = schema.revisions(database)
    if revision != own:
        raise ConflictError(
            f"The database has the schema {revision}, this Podium {own}. Back it up with the "
            "version that runs on it, or bring it up to date first: podium db upgrade"
        )
    with (
        tempfile.TemporaryDirectory(prefix="podium-backup-") as scratch,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        folder = Path(scratch)
        isolation = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            database.engine.connect().execution_options(**isolation) as connection,
            connection.begin(),
        ):
            tables = [_spool(connection, table, folder, report) for table in _tables()]
        manifest = {
            "format": FORMAT,
            "podium": __version__,
            "revision": revision,
            "made_at": datetime.now(UTC).isoformat(),
            "tables": [table.name for table in _tables()],
        }
        _add_text(archive, "manifest.json", json.dumps(manifest, indent=2))
        secret = installation.config.home / SECRET
        if secret.is_file():
            _add_text(archive, f"home/{SECRET}", secret.read_text())
        _add_files(installation, archive, folder / "keys", report)
        for path in tables:
            with path.open("rb") as rows:
                _add(archive, f"tables/{path.name}", rows)
    return report


def _tables() -> list[Table]:
    """All tables, those that others refer to first."""
    return list(Record.metadata.sorted_tables)


def _spool(connection: Connection, table: Table, folder: Path, report: Report) -> Path:
    """Write a table's rows to a file, and the keys that they name to another."""
    names = [column.name for column in table.columns]
    keys = [name for name in names if name.endswith("_key") and name not in NOT_FILES]
    path = folder / f"{table.name}.jsonl"
    with path.open("w", encoding="utf-8") as out, (folder / "keys").open("a") as named:
        order = list(table.primary_key.columns)
        rows = connection.execution_options(yield_per=ROWS).execute(select(table).order_by(*order))
        for row in rows.mappings():
            values = [row[column] for column in table.columns]
            out.write(json.dumps(values, default=_plain) + "\n")
            report.rows += 1
            named.writelines(f"{row[key]}\n" for key in keys if row[key])
        out.write(json.dumps(names) + "\n")  # last, and counted by nobody: what the values are
    return path


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be written to a backup.")


def _add_text(archive: tarfile.TarFile, name: str, content: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content.encode())
        _add(archive, name, file)


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes]) -> int:
    """Add a file that can be sought in, in chunks; its size."""
    entry = tarfile.TarInfo(name)
    entry.size = file.seek(0, 2)
    entry.mode = 0o600
    file.seek(0)
    archive.addfile(entry, file)
    return entry.size


def _add_files(
    installation: Installation, archive: tarfile.TarFile, keys: Path, report: Report
) -> None:
    seen: set[int] = set()
    with keys.open() as lines:
        for line in lines:
            key = line.rstrip("\n")
            if hash(key) in seen:
                continue
            seen.add(hash(key))
            try:
                stored = installation.storage.open(key)
            except FaultError:
                report.missing.append(key)
                continue
            with stored:
                report.size_bytes += _add(archive, f"files/{key}", stored)
            report.files += 1


def restore(installation: Installation, source: IO[bytes]) -> Report:
    """Read a backup into an empty installation; nothing else may use it meanwhile.

    The schema is made as the backup has it and brought to this code's afterwards. ConflictError
    if somebody is in the database already; FaultError for what is no backup, or of a later Podium.
    """
    database = installation.database
    report = Report()
    with (
        tempfile.TemporaryDirectory(prefix="podium-restore-") as scratch,
        _opened(source) as archive,
    ):
        folder = Path(scratch)
        manifest = None
        for entry in archive:
            content = archive.extractfile(entry)
            if content is None:
                continue
            if manifest is None:
                manifest = _manifest(entry.name, content.read())
                _need_empty(installation, manifest["revision"])
                continue
            _take(installation, entry, content, folder, report)
        if manifest is None:
            raise FaultError("The backup is empty.")
        with database.engine.connect() as connection, connection.begin():
            _load(connection, manifest["tables"], folder, report, is_sqlite=database.is_sqlite)
    schema.upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")  # else the first queries are planned for empty tables
    return report


@contextlib.contextmanager
def _opened(source: IO[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=source, mode="r|*") as archive:
            yield archive
    except tarfile.TarError as error:
        raise FaultError(f"This is no backup, or it is cut off: {error}.") from None


def _manifest(name: str, content: bytes) -> dict[str, Any]:
    if name != "manifest.json":
        raise FaultError(f"This is no backup of Podium: it begins with {name!r}.")
    manifest: dict[str, Any] = json.loads(content)
    if manifest["format"] != FORMAT:
        raise FaultError(
            f"The backup is of form {manifest['format']}, written by Podium "
            f"{manifest['podium']}. Install that version to restore it."
        )
    return manifest


def _need_empty(installation: Installation, revision: str) -> None:
    try:
        schema.upgrade(installation.database, revision)
    except schema.UnknownRevisionError:
        raise FaultError(
            f"The backup has the schema {revision}, which this Podium does not know. Install the "
            "version that made it, or a later one."
        ) from None
    with installation.database.reading() as session:
        if session.scalar(select(func.count()).select_from(User.__table__)):
            raise ConflictError(
                "There are people in this database already. Restore into an empty home: podium "
                "restore FILE --home NEW_DIR"
            )


def _take(
    installation: Installation,
    entry: tarfile.TarInfo,
    content: IO[bytes],
    folder: Path,
    report: Report,
) -> None:
    """Put one member where it belongs."""
    kind, _, name = entry.name.partition("/")
    if kind == "files":
        with contextlib.closing(installation.storage.receive(entry.size)) as incoming:
            while chunk := content.read(CHUNK):
                incoming.write(chunk)
            installation.storage.keep(incoming, name)
        report.files += 1
        report.size_bytes += entry.size
    elif kind == "tables" and "/" not in name:
        with (folder / name).open("wb") as out:
            shutil.copyfileobj(content, out, CHUNK)
    elif entry.name == f"home/{SECRET}":
        home = installation.config.home
        home.mkdir(parents=True, exist_ok=True)
        (home / SECRET).touch(mode=0o600)
        (home / SECRET).write_bytes(content.read())


def _load(
    connection: Connection,
    names: list[str],
    folder: Path,
    report: Report,
    *,
    is_sqlite: bool,
) -> None:
    """Insert all rows in one transaction, in the schema that the backup has."""
    metadata = MetaData()
    metadata.reflect(connection)
    for name in names:
        table = metadata.tables[name]
        path = folder / f"{name}.jsonl"
        columns = _columns(path)
        own = {key.parent.name for key in table.foreign_keys if key.column.table is table}
        for rows in _batches(path):
            records = [_record(table, columns, row, is_sqlite=is_sqlite) for row in rows]
            first = [record | dict.fromkeys(own & record.keys()) for record in records]
            connection.execute(insert(table), first)
            report.rows += len(rows)
        if own:
            _refer(connection, table, columns, path, own, is_sqlite=is_sqlite)
        if not is_sqlite and table.autoincrement_column is not None:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "
                    f"COALESCE((SELECT MAX(id) FROM {name}), 0) + 1, false)"
                )
            )


def _refer(
    connection: Connection,
    table: Table,
    columns: list[str],
    path: Path,
    own: set[str],
    *,
    is_sqlite: bool,
) -> None:
    """Set what refers to rows of the same table, now that all of them are there."""
    for rows in _batches(path):
        for row in rows:
            record = _record(table, columns, row, is_sqlite=is_sqlite)
            told = {name: record[name] for name in own if record.get(name) is not None}
            if told:
                connection.execute(
                    sa.update(table).where(table.c.id == record["id"]).values(**told)
                )


def _columns(path: Path) -> list[str]:
    """The last line of a table's file: the names of its columns."""
    with path.open("rb") as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - (1 << 16)))
        columns: list[str] = json.loads(file.read().splitlines()[-1])
    return columns


def _batches(path: Path) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    with path.open(encoding="utf-8") as lines:
        previous = None
        for line in lines:
            if previous is not None:
                batch.append(json.loads(previous))
            previous = line
            if len(batch) == ROWS:
                yield batch
                batch = []
    if batch:
        yield batch


def _record(
    table: Table, columns: list[str], values: list[Any], *, is_sqlite: bool
) -> dict[str, Any]:
    found = {}
    for name, value in zip(columns, values, strict=True):
        kind = table.columns[name].type
        if value is not None and isinstance(kind, DateTime):
            moment = datetime.fromisoformat(value)
            value = moment.astimezone(UTC).replace(tzinfo=None) if is_sqlite else moment
        elif value is not None and isinstance(kind, Date):
            value = date.fromisoformat(value)
        found[name] = value
    return found
