"""Submissions: hand in, check, wait for the score; and what agents play."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.client.form import Form
from podium.client.transport import Progress, part, persist, save
from podium.client.uploads import PIECE, Uploads

if TYPE_CHECKING:
    from podium.client import answers

OPEN_STATES = frozenset({"uploading", "queued", "running", "scoring"})
LONGEST_LOOK_S = 2.0


class Submissions(Uploads):
    """Routes of submissions and episodes."""

    def submit(
        self,
        slug: str,
        file: Path,
        message: str = "",
        kind: str = "predictions",
        *,
        key: str | None = None,
        progress: Progress = lambda _: None,
    ) -> answers.Submission:
        """Hand in a file. Sent again after a broken connection, it is still one submission."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        fields = {"message": message, "kind": kind}
        path = f"/competitions/{part(slug)}/submissions"
        fields, files, progress = self._ahead(slug, file, fields, progress)
        return persist(lambda: self._send("POST", path, fields, files, headers, progress))

    def check(
        self,
        slug: str,
        file: Path,
        kind: str = "predictions",
        *,
        progress: Progress = lambda _: None,
    ) -> answers.Checked:
        """The server's dry run of a file: costs nothing."""
        path = f"/competitions/{part(slug)}/check"
        fields, files, progress = self._ahead(slug, file, {"kind": kind}, progress)
        return persist(lambda: self._send("POST", path, fields, files, {}, progress))

    def _ahead(
        self, slug: str, file: Path, fields: dict[str, str], progress: Progress
    ) -> tuple[dict[str, str], dict[str, Path], Progress]:
        """What the form of a file holds: a large one goes ahead in pieces and is named in it."""
        if file.stat().st_size <= PIECE:
            return fields, {"file": file}, progress
        upload = self.send_pieces(slug, file, progress)
        return fields | {"upload": upload["id"]}, {}, lambda _: None

    def _send(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        files: dict[str, Path],
        headers: dict[str, str] | None = None,
        progress: Progress = lambda _: None,
    ) -> Any:
        """A form with files, sent once."""
        with Form(fields, files, progress) as form:
            typed = {**(headers or {}), **form.headers}
            return self._json(method, path, data=form, headers=typed)

    def file_rules(self, slug: str) -> answers.FileRules:
        """The rules of a file of predictions as data, the ids of the sample submission included."""
        return self._json("GET", f"/competitions/{part(slug)}/file-rules")

    def submissions(self, slug: str) -> Iterator[answers.Submission]:
        """The own submissions, newest first."""
        return self._pages(f"/competitions/{part(slug)}/submissions")

    def submission(self, submission_id: int) -> answers.Submission:
        """One submission."""
        return self._json("GET", f"/submissions/{submission_id}")

    def wait(
        self,
        submission_id: int,
        limit_s: float,
        tell: Callable[[answers.Submission], object] = lambda _: None,
    ) -> answers.Submission:
        """Ask until it has ended or the time is over; `tell` sees every answer."""
        end = time.monotonic() + limit_s
        pause = 0.1
        while True:
            found = persist(lambda: self.submission(submission_id), {"no_answer"})
            tell(found)
            left = end - time.monotonic()
            if found["state"] not in OPEN_STATES or left <= 0:
                return found
            time.sleep(min(pause, left))
            pause = min(LONGEST_LOOK_S, pause * 1.5)

    def log(self, submission_id: int) -> str:
        """What happened to a submission, a line each."""
        answer = self._call("GET", f"/submissions/{submission_id}/log")
        return answer.data.decode("utf-8", "replace")

    def fetch_submission(
        self, submission_id: int, out: Path, progress: Progress = lambda _: None
    ) -> Path:
        """Bring the file that was handed in."""
        path = f"/submissions/{submission_id}/file"
        save(out, lambda file: self._stream(path, file, progress))
        return out

    def cancel(self, submission_id: int) -> answers.Submission:
        """Stop it before its score is recorded."""
        return self._json("POST", f"/submissions/{submission_id}/cancel")

    def finals(self, slug: str) -> answers.Finals:
        """What is selected and what would count."""
        return self._json("GET", f"/competitions/{part(slug)}/finals")

    def choose_finals(self, slug: str, submissions: list[int]) -> answers.Finals:
        """Let these be final, and no others."""
        path = f"/competitions/{part(slug)}/finals"
        return self._json("PUT", path, send={"submissions": submissions})

    def select(self, submission_id: int) -> answers.Finals:
        """Add a submission to the finals."""
        return self._json("POST", f"/submissions/{submission_id}/select")

    def unselect(self, submission_id: int) -> answers.Finals:
        """Take a submission out of the finals."""
        return self._json("DELETE", f"/submissions/{submission_id}/select")

    def episodes(self, submission_id: int) -> Iterator[answers.Episode]:
        """What an agent has played, newest first."""
        return self._pages(f"/submissions/{submission_id}/episodes")

    def episode(self, episode_id: int) -> answers.Episode:
        """One of them."""
        return self._json("GET", f"/episodes/{episode_id}")

    def replay(self, episode_id: int) -> answers.Replay:
        """An episode step by step."""
        return self._json("GET", f"/episodes/{episode_id}/replay")
