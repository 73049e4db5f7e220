import re
import threading
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import event, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from podium import judging, monitoring, reconciler, schema
from podium.database import Database
from podium.errors import ConfigError
from podium.models import Competition, Evaluation, User
from podium.models.record import Record


def test_the_migrations_give_the_schema_of_the_models(installation):
    command.check(schema.alembic_config(installation.database))


def test_upgrading_twice_changes_nothing(installation):
    schema.upgrade(installation.database)
    current, head = schema.revisions(installation.database)
    assert current == head
    tables = set(inspect(installation.database.engine).get_table_names())
    assert tables == set(Record.metadata.tables) | {"alembic_version"}


def test_a_failed_write_leaves_nothing(installation):
    def fail():
        with installation.database.writing() as session:
            session.add(User(handle="a1", email="a@x.org", password_hash="none"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with installation.database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_times_keep_their_zone(installation):
    moment = datetime(2026, 11, 24, 12, 30, 1, 123456, tzinfo=UTC)
    with installation.database.writing() as session:
        session.add(User(handle="a1", email="a@x.org", password_hash="none", created_at=moment))
    with installation.database.reading() as session:
        assert session.scalars(select(User.created_at)).one() == moment


def test_a_time_without_a_zone_is_refused(installation):
    naive = datetime(2026, 11, 24)
    user = User(handle="a1", email="a@x.org", password_hash="none", created_at=naive)
    with (
        pytest.raises(StatementError, match="has no time zone"),
        installation.database.writing() as session,
    ):
        session.add(user)


def test_foreign_keys_are_enforced(installation):
    with pytest.raises(IntegrityError), installation.database.writing() as session:
        session.add(Competition(slug="x", challenge_id=77, title="X"))


def test_one_score_a_submission_scorer_truth_split_and_metric(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(1))

    def score():
        with installation.database.writing() as session:
            session.add(
                Evaluation(
                    submission_id=submission_id,
                    scorer_version="1",
                    truth_version="t",
                    split="public",
                    metric="accuracy",
                    value=1.0,
                    n=1,
                    signature="s",
                )
            )

    score()
    with pytest.raises(IntegrityError):
        score()


def test_parallel_read_modify_write_loses_nothing(installation, factory):
    factory.competition()

    def raise_revision():
        for _ in range(10):
            with installation.database.writing() as session:
                row = session.scalars(select(Competition).with_for_update(of=Competition)).one()
                row.board_revision += 1

    threads = [threading.Thread(target=raise_revision) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with installation.database.reading() as session:
        assert session.scalars(select(Competition.board_revision)).one() == 50


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_readers_do_not_wait(installation):
    with installation.database.writing() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
        session.add(User(handle="a1", email="a@x.org", password_hash="none"))
        session.flush()
        with installation.database.reading() as other:  # while the write is open
            assert other.scalars(select(User)).all() == []
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y"])
def test_an_unfit_database_is_refused(url):
    with pytest.raises(ConfigError):
        Database(url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_questions_about_the_queue_use_the_index_of_open_submissions(installation):
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT") and "submissions" in statement:
            rows = connection.connection.driver_connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
            plans.append(" ".join(str(row[3]) for row in rows))

    event.listen(installation.database.engine, "before_cursor_execute", explain)
    with installation.database.reading() as session:
        monitoring.open_submissions(session)
    reconciler.reconcile(installation)
    assert judging.take(installation, "score", "w1") is None
    assert len(plans) >= 4
    for plan in plans:
        assert re.search("INDEX ix_submissions_(open|waiting|team_open)", plan), plan
