"""Who wants into a competition that lets people in one by one, and what its staff answers."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from podium import competitions, notifications
from podium.accounts import Caller
from podium.competitions import Status, audit, found_team, need_right, team_of
from podium.errors import BadRequestError, ClosedError, NotFoundError
from podium.models import Competition, EntryRequest, Team, User
from podium.models.record import now

LONGEST = 500  # characters of a message, or of a reason
RIGHT = "roster"  # who may answer: as with the class list of a course


def enter(
    session: Session, competition: Competition, caller: Caller, message: str = ""
) -> Team | None:
    """Join, or where staff lets people in one by one ask to: then None, until it has answered.

    Asking again replaces the message, and after a refusal asks once more. Raises ClosedError.
    """
    is_inside = team_of(session, competition.id, caller.id) is not None
    if is_inside or not competition.asks_first or competitions.is_staff(competition, caller):
        team = competitions.join(session, competition, caller)
        _forget(session, competition, caller.id)  # the door was opened to all meanwhile
        return team
    if len(message) > LONGEST:
        raise BadRequestError(
            f"The message has {len(message)} characters. It may have {LONGEST}.", field="message"
        )
    # The person first: two parallel clicks are one request.
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()
    if competitions.status(competition, now()) is Status.CLOSED:
        raise ClosedError(f"{competition.title} is over.")
    asked = of_person(session, competition, caller.id)
    if asked is None:
        asked = EntryRequest(competition_id=competition.id, user_id=caller.id)
        session.add(asked)
    if asked.declined_at is not None:
        asked.declined_at, asked.reason, asked.asked_at = None, "", now()
    asked.message = message.strip()
    return None


def _forget(session: Session, competition: Competition, user_id: int) -> None:
    session.execute(
        delete(EntryRequest).where(
            EntryRequest.competition_id == competition.id, EntryRequest.user_id == user_id
        )
    )


def of_person(
    session: Session, competition: Competition, user_id: int | None
) -> EntryRequest | None:
    """What a person has asked, and what became of it; None if nothing, or if they are in."""
    return session.scalar(
        select(EntryRequest).where(
            EntryRequest.competition_id == competition.id, EntryRequest.user_id == user_id
        )
    )


def waiting(session: Session, competition: Competition) -> Sequence[EntryRequest]:
    """All who wait for an answer, the longest first."""
    return session.scalars(
        select(EntryRequest)
        .where(EntryRequest.competition_id == competition.id, EntryRequest.declined_at.is_(None))
        .options(joinedload(EntryRequest.user))
        .order_by(EntryRequest.asked_at, EntryRequest.id)
    ).all()


def counts(session: Session, competition_ids: Iterable[int]) -> dict[int, int]:
    """How many wait for an answer, by competition; those of none are not in it."""
    rows = session.execute(
        select(EntryRequest.competition_id, func.count())
        .where(EntryRequest.competition_id.in_(competition_ids), EntryRequest.declined_at.is_(None))
        .group_by(EntryRequest.competition_id)
    )
    return {competition_id: number for competition_id, number in rows}


def decide(
    session: Session,
    caller: Caller,
    slug: str,
    request_id: int,
    *,
    accepts: bool,
    reason: str = "",
) -> str:
    """Let a person in as a team of one, or decline with a reason they read; their handle. Audited.

    Raises NoAccessError, or NotFoundError for a request that is decided already.
    """
    competition = competitions.find(session, slug)
    need_right(competition, caller, RIGHT)
    if len(reason) > LONGEST:
        raise BadRequestError(
            f"The reason has {len(reason)} characters. It may have {LONGEST}.", field="reason"
        )
    found = session.get(EntryRequest, request_id, with_for_update=True)
    is_open = found is not None and found.competition_id == competition.id
    if found is None or not is_open or found.declined_at is not None:
        raise NotFoundError(f"{slug} has no request {request_id} that waits: it is decided.")
    user = session.scalars(select(User).where(User.id == found.user_id).with_for_update()).one()
    verb = "accept" if accepts else "decline"
    if accepts:
        if team_of(session, competition.id, user.id) is None:
            found_team(session, competition, user)
        _forget(session, competition, user.id)
    else:
        found.declined_at, found.reason = now(), reason.strip()
    audit(session, caller, f"entry.{verb}", competition, reason, handle=user.handle)
    why = f": {reason.strip()}" if reason.strip() and not accepts else "."
    notifications.tell(
        session,
        notifications.ENTRY,
        [user.id],
        f"{competition.title} {'lets you in' if accepts else 'does not let you in'}{why}",
        f"/c/{competition.slug}/",
    )
    return user.handle
