"""How sure a board's order is: computed beside the results, never before one.

When scores have come in and it has been quiet for a moment, a score worker that has nothing else
to do resamples the stored losses of the teams (podium_scoring.board) and writes rank intervals
and groups into the entries. Until then a row carries those of before, or none.
"""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium import entries, losses
from podium.boardrules import MEAN_RANK, SPLITS, Rules
from podium.installation import Installation
from podium.losses import Floats
from podium.models import BoardEntry, Competition, Evaluation
from podium.models.record import now
from podium.storage import Storage
from podium_scoring.board import Standings, standings

MOST_TEAMS = 500  # from the first on; the rest have no interval
MOST_UNITS = 10_000  # else blocks of them, whose sums vary as much
QUIET = timedelta(seconds=2)  # between two computations of a board
QUEUE = "score"  # whose workers compute


def due(session: Session, moment: datetime) -> int | None:
    """A competition whose board has changed since its intervals were computed."""
    return session.scalar(
        select(Competition.id)
        .where(
            Competition.board_revision != Competition.intervals_revision,
            Competition.intervals_at.is_(None) | (Competition.intervals_at < moment - QUIET),
        )
        .order_by(Competition.intervals_at.is_not(None), Competition.intervals_at)
        .limit(1)
    )


def work(installation: Installation) -> bool:
    """Compute the intervals of one board that is due; False if none is."""
    moment = now()
    with installation.database.reading() as session:
        competition_id = due(session, moment)
    if competition_id is None:
        return False
    with installation.database.writing() as session:
        # Whoever writes the moment does the work; a second worker finds that it is not due.
        revision = session.scalar(
            update(Competition)
            .where(
                Competition.id == competition_id,
                Competition.intervals_at.is_(None) | (Competition.intervals_at < moment - QUIET),
            )
            .values(intervals_at=moment)
            .returning(Competition.board_revision)
            .execution_options(synchronize_session=False)
        )
    if revision is None:
        return False
    with installation.database.reading() as session:
        competition = session.get_one(Competition, competition_id)
        computed = {
            split: _compute(installation.storage, session, competition, split) for split in SPLITS
        }
    with installation.database.writing() as session:
        _write(session, competition_id, revision, computed)
    return True


def _compute(
    storage: Storage, session: Session, competition: Competition, split: str
) -> dict[int, tuple[int, int, int]]:
    """Lowest rank, highest rank and group of entries, by the entries' ids."""
    rules = Rules.of(competition, now())
    if rules.order_by == MEAN_RANK:  # whose order no resample of one metric's units tells
        return {}
    rows = session.execute(
        select(BoardEntry.id, Evaluation.losses_key)
        .join(Evaluation, Evaluation.submission_id == BoardEntry.submission_id)
        .where(
            BoardEntry.competition_id == competition.id,
            BoardEntry.split == split,
            BoardEntry.ranked,
            Evaluation.in_force,
            Evaluation.split == split,
            Evaluation.metric == rules.metric,
            Evaluation.losses_key != "",
        )
        .order_by(BoardEntry.order_key, BoardEntry.received_at, BoardEntry.submission_id)
        .limit(MOST_TEAMS)
    ).all()
    ids, table = _aligned([(entry_id, losses.read(storage, key)[split]) for entry_id, key in rows])
    if not ids:
        return {}
    found: Standings = standings(table, higher_is_better=rules.higher_is_better)
    return {
        entry_id: (int(low), int(high), int(group))
        for entry_id, low, high, group in zip(ids, found.low, found.high, found.group, strict=True)
    }


def _aligned(found: list[tuple[int, Floats]]) -> tuple[list[int], list[Floats]]:
    """Those that were measured on the same units as the first, which are most."""
    if not found:
        return [], []
    n = len(found[0][1])
    kept = [(id_, blocks(one)) for id_, one in found if len(one) == n and np.isfinite(one).all()]
    return [id_ for id_, _ in kept], [one for _, one in kept]


def blocks(values: Floats, most: int = MOST_UNITS) -> Floats:
    """At most so many numbers with the same mean, each standing for neighbouring units.

    >>> blocks(np.array([1.0, 3.0, 5.0, 7.0]), most=2).tolist()
    [2.0, 6.0]
    """
    n = len(values)
    if n <= most:
        return values
    edges = np.linspace(0, n, most + 1).astype(np.int64)
    sums: Floats = np.add.reduceat(values, edges[:-1]) * (most / n)
    return sums


def _write(
    session: Session,
    competition_id: int,
    revision: int,
    computed: dict[str, dict[int, tuple[int, int, int]]],
) -> None:
    """Write what was computed; what is no longer there is passed over."""
    entries.touch(session, competition_id)
    nothing = {"rank_low": None, "rank_high": None, "tie_group": None}
    for split, found in computed.items():
        session.execute(
            update(BoardEntry)
            .where(
                BoardEntry.competition_id == competition_id,
                BoardEntry.split == split,
                BoardEntry.tie_group.is_not(None),
            )
            .values(**nothing)
            .execution_options(synchronize_session=False)
        )
        there = set(
            session.scalars(
                select(BoardEntry.id).where(
                    BoardEntry.competition_id == competition_id, BoardEntry.split == split
                )
            )
        )
        rows = [
            {"id": id_, "rank_low": low, "rank_high": high, "tie_group": group}
            for id_, (low, high, group) in found.items()
            if id_ in there
        ]
        if rows:
            session.execute(update(BoardEntry), rows)
    # The writing itself is a change that everybody sees; what came in since is one more.
    session.execute(
        update(Competition)
        .where(Competition.id == competition_id)
        .values(intervals_revision=revision + 1)
        .execution_options(synchronize_session=False)
    )
