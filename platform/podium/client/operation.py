"""What admins read and do of the installation itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.client.transport import Transport

if TYPE_CHECKING:
    from podium.client import answers


class Operation(Transport):
    """Routes of admins."""

    def settings(self) -> list[answers.Setting]:
        """The settings in force, without their secrets."""
        return self._items("/operation/settings")

    def storage(self) -> answers.Usage:
        """What fills the storage."""
        return self._json("GET", "/operation/storage")

    def count_storage(self) -> answers.Usage:
        """Let it be counted again; takes seconds where there are many files."""
        return self._json("POST", "/operation/storage/count")

    def prune(
        self,
        days: int,
        *,
        also_scored: bool = False,
        unnamed: bool = False,
        apply: bool = False,
        reason: str = "",
    ) -> answers.Pruned:
        """Say which files of submissions a policy deletes, and with `apply` delete them."""
        asked = {
            "days": days,
            "also_scored": also_scored,
            "unnamed": unnamed,
            "apply": apply,
            "reason": reason,
        }
        return self._json("POST", "/operation/storage/prune", send=asked)

    def release(self, submission_id: int, reason: str = "") -> None:
        """Take a submission from the worker that holds it: it waits again, at no cost."""
        path = f"/operation/submissions/{submission_id}/release"
        self._do("POST", path, send={"reason": reason})
