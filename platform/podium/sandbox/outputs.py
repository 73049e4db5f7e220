"""Takes the files that a program left in /out, trusting nothing about them.

Only plain files and folders come out. Links, devices, pipes, sockets and odd names are left
behind with a word about each; sizes are counted as they are copied, not as they are announced.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

DEEPEST = 8
LONGEST_NAME = 200
CHUNK = 1 << 20
TOLD = 20  # refusals that are listed


@dataclass
class Collected:
    """What was taken, in order of name, and what was not."""

    files: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    left_bytes: int = 0
    left_files: int = 0

    def refuse(self, name: str, why: str) -> None:
        """Note that something stays behind."""
        if len(self.refused) < TOLD:
            self.refused.append(f"{name!r} {why}")


def collect(folder_fd: int, target: Path, limit_bytes: int, limit_files: int) -> Collected:
    """Copy what lies in the open folder into `target`, which must exist and be ours alone.

    The folder is walked by descriptors, never by paths, so nothing in it can lead elsewhere. It
    must belong to a program that has ended.
    """
    collected = Collected(left_bytes=limit_bytes, left_files=limit_files)
    _folder(folder_fd, target, "", collected, 0)
    return collected


def _folder(folder_fd: int, target: Path, above: str, collected: Collected, depth: int) -> None:
    for name in sorted(os.listdir(folder_fd)):
        shown = above + name
        if not _plain(name):
            collected.refuse(shown, "has a name with characters that file names may not have.")
            continue
        if collected.left_files <= 0:
            collected.refuse(shown, "is one file too many.")
            return
        collected.left_files -= 1
        try:
            kind = os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mode
            if stat.S_ISDIR(kind):
                _subfolder(folder_fd, name, target / name, shown + "/", collected, depth)
            elif stat.S_ISREG(kind):
                _file(folder_fd, name, target / name, shown, collected)
            else:
                collected.refuse(shown, "is neither a file nor a folder.")
        except PermissionError:
            collected.refuse(shown, "may not be read: the program took the permission away.")


def _subfolder(
    folder_fd: int, name: str, target: Path, shown: str, collected: Collected, depth: int
) -> None:
    if depth == DEEPEST:
        collected.refuse(shown, f"lies more than {DEEPEST} folders deep.")
        return
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder_fd)
    try:
        target.mkdir()
        _folder(inner, target, shown, collected, depth + 1)
    finally:
        os.close(inner)


def _file(folder_fd: int, name: str, target: Path, shown: str, collected: Collected) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder_fd)
    with open(source, "rb", buffering=0) as file:
        size = os.fstat(source).st_size
        if size > collected.left_bytes:  # a sparse file may claim more than its folder can hold
            collected.refuse(shown, f"is larger ({size} bytes) than what may still come out.")
            return
        with target.open("xb") as kept:
            while block := file.read(CHUNK):
                kept.write(block)
        collected.left_bytes -= size
        collected.files.append(shown)


def _plain(name: str) -> bool:
    return len(name.encode(errors="surrogateescape")) <= LONGEST_NAME and name.isprintable()
