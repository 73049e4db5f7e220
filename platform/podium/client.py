"""The HTTP API from Python: what the command line uses, and notebooks may.

Answers are the API's own dictionaries (`/api/v1/openapi.json` describes them). Needs `requests`
and nothing else of the platform.
"""

import contextlib
import hashlib
import os
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import requests

from podium import __version__
from podium.errors import PodiumError

API = "/api/v1"
TIMEOUT_S = (10, 120)  # to connect, between two bytes of an answer
TRIES = 4
PAUSE_S = 0.5
CHUNK = 1 << 18
MOST_PER_PAGE = 200
OPEN_STATES = frozenset({"uploading", "queued", "running", "scoring"})

T = TypeVar("T")
Answer = dict[str, Any]
Progress = Callable[[int], object]  # told the bytes that have just passed


class ProblemError(PodiumError):
    """What the server answered instead; `status` is 0 where no server answered."""

    def __init__(self, status: int, code: str, message: str, details: list[Answer]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details


class Form:
    """A file as multipart/form-data, read in parts, so that it never lies in memory as a whole."""

    def __init__(
        self, file: BinaryIO, name: str, fields: dict[str, str], progress: Progress
    ) -> None:
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        shown = name.replace("\\", "_").replace('"', "%22").replace("\r", " ").replace("\n", " ")
        said = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        said += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head, self._tail = said.encode(), f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._progress = progress
        size = os.fstat(file.fileno()).st_size
        self._length = len(self._head) + size + len(self._tail)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while chunk := self._file.read(CHUNK):
            self._progress(len(chunk))
            yield chunk
        yield self._tail


class Client:
    """One server and, unless it is None, the token of who calls it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise ProblemError(
                0, "bad_request", f"{url!r} is no address. It begins with http:// or https://.", []
            )
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.headers["User-Agent"] = f"podium/{__version__}"
        # Set as the session's auth: requests would else take a password from ~/.netrc.
        self._http.auth = _Bearer(token)

    def create_token(
        self, handle: str, password: str, *, name: str = "API", scopes: list[str] | None = None
    ) -> Answer:
        """A new token for handle and password; its text is under `token`."""
        asked = {"handle": handle, "password": password, "name": name, "scopes": scopes}
        return self._json("POST", "/tokens", json=asked)

    def revoke_token(self, token_id: int) -> None:
        """End one of the caller's tokens."""
        self._call("DELETE", f"/tokens/{token_id}").close()

    def me(self) -> Answer:
        """Who is calling."""
        return self._json("GET", "/me")

    def competitions(
        self, *, level: str | None = None, search: str | None = None, mine: bool = False
    ) -> list[Answer]:
        """All competitions that fit."""
        query = {"level": level, "search": search, "mine": "true" if mine else None}
        return self._all("/competitions", query)

    def competition(self, slug: str) -> Answer:
        """One competition."""
        return self._json("GET", f"/competitions/{_part(slug)}")

    def join(self, slug: str, message: str = "") -> Answer:
        """Join it, or ask to with a message to its host; joining again changes nothing."""
        said = {"message": message} if message else None
        return self._json("POST", f"/competitions/{_part(slug)}/join", params=said)

    def act_on(self, slug: str, verb: str, ids: Sequence[int], reason: str = "") -> Answer:
        """Cancel, disqualify, reinstate or retry many submissions: for staff; what was done."""
        said = {"verb": verb, "submissions": list(ids), "reason": reason}
        return self._json("POST", f"/competitions/{_part(slug)}/submissions/acts", json=said)

    def entry_requests(self, slug: str) -> list[Answer]:
        """Who waits to be let in: for staff."""
        found: list[Answer] = self._json("GET", f"/competitions/{_part(slug)}/requests")["items"]
        return found

    def answer_entry(self, slug: str, request_id: int, *, accepts: bool, reason: str) -> None:
        """Let a person in, or decline: for staff."""
        said = {"accepts": accepts, "reason": reason}
        self._call("POST", f"/competitions/{_part(slug)}/requests/{request_id}", json=said).close()

    def limits(self, slug: str) -> Answer:
        """What may still be submitted."""
        return self._json("GET", f"/competitions/{_part(slug)}/limits")

    def files(self, slug: str) -> list[Answer]:
        """The files to download."""
        found: list[Answer] = self._json("GET", f"/competitions/{_part(slug)}/files")["items"]
        return found

    def download(
        self, slug: str, file: Answer, folder: Path, progress: Progress = lambda _: None
    ) -> Path:
        """Fetch a file of `files` into a folder; goes on where a broken download stopped.

        The bytes are checked against the SHA-256 of the listing; ProblemError if they differ.
        """
        name: str = file["name"]
        digest: str = file["sha256"]
        if Path(name).name != name or name in {"", ".", ".."}:
            raise ProblemError(0, "fault", f"The server names a file {name!r}: refused.", [])
        target = folder / name
        if target.is_file() and sha256_of(target) == digest:
            progress(file["size_bytes"])
            return target
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.part"
        path = f"/competitions/{_part(slug)}/files/{_part(name)}"
        resumed = part.is_file()
        persist(lambda: self._fetch(path, digest, part, progress))
        if resumed and sha256_of(part) != digest:  # what lay there was of another file
            part.unlink()
            persist(lambda: self._fetch(path, digest, part, progress))
        if sha256_of(part) != digest:
            part.unlink()
            raise ProblemError(
                0, "fault", f"{name} arrived damaged and was dropped. Download it again.", []
            )
        os.replace(part, target)
        return target

    def _fetch(
        self,
        path: str,
        digest: str,
        part: Path,
        progress: Progress,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Append what is missing of a file, or begin anew if it has changed meanwhile."""
        have = part.stat().st_size if part.is_file() else 0
        ranges = {"Range": f"bytes={have}-", "If-Range": f'"{digest}"'} if have else {}
        try:
            answer = self._call("GET", path, headers=ranges | (headers or {}), stream=True)
        except ProblemError as error:
            if error.status != 416:
                raise
            return  # there is nothing behind what we have
        with answer, part.open("ab" if answer.status_code == 206 else "wb") as out:
            if answer.status_code == 206:
                progress(have)
            for chunk in answer.iter_content(CHUNK):
                out.write(chunk)
                progress(len(chunk))

    def submit(
        self,
        slug: str,
        file: Path,
        message: str = "",
        kind: str = "predictions",
        *,
        key: str | None = None,
        progress: Progress = lambda _: None,
    ) -> Answer:
        """Hand in a file. Sent again after a broken connection, it is still one submission."""
        path = f"/competitions/{_part(slug)}/submissions"
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        fields = {"message": message, "kind": kind}
        return self._send(path, file, fields, headers, progress)

    def check(self, slug: str, file: Path, kind: str = "predictions") -> Answer:
        """The server's dry run of a file: costs nothing."""
        return self._send(f"/competitions/{_part(slug)}/check", file, {"kind": kind}, {})

    def file_rules(self, slug: str) -> Answer:
        """The rules of a file of predictions as data, the ids of the sample submission included."""
        return self._json("GET", f"/competitions/{_part(slug)}/file-rules")

    def _send(
        self,
        path: str,
        file: Path,
        fields: dict[str, str],
        headers: dict[str, str],
        progress: Progress = lambda _: None,
    ) -> Answer:
        def send() -> Answer:
            with file.open("rb") as opened:
                form = Form(opened, file.name, fields, progress)
                typed = headers | {"Content-Type": form.content_type}
                return self._json("POST", path, data=form, headers=typed)

        return persist(send)

    def submissions(self, slug: str) -> list[Answer]:
        """The own submissions, newest first."""
        return self._all(f"/competitions/{_part(slug)}/submissions", {})

    def all_submissions(self, slug: str, **wanted: str) -> list[Answer]:
        """Everybody's submissions, newest first, that fit a filter: for staff."""
        return self._all(f"/competitions/{_part(slug)}/submissions/all", wanted)

    def participants(self, slug: str) -> list[Answer]:
        """Who takes part: for staff."""
        return self._all(f"/competitions/{_part(slug)}/participants", {})

    def submission(self, submission_id: int) -> Answer:
        """One submission."""
        return self._json("GET", f"/submissions/{submission_id}")

    def wait(
        self, submission_id: int, limit_s: float, tell: Callable[[Answer], object] = lambda _: None
    ) -> Answer:
        """Ask until it has ended or the time is over; `tell` sees every answer."""
        end = time.monotonic() + limit_s
        pause = 0.1
        while True:
            found = persist(lambda: self.submission(submission_id))
            tell(found)
            left = end - time.monotonic()
            if found["state"] not in OPEN_STATES or left <= 0:
                return found
            time.sleep(min(pause, left))
            pause = min(2.0, pause * 1.5)

    def episodes(self, submission_id: int) -> list[Answer]:
        """What an agent has played, newest first."""
        return self._all(f"/submissions/{submission_id}/episodes", {})

    def replay(self, episode_id: int) -> Answer:
        """An episode step by step."""
        return self._json("GET", f"/episodes/{episode_id}/replay")

    def matches(self, slug: str, *, team: str = "", only_final: bool = False) -> list[Answer]:
        """The games of agents that play each other, the latest first."""
        query = {"team": team, "only_final": only_final}
        return self._all(f"/competitions/{_part(slug)}/matches", query)

    def final_round(self, slug: str) -> Answer:
        """How far the final round is."""
        return self._json("GET", f"/competitions/{_part(slug)}/final")

    def matrix(self, slug: str, *, top: int, only_final: bool = False) -> list[Answer]:
        """The first agents by rating, each with its points against the others."""
        query = {"top": top, "only_final": only_final}
        found: list[Answer] = self._json(
            "GET", f"/competitions/{_part(slug)}/matrix", params=query
        )["items"]
        return found

    def seasons(self) -> list[str]:
        """The names of the seasons, the latest first."""
        found: list[str] = self._json("GET", "/seasons")["items"]
        return found

    def season(self, name: str) -> list[Answer]:
        """The people of a season by their points of today."""
        return self._all(f"/seasons/{_part(name)}", {})

    def person(self, handle: str) -> Answer:
        """The final boards that a person stands on."""
        return self._json("GET", f"/people/{_part(handle)}")

    def environment(self, slug: str) -> Answer:
        """What submitted code runs with: packages, inputs, limits."""
        return self._json("GET", f"/competitions/{_part(slug)}/environment")

    def log(self, submission_id: int) -> str:
        """What happened to a submission, a line each."""
        with self._call("GET", f"/submissions/{submission_id}/log") as answer:
            return answer.text

    def cancel(self, submission_id: int) -> Answer:
        """Stop it before its score is recorded."""
        return self._json("POST", f"/submissions/{submission_id}/cancel")

    def retry(self, submission_id: int) -> None:
        """Run a submission again that ended in error: for hosts."""
        self._call("POST", f"/submissions/{submission_id}/retry")

    def grant(self, slug: str, to: dict[str, str], submissions: int, reason: str = "") -> Answer:
        """Give extra submissions, today and in all: for hosts.

        `to` has one key: team, student or section.
        """
        asked = {**to, "submissions": submissions, "reason": reason}
        return self._json("POST", f"/competitions/{_part(slug)}/grants", json=asked)

    def extend(self, slug: str, to: dict[str, str], until: str, reason: str = "") -> Answer:
        """Give a deadline of its own (ISO 8601 with zone): for hosts; `to` as in `grant`."""
        asked = {**to, "until": until, "reason": reason}
        return self._json("POST", f"/competitions/{_part(slug)}/extensions", json=asked)

    def leaderboard(
        self,
        slug: str,
        *,
        split: str = "public",
        page: int = 1,
        per_page: int = 50,
        at: str | None = None,
    ) -> Answer:
        """A page of the board, or (ISO 8601 with zone) of the public one as it stood then."""
        query = {"split": split, "page": page, "per_page": per_page, "at": at}
        return self._json("GET", f"/competitions/{_part(slug)}/leaderboard", params=query)

    def shakeup(self, slug: str) -> list[Answer]:
        """Public against private rank of all teams, after the reveal."""
        return self._all(f"/competitions/{_part(slug)}/shakeup", {})

    def team(self, slug: str) -> Answer:
        """The own team, and those that invite."""
        return self._json("GET", f"/competitions/{_part(slug)}/team")

    def create_team(self, slug: str, name: str) -> Answer:
        """Create a team, or name the own one."""
        return self._json("POST", f"/competitions/{_part(slug)}/team", json={"name": name})

    def invite(self, slug: str, handle: str | None = None) -> Answer:
        """Invite a person, or make a link."""
        path = f"/competitions/{_part(slug)}/team/invitations"
        return self._json("POST", path, json={"handle": handle})

    def accept_invitation(
        self, slug: str, team: str | None = None, code: str | None = None
    ) -> Answer:
        """Enter a team, by its name or a link's code."""
        path = f"/competitions/{_part(slug)}/team/accept"
        return self._json("POST", path, json={"team": team, "code": code})

    def leave_team(self, slug: str) -> Answer:
        """Leave for a team of one's own."""
        return self._json("POST", f"/competitions/{_part(slug)}/team/leave")

    def merge_team(self, slug: str, other: str) -> Answer:
        """Ask another team to become one, or agree; `team` is null until both have."""
        path = f"/competitions/{_part(slug)}/team/merge"
        return self._json("POST", path, json={"team": other})

    def finals(self, slug: str) -> Answer:
        """What is selected and what would count."""
        return self._json("GET", f"/competitions/{_part(slug)}/finals")

    def choose_finals(self, slug: str, submissions: list[int]) -> Answer:
        """Let these be final, and no others."""
        path = f"/competitions/{_part(slug)}/finals"
        return self._json("PUT", path, json={"submissions": submissions})

    def select(self, submission_id: int) -> Answer:
        """Add a submission to the finals."""
        return self._json("POST", f"/submissions/{submission_id}/select")

    def board_options(self, slug: str) -> Answer:
        """What the host has chosen for the board: for hosts."""
        return self._json("GET", f"/competitions/{_part(slug)}/board")

    def change_board(self, slug: str, options: Answer) -> Answer:
        """Change options of the board: for hosts."""
        return self._json("PATCH", f"/competitions/{_part(slug)}/board", json=options)

    def announcements(self, slug: str) -> list[Answer]:
        """What the host has told everybody."""
        found: list[Answer] = self._json("GET", f"/competitions/{_part(slug)}/announcements")[
            "items"
        ]
        return found

    def announce(self, slug: str, title: str, text: str, *, is_pinned: bool = True) -> Answer:
        """Tell everybody something: for hosts."""
        said = {"title": title, "text": text, "is_pinned": is_pinned}
        return self._json("POST", f"/competitions/{_part(slug)}/announcements", json=said)

    def edit_announcement(self, slug: str, announcement_id: int, wanted: Answer) -> Answer:
        """Change what is given."""
        path = f"/competitions/{_part(slug)}/announcements/{announcement_id}"
        return self._json("PATCH", path, json=wanted)

    def remove_announcement(self, slug: str, announcement_id: int) -> None:
        """Take one back."""
        path = f"/competitions/{_part(slug)}/announcements/{announcement_id}"
        self._call("DELETE", path).close()

    def set_text(self, slug: str, text: str | None, reason: str = "") -> None:
        """Give a competition a text of its own; None: the challenge's again."""
        said = {"text": text, "reason": reason}
        self._call("PUT", f"/competitions/{_part(slug)}/text", json=said).close()

    def reveal(self, slug: str, reason: str = "") -> Answer:
        """Show the private board to everybody: for hosts."""
        path = f"/competitions/{_part(slug)}/reveal"
        return self._json("POST", path, json={"reason": reason})

    def disqualify(
        self,
        slug: str,
        *,
        team: str | None = None,
        submission: int | None = None,
        reason: str = "",
        lift: bool = False,
    ) -> Answer:
        """Take a team or a submission off the boards, or lift that: for hosts."""
        asked = {"team": team, "submission": submission, "reason": reason, "lift": lift}
        return self._json("POST", f"/competitions/{_part(slug)}/disqualifications", json=asked)

    def integrity(self, slug: str) -> Answer:
        """What may be worth a question: for hosts."""
        return self._json("GET", f"/competitions/{_part(slug)}/integrity")

    def rescoring(self, slug: str) -> Answer:
        """The undecided trial with its difference: for hosts."""
        return self._json("GET", f"/competitions/{_part(slug)}/rescoring")

    def begin_rescoring(self, slug: str, answers: Path | None, fields: dict[str, str]) -> Answer:
        """Begin a trial: for hosts."""
        path = f"/competitions/{_part(slug)}/rescoring"
        if answers is None:
            return self._json("POST", path, data=fields)
        with answers.open("rb") as opened:
            form = Form(opened, answers.name, fields, lambda _: None)
            typed = {"Content-Type": form.content_type}
            return self._json("POST", path, data=form, headers=typed)

    def apply_rescoring(self, slug: str, reason: str = "", *, leaves_out: bool = False) -> Answer:
        """Put a trial's scores in force: for hosts."""
        path = f"/competitions/{_part(slug)}/rescoring/apply"
        return self._json("POST", path, json={"reason": reason, "leaves_out": leaves_out})

    def discard_rescoring(self, slug: str, reason: str = "") -> None:
        """Throw a trial away: for hosts."""
        path = f"/competitions/{_part(slug)}/rescoring/discard"
        self._call("POST", path, json={"reason": reason}).close()

    def edit(self, slug: str, options: Answer) -> Answer:
        """Change a competition or its board: for hosts."""
        return self._json("PATCH", f"/competitions/{_part(slug)}", json=options)

    def create_competition(
        self,
        fields: dict[str, str],
        file: Path | None = None,
        parts: dict[str, Path] | None = None,
    ) -> Answer:
        """A draft: of a bundled challenge, of a folder's zip, or of CSVs.

        `parts` are the three files `train`, `test` and `answers` of a split that is given.
        """
        if parts:
            with contextlib.ExitStack() as opened:
                sent = {n: opened.enter_context(path.open("rb")) for n, path in parts.items()}
                return self._json("POST", "/competitions", data=fields, files=sent)
        if file is None:
            return self._json("POST", "/competitions", data=fields)
        with file.open("rb") as opened:  # sent once: a second try would find the name taken
            form = Form(opened, file.name, fields, lambda _: None)
            typed = {"Content-Type": form.content_type}
            return self._json("POST", "/competitions", data=form, headers=typed)

    def checks(self, slug: str) -> Answer:
        """The stage of a competition, and what its checks have found: for hosts."""
        return self._json("GET", f"/competitions/{_part(slug)}/checks")

    def ask_checks(self, slug: str) -> Answer:
        """Let a draft be checked again: for hosts."""
        return self._json("POST", f"/competitions/{_part(slug)}/checks")

    def hand_in_baseline(self, slug: str, name: str, file: Path) -> Answer:
        """Hand in a file as a baseline: for hosts."""
        path = f"/competitions/{_part(slug)}/baselines"
        return self._send(path, file, {"name": name}, {})

    def advance(self, slug: str, verb: str, reason: str = "") -> Answer:
        """`publish`, `open` or `close` a competition: for hosts."""
        return self._json("POST", f"/competitions/{_part(slug)}/{verb}", json={"reason": reason})

    def clone(self, slug: str, new_slug: str, days: int, course: str | None) -> Answer:
        """The same competition once more, its dates later by so many days: for hosts."""
        asked = {"slug": new_slug, "days": days, "course": course}
        return self._json("POST", f"/competitions/{_part(slug)}/clone", json=asked)

    def export_competition(self, slug: str, out: Path) -> None:
        """Write the zip of a competition's folder, answers included: for hosts."""
        path = f"/competitions/{_part(slug)}/export"
        with self._call("GET", path, stream=True) as answer, out.open("wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)

    def courses(self) -> list[Answer]:
        """The own courses."""
        found: list[Answer] = self._json("GET", "/courses")["items"]
        return found

    def course(self, course: str) -> Answer:
        """One of them."""
        return self._json("GET", f"/courses/{_part(course)}")

    def create_course(self, course: str, title: str, time_zone: str) -> Answer:
        """A new course: for instructors."""
        asked = {"slug": course, "title": title, "time_zone": time_zone}
        return self._json("POST", "/courses", json=asked)

    def change_course(self, course: str, options: Answer) -> Answer:
        """Change options of a course: for its instructors."""
        return self._json("PATCH", f"/courses/{_part(course)}", json=options)

    def renew_course_code(self, course: str, until: str | None) -> Answer:
        """A new join code; `until` is ISO 8601 with zone."""
        return self._json("POST", f"/courses/{_part(course)}/code", json={"until": until})

    def close_course_code(self, course: str) -> Answer:
        """Nobody joins by a code any more."""
        return self._json("DELETE", f"/courses/{_part(course)}/code")

    def join_course(self, code: str) -> Answer:
        """Join a course by its code."""
        return self._json("POST", "/courses/join", json={"code": code})

    def join_requests(self, course: str) -> list[Answer]:
        """Who came by a course's code and waits: for staff."""
        found: list[Answer] = self._json("GET", f"/courses/{_part(course)}/requests")["items"]
        return found

    def decide_request(self, course: str, request_id: int, *, accepts: bool, reason: str) -> None:
        """Let a person in, or decline."""
        said = {"accepts": accepts, "reason": reason}
        self._call("POST", f"/courses/{_part(course)}/requests/{request_id}", json=said).close()

    def roster(self, course: str) -> list[Answer]:
        """Everybody in a course: for its staff."""
        found: list[Answer] = self._json("GET", f"/courses/{_part(course)}/roster")["items"]
        return found

    def import_roster(
        self, course: str, file: Path, *, dry_run: bool = False, remove_absent: bool = False
    ) -> Answer:
        """Bring a course to a class list: for its staff; what was changed."""
        fields = {
            "dry_run": str(dry_run).lower(),
            "remove_absent": str(remove_absent).lower(),
        }
        return self._send(f"/courses/{_part(course)}/roster", file, fields, {})

    def enrol(self, course: str, handle: str, role: str, section: str = "") -> Answer:
        """Give a person with an account a place in a course: for its staff."""
        asked = {"handle": handle, "role": role, "section": section}
        return self._json("POST", f"/courses/{_part(course)}/people", json=asked)

    def grades(self, slug: str) -> Answer:
        """The rule and everybody's grade as computed now: for staff that may grade."""
        return self._json("GET", f"/competitions/{_part(slug)}/grades")

    def my_grade(self, slug: str) -> Answer:
        """The own grade, when it is released."""
        return self._json("GET", f"/competitions/{_part(slug)}/grades/mine")

    def set_grade_rule(self, slug: str, rule: Answer) -> None:
        """Publish how scores become percent: for instructors."""
        self._call("PUT", f"/competitions/{_part(slug)}/grades/rule", json=rule).close()

    def override_grade(self, slug: str, email: str, percent: float | None, note: str) -> None:
        """Set a student's grade by hand, or with None take that back."""
        asked = {"email": email, "percent": percent, "note": note}
        self._call("PUT", f"/competitions/{_part(slug)}/grades/override", json=asked).close()

    def release_grades(self, slug: str, reason: str = "") -> Answer:
        """Show every student their grade: for instructors."""
        path = f"/competitions/{_part(slug)}/grades/release"
        return self._json("POST", path, json={"reason": reason})

    def export_grades(self, slug: str, style: str, class_list: Path | None = None) -> Answer:
        """Grades as a file: csv, or canvas and moodle filled into their class list."""
        path = f"/competitions/{_part(slug)}/grades/export"
        if class_list is None:
            return self._json("POST", path, data={"style": style})
        return self._send(path, class_list, {"style": style}, {})

    def _all(self, path: str, query: dict[str, Any]) -> list[Answer]:
        found: list[Answer] = []
        page = 1
        while True:
            paging = {"page": page, "per_page": MOST_PER_PAGE}
            answer = self._json("GET", path, params=query | paging)
            found += answer["items"]
            if len(found) >= answer["total"] or not answer["items"]:
                return found
            page += 1

    def _json(self, method: str, path: str, **request: Any) -> Answer:
        with self._call(method, path, **request) as answer:
            try:
                found: Answer = answer.json()
            except requests.JSONDecodeError:
                raise _not_podium(self.url, answer) from None
            return found

    def _call(self, method: str, path: str, **request: Any) -> requests.Response:
        """The answer, or ProblemError."""
        try:
            answer = self._http.request(
                method, f"{self.url}{API}{path}", timeout=TIMEOUT_S, **request
            )
        except requests.RequestException as error:
            raise ProblemError(
                0,
                "no_answer",
                f"{self.url} does not answer ({_reason(error)}). Is the address right, and does "
                "the server run? `podium login --url URL` sets another address.",
                [],
            ) from error
        if answer.ok:
            return answer
        with answer:
            try:
                said = answer.json()["error"]
                raise ProblemError(
                    answer.status_code, said["code"], said["message"], said["details"]
                )
            except (requests.JSONDecodeError, KeyError, TypeError):
                raise _not_podium(self.url, answer) from None


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def persist(act: Callable[[], T]) -> T:
    """Try again after a broken connection or a 503, for what may safely be asked twice."""
    attempt = 1
    while True:
        try:
            return act()
        except ProblemError as error:
            if error.code not in {"no_answer", "unavailable"} or attempt == TRIES:
                raise
        except requests.RequestException as error:
            if attempt == TRIES:
                message = f"The connection broke off ({_reason(error)}). Run the command again."
                raise ProblemError(0, "no_answer", message, []) from error
        time.sleep(PAUSE_S * attempt)
        attempt += 1


def _not_podium(url: str, answer: requests.Response) -> ProblemError:
    return ProblemError(
        answer.status_code,
        "internal" if answer.status_code >= 500 else "no_podium",
        f"{url} answered {answer.status_code} in a form that Podium does not use. Is this the "
        "address of a Podium server?",
        [],
    )


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
        return "it took too long"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    return "no connection"


def _part(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def sha256_of(path: Path) -> str:
    """The digest of a file, as listings give it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
