"""Zip archives from strangers: the directory is judged before anything is decompressed."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from zipfile import ZipFile, ZipInfo

from podium_scoring.errors import Detail, SubmissionError
from podium_scoring.faults import refuse

MOST_MEMBERS = 200_000
_ENTRY = b"PK\x01\x02"  # begins each entry of the directory
_ENCRYPTED = 0x1
_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CLUTTER = re.compile(r"__MACOSX/|(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini)$|.*/$")


class Archive:
    """The members of a zip archive by name, each read within a bound."""

    def __init__(self, data: bytes, what: str) -> None:
        """SubmissionError if the bytes are no zip archive that is taken; `what` says which."""
        if data.count(_ENTRY) > MOST_MEMBERS:  # before a record is made of each
            got = f"more than {MOST_MEMBERS} members"
            refuse(f"The archive has {got}.", 1, None, f"at most {MOST_MEMBERS} members", got)
        try:
            self._zip = ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
            message = f"The file is not {what}: it is no whole zip archive."
            refuse(message, 1, None, what, _said(error))
        self.members: dict[str, ZipInfo] = {}
        for member in self._zip.infolist():
            self._take(member)
        if not self.members:
            refuse("The archive is empty.", 1, None, what, "no member")

    def _take(self, member: ZipInfo) -> None:
        name = printable(member.filename)
        if _CLUTTER.match(name):
            return
        if name in self.members:
            refuse(f"The archive has {name!r} twice.", None, name, "each name once", "it again")
        if member.flag_bits & _ENCRYPTED:
            message = f"The member {name!r} is encrypted. Write the archive without a password."
            refuse(message, None, name, "a plain member", "an encrypted one")
        if member.compress_type not in _PLAIN_METHODS:
            message = f"The member {name!r} is compressed in a rare way. Use deflate or store it."
            refuse(message, None, name, "deflate", f"method {member.compress_type}")
        self.members[name] = member

    def size(self, name: str) -> int:
        """The bytes that the directory says a member has."""
        return self.members[name].file_size

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a member; SubmissionError if it is damaged or has more than `most`."""
        if self.size(name) > most:
            refuse(
                f"The member {name!r} has {self.size(name)} bytes, at most {most} can be right.",
                None,
                name,
                f"at most {most} bytes",
                f"{self.size(name)} bytes",
            )
        return self._open(name, lambda file: file.read())

    def start(self, name: str, most: int) -> bytes:
        """The first bytes of a member; no more is decompressed."""
        return self._open(name, lambda file: file.read(most))

    def _open(self, name: str, read: Callable[[zipfile.ZipExtFile], bytes]) -> bytes:
        try:
            with self._zip.open(self.members[name]) as file:
                # It stops at the size of the directory, whatever the data would expand to.
                return read(file)  # type: ignore[arg-type]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise SubmissionError(
                f"The member {name!r} is damaged. Write the archive again.",
                [Detail(None, name, "a whole member", _said(error))],
            ) from None


def printable(name: str) -> str:
    """A member's name that can be shown and stored."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)


def _said(error: Exception) -> str:
    return printable(str(error))[:80] or type(error).__name__
