"""Who met whom: the games of agents that play each other as a list, and as a matrix of wins.

What a reader may see is decided here: trials by nobody, games of the disqualified by hosts only,
those of the final round by whoever sees private scores, and on a hidden board the own ones only.
Names are those of the board.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from podium import leaderboard
from podium.boardrules import HIDDEN, NAMED, PRIVATE, PUBLIC
from podium.leaderboard import Reader
from podium.matches import METRIC
from podium.models import Competition, Episode, Evaluation, Player, Submission, Team
from podium.verdicts import State

TOP = 12  # agents of a matrix, unless it is asked for more
MOST = 50


@dataclass(frozen=True)
class Part:
    """One seat of a game: whose, and what it scored (1, ½ or 0). The first seat begins."""

    team: str
    submission: int
    score: float
    erred: bool
    is_me: bool


@dataclass(frozen=True)
class Game:
    """One game of two agents; `number` names its opening, games of one number are pairs."""

    id: int
    number: int
    steps: int
    is_final: bool  # of the final round
    played_at: datetime
    players: Sequence[Part]


@dataclass(frozen=True)
class Cell:
    """What one agent did against another: its games, and the points they brought."""

    games: int
    points: float

    @property
    def share(self) -> float | None:
        """Points of a game, 0 to 1; None without a game."""
        return self.points / self.games if self.games else None


@dataclass(frozen=True)
class Agent:
    """An agent of the matrix: its rating, and a cell for each agent in the same order.

    The cell against itself is None.
    """

    team: str
    submission: int
    rating: float
    low: float | None
    high: float | None
    is_baseline: bool
    is_me: bool
    cells: Sequence[Cell | None]


def games(
    session: Session,
    competition: Competition,
    reader: Reader,
    *,
    sees_private: bool,
    team: str = "",
    only_final: bool = False,
    page: int = 1,
    per_page: int = 50,
) -> tuple[int, list[Game]]:
    """How many games the reader may see, and a page of them, the latest first.

    `team` keeps those in which a team's name, as the reader knows it, has this text.
    """
    shown = [
        Episode.competition_id == competition.id,
        Episode.is_trial.is_(False),
        *_in_sight(competition, reader, sees_private),
    ]
    if only_final:
        shown.append(Episode.split == PRIVATE)
    if team.strip():
        shown.append(_played_by(_called(session, competition, reader, team)))
    count = select(func.count()).select_from(select(Episode.id).where(*shown).subquery())
    total = session.scalar(count) or 0
    found = session.scalars(
        select(Episode)
        .where(*shown)
        .options(selectinload(Episode.players).joinedload(Player.submission))
        .order_by(Episode.id.desc())
        .offset((page - 1) * per_page)
        .limit(per_page)
    ).all()
    teams = {player.submission.team_id for one in found for player in one.players}
    names = leaderboard.names_of(session, competition, teams, reader)
    return total, [_game(one, names, reader) for one in found]


def _game(episode: Episode, names: dict[int, tuple[str, list[str]]], reader: Reader) -> Game:
    return Game(
        id=episode.id,
        number=episode.number,
        steps=episode.steps,
        is_final=episode.split == PRIVATE,
        played_at=episode.played_at,
        players=[
            Part(
                team=names[player.submission.team_id][0],
                submission=player.submission_id,
                score=player.score,
                erred=bool(player.fault),
                is_me=player.submission.team_id == reader.team_id,
            )
            for player in episode.players
        ],
    )


def matrix(
    session: Session,
    competition: Competition,
    reader: Reader,
    *,
    sees_private: bool,
    only_final: bool = False,
    top: int = TOP,
) -> list[Agent]:
    """The agents of the highest ratings, each with what it did against each of the others.

    Empty for those who see only their own row of a hidden board.
    """
    if competition.names == HIDDEN and not reader.is_host:
        return []
    split = PRIVATE if competition.revealed_at or (only_final and sees_private) else PUBLIC
    rated = session.execute(
        select(Submission.id, Team.id.label("team_id"), Team.is_baseline, Evaluation)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.competition_id == competition.id,
            Submission.state == State.SCORED,
            Submission.disqualified == "",
            Team.disqualified == "",
            Evaluation.metric == METRIC,
            Evaluation.split == split,
        )
        .order_by(Evaluation.value.desc(), Submission.received_at, Submission.id)
        .limit(min(top, MOST))
    ).all()
    ids = [row.id for row in rated]
    met = _met(session, competition, ids, sees_private=sees_private, only_final=only_final)
    names = leaderboard.names_of(session, competition, {row.team_id for row in rated}, reader)
    nothing = Cell(0, 0.0)
    return [
        Agent(
            team=names[row.team_id][0],
            submission=row.id,
            rating=row.Evaluation.value,
            low=row.Evaluation.low,
            high=row.Evaluation.high,
            is_baseline=row.is_baseline,
            is_me=row.team_id == reader.team_id,
            cells=[None if one == row.id else met.get((row.id, one), nothing) for one in ids],
        )
        for row in rated
    ]


def _met(
    session: Session,
    competition: Competition,
    ids: Sequence[int],
    *,
    sees_private: bool,
    only_final: bool,
) -> dict[tuple[int, int], Cell]:
    """Games and points of each of some agents against each other one of them."""
    own, other = aliased(Player), aliased(Player)
    splits = [PRIVATE] if only_final else [PUBLIC, PRIVATE]
    if not sees_private:
        splits = [one for one in splits if one == PUBLIC]
    rows = session.execute(
        select(own.submission_id, other.submission_id, func.count(), func.sum(own.score))
        .join(other, (other.episode_id == own.episode_id) & (other.seat != own.seat))
        .join(Episode, Episode.id == own.episode_id)
        .where(
            Episode.competition_id == competition.id,
            Episode.is_trial.is_(False),
            Episode.split.in_(splits),
            own.submission_id.in_(ids),
            other.submission_id.in_(ids),
        )
        .group_by(own.submission_id, other.submission_id)
    )
    return {(one, another): Cell(count, points) for one, another, count, points in rows}


def _in_sight(
    competition: Competition, reader: Reader, sees_private: bool
) -> list[ColumnElement[bool]]:
    shown: list[ColumnElement[bool]] = []
    if not sees_private:
        shown.append(Episode.split == PUBLIC)
    if reader.is_host:
        return shown
    off_the_board = (
        select(Player.episode_id)
        .join(Submission, Submission.id == Player.submission_id)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Player.episode_id == Episode.id,
            or_(Submission.disqualified != "", Team.disqualified != ""),
        )
        .exists()
    )
    shown.append(~off_the_board)
    if competition.names == HIDDEN:
        shown.append(_played_by([reader.team_id or 0]))
    return shown


def _played_by(team_ids: Iterable[int]) -> ColumnElement[bool]:
    return (
        select(Player.episode_id)
        .join(Submission, Submission.id == Player.submission_id)
        .where(and_(Player.episode_id == Episode.id, Submission.team_id.in_(team_ids)))
        .exists()
    )


def _called(session: Session, competition: Competition, reader: Reader, text: str) -> Sequence[int]:
    """The teams whose name, as this reader knows it, has this text."""
    wanted = text.strip().casefold()
    of_competition = Team.competition_id == competition.id
    if competition.names == NAMED or reader.is_host:
        named = select(Team.id).where(of_competition, Team.name.icontains(wanted, autoescape=True))
        return session.scalars(named).all()
    known = leaderboard.names_of(
        session, competition, session.scalars(select(Team.id).where(of_competition)), reader
    )
    return [team_id for team_id, (name, _) in known.items() if wanted in name.casefold()]
