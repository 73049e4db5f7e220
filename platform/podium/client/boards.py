"""Boards, and what they tell: progress, the shake-up, games of agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.client.transport import MOST_PER_PAGE, Transport, part

if TYPE_CHECKING:
    from podium.client import answers


class Boards(Transport):
    """Routes of boards and matches."""

    def leaderboard(
        self,
        slug: str,
        *,
        split: str = "public",
        page: int = 1,
        per_page: int = 50,
        at: str | None = None,
    ) -> answers.Board:
        """A page of the board, or (ISO 8601 with zone) of the public one as it stood then."""
        query = {"split": split, "page": page, "per_page": per_page, "at": at}
        return self._json("GET", f"/competitions/{part(slug)}/leaderboard", query=query)

    def board_rows(
        self, slug: str, *, split: str = "public", at: str | None = None
    ) -> Iterator[answers.BoardRow]:
        """All rows of the board, baselines among them, fetched page by page."""
        page = 1
        while True:
            found = self.leaderboard(slug, split=split, page=page, per_page=MOST_PER_PAGE, at=at)
            yield from found["items"]
            if page >= found["pages"]:
                return
            page += 1

    def history(self, slug: str, *, split: str = "public") -> list[answers.Progress]:
        """How the scores of the first ten grew, the own and the baselines'."""
        path = f"/competitions/{part(slug)}/history"
        return self._json("GET", path, query={"split": split})["items"]

    def shakeup(self, slug: str) -> Iterator[answers.Shift]:
        """Public against private rank of all teams, after the reveal."""
        return self._pages(f"/competitions/{part(slug)}/shakeup")

    def matches(
        self, slug: str, *, team: str = "", only_final: bool = False
    ) -> Iterator[answers.Match]:
        """The games of agents that play each other, the latest first."""
        query = {"team": team, "only_final": only_final}
        return self._pages(f"/competitions/{part(slug)}/matches", query)

    def final_round(self, slug: str) -> answers.FinalRound:
        """How far the final round is."""
        return self._json("GET", f"/competitions/{part(slug)}/final")

    def matrix(
        self, slug: str, *, top: int = 12, only_final: bool = False
    ) -> list[answers.MatrixRow]:
        """The first agents by rating, each with its points against the others."""
        query = {"top": top, "only_final": only_final}
        return self._json("GET", f"/competitions/{part(slug)}/matrix", query=query)["items"]
