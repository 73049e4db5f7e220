"""Reads a submitted zip with suspicion: everything is checked before anything is unpacked.

The files stay in memory or go to a folder of our own; a name never decides where they end up.
"""

import io
import stat
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

from podium.sandbox.environment import packages as published_packages
from podium.sandbox.refusal import RefusedError

MANIFEST = "submission.toml"
ENTRIES = {"code": "predict.py", "agent": "agent.py"}  # used when no entry is named
KEYS = ("entry", "packages")
MIB = 1 << 20
ENCRYPTED = 0x1
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENTRY_MARK = b"PK\x01\x02"
MARKS_PER_FILE = 20  # zips inside the zip have marks of their own
CHUNK = 1 << 16


@dataclass(frozen=True)
class BundleLimits:
    """How much a zip may hold."""

    files: int = 1000
    total_mib: int = 256
    ratio: int = 200  # bytes unpacked for each byte packed
    name_length: int = 200
    depth: int = 12


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its files by name, what is run, the packages that it relies on."""

    entry: str
    files: Mapping[str, bytes] = field(repr=False)
    packages: tuple[str, ...] = ()

    def unpack(self, folder: Path) -> None:
        """Write the files below an empty folder, readable by the sandbox's user."""
        for name, content in self.files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def read_bundle(
    content: bytes,
    kind: str = "code",
    limits: BundleLimits | None = None,
    available: Mapping[str, str] | None = None,
) -> Bundle:
    """The bundle in these bytes of a zip, or of a single Python file.

    `kind` is `code` or `agent`. `available` are the packages of the environment with their
    versions, by default those that are installed here. Raises RefusedError that names what is
    wrong and where.
    """
    limits = limits or BundleLimits()
    if not content.startswith(b"PK"):
        return _single_file(content, ENTRIES[kind])
    files = read_zip(content, limits)
    entry, wanted = _manifest(files, ENTRIES[kind])
    if entry not in files:
        raise RefusedError(
            f"The bundle holds no {entry!r}. Put it at the top of the zip, or name another file as "
            f"`entry` in {MANIFEST}. Found: {', '.join(sorted(files)[:10])}."
        )
    _check_packages(wanted, published_packages() if available is None else available)
    return Bundle(entry, files, wanted)


def read_zip(content: bytes, limits: BundleLimits) -> dict[str, bytes]:
    """The files of a zip by name, without a folder around all of them; RefusedError."""
    try:
        if content.count(ENTRY_MARK) > MARKS_PER_FILE * limits.files:  # before each gets a record
            raise RefusedError(f"The zip holds too many entries. At most {limits.files:,}.")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _files(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise RefusedError(f"The zip is damaged or of an unusual kind: {error}.") from None
    return _without_root(files)


def _single_file(content: bytes, name: str) -> Bundle:
    if b"\0" in content[:4096]:
        raise RefusedError(f"The file is neither a zip nor a Python file. Send a zip with {name}.")
    return Bundle(name, {name: content})


def _files(archive: zipfile.ZipFile, limits: BundleLimits) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > limits.files:
        raise RefusedError(f"The zip holds {len(entries):,} entries. At most {limits.files:,}.")
    files: dict[str, bytes] = {}
    room = limits.total_mib * MIB
    for entry in entries:
        _check_entry(entry, limits)
        if entry.is_dir():
            continue
        if entry.filename in files:
            raise RefusedError(f"The zip holds {entry.filename!r} twice.")
        # What an entry says of its size may be a lie: the bytes are counted as they come.
        most = min(room, limits.ratio * max(entry.compress_size, 1) + CHUNK)
        files[entry.filename] = _inflate(archive, entry, most, limits)
        room -= len(files[entry.filename])
    _check_nesting(files)
    return files


def _check_entry(entry: zipfile.ZipInfo, limits: BundleLimits) -> None:
    name, mode = entry.filename, entry.external_attr >> 16
    path = PurePosixPath(name)
    plain = name.rstrip("/")
    if path.is_absolute() or "\\" in name or ":" in name or {"..", "."} & set(plain.split("/")):
        raise RefusedError(f"The zip holds {name!r}, which leads out of it. Use plain names.")
    if not name.isprintable() or "" in plain.split("/"):
        raise RefusedError(f"The zip holds the odd name {name!r}. Use plain names.")
    if len(name) > limits.name_length or len(path.parts) > limits.depth:
        raise RefusedError(
            f"The zip holds {name[:60]!r}…, which is too long or too deep: at most "
            f"{limits.name_length} characters and {limits.depth} folders."
        )
    if entry.flag_bits & ENCRYPTED:
        raise RefusedError(f"{name!r} is encrypted. Send the zip without a password.")
    if entry.compress_type not in COMPRESSIONS:
        raise RefusedError(f"{name!r} is packed in an unusual way. Use the zip format's deflate.")
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        raise RefusedError(f"{name!r} is a link. Put the file itself into the zip.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedError(f"{name!r} is a device or a pipe. A zip may hold files and folders.")


def _inflate(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, limits: BundleLimits
) -> bytes:
    pieces = io.BytesIO()
    with archive.open(entry) as source:
        while block := source.read(CHUNK):
            pieces.write(block)
            if pieces.tell() > most:
                raise RefusedError(
                    f"{entry.filename!r} unpacks to too much: at most {limits.total_mib} MiB in "
                    f"all, and {limits.ratio} times the packed size."
                )
    return pieces.getvalue()


def _check_nesting(files: Mapping[str, bytes]) -> None:
    """A file that is also a folder could not be written."""
    for name in files:
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise RefusedError(f"The zip holds {str(parent)!r} as a file and as a folder.")


def _without_root(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the one folder around everything that some programs make, and their litter."""
    files = {
        name: content
        for name, content in files.items()
        if not name.startswith("__MACOSX/") and not name.endswith((".DS_Store", ".pyc"))
    }
    roots = {name.split("/", 1)[0] for name in files}
    if len(roots) == 1 and all("/" in name for name in files):
        root = roots.pop()
        return {name[len(root) + 1 :]: content for name, content in files.items()}
    return files


def _manifest(files: Mapping[str, bytes], entry: str) -> tuple[str, tuple[str, ...]]:
    """Entry and packages as `submission.toml` says; without one, the published defaults."""
    if MANIFEST not in files:
        return entry, ()
    try:
        said = tomllib.loads(files[MANIFEST].decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RefusedError(f"{MANIFEST} is not TOML: {error}.") from None
    for key in said:
        if key not in KEYS:
            raise RefusedError(f"{MANIFEST} has the unknown key {key!r}. Known: {', '.join(KEYS)}.")
    entry = said.get("entry", entry)
    if not isinstance(entry, str) or not entry.endswith(".py"):
        raise RefusedError(f"{MANIFEST}: entry is {entry!r}. Name a Python file of the bundle.")
    wanted = said.get("packages", [])
    if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
        raise RefusedError(f'{MANIFEST}: packages is {wanted!r}. Write a list: ["numpy>=2"].')
    return entry, tuple(wanted)


def _check_packages(wanted: tuple[str, ...], available: Mapping[str, str]) -> None:
    have = {_plain(name): version for name, version in available.items()}
    for text in wanted:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise RefusedError(
                f'{MANIFEST}: packages has {text!r}. Write a name and versions: "numpy>=2".'
            ) from None
        version = have.get(_plain(requirement.name))
        if version is None:
            raise RefusedError(
                f"{MANIFEST}: {requirement.name} is not in the environment. Its packages are "
                "listed on the competition's page; bring what is missing inside the bundle."
            )
        if not requirement.specifier.contains(version, prereleases=True):
            raise RefusedError(
                f"{MANIFEST}: {text} is wanted; the environment has {requirement.name} {version}."
            )


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
