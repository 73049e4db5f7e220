"""What time alone does to boards: a day begins, entries leave the window, the reveal is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium import entries, finalround, limits, reveal
from podium.boardrules import SPLITS
from podium.installation import Installation
from podium.models import BoardEntry, Competition, Submission
from podium.verdicts import State


def tick(installation: Installation, moment: datetime) -> int:
    """Do what is due now; returns for how many competitions something was."""
    with installation.database.reading() as session:
        found = due(session, moment)
    for competition_id in found:
        for act in (
            note_day,
            expire,
            reveal.advance_final,
            reveal.when_due,
        ):  # one transaction each: see entries' locks
            with installation.database.writing() as session:
                act(session, session.get_one(Competition, competition_id), moment)
    return len(found)


def due(session: Session, moment: datetime) -> Sequence[int]:
    """Competitions that time has something to do for."""
    rows = session.execute(
        select(
            Competition.id,
            Competition.time_zone,
            Competition.day_noted,
            Competition.window_days,
            Competition.closes_at,
            Competition.revealed_at,
            Competition.holds_reveal,
        )
    )
    found = []
    for id_, zone, noted, days, closes_at, revealed_at, holds in rows:
        is_over = closes_at is not None and closes_at < moment
        if (
            noted != limits.local_day(moment, zone)
            or (is_over and revealed_at is None and _ends(session, id_, moment, holds=holds))
            or (days is not None and _left(session, id_, moment - timedelta(days=days)))
        ):
            found.append(id_)
    return found


def note_day(session: Session, competition: Competition, moment: datetime) -> None:
    """Keep the rank of every entry as it is at the beginning of a day, once a day.

    From it the board tells the change since yesterday.
    """
    day = limits.local_day(moment, competition.time_zone)
    if competition.day_noted == day:
        return
    is_first = competition.day_noted is None
    competition.day_noted = day
    scored = select(Submission.id).where(
        Submission.competition_id == competition.id, Submission.state == State.SCORED
    )
    if session.scalar(scored.limit(1)) is None:  # nothing changes for anybody who looks
        return
    if is_first:  # its boards may be of a release that kept only one
        entries.rebuild(session, competition, moment)
    entries.touch(session, competition.id)
    for split in SPLITS:
        place = (BoardEntry.order_key, BoardEntry.received_at)
        ranks = (
            select(BoardEntry.id, func.rank().over(order_by=place).label("rank"))
            .where(
                BoardEntry.competition_id == competition.id,
                BoardEntry.split == split,
                BoardEntry.ranked,
            )
            .subquery()
        )
        session.execute(
            update(BoardEntry)
            .where(BoardEntry.id == ranks.c.id)
            .values(rank_before=ranks.c.rank)
            .execution_options(synchronize_session=False)
        )


def expire(session: Session, competition: Competition, moment: datetime) -> None:
    """Take what is older than the window off the board, and put what stands behind it there."""
    if competition.window_days is None:
        return
    gone = _left(session, competition.id, moment - timedelta(days=competition.window_days))
    if gone:
        entries.hold(session, *gone)
        entries.refresh(session, competition, gone, moment)


def _left(session: Session, competition_id: int, since: datetime) -> list[int]:
    """Teams with an entry that began before the window, in the order of their ids."""
    rows = select(BoardEntry.team_id).where(
        BoardEntry.competition_id == competition_id, BoardEntry.received_at < since
    )
    return sorted(set(session.scalars(rows)))


def _ends(session: Session, competition_id: int, moment: datetime, *, holds: bool) -> bool:
    """Whether the final round has something to do, or the reveal is due."""
    competition = session.get_one(Competition, competition_id)
    stands = reveal.standing(session, competition, moment)
    if not stands.is_over or stands.open_submissions:
        return False
    if finalround.stands_still(session, competition):
        return True
    return not holds and not stands.final.is_due
