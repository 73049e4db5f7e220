import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from podium.errors import ConfigError, FaultError, TooLargeError
from podium.storage import FolderStorage, S3Storage, open_storage

KEY, SECRET = "podium-test", "a secret of tests"


@pytest.fixture(scope="module")
def s3_address(tmp_path_factory):
    """A server that speaks S3 and checks signatures."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    rclone = Path(sys.executable).parent / "rclone"
    command = [rclone, "serve", "s3", "--addr", address, "--auth-key", f"{KEY},{SECRET}", folder]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0:
                break
        time.sleep(0.05)
    yield f"http://{address}"
    server.terminate()
    server.wait()


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path, monkeypatch):
    if request.param == "folder":
        yield open_storage((tmp_path / "files").as_uri())
        return
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_address"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    opened = open_storage("s3://bucket/some/prefix")
    assert isinstance(opened, S3Storage)
    yield opened
    opened.client.close()


def test_everything_that_is_kept_is_listed_with_its_size_and_time(storage, request):
    before = datetime.now(UTC) - timedelta(seconds=5)  # S3 tells whole seconds
    folder = request.node.callspec.id
    sizes = {f"{folder}/{n % 7}/{n}": n for n in range(30)}
    for key, size in sizes.items():
        arrive(storage, b"x" * size, key)
    waiting = storage.receive(10)  # has arrived nowhere yet
    waiting.write(b"y")
    found = {key: (size, at) for key, size, at in storage.listed() if key.startswith(folder)}
    waiting.close()
    assert {key: size for key, (size, _) in found.items()} == sizes
    assert all(before <= at <= datetime.now(UTC) + timedelta(seconds=5) for _, at in found.values())
    storage.delete(f"{folder}/0/7")
    assert f"{folder}/0/7" not in {key for key, _, _ in storage.listed()}


def test_a_listing_of_many_pages_is_whole(storage, monkeypatch):
    if not isinstance(storage, S3Storage):
        pytest.skip("A folder has no pages.")
    whole = storage.client.get_paginator

    class Short:
        def __init__(self, name):
            self.pages = whole(name)

        def paginate(self, **asked):
            return self.pages.paginate(**asked, PaginationConfig={"PageSize": 4})

    for n in range(11):
        arrive(storage, b"x", f"pages/{n}")
    monkeypatch.setattr(storage.client, "get_paginator", Short)
    assert sum(key.startswith("pages/") for key, _, _ in storage.listed()) == 11


def arrive(storage, content, key, limit=1 << 20):
    incoming = storage.receive(limit)
    try:
        incoming.write(content)
        storage.keep(incoming, key)
        return incoming
    finally:
        incoming.close()


def read(storage, key):
    with storage.open(key) as file:
        return file.read()


def test_what_arrived_is_kept_with_its_size_and_digest(storage):
    kept = arrive(storage, b"hello", "a/b/c.txt")
    assert read(storage, "a/b/c.txt") == b"hello"
    assert kept.size_bytes == 5
    assert kept.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_putting_replaces(storage, tmp_path):
    for content in (b"old", b"new"):
        (tmp_path / "f").write_bytes(content)
        storage.put(tmp_path / "f", "k")
    assert read(storage, "k") == b"new"


def test_what_is_not_there_is_our_fault_and_deleting_it_none(storage):
    with pytest.raises(FaultError, match="'nowhere' is not in the storage"):
        storage.open("nowhere")
    storage.delete("nowhere")


def test_a_deleted_file_is_gone(storage):
    arrive(storage, b"x", "k")
    storage.delete("k")
    with pytest.raises(FaultError):
        storage.open("k")


def test_what_is_too_large_is_refused_and_leaves_nothing(storage):
    incoming = storage.receive(4)
    with pytest.raises(TooLargeError):
        incoming.write(b"12345")
    incoming.close()
    assert not incoming.path.exists()


def test_a_store_that_answers_passes_its_check(storage):
    storage.check()


def test_a_wrong_key_fails_the_check(s3_address, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not the secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    storage = open_storage("s3://bucket")
    with pytest.raises(FaultError, match="does not answer"):
        storage.check()
    storage.client.close()


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", ""])
def test_a_key_that_leads_out_of_the_folder_is_refused(tmp_path, key):
    with pytest.raises(FaultError, match="leads out"):
        FolderStorage(tmp_path / "files").open(key)


@pytest.mark.parametrize("url", ["ftp://x/y", "files", "s3:///no-bucket"])
def test_an_unknown_kind_of_store_is_refused(url):
    with pytest.raises(ConfigError, match="neither file"):
        open_storage(url)
