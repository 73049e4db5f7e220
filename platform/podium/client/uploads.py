"""Files that are sent in pieces, by tus 1.0: what broke off goes on where it was."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING

from podium.client.problem import ProblemError
from podium.client.transport import BUSY, GONE, Progress, Transport, part, sha256_of

if TYPE_CHECKING:
    from podium.client import answers

PIECE = 4 << 20  # bytes; larger files go in pieces of it
TRIES = 8  # in a row that bring nothing: more than a minute
LONGEST_PAUSE_S = 20.0
AGAIN = BUSY | GONE | {"conflict"}


class Uploads(Transport):
    """Routes of uploads in pieces."""

    def send_pieces(
        self, slug: str, file: Path, progress: Progress = lambda _: None
    ) -> answers.Arrival:
        """Bring a file whole, whatever breaks; what was there of it before is not sent again."""
        sha256 = sha256_of(file)
        same = (one for one in self.uploads(slug) if one["sha256"] == sha256)
        arrival = next(same, None) or self.begin_upload(slug, file, sha256)
        here = arrival["offset_bytes"]
        progress(here)
        is_sure, tries = True, 0
        while here < arrival["size_bytes"]:
            before = here
            try:
                if is_sure:
                    here = self.append(arrival["id"], file, before)
                else:
                    here = self.upload(arrival["id"])["offset_bytes"]
                is_sure = True
            except ProblemError as error:
                is_sure, tries = False, tries + 1
                if error.code not in AGAIN or tries == TRIES:
                    raise _kept(error, arrival, here) from error
                time.sleep(min(LONGEST_PAUSE_S, error.retry_after_s or 0.5 * 2**tries))
            if here > before:
                progress(here - before)
                tries = 0
        return arrival

    def begin_upload(self, slug: str, file: Path, sha256: str) -> answers.Arrival:
        """Announce a file."""
        said = {"filename": file.name, "sha256": sha256}
        pairs = [f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items()]
        headers = {"Upload-Length": str(file.stat().st_size), "Upload-Metadata": ",".join(pairs)}
        return self._json("POST", f"/competitions/{part(slug)}/uploads", headers=headers)

    def uploads(self, slug: str) -> list[answers.Arrival]:
        """The own ones to a competition, the one that moved last first."""
        return self._items(f"/competitions/{part(slug)}/uploads")

    def upload(self, upload_id: str) -> answers.Arrival:
        """How far one is."""
        return self._json("GET", f"/uploads/{part(upload_id)}")

    def append(self, upload_id: str, file: Path, start: int, most: int = PIECE) -> int:
        """Send the bytes of a file from `start` on, at most so many; how many are there now."""
        with file.open("rb") as content:
            content.seek(start)
            piece = content.read(most)
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(start),
        }
        answer = self._call("PATCH", f"/uploads/{part(upload_id)}", data=piece, headers=headers)
        return int(answer.headers["Upload-Offset"])

    def drop_upload(self, upload_id: str) -> None:
        """Give one up."""
        self._do("DELETE", f"/uploads/{part(upload_id)}")


def _kept(error: ProblemError, arrival: answers.Arrival, here: int) -> ProblemError:
    """The problem, with what is to be done about the half that is there."""
    share = 100 * here // arrival["size_bytes"]
    message = (
        f"{error.message} {share} % of {arrival['file_name']} has arrived and is kept for a day: "
        "the same command goes on from there."
    )
    return ProblemError(error.status, error.code, message, error.details)
