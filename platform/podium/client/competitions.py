"""Competitions as those see them who compete: find, join, download."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from podium.client.problem import ProblemError
from podium.client.transport import Progress, Transport, part, persist, sha256_of

if TYPE_CHECKING:
    from podium.client import answers


class Competitions(Transport):
    """Routes of competitions and their files."""

    def competitions(
        self, *, level: str | None = None, search: str | None = None, mine: bool | None = None
    ) -> Iterator[answers.Competition]:
        """All competitions that fit."""
        query = {"level": level, "search": search, "mine": mine or None}
        return self._pages("/competitions", query)

    def competition(self, slug: str) -> answers.CompetitionDetail:
        """One competition."""
        return self._json("GET", f"/competitions/{part(slug)}")

    def join(self, slug: str, message: str = "") -> answers.Joined:
        """Join it, or ask to with a message to its host; joining again changes nothing."""
        query = {"message": message or None}
        return self._json("POST", f"/competitions/{part(slug)}/join", query=query)

    def limits(self, slug: str) -> answers.Limits:
        """What may still be submitted."""
        return self._json("GET", f"/competitions/{part(slug)}/limits")

    def environment(self, slug: str) -> answers.Environment:
        """What submitted code runs with: packages, inputs, limits."""
        return self._json("GET", f"/competitions/{part(slug)}/environment")

    def files(self, slug: str) -> list[answers.File]:
        """The files to download."""
        return self._items(f"/competitions/{part(slug)}/files")

    def download(
        self, slug: str, file: answers.File, folder: Path, progress: Progress = lambda _: None
    ) -> Path:
        """Fetch a file of `files` into a folder; goes on where a broken download stopped.

        The bytes are checked against the SHA-256 of the listing; ProblemError if they differ.
        """
        name, digest = file["name"], file["sha256"]
        if Path(name).name != name or name in {"", ".", ".."}:
            raise ProblemError(0, "fault", f"The server names a file {name!r}: refused.")
        target = folder / name
        if target.is_file() and sha256_of(target) == digest:
            progress(file["size_bytes"])
            return target
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{name}.part"
        path = f"/competitions/{part(slug)}/files/{part(name)}"
        resumed = unfinished.is_file()
        self._fetch(path, digest, unfinished, progress)
        if resumed and sha256_of(unfinished) != digest:  # what lay there was of another file
            unfinished.unlink()
            self._fetch(path, digest, unfinished, progress)
        if sha256_of(unfinished) != digest:
            unfinished.unlink()
            raise ProblemError(
                0, "fault", f"{name} arrived damaged and was dropped. Download it again."
            )
        os.replace(unfinished, target)
        return target

    def _fetch(
        self,
        path: str,
        digest: str,
        out: Path,
        progress: Progress,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Bring what is missing of a file, or begin anew if it has changed meanwhile."""

        def fetch() -> None:
            have = out.stat().st_size if out.is_file() else 0
            ranges = {"Range": f"bytes={have}-", "If-Range": f'"{digest}"'} if have else {}
            try:
                self._stream(path, out, progress, ranges | (headers or {}))
            except ProblemError as error:
                if error.status != 416:  # else nothing is behind what we have
                    raise

        persist(fetch)

    def announcements(self, slug: str) -> list[answers.Announcement]:
        """What the host has told everybody."""
        return self._items(f"/competitions/{part(slug)}/announcements")
