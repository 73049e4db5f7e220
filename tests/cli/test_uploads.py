"""Large files from the command line, over a line that breaks."""

import random

import pytest
from sqlalchemy import func, select
from tests.breakingproxy import BreakingProxy

from podium.client import Client, ProblemError, sha256_of, uploads
from podium.models import Piece, Submission

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MIB = 1 << 20


@pytest.fixture
def line(url):
    made = BreakingProxy(url)
    yield made
    made.close()


@pytest.fixture
def ada(signed_in, factory, line):
    """A student behind that line, with a file of ten MiB."""
    factory.competition()
    shell = signed_in(factory.member("ada-01"))
    shell.variables["PODIUM_URL"] = line.url
    shell.write("large.csv", random.Random(1).randbytes(10 * MIB))
    return shell


def test_a_break_in_the_middle_is_not_noticed(ada, line, installation):
    line.cut_after(6 * MIB)
    done = ada.run("submit", "toy", "-f", "large.csv", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert line.breaks == 1
    with installation.database.reading() as session:
        found = session.scalars(select(Submission)).one()
        assert found.size_bytes == 10 * MIB
        assert found.sha256 == sha256_of(ada.folder / "large.csv")
        sizes = session.scalars(select(Piece.size_bytes)).all()
    assert sum(sizes) == 10 * MIB
    assert any(size < uploads.PIECE and size > MIB for size in sizes[:-1])  # what came is kept


def test_what_was_given_up_goes_on_where_it_was(ada, line, installation, monkeypatch):
    monkeypatch.setattr(uploads, "TRIES", 2)
    file = ada.folder / "large.csv"
    with Client(line.url, ada.variables["PODIUM_TOKEN"]) as client:
        line.cut_after(6 * MIB, stays_broken=True)
        with pytest.raises(ProblemError, match=r"\d\d % of large.csv has arrived and is kept"):
            client.submit("toy", file)
        before = _arrived(installation)
        assert before > 5 * MIB
        line.cut_after(10 * MIB - before + MIB, stays_broken=True)  # not enough for all of it again
        made = client.submit("toy", file)
    assert line.breaks == 1
    assert made["sha256"] == sha256_of(file)


def test_a_check_brings_a_large_file_once(ada, line, installation):
    line.cut_after(11 * MIB, stays_broken=True)
    checked = ada.run("submit", "toy", "-f", "large.csv", "--dry-run")
    assert "zero byte" in checked.stderr
    done = ada.run("submit", "toy", "-f", "large.csv")
    assert done.returncode == 0, done.stderr


def _arrived(installation) -> int:
    with installation.database.reading() as session:
        return session.scalar(select(func.sum(Piece.size_bytes)))
