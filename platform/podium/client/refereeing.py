"""What hosts decide about a board: its options, rescoring, reveal, disqualification."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from podium.client.submissions import Submissions
from podium.client.transport import part

if TYPE_CHECKING:
    from podium.client import answers


class Refereeing(Submissions):
    """Routes of hosts about a board."""

    def board_options(self, slug: str) -> answers.BoardOptions:
        """What the host has chosen for the board."""
        return self._json("GET", f"/competitions/{part(slug)}/board")

    def change_board(self, slug: str, options: answers.BoardOptionsRequest) -> answers.BoardOptions:
        """Change options of the board."""
        return self._json("PATCH", f"/competitions/{part(slug)}/board", send=options)

    def reveal(self, slug: str, reason: str = "") -> answers.Revealed:
        """Show the private board to everybody; there is no way back."""
        return self._json("POST", f"/competitions/{part(slug)}/reveal", send={"reason": reason})

    def disqualify(
        self,
        slug: str,
        *,
        team: str | None = None,
        submission: int | None = None,
        reason: str = "",
        lift: bool = False,
    ) -> answers.Disqualified:
        """Take a team or a submission off the boards, or lift that."""
        asked = {"team": team, "submission": submission, "reason": reason, "lift": lift}
        return self._json("POST", f"/competitions/{part(slug)}/disqualifications", send=asked)

    def integrity(self, slug: str) -> answers.Evidence:
        """What may be worth a question."""
        return self._json("GET", f"/competitions/{part(slug)}/integrity")

    def rescoring(self, slug: str) -> answers.Rescoring:
        """The undecided trial with its difference."""
        return self._json("GET", f"/competitions/{part(slug)}/rescoring")

    def begin_rescoring(
        self, slug: str, answers_file: Path | None, fields: dict[str, str]
    ) -> answers.Rescoring:
        """Begin a trial."""
        files = {} if answers_file is None else {"file": answers_file}
        return self._send("POST", f"/competitions/{part(slug)}/rescoring", fields, files)

    def apply_rescoring(
        self, slug: str, reason: str = "", *, leaves_out: bool = False
    ) -> answers.Rescoring:
        """Put a trial's scores in force."""
        path = f"/competitions/{part(slug)}/rescoring/apply"
        return self._json("POST", path, send={"reason": reason, "leaves_out": leaves_out})

    def discard_rescoring(self, slug: str, reason: str = "") -> None:
        """Throw a trial away."""
        path = f"/competitions/{part(slug)}/rescoring/discard"
        self._do("POST", path, send={"reason": reason})
