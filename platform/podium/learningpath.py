"""A student's path through the practice challenges: what each teaches, how far they have come."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from podium import catalog
from podium.accounts import Caller
from podium.boardrules import NAMED, PUBLIC
from podium.catalog import Spec
from podium.competitions import LEVELS, sight_of
from podium.models import BoardEntry, Competition, Membership, Team


@dataclass(frozen=True)
class Step:
    """A practice competition: the person's best public score there, and the best baseline's."""

    competition: Competition
    spec: Spec
    score: float | None
    baseline: float | None
    is_ahead: bool  # of that baseline


def of(session: Session, viewer: Caller | None, user_id: int) -> list[Step]:
    """All steps, from beginner to advanced, by title and short name.

    Where a board hides names, only the person sees the own score.
    """
    rows = session.execute(
        select(Competition, BoardEntry.score, BoardEntry.order_key)
        .outerjoin(
            Membership,
            and_(Membership.competition_id == Competition.id, Membership.user_id == user_id),
        )
        .outerjoin(
            BoardEntry,
            and_(BoardEntry.team_id == Membership.team_id, BoardEntry.split == PUBLIC),
        )
        .where(Competition.is_practice, sight_of(viewer))
    ).all()
    bars = _baselines(session)
    found = []
    is_own = viewer is not None and viewer.id == user_id
    for competition, own, own_key in rows:
        is_shown = is_own or competition.names == NAMED
        score, key = (own, own_key) if is_shown else (None, None)
        best, baseline = bars.get(competition.id, (None, None))
        found.append(
            Step(
                competition,
                catalog.parse(competition.challenge.spec),
                score,
                baseline,
                # Keys grow from best to worst, whatever the metric's direction.
                is_ahead=key is not None and best is not None and key < best,
            )
        )
    return sorted(found, key=_order)


def _order(step: Step) -> tuple[int, str, str]:
    competition = step.competition
    return LEVELS.index(step.spec.level), competition.title.lower(), competition.slug


def following(steps: Sequence[Step]) -> Step | None:
    """What to take next: the first whose baseline is not beaten yet."""
    return next((one for one in steps if one.baseline is not None and not one.is_ahead), None)


def _baselines(session: Session) -> dict[int, tuple[float, float]]:
    """Order key and score of the best baseline of each practice competition."""
    found: dict[int, tuple[float, float]] = {}
    for id_, key, score in session.execute(
        select(BoardEntry.competition_id, BoardEntry.order_key, BoardEntry.score)
        .join(Team, Team.id == BoardEntry.team_id)
        .join(Competition, Competition.id == BoardEntry.competition_id)
        .where(BoardEntry.split == PUBLIC, Team.is_baseline, Competition.is_practice)
    ):
        found[id_] = min(found.get(id_, (key, score)), (key, score))
    return found
