"""Shapes of games between agents: the list, the matrix of wins, the final round."""

from datetime import datetime

from pydantic import Field

from podium.encounters import MOST, TOP
from podium.web.api.shapes import Page, PageQuery, Shape


class MatchQuery(PageQuery):
    """Which games: of teams whose name has a text, of the final round."""

    team: str = Field("", max_length=100)
    only_final: bool = False


class MatrixQuery(Shape):
    """How many agents, and whether the final round alone."""

    top: int = Field(TOP, ge=2, le=MOST)
    only_final: bool = False


class MatchPart(Shape):
    """One seat of a game: 1 for a win, ½ for a draw, 0 for a loss. The first seat begins."""

    team: str
    submission: int
    score: float
    erred: bool
    is_me: bool


class Match(Shape):
    """One game; `number` names the opening, which both seats of a pair have played."""

    id: int
    number: int
    steps: int
    is_final: bool
    played_at: datetime
    players: list[MatchPart]
    replay_url: str


class Matches(Page):
    """A page of games, the latest first."""

    items: list[Match]


class MatrixCell(Shape):
    """Games of one agent against another, the points they brought, and points of a game."""

    games: int
    points: float
    share: float | None


class MatrixRow(Shape):
    """An agent with its rating; `cells` are against the agents of all rows, in their order."""

    team: str
    submission: int
    rating: float
    low: float | None
    high: float | None
    is_baseline: bool
    is_me: bool
    cells: list[MatrixCell | None]


class Matrix(Shape):
    """The agents of the highest ratings against each other."""

    competition: str
    items: list[MatrixRow]


class FinalRound(Shape):
    """How far the final round is: games that are played, of those that are planned.

    `games_of_a_pair` is 0 where there is none; `in_error` agents wait for the host.
    """

    games_of_a_pair: int
    began_at: datetime | None
    ended_at: datetime | None
    agents: int
    played: int
    planned: int
    in_error: int
    at_work: int
