"""Bundles: what is taken, and every way of cheating that is refused in words."""

import io
import stat
import zipfile

import pytest

from podium.sandbox.bundle import BundleLimits, read_bundle
from podium.sandbox.refusal import RefusedError

CODE = b"def predict(batch):\n    return batch\n"
PACKAGES = {"numpy": "2.4.6", "Some_Package": "1.0"}


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_a_bundle_holds_its_files_and_names_its_entry():
    content = zipped(
        ("main.py", CODE),
        ("weights/w.bin", b"\0\1"),
        ("submission.toml", 'entry = "main.py"\npackages = ["numpy>=2", "some-package"]'),
    )
    bundle = read_bundle(content, available=PACKAGES)
    assert bundle.entry == "main.py"
    assert bundle.packages == ("numpy>=2", "some-package")
    assert bundle.files["weights/w.bin"] == b"\0\1"


def test_one_folder_around_everything_is_taken_off():
    content = zipped(("mine/predict.py", CODE), ("mine/lib/a.py", b""), ("__MACOSX/mine/._a", b"x"))
    assert sorted(read_bundle(content).files) == ["lib/a.py", "predict.py"]


def test_a_single_file_is_a_bundle():
    assert read_bundle(CODE, "agent").files == {"agent.py": CODE}


def test_an_unpacked_bundle_lies_below_its_folder(tmp_path):
    read_bundle(zipped(("predict.py", CODE), ("a/b/c.txt", "x"))).unpack(tmp_path)
    assert (tmp_path / "a/b/c.txt").read_text() == "x"
    assert (tmp_path / "predict.py").read_bytes() == CODE


HOSTILE = {
    "slip upwards": ([("../predict.py", CODE)], "leads out"),
    "slip within": ([("a/../../predict.py", CODE)], "leads out"),
    "absolute": ([("/etc/cron.d/x", CODE)], "leads out"),
    "backslash": ([(r"..\predict.py", CODE)], "leads out"),
    "drive": ([("C:/predict.py", CODE)], "leads out"),
    "control characters": ([("pre\ndict.py", CODE)], "odd name"),
    "long name": ([("x" * 300, CODE)], "too long"),
    "deep": ([("/".join(["d"] * 30) + "/x", CODE)], "too deep"),
    "link": ([(entry("predict.py", stat.S_IFLNK | 0o777), "/etc/shadow")], "is a link"),
    "device": ([(entry("predict.py", stat.S_IFCHR | 0o666), "")], "device"),
    "pipe": ([(entry("predict.py", stat.S_IFIFO | 0o666), "")], "device"),
    "file as folder": ([("a", b"x"), ("a/predict.py", CODE)], "as a file and as a folder"),
    "no entry": ([("main.py", CODE)], "no 'predict.py'"),
    "nothing": ([], "no 'predict.py'"),
    "bad manifest": ([("submission.toml", "entry = \n"), ("predict.py", CODE)], "line 1"),
    "unknown key": ([("submission.toml", "entri = 1"), ("predict.py", CODE)], "'entri'"),
    "entry that is a number": (
        [("submission.toml", "entry = 1"), ("predict.py", CODE)],
        "entry is 1",
    ),
    "missing package": (
        [("submission.toml", 'packages = ["tensorflow"]'), ("predict.py", CODE)],
        "tensorflow is not in the environment",
    ),
    "other version": (
        [("submission.toml", 'packages = ["numpy<2"]'), ("predict.py", CODE)],
        "has numpy 2.4.6",
    ),
    "odd requirement": (
        [("submission.toml", 'packages = ["numpy=="]'), ("predict.py", CODE)],
        "'numpy=='",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused(name):
    entries, words = HOSTILE[name]
    with pytest.raises(RefusedError) as refused:
        read_bundle(zipped(*entries), available=PACKAGES)
    assert words in refused.value.message


def test_a_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(RefusedError, match="unpacks to too much"):
        read_bundle(zipped(("predict.py", bytes(50 << 20))))


def test_more_bytes_than_allowed_are_refused_however_they_are_packed():
    content = zipped(
        *((f"{number}.bin", bytes(1 << 20)) for number in range(3)), compression=zipfile.ZIP_STORED
    )
    with pytest.raises(RefusedError, match="at most 2 MiB"):
        read_bundle(content, limits=BundleLimits(total_mib=2))


def test_an_entry_that_lies_about_its_size_is_refused():
    content = bytearray(zipped(("predict.py", bytes(10 << 20))))
    at = content.rfind(b"PK\x01\x02") + 24
    content[at : at + 4] = (100).to_bytes(4, "little")  # unpacked size in the directory
    with pytest.raises(RefusedError):
        read_bundle(bytes(content))


def test_too_many_files_are_refused():
    entries = [(f"{number}.txt", b"") for number in range(1001)]
    with pytest.raises(RefusedError, match="1,001 entries"):
        read_bundle(zipped(*entries))


def test_a_directory_of_very_many_entries_is_refused_unread():
    entries = [(f"{number}.txt", b"") for number in range(2100)]
    with pytest.raises(RefusedError, match="too many entries"):
        read_bundle(zipped(*entries), limits=BundleLimits(files=100))


def test_the_same_name_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped(("predict.py", CODE), ("predict.py", b"import os"))
    with pytest.raises(RefusedError, match="twice"):
        read_bundle(content)


def test_an_encrypted_entry_is_refused():
    content = bytearray(zipped(("predict.py", CODE)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= 1
    with pytest.raises(RefusedError, match="encrypted"):
        read_bundle(bytes(content))


def test_an_unusual_compression_is_refused():
    with pytest.raises(RefusedError, match="unusual"):
        read_bundle(zipped(("predict.py", CODE), compression=zipfile.ZIP_LZMA))


@pytest.mark.parametrize("cut", [4, 40, 100, -1, -10, -30])
def test_a_damaged_zip_is_refused(cut):
    content = zipped(("predict.py", CODE * 50), ("other.py", CODE))
    with pytest.raises(RefusedError):
        read_bundle(content[:cut])


def test_damaged_content_is_refused():
    content = bytearray(zipped(("predict.py", CODE * 50)))
    content[60] ^= 0xFF
    with pytest.raises(RefusedError, match="damaged"):
        read_bundle(bytes(content))


def test_bytes_that_are_neither_zip_nor_python_are_refused():
    with pytest.raises(RefusedError, match="neither a zip nor a Python file"):
        read_bundle(b"\x7fELF\0\0\0")
