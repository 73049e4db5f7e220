"""What a place on a final board is worth: medals and points, and the results kept of them.

Thresholds and formula are Kaggle's; docs/reference/seasons.md says them in full. Results are a
function of the board alone: they are made anew whenever it changes after the reveal, and a
rebuild makes all of them in the same way.
"""

import math
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from podium.boardrules import PRIVATE
from podium.models import BoardEntry, Competition, Membership, Result
from podium.models.record import now

GOLD, SILVER, BRONZE = "gold", "silver", "bronze"
MEDALS = (GOLD, SILVER, BRONZE)
MOST_POINTS = 100_000
FADES = timedelta(days=500)  # to 1/e
CHUNK = 10_000


def medal(rank: int, teams: int) -> str:
    """The medal of a rank among so many ranked teams; empty for none.

    >>> [medal(rank, 20) for rank in (2, 3, 4, 5, 8, 9)]
    ['gold', 'silver', 'silver', 'bronze', 'bronze', '']
    """
    for name, last in zip(MEDALS, _last_ranks(teams), strict=True):
        if rank <= last:
            return name
    return ""


def _last_ranks(teams: int) -> tuple[float, float, float]:
    """The last rank of gold, silver and bronze; a share of a team is none."""
    golds = 10 + teams // 500  # 0.2 %: one more for every 500 teams
    if teams < 100:
        return teams // 10, teams // 5, teams * 2 // 5
    if teams < 250:
        return 10, teams // 5, teams * 2 // 5
    if teams < 1000:
        return golds, 50, 100
    return golds, teams // 20, teams // 10


def points(rank: int, teams: int, members: int) -> float:
    """What a rank is worth to each of a team's members on the day it was decided.

    100,000 / √members · rank^-0.75 · log10(1 + log10(teams)); nothing where nobody was beaten.
    """
    share = MOST_POINTS / math.sqrt(members)
    return share * math.pow(rank, -0.75) * math.log10(1 + math.log10(teams))


def faded(worth: float, ended_at: datetime, moment: datetime) -> float:
    """What points are worth later: they fade by e^(-days/500)."""
    return worth * math.exp(-max(0.0, (moment - ended_at) / FADES))


def on_board(competition: Competition, split: str, rank: int | None, teams: int) -> str:
    """The medal that a row of a board carries; empty where none are given."""
    if split != PRIVATE or not _counts(competition) or rank is None:
        return ""
    return medal(rank, teams)


def refresh(session: Session, competition: Competition) -> int:
    """Make a competition's results anew from its final board; returns how many there are."""
    session.flush()
    session.execute(delete(Result).where(Result.competition_id == competition.id))
    if not _counts(competition):
        return 0
    place = (BoardEntry.order_key, BoardEntry.received_at)
    ranks = {
        team_id: rank
        for team_id, rank in session.execute(
            select(BoardEntry.team_id, func.rank().over(order_by=place)).where(
                BoardEntry.competition_id == competition.id,
                BoardEntry.split == PRIVATE,
                BoardEntry.ranked,
            )
        )
    }
    people = session.execute(
        select(Membership.team_id, Membership.user_id)
        .where(Membership.competition_id == competition.id)
        .order_by(Membership.id)
    ).all()
    sizes = Counter(team_id for team_id, _ in people)
    ended_at = competition.closes_at or competition.revealed_at or now()
    made = [
        {
            "competition_id": competition.id,
            "user_id": user_id,
            "team_id": team_id,
            "season": competition.season,
            "rank": ranks[team_id],
            "teams": len(ranks),
            "members": sizes[team_id],
            "medal": medal(ranks[team_id], len(ranks)),
            "points": points(ranks[team_id], len(ranks), sizes[team_id]),
            "ended_at": ended_at,
        }
        for team_id, user_id in people
        if team_id in ranks
    ]
    for start in range(0, len(made), CHUNK):
        session.execute(insert(Result), made[start : start + CHUNK])
    return len(made)


def follow(session: Session, competition: Competition) -> None:
    """Let the results follow a board that has changed; before the reveal there are none."""
    if _counts(competition):
        refresh(session, competition)


def _counts(competition: Competition) -> bool:
    return bool(competition.season) and competition.revealed_at is not None
