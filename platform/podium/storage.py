"""Where files are kept: a folder, or an S3-compatible store. Keys are relative slash-paths."""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from podium.errors import ConfigError, FaultError, TooLargeError

CHUNK = 1 << 20
ARRIVING = "incoming"  # folder of files that nobody has kept yet


class Incoming:
    """A file that is still arriving: written once, hashed on the way, kept or dropped.

    It is what the web's form parser writes into, so an upload touches the disk once.
    """

    def __init__(self, folder: Path, limit_bytes: int, limit_text: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / uuid.uuid4().hex
        self.limit_bytes = limit_bytes
        self.limit_text = limit_text or f"The limit is {limit_bytes} bytes."
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO = self.path.open("x+b")

    @property
    def sha256(self) -> str:
        """Digest of what has arrived."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> int:
        """Append; raise TooLargeError at the first byte over the limit."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self.limit_bytes:
            raise TooLargeError(f"The file is larger than allowed. {self.limit_text}")
        self._hash.update(chunk)
        return self._file.write(chunk)

    def read(self, size: int = -1) -> bytes:
        """Read back from the current position."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the reading position."""
        return self._file.seek(offset, whence)

    def finish(self) -> Path:
        """Flush to the disk itself and give the path."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.path

    def close(self) -> None:
        """Close; drop the file unless a storage has kept it."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Storage(Protocol):
    """What Podium needs of a store."""

    def receive(self, limit_bytes: int, limit_text: str = "") -> Incoming:
        """Open a place for a file that arrives."""

    def keep(self, incoming: Incoming, key: str) -> None:
        """Make an arrived file durable under `key`."""

    def put(self, source: Path, key: str) -> None:
        """Copy a local file to `key`, replacing what was there."""

    def open(self, key: str) -> BinaryIO:
        """Open for reading; FaultError if it is not there."""

    def delete(self, key: str) -> None:
        """Remove; no error if it is not there."""

    def listed(self) -> Iterator[tuple[str, int, datetime]]:
        """Every kept file: key, bytes, and when it came."""

    def check(self) -> None:
        """Raise FaultError unless files can be written now."""


class FolderStorage:
    """Files in one folder of this machine (or of a network drive)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if not path.is_relative_to(self.root.resolve()) or not key:
            raise FaultError(f"The key {key!r} leads out of the storage folder.")
        return path

    def receive(self, limit_bytes: int, limit_text: str = "") -> Incoming:
        """Open a place on the same file system, so that keeping is a rename."""
        return Incoming(self.root / ARRIVING, limit_bytes, limit_text)

    def keep(self, incoming: Incoming, key: str) -> None:
        """Rename into place and flush the folder's entry."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(incoming.finish(), target)
        _sync_folder(target.parent)

    def put(self, source: Path, key: str) -> None:
        """Copy beside, flush, rename: readers see the old file or the new one."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as out:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())
        os.replace(out.name, target)
        _sync_folder(target.parent)

    def open(self, key: str) -> BinaryIO:
        """Open for reading."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise FaultError(f"The file {key!r} is not in the storage.") from None

    def delete(self, key: str) -> None:
        """Remove."""
        self._path(key).unlink(missing_ok=True)

    def listed(self) -> Iterator[tuple[str, int, datetime]]:
        """Every file below the folder but those that are still arriving."""
        for folder, below, names in os.walk(self.root):
            if Path(folder) == self.root and ARRIVING in below:
                below.remove(ARRIVING)
            for name in names:
                path = Path(folder, name)
                try:
                    known = path.stat()
                except FileNotFoundError:  # deleted meanwhile
                    continue
                modified = datetime.fromtimestamp(known.st_mtime, UTC)
                yield path.relative_to(self.root).as_posix(), known.st_size, modified

    def check(self) -> None:
        """Write and drop one byte."""
        try:
            probe = self.receive(1)
            probe.write(b"x")
            probe.finish()
            probe.close()
        except OSError as error:
            raise FaultError(f"The storage folder cannot be written: {error}.") from error


class S3Storage:
    """Files in a bucket; arriving files wait in this machine's temporary folder."""

    def __init__(self, bucket: str, prefix: str, client: Any = None) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.client = client or _s3_client()

    def receive(self, limit_bytes: int, limit_text: str = "") -> Incoming:
        """Open a local place; S3 gets the whole file at once."""
        return Incoming(Path(tempfile.gettempdir()) / "podium-incoming", limit_bytes, limit_text)

    def keep(self, incoming: Incoming, key: str) -> None:
        """Upload and compare the size the store tells with what arrived."""
        self.put(incoming.finish(), key)
        stored = self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        if stored["ContentLength"] != incoming.size_bytes:
            raise FaultError(f"The store kept {stored['ContentLength']} bytes of {key!r}.")

    def put(self, source: Path, key: str) -> None:
        """Upload in parts as needed."""
        self.client.upload_file(str(source), self.bucket, self.prefix + key)

    def open(self, key: str) -> BinaryIO:
        """Fetch to an unnamed local file that can be sought in."""
        out = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
        try:
            self.client.download_fileobj(self.bucket, self.prefix + key, out)
        except self.client.exceptions.ClientError as error:
            out.close()
            raise FaultError(f"The file {key!r} is not in the storage: {error}.") from error
        out.seek(0)
        return out

    def delete(self, key: str) -> None:
        """Remove."""
        self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def listed(self) -> Iterator[tuple[str, int, datetime]]:
        """Every object below the prefix."""
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
            for one in page.get("Contents", ()):
                yield one["Key"].removeprefix(self.prefix), one["Size"], one["LastModified"]

    def check(self) -> None:
        """Ask for one name in the bucket, which takes a signature that fits."""
        try:
            self.client.list_objects_v2(Bucket=self.bucket, MaxKeys=1)
        except Exception as error:
            raise FaultError(f"The bucket {self.bucket!r} does not answer: {error}.") from error


def open_storage(url: str) -> FolderStorage | S3Storage:
    """The store behind `file:///folder` or `s3://bucket/prefix` (credentials: AWS_* variables)."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStorage(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        prefix = parts.path.strip("/")
        return S3Storage(parts.netloc, f"{prefix}/" if prefix else "")
    raise ConfigError(f"The storage URL {url!r} is neither file:///folder nor s3://bucket/prefix.")


def _s3_client() -> Any:
    try:
        import boto3
        from botocore.config import Config as BotoConfig
    except ImportError:
        raise ConfigError("Storage on S3 needs boto3: pip install 'podium[s3]'.") from None
    # Not every S3-compatible store knows the newer checksum headers.
    quiet = BotoConfig(
        request_checksum_calculation="when_required", response_checksum_validation="when_required"
    )
    return boto3.Session().client("s3", config=quiet)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
