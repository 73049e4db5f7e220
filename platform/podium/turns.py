"""Whose turn it is: the fair order of what waits, for those who take and those who wait.

A queue serves its competitions by start-time fair queueing (Goyal, Vin, Cheng 1996): each has a
virtual time that grows by 1/weight with every submission taken, the one that is furthest behind
is next, and one that was idle gets no credit for it. Inside a competition teams take turns: a
team's second waiting submission belongs to a later round than everybody's first. Lanes come
before all: people, then demo work, then rescoring.
"""

import functools
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from podium import attempts
from podium.attempts import Lease
from podium.installation import Installation
from podium.models import Challenge, Competition, Submission, Turn
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN
from podium.models.submission import WAITING
from podium.verdicts import State

PEOPLE, DEMO, RESCORING = 0, 1, 2  # lanes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Head:
    """The next submission of one competition."""

    submission_id: int
    competition_id: int
    lane: int
    round: int
    weight: float
    served: float


def enter(session: Session, submission: Submission) -> None:
    """Give a new submission its round, and its competition a place in the queue."""
    turn = _turn(session, submission.queue, submission.competition_id)
    last = session.scalar(
        select(func.max(Submission.round)).where(
            IS_OPEN,
            Submission.team_id == submission.team_id,
            Submission.state == State.QUEUED,
            Submission.queue == submission.queue,
        )
    )
    submission.round = turn.round if last is None else max(turn.round, last + 1)


def enter_next(session: Session, submission: Submission, queue: str) -> None:
    """Make a place for the next stage of a submission: in the round of now, for it has waited."""
    submission.round = _turn(session, queue, submission.competition_id).round


def enter_rescoring(session: Session, queue: str, competition_id: int) -> int:
    """Give a competition a place in the queue of a rescoring; the round of its submissions."""
    return _turn(session, queue, competition_id).round


def _turn(session: Session, queue: str, competition_id: int) -> Turn:
    turn = session.get(Turn, (queue, competition_id))
    if turn is None:
        _add(session, [(queue, competition_id)])
        turn = session.get_one(Turn, (queue, competition_id))
    return turn


def take(
    session: Session,
    queue: str,
    worker: str,
    stage: str,
    lease_s: float,
    *,
    fits: set[int] | None = None,
) -> Lease | None:
    """Begin an attempt at the submission whose turn it is; None if none may begin now.

    `fits` are the competitions whose work this worker can do; None means all.
    """
    # The lock on the queue's turns makes two workers choose one after the other.
    order = select(Turn.competition_id).where(Turn.queue == queue).order_by(Turn.competition_id)
    session.execute(order.with_for_update()).all()
    clock = session.scalar(select(func.max(Turn.begun)).where(Turn.queue == queue)) or 0.0
    heads = _heads(session, queue, now())
    for head in sorted(
        heads, key=lambda one: (one.lane, max(one.served, clock), one.competition_id)
    ):
        if fits is not None and head.competition_id not in fits:
            continue
        lease = attempts.take(session, head.submission_id, stage, worker, lease_s)
        if lease is not None:  # else it was cancelled this very moment
            begun = max(head.served, clock)
            turn = session.get_one(Turn, (queue, head.competition_id), populate_existing=True)
            turn.begun, turn.served = begun, begun + 1 / head.weight
            turn.round = max(turn.round, head.round)
            return lease
    return None


def lacking(session: Session) -> Sequence[tuple[str, int]]:
    """Queues and competitions that something waits in but that have no turn."""
    has_turn = (
        select(Turn.queue)
        .where(Turn.queue == Submission.queue, Turn.competition_id == Submission.competition_id)
        .exists()
    )
    rows = session.execute(
        select(Submission.queue, Submission.competition_id).where(WAITING, ~has_turn).distinct()
    )
    return [(queue, competition_id) for queue, competition_id in rows]


def relay(installation: Installation, queue: str) -> None:
    """Wake one more worker if something may begin and nobody was told of it.

    Whoever took nothing because a team had enough at work used up a wake-up: when that work
    ends, it is made good here and not only at the reconciler's next pass.
    """
    try:
        if installation.queue.depth(queue):
            return
        with installation.database.reading() as session:
            is_due = eligible(session, queue, now(), 1)
        if is_due:
            installation.queue.wake(queue)
    except RedisError as error:
        log.warning("queue not reached, the reconciler will wake a worker: %s", error)


def mend(session: Session) -> None:
    """Give every competition with waiting submissions its turn."""
    _add(session, lacking(session))


def eligible(session: Session, queue: str, moment: datetime, most: int) -> int:
    """How many submissions could begin now, counted up to `most`."""
    return session.scalar(_eligible_query(most), {"queue": queue, "moment": moment}) or 0


def ahead(session: Session, submission: Submission) -> dict[int, int]:
    """How many waiting submissions of each competition are served before this one, by id.

    Inside its competition that is the order itself; of others it is those whose virtual time
    comes first, if nothing more arrives.
    """
    same_lane = and_(
        Submission.lane == submission.lane,
        tuple_(Submission.round, Submission.received_at, Submission.id)
        < tuple_(submission.round, submission.received_at, submission.id),
    )
    queue, own_id = submission.queue, submission.competition_id
    own = _count(session, queue, own_id, or_(Submission.lane < submission.lane, same_lane))
    rows = session.execute(
        select(Turn.competition_id, Turn.begun, Turn.served, Competition.weight)
        .join(Competition, Competition.id == Turn.competition_id)
        .where(Turn.queue == queue)
    ).all()
    clock = max((row.begun for row in rows), default=0.0)
    shares = {row.competition_id: (max(row.served, clock), row.weight) for row in rows}
    begins, weight = shares.pop(own_id, (clock, 1.0))
    mine = begins + own / weight
    found = {own_id: own}
    for other_id, (begins, weight) in shares.items():
        earlier = _count(session, queue, other_id, Submission.lane < submission.lane)
        until = (mine - begins) * weight - earlier
        most = max(0, math.floor(until) + 1 if other_id < own_id else math.ceil(until))
        beside = _count(session, queue, other_id, Submission.lane == submission.lane, most)
        if earlier + beside:
            found[other_id] = earlier + beside
    return found


def at_work(session: Session, team_id: int) -> int:
    """How many submissions of a team are running or being scored."""
    query = select(func.count()).where(
        IS_OPEN,
        Submission.team_id == team_id,
        Submission.state.in_((State.RUNNING, State.SCORING)),
    )
    return session.scalar(query) or 0


def needs(session: Session, queue: str) -> Sequence[tuple[int, dict[str, object]]]:
    """What the competitions in a queue ask of a worker: id and `[resources]`."""
    rows = session.execute(
        select(Turn.competition_id, Challenge.spec)
        .join(Competition, Competition.id == Turn.competition_id)
        .join(Challenge, Challenge.id == Competition.challenge_id)
        .where(Turn.queue == queue)
    )
    return [(competition_id, spec.get("resources", {})) for competition_id, spec in rows]


# The queries of every take are built once: that costs more than running them.


def _ready() -> ColumnElement[bool]:
    """Not backing off at `moment`, and the team has room for one more at work."""
    mate = aliased(Submission, name="mate")
    running = (
        select(func.count())
        .where(
            text("mate.state IN ('uploading', 'queued', 'running', 'scoring')"),  # the index's
            mate.state.in_((State.RUNNING, State.SCORING)),
            mate.team_id == Submission.team_id,
        )
        .correlate(Submission)
        .scalar_subquery()
    )
    most = (
        select(Competition.team_running)
        .where(Competition.id == Submission.competition_id)
        .scalar_subquery()
    )
    is_due = Submission.not_before <= bindparam("moment")
    return and_(
        or_(Submission.not_before.is_(None), is_due),
        or_(running < most, Submission.original_id.is_not(None)),  # whose team is nobody
    )


@functools.cache
def _eligible_query(most: int) -> Select[int]:
    queue = Submission.queue == bindparam("queue")
    waiting = select(Submission.id).where(WAITING, queue, _ready())
    return select(func.count()).select_from(waiting.limit(most).subquery())


@functools.cache
def _heads_query() -> Select[int, int, int, int, float, float]:
    first = aliased(Submission)
    ids = (
        select(Submission.id)
        .where(
            WAITING,
            Submission.queue == bindparam("queue"),
            Submission.competition_id == Turn.competition_id,
            _ready(),
        )
        .order_by(Submission.lane, Submission.round, Submission.received_at, Submission.id)
        .limit(1)
        .correlate(Turn)
        .scalar_subquery()
    )
    of_queue = Turn.queue == bindparam("queue")
    found = select(Turn.competition_id, Turn.served, ids.label("head")).where(of_queue).subquery()
    return (
        select(
            found.c.head,
            found.c.competition_id,
            first.lane,
            first.round,
            Competition.weight,
            found.c.served,
        )
        .join(first, first.id == found.c.head)
        .join(Competition, Competition.id == found.c.competition_id)
    )


def _heads(session: Session, queue: str, moment: datetime) -> list[Head]:
    rows = session.execute(_heads_query(), {"queue": queue, "moment": moment})
    return [Head(*row) for row in rows]


def _count(
    session: Session,
    queue: str,
    competition_id: int,
    condition: ColumnElement[bool],
    most: int | None = None,
) -> int:
    rows = select(Submission.id).where(
        WAITING,
        Submission.queue == queue,
        Submission.competition_id == competition_id,
        condition,
    )
    return session.scalar(select(func.count()).select_from(rows.limit(most).subquery())) or 0


def _add(session: Session, keys: Sequence[tuple[str, int]]) -> None:
    if not keys:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Turn) if is_sqlite else postgresql.insert(Turn)
    start = {"begun": 0.0, "served": 0.0, "round": 0}
    rows = [{"queue": queue, "competition_id": one} | start for queue, one in keys]
    session.execute(insert.values(rows).on_conflict_do_nothing())
