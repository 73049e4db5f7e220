"""The end of a competition: the private board is held, then revealed, with all that was frozen."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium import deadlines, entries, finalround, notifications
from podium.accounts import Caller
from podium.competitions import audit, find, need_host
from podium.errors import ClosedError, ConflictError
from podium.finalround import Progress
from podium.models import Competition, Submission
from podium.models.record import now
from podium.models.submission import OPEN as IS_OPEN


@dataclass(frozen=True)
class Standing:
    """Where a competition stands on its way to the reveal."""

    revealed_at: datetime | None
    ends_at: datetime | None  # for the last team
    is_over: bool
    open_submissions: int  # received in time, not scored yet
    holds: bool  # until a host reveals it
    final: Progress  # of agents that play each other


def standing(session: Session, competition: Competition, moment: datetime) -> Standing:
    """Whether everybody's time is over, and what still waits to be scored."""
    ends_at = deadlines.last(session, competition)
    open_ = session.scalar(
        select(func.count()).where(
            IS_OPEN,
            Submission.competition_id == competition.id,
            Submission.original_id.is_(None),
        )
    )
    return Standing(
        revealed_at=competition.revealed_at,
        ends_at=ends_at,
        is_over=ends_at is not None and moment > ends_at,
        open_submissions=open_ or 0,
        holds=competition.holds_reveal,
        final=finalround.progress(session, competition),
    )


def by_host(session: Session, caller: Caller, slug: str, reason: str) -> Competition:
    """Show the private board to everybody. There is no way back: what was seen was seen.

    Raises NoAccessError; ClosedError before the last deadline; ConflictError while submissions
    wait to be scored, or if it was revealed before.
    """
    competition = find(session, slug)
    need_host(competition, caller)
    moment = now()
    stands = standing(session, competition, moment)
    if stands.revealed_at is not None:
        raise ConflictError(f"{slug} was revealed at {stands.revealed_at:%Y-%m-%d %H:%M} UTC.")
    if not stands.is_over:
        until = "and has no deadline"
        if stands.ends_at:
            until = f"until {stands.ends_at:%Y-%m-%d %H:%M} UTC, with extensions and late hours"
        raise ClosedError(
            f"{slug} is open {until}. Private scores are revealed after the last deadline."
        )
    if stands.open_submissions:
        raise ConflictError(
            f"{stands.open_submissions} submissions of {slug} are not scored yet. Reveal it when "
            "they are."
        )
    if stands.final.is_due:
        _end_final(session, competition, stands.final)
    _reveal(session, competition, moment)
    audit(session, caller, "competition.reveal", competition, reason)
    return competition


def when_due(session: Session, competition: Competition, moment: datetime) -> bool:
    """Reveal a competition that is over, scored and not held; whether that was so."""
    stands = standing(session, competition, moment)
    if stands.revealed_at or stands.holds or stands.open_submissions or not stands.is_over:
        return False
    if stands.final.is_due:
        return False
    _reveal(session, competition, moment)
    audit(session, None, "competition.reveal", competition, "the deadline has passed")
    return True


def advance_final(session: Session, competition: Competition, moment: datetime) -> None:
    """Begin the final round when everything is scored, and make good what it lacks."""
    stands = standing(session, competition, moment)
    if stands.is_over and not stands.open_submissions:
        finalround.advance(session, competition, moment)


def _end_final(session: Session, competition: Competition, final: Progress) -> None:
    """End a final that does not go on by itself; ConflictError where it has only to be awaited."""
    if final.began_at is None:
        raise ConflictError(
            f"The final round of {competition.slug} has not begun. It begins by itself within "
            "seconds, and the board is revealed after it."
        )
    if not final.is_stuck:
        raise ConflictError(
            f"The final round of {competition.slug} has played {final.played} of {final.planned} "
            "games. Reveal the board when it is over."
        )
    finalround.close(session, competition)


def _reveal(session: Session, competition: Competition, moment: datetime) -> None:
    competition.revealed_at = moment
    entries.rebuild(session, competition, moment)  # what was frozen comes up as well
    notifications.tell(
        session,
        notifications.REVEAL,
        notifications.competitors(session, competition.id),
        f"The final board of {competition.title} is shown.",
        f"/c/{competition.slug}/leaderboard?split=private",
        key=f"reveal:{competition.id}",
    )
