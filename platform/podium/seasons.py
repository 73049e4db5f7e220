"""Seasons as people see them: the ranking of people, and what one of them has done.

Only revealed competitions count, and only those that the reader may know of are told: of a course
to its people. Boards that hide names count for no season.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import leaderboard, learningpath, medals
from podium.accounts import Caller
from podium.boardrules import NAMED, PRIVATE
from podium.competitions import sight_of
from podium.errors import NotFoundError
from podium.learningpath import Step
from podium.medals import BRONZE, GOLD, SILVER
from podium.models import BoardEntry, Competition, Membership, Result, Team, User


@dataclass(frozen=True)
class Standing:
    """A person's place in a season; people of equal points share a rank."""

    rank: int
    handle: str
    points: float  # of today: they fade
    gold: int
    silver: int
    bronze: int
    competitions: int
    is_me: bool


@dataclass(frozen=True)
class Season:
    """A season: what counts for it, and everybody who has a result, the first first."""

    name: str
    competitions: Sequence[Competition]
    standings: Sequence[Standing]


@dataclass(frozen=True)
class Entry:
    """One competition of a person's history; `points` are those of today."""

    competition: Competition
    team: str
    rank: int
    teams: int
    medal: str
    points: float | None  # None where it counts for no season


@dataclass(frozen=True)
class Profile:
    """What may be known of a person: the final boards that they stand on, the latest first."""

    handle: str
    since: datetime
    history: Sequence[Entry]
    path: Sequence[Step]  # through the practice challenges

    @property
    def next(self) -> Step | None:
        """The challenge to take next."""
        return learningpath.following(self.path)

    def count(self, medal: str) -> int:
        """How many medals of a kind."""
        return sum(one.medal == medal for one in self.history)

    @property
    def points(self) -> float:
        """The points of all seasons."""
        return sum(one.points or 0.0 for one in self.history)


def names(session: Session, caller: Caller | None) -> list[str]:
    """The seasons that something counts for which the reader may know of, the latest first."""
    found = session.scalars(
        select(Competition.season).where(Competition.season != "", sight_of(caller)).distinct()
    )
    return sorted(found, reverse=True)


def read(session: Session, caller: Caller | None, name: str, moment: datetime) -> Season:
    """A season as it stands at `moment`; NotFoundError if nothing in sight counts for it."""
    counted = session.scalars(
        select(Competition)
        .where(Competition.season == name, sight_of(caller))
        .order_by(Competition.closes_at, Competition.id)
    ).all()
    if not name or not counted:
        known = ", ".join(names(session, caller)) or "none yet"
        raise NotFoundError(f"There is no season {name!r}. There are: {known}.")
    found: dict[str, list[Result]] = {}
    for result, handle in session.execute(
        select(Result, User.handle)
        .join(User, User.id == Result.user_id)
        .where(Result.competition_id.in_([one.id for one in counted]), Result.season == name)
    ):
        found.setdefault(handle, []).append(result)
    own = caller.handle if caller else None
    return Season(name, counted, ranked(found, own, moment))


def ranked(results: dict[str, list[Result]], own: str | None, moment: datetime) -> list[Standing]:
    """People by their points at a moment, then by their medals."""
    rows = []
    for handle, of_person in results.items():
        worth = sum(medals.faded(one.points, one.ended_at, moment) for one in of_person)
        won = [sum(one.medal == kind for one in of_person) for kind in (GOLD, SILVER, BRONZE)]
        rows.append((-worth, [-one for one in won], handle, len(of_person)))
    rows.sort()
    standings: list[Standing] = []
    for place, (worth, won, handle, number) in enumerate(rows, 1):
        is_tied = bool(standings) and standings[-1].points == -worth
        rank = standings[-1].rank if is_tied else place
        gold, silver, bronze = (-one for one in won)
        standings.append(
            Standing(rank, handle, -worth, gold, silver, bronze, number, handle == own)
        )
    return standings


def profile(session: Session, caller: Caller | None, handle: str, moment: datetime) -> Profile:
    """What a reader may know of a person.

    Of somebody else who stands on no final board in sight it is not told whether they exist:
    NotFoundError.
    """
    user = session.scalar(select(User).where(User.handle == handle.lower()))
    history = _history(session, caller, user.id, moment) if user else []
    if user is None or (not history and (caller is None or caller.id != user.id)):
        raise NotFoundError(f"There is nobody {handle!r} on a final board that you may see.")
    path = learningpath.of(session, caller, user.id)
    return Profile(user.handle, user.created_at, history, path)


def _history(
    session: Session, caller: Caller | None, user_id: int, moment: datetime
) -> list[Entry]:
    rows = session.execute(
        select(Competition, Team)
        .join(Membership, Membership.competition_id == Competition.id)
        .join(Team, Team.id == Membership.team_id)
        .join(
            BoardEntry,
            (BoardEntry.competition_id == Competition.id)
            & (BoardEntry.team_id == Team.id)
            & (BoardEntry.split == PRIVATE)
            & BoardEntry.ranked,
        )
        .where(
            Membership.user_id == user_id,
            Competition.revealed_at.is_not(None),
            Competition.names == NAMED,
            sight_of(caller),
        )
        .order_by(Competition.revealed_at.desc(), Competition.id.desc())
    ).all()
    results = {
        one.competition_id: one
        for one in session.scalars(select(Result).where(Result.user_id == user_id))
    }
    return list(_entries(session, rows, results, moment))


def _entries(
    session: Session,
    rows: Sequence[tuple[Competition, Team]],
    results: dict[int, Result],
    moment: datetime,
) -> Iterable[Entry]:
    for competition, team in rows:
        result = results.get(competition.id)
        if result is None:
            rank = leaderboard.rank_of(session, competition.id, PRIVATE, team.id)
            assert rank is not None
            teams = leaderboard.ranked_teams(session, competition.id, PRIVATE)
            yield Entry(competition, team.name, rank, teams, "", None)
        else:
            worth = medals.faded(result.points, result.ended_at, moment)
            yield Entry(competition, team.name, result.rank, result.teams, result.medal, worth)
