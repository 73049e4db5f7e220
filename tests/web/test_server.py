"""The web server as it is run: gunicorn's processes, and what a huge upload does to them."""

import psutil
import pytest
from tests.servers import web

from podium import accounts, competitions
from podium.client import Client, ProblemError

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MOST_MIB = 60  # what a process may grow by, whatever is sent to it


@pytest.fixture
def gunicorn(installation):
    """A running server of this installation: its process and address."""
    with web(installation) as running:
        yield running


@pytest.fixture
def ada(gunicorn, installation, factory):
    """A client who has joined a competition that takes files of 200 MiB."""
    factory.competition()
    caller = factory.member("ada-01")
    with installation.database.writing() as session:
        _, token = accounts.create_token(session, caller.id, "test")
        challenge = competitions.find(session, "toy").challenge
        submission = challenge.spec["submission"] | {"max_file_mib": 200}
        challenge.spec = challenge.spec | {"submission": submission}
    return Client(gunicorn[1], token)


@pytest.fixture
def sparse_file(tmp_path):
    """Makes a file of zeros that takes no room."""

    def make(mib):
        path = tmp_path / f"{mib}.csv"
        with path.open("wb") as file:
            file.truncate(mib << 20)
        return path

    return make


def test_a_gigabyte_is_refused_at_once_and_leaves_no_trace(
    gunicorn, ada, installation, sparse_file
):
    sent = []
    before = memory_mib(gunicorn[0])
    with pytest.raises(ProblemError) as caught:
        ada.submit("toy", sparse_file(1024), progress=sent.append)
    assert (caught.value.status, caught.value.code) == (413, "too_large")
    assert sum(sent) < 64 << 20
    assert memory_mib(gunicorn[0]) - before < MOST_MIB
    assert list((installation.storage.root / "incoming").glob("*")) == []


def test_a_large_file_passes_through_without_lying_in_memory(gunicorn, ada, sparse_file):
    before = memory_mib(gunicorn[0])
    assert ada.submit("toy", sparse_file(180))["size_bytes"] == 180 << 20
    assert memory_mib(gunicorn[0]) - before < MOST_MIB


def memory_mib(process):
    """The memory of the largest of its processes."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return max(member.memory_info().rss for member in family) / (1 << 20)
