"""What hosts do with a competition: create, check, publish, change, watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.client.submissions import Submissions
from podium.client.transport import part, persist, save

if TYPE_CHECKING:
    from podium.client import answers


class Hosting(Submissions):
    """Routes of hosts."""

    def create_competition(
        self,
        fields: dict[str, str],
        file: Path | None = None,
        parts: dict[str, Path] | None = None,
    ) -> answers.Checks:
        """A draft: of a bundled challenge, of a folder's zip, or of CSVs.

        `parts` are the three files `train`, `test` and `answers` of a split that is given. Sent
        once: a second try would find the name taken.
        """
        files = parts or ({} if file is None else {"file": file})
        return self._send("POST", "/competitions", fields, files)

    def edit(self, slug: str, options: answers.EditRequest) -> answers.Edited:
        """Change a competition or its board."""
        return self._json("PATCH", f"/competitions/{part(slug)}", send=options)

    def set_text(self, slug: str, text: str | None, reason: str = "") -> None:
        """Give a competition a text of its own; None: the challenge's again."""
        path = f"/competitions/{part(slug)}/text"
        self._do("PUT", path, send={"text": text, "reason": reason})

    def checks(self, slug: str) -> answers.Checks:
        """The stage of a competition, and what its checks have found."""
        return self._json("GET", f"/competitions/{part(slug)}/checks")

    def ask_checks(self, slug: str) -> answers.Checks:
        """Let a draft be checked again."""
        return self._json("POST", f"/competitions/{part(slug)}/checks")

    def hand_in_baseline(self, slug: str, name: str, file: Path) -> answers.HandedIn:
        """Hand in a file as a baseline."""
        path = f"/competitions/{part(slug)}/baselines"
        return persist(lambda: self._send("POST", path, {"name": name}, {"file": file}))

    def publish(self, slug: str, reason: str = "") -> answers.Checks:
        """Let a checked draft be seen; it opens when its dates say so."""
        return self._json("POST", f"/competitions/{part(slug)}/publish", send={"reason": reason})

    def open(self, slug: str, reason: str = "") -> answers.Checks:
        """Open a competition now; a checked draft is published first."""
        return self._json("POST", f"/competitions/{part(slug)}/open", send={"reason": reason})

    def close_competition(self, slug: str, reason: str = "") -> answers.Checks:
        """End a competition now."""
        return self._json("POST", f"/competitions/{part(slug)}/close", send={"reason": reason})

    def clone(self, slug: str, new_slug: str, days: int, course: str | None) -> answers.Checks:
        """The same competition once more, its dates later by so many days."""
        asked = {"slug": new_slug, "days": days, "course": course}
        return self._json("POST", f"/competitions/{part(slug)}/clone", send=asked)

    def export_competition(self, slug: str, out: Path) -> Path:
        """Write the zip of a competition's folder, answers included."""
        path = f"/competitions/{part(slug)}/export"
        save(out, lambda file: self._stream(path, file, lambda _: None))
        return out

    def all_submissions(self, slug: str, **wanted: str) -> Iterator[answers.HandedIn]:
        """Everybody's submissions, newest first, that fit a filter."""
        return self._pages(f"/competitions/{part(slug)}/submissions/all", wanted)

    def retry(self, submission_id: int) -> None:
        """Run a submission again that ended in error."""
        self._do("POST", f"/submissions/{submission_id}/retry")

    def retry_all(
        self, slug: str, *, team: str = "", text: str = "", reason: str = ""
    ) -> answers.Retried:
        """Run all again that ended in error, or those of a team, or with a word in them."""
        path = f"/competitions/{part(slug)}/submissions/retry"
        return self._json("POST", path, send={"team": team, "text": text, "reason": reason})

    def act_on(self, slug: str, verb: str, ids: Sequence[int], reason: str = "") -> answers.Acts:
        """Cancel, disqualify, reinstate or retry many submissions; what was done."""
        said = {"verb": verb, "submissions": list(ids), "reason": reason}
        return self._json("POST", f"/competitions/{part(slug)}/submissions/acts", send=said)

    def entry_requests(self, slug: str) -> list[answers.EntryRequest]:
        """Who waits to be let in."""
        return self._items(f"/competitions/{part(slug)}/requests")

    def answer_entry(self, slug: str, request_id: int, *, accepts: bool, reason: str = "") -> None:
        """Let a person in, or decline."""
        said = {"accepts": accepts, "reason": reason}
        self._do("POST", f"/competitions/{part(slug)}/requests/{request_id}", send=said)

    def participants(self, slug: str) -> Iterator[answers.Participant]:
        """Who takes part."""
        return self._pages(f"/competitions/{part(slug)}/participants")

    def announce(
        self, slug: str, title: str, text: str, *, is_pinned: bool = True
    ) -> answers.Announcement:
        """Tell everybody something."""
        said = {"title": title, "text": text, "is_pinned": is_pinned}
        return self._json("POST", f"/competitions/{part(slug)}/announcements", send=said)

    def edit_announcement(
        self, slug: str, announcement_id: int, wanted: dict[str, Any]
    ) -> answers.Announcement:
        """Change what is given."""
        path = f"/competitions/{part(slug)}/announcements/{announcement_id}"
        return self._json("PATCH", path, send=wanted)

    def remove_announcement(self, slug: str, announcement_id: int) -> None:
        """Take one back."""
        self._do("DELETE", f"/competitions/{part(slug)}/announcements/{announcement_id}")

    def audit(self, slug: str, *, most: int = 200) -> list[answers.Act]:
        """What was done to a competition: by whom, when, why; the latest first."""
        path = f"/competitions/{part(slug)}/audit"
        return self._json("GET", path, query={"most": most})["items"]

    def grant(
        self, slug: str, to: dict[str, str], submissions: int, reason: str = ""
    ) -> answers.TeamLimits:
        """Give extra submissions, today and in all; `to` has a key: team, student or section."""
        asked = {**to, "submissions": submissions, "reason": reason}
        return self._json("POST", f"/competitions/{part(slug)}/grants", send=asked)

    def extend(
        self, slug: str, to: dict[str, str], until: str, reason: str = ""
    ) -> answers.TeamLimits:
        """Give a deadline of its own (ISO 8601 with zone); `to` as in `grant`."""
        asked = {**to, "until": until, "reason": reason}
        return self._json("POST", f"/competitions/{part(slug)}/extensions", send=asked)
