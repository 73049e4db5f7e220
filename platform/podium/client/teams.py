"""The own team: name it, invite, accept, leave, merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.client.transport import Transport, part

if TYPE_CHECKING:
    from podium.client import answers


class Teams(Transport):
    """Routes of teams."""

    def team(self, slug: str) -> answers.MyTeam:
        """The own team, and those that invite."""
        return self._json("GET", f"/competitions/{part(slug)}/team")

    def create_team(self, slug: str, name: str) -> answers.MyTeam:
        """Create a team, or name the own one."""
        return self._json("POST", f"/competitions/{part(slug)}/team", send={"name": name})

    def invite(self, slug: str, handle: str | None = None) -> answers.NewInvitation:
        """Invite a person, or make a link."""
        path = f"/competitions/{part(slug)}/team/invitations"
        return self._json("POST", path, send={"handle": handle})

    def withdraw_invitation(self, slug: str, handle: str | None = None) -> None:
        """Take back the invitation of a person, or (None) all links."""
        path = f"/competitions/{part(slug)}/team/invitations"
        self._do("DELETE", path, send={"handle": handle})

    def accept_invitation(
        self, slug: str, team: str | None = None, code: str | None = None
    ) -> answers.MyTeam:
        """Enter a team, by its name or a link's code."""
        path = f"/competitions/{part(slug)}/team/accept"
        return self._json("POST", path, send={"team": team, "code": code})

    def leave_team(self, slug: str) -> answers.MyTeam:
        """Leave for a team of one's own."""
        return self._json("POST", f"/competitions/{part(slug)}/team/leave")

    def merge_team(self, slug: str, other: str) -> answers.Merged:
        """Ask another team to become one, or agree; `team` is null until both have."""
        path = f"/competitions/{part(slug)}/team/merge"
        return self._json("POST", path, send={"team": other})
