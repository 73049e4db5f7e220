"""What operators type on their own machine: what fills the storage, what may go."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from podium.models import Submission
from podium.models.record import now


@pytest.fixture
def operator(installation, shell):
    """The command line of whoever runs this installation."""
    home = {
        "PODIUM_DATABASE_URL": installation.config.database,
        "PODIUM_STORAGE_URL": installation.config.storage,
    }
    return type(shell)(shell.folder, shell.url, home)


def test_a_home_without_podium_is_said_with_what_to_do(shell, tmp_path):
    home = tmp_path / "empty"
    home.mkdir()
    elsewhere = type(shell)(shell.folder, shell.url, {"PODIUM_HOME": str(home)})
    for command in (("user", "role", "ada-01", "admin"), ("worker", "token", "r1")):
        done = elsewhere.run(*command)
        assert done.returncode == 2
        assert "There is no Podium in" in done.stderr
        assert "PODIUM_HOME" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_storage_is_shown_pruned_for_show_and_pruned(operator, installation, factory):
    factory.competition()
    number = factory.submit(factory.member("ada-01"), "id,label\n0,12\n")
    factory.judge(number)
    with installation.database.writing() as session:
        past = now() - timedelta(days=200)
        session.execute(update(Submission).values(received_at=past, ended_at=past))
    shown = json.loads(operator.run("storage", "show", "--format", "json").stdout)
    (own,) = (row for row in shown if row["what"] == "competition toy")
    assert (own["of"], own["files"], own["size_bytes"]) == ("submissions", 1, 14)

    assert operator.run("storage", "prune").returncode == 2  # after how many days?
    dry = operator.run("storage", "prune", "--days", "180", "--format", "json")
    assert json.loads(dry.stdout)[0] == {"what": "counts for nothing", "files": 1, "size_bytes": 14}
    assert "would be deleted" in dry.stderr
    with installation.database.reading() as session:
        assert session.get_one(Submission, number).file_key
    done = operator.run("storage", "prune", "--days", "180", "--apply", "--reason", "full")
    assert "1 files (14 bytes) were deleted." in done.stderr
    with installation.database.reading() as session:
        assert not session.get_one(Submission, number).file_key
