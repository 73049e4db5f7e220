import io
import tarfile
import tracemalloc

import pytest
from alembic import command
from sqlalchemy import func, select

from podium import accounts, backup, competitions, leaderboard, schema, submissions
from podium.config import Config
from podium.database import Database
from podium.errors import ConflictError, FaultError
from podium.installation import Installation
from podium.leaderboard import Reader
from podium.models import Record, Submission, Team


@pytest.fixture
def lived_in(installation, factory, predictions):
    """A course, a merged team, two scored submissions, a download, a token."""
    people = factory.course(student=("ada-01", "bob-01"))
    factory.competition()
    factory.offer("train.csv", b"x" * 1000)
    for handle, right in (("ada-01", 14), ("bob-01", 8)):
        with installation.database.writing() as session:
            competition = competitions.find(session, "toy")
            competitions.join(session, competition, people[handle])
        factory.judge(factory.submit(people[handle], predictions(right)))
    with installation.database.writing() as session:
        teams = session.scalars(select(Team).order_by(Team.id)).all()
        teams[0].merged_into_id = teams[1].id  # refers to a row that comes later
        accounts.create_token(session, people["ada-01"].id, "laptop")
    installation.config.secret()
    return people


def written(installation):
    out = io.BytesIO()
    report = backup.write(installation, out)
    out.seek(0)
    return out, report


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """An empty installation of either kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'new' / 'podium.db'}"
    else:
        own = request.getfixturevalue("own_postgres")
        own.create("restored")
        url = own.url.format("restored")
    config = Config.load(
        tmp_path / "new",
        database_url=url,
        redis_url="unix:///nowhere",
        storage_url=(tmp_path / "new" / "files").as_uri(),
    )
    opened = Installation.open(config)
    yield opened
    opened.database.close()


def rows(installation):
    """Every row of every table."""
    with installation.database.engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Record.metadata.sorted_tables
        }


def test_a_restored_home_has_every_row_and_every_file(installation, lived_in, empty):
    out, report = written(installation)
    assert (report.files, report.missing) == (7, [])
    again = backup.restore(empty, out)
    assert (again.rows, again.files, again.size_bytes) == (
        report.rows,
        report.files,
        report.size_bytes,
    )
    assert rows(empty) == rows(installation)
    with empty.database.reading() as session:
        for submission in session.scalars(select(Submission)):
            with empty.storage.open(submission.file_key) as there:
                assert there.read().startswith(b"id,label")
        board = leaderboard.read(session, competitions.find(session, "toy"), reader=Reader())
    assert [row.score for row in board.rows] == [0.7, 0.4]
    secrets = [one.config.home / "secret-key" for one in (empty, installation)]
    if secrets[1].is_file():
        assert secrets[0].read_text() == secrets[1].read_text()


def test_a_restored_home_goes_on(installation, factory_of, lived_in, empty, predictions):
    out, _ = written(installation)
    backup.restore(empty, out)
    caller = accounts.Caller(lived_in["ada-01"].id, "ada-01", "student", frozenset(accounts.SCOPES))
    with empty.database.writing() as session:
        new = accounts.create_user(session, "cy-01", "cy@uni.example", "none")
        assert new.id not in {one.id for one in lived_in.values()}
        found = submissions.of_person(session, caller)
    assert len(found) == 1


def test_whoever_is_there_already_is_not_overwritten(installation, lived_in):
    out, _ = written(installation)
    before = rows(installation)
    with pytest.raises(ConflictError, match="people in this database already"):
        backup.restore(installation, out)
    assert rows(installation) == before


def test_a_backup_that_is_cut_off_changes_no_table(installation, lived_in, empty):
    out, _ = written(installation)
    whole = out.getvalue()
    with pytest.raises(FaultError, match="cut off"):
        backup.restore(empty, io.BytesIO(whole[: len(whole) // 2]))
    with empty.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Team)) == 0
    backup.restore(empty, io.BytesIO(whole))
    assert rows(empty) == rows(installation)


def test_a_missing_file_is_told(installation, lived_in):
    with installation.database.reading() as session:
        key = session.scalars(select(Submission.file_key)).first()
    installation.storage.delete(key)
    _, report = written(installation)
    assert report.missing == [key]


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_what_is_no_backup_is_refused(installation, content):
    with pytest.raises(FaultError):
        backup.restore(installation, io.BytesIO(content))


def test_a_foreign_tar_is_refused(installation):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("passwd"), io.BytesIO())
    out.seek(0)
    with pytest.raises(FaultError, match="begins with 'passwd'"):
        backup.restore(installation, out)


def test_a_backup_of_a_later_podium_is_refused(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(schema.UnknownRevisionError):
        schema.upgrade(database, "9999")
    database.close()


def test_memory_does_not_grow_with_the_files(installation, factory):
    factory.competition()
    factory.offer("large.bin", b"\0" * (15 << 20))

    class Nowhere(io.RawIOBase):
        written = 0

        def writable(self):
            return True

        def write(self, data):
            Nowhere.written += len(data)
            return len(data)

    tracemalloc.start()
    backup.write(installation, Nowhere())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Nowhere.written > 15 << 20
    assert peak < 6 << 20


def test_a_database_of_another_schema_is_not_backed_up_but_told(installation):
    command.downgrade(schema.alembic_config(installation.database), "-1")
    with pytest.raises(ConflictError, match="podium db upgrade"):
        written(installation)
    schema.upgrade(installation.database)
    assert written(installation)[1].missing == []
