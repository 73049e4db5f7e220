"""Files that arrive in pieces, so that one whose connection breaks goes on where it was.

Each piece is a file of the storage and a row, durable before it is acknowledged: whichever web
process takes the next one, on whichever machine, knows how far the file is. A whole file is put
together when it is checked or handed in. What nobody wants any more is only marked as over:
`expire` deletes it.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from podium.accounts import Caller
from podium.errors import BadRequestError, ConflictError, NotFoundError
from podium.installation import Installation
from podium.models import Arrival, Competition, Piece
from podium.models.record import now
from podium.storage import CHUNK, Incoming

KEPT = timedelta(days=1)  # after the last piece
KEPT_TAKEN = timedelta(minutes=10)  # after it was handed in: the answer may have been lost
MOST_OPEN = 8  # of one person; one more ends the one that stood still longest
AT_ONCE = 100


def begin(
    session: Session,
    caller: Caller,
    competition: Competition,
    file_name: str,
    size_bytes: int,
    sha256: str | None = None,
) -> Arrival:
    """Expect a file of so many bytes; BadRequestError if it is empty."""
    if size_bytes < 1:
        raise BadRequestError(
            "The file is empty. Choose the file your program wrote.", field="file", code="empty"
        )
    open_ones = session.scalars(
        select(Arrival.id)
        .where(Arrival.user_id == caller.id, Arrival.expires_at > now())
        .order_by(Arrival.moved_at.desc(), Arrival.id)
    ).all()
    _end(session, Arrival.id.in_(open_ones[MOST_OPEN - 1 :]))
    arrival = Arrival(
        id=uuid.uuid4().hex,
        competition_id=competition.id,
        user_id=caller.id,
        file_name=file_name,
        size_bytes=size_bytes,
        sha256=sha256,
        expires_at=now() + KEPT,
        pieces=[],
    )
    session.add(arrival)
    session.flush()
    return arrival


def get(session: Session, caller: Caller, arrival_id: str) -> Arrival:
    """One of the caller's own; NotFoundError for others, and once it is over."""
    arrival = session.get(Arrival, arrival_id)
    if arrival is None or arrival.user_id != caller.id or arrival.expires_at <= now():
        raise NotFoundError(
            "There is no such upload of yours. It may have been handed in, dropped, or have stood "
            "still for a day. Send the file again."
        )
    return arrival


def of_person(session: Session, caller: Caller, competition: Competition) -> Sequence[Arrival]:
    """The caller's files on their way to a competition, the one that moved last first."""
    return session.scalars(
        select(Arrival)
        .where(
            Arrival.user_id == caller.id,
            Arrival.competition_id == competition.id,
            Arrival.expires_at > now(),
        )
        .order_by(Arrival.moved_at.desc(), Arrival.id)
    ).all()


def room_at(arrival: Arrival, start: int) -> int:
    """The most bytes that may come for this place; ConflictError unless all before it is here."""
    if start != arrival.offset_bytes:
        raise ConflictError(
            f"{arrival.offset_bytes} bytes of {arrival.file_name} are here: go on from there, not "
            f"from {start}."
        )
    return arrival.size_bytes - start


def add(installation: Installation, arrival_id: str, start: int, piece: Incoming) -> None:
    """Keep a piece that came for this place; ConflictError if another was quicker."""
    if not piece.size_bytes:
        return
    file_key = f"uploads/{arrival_id}/{uuid.uuid4().hex}"
    installation.storage.keep(piece, file_key)
    try:
        with installation.database.writing() as session:
            arrival = session.get(Arrival, arrival_id, with_for_update=True)
            if arrival is None or arrival.expires_at <= now():
                raise ConflictError("This upload was dropped meanwhile. Send the file again.")
            room_at(arrival, start)
            arrival.moved_at, arrival.expires_at = now(), now() + KEPT
            arrival.pieces.append(
                Piece(start=start, size_bytes=piece.size_bytes, file_key=file_key)
            )
    except ConflictError:
        installation.storage.delete(file_key)
        raise


def join(
    installation: Installation, caller: Caller, slug: str, arrival_id: str, whole: Incoming
) -> Arrival:
    """Put a file for this competition together; ConflictError unless it is all here, unchanged."""
    with installation.database.reading() as session:
        arrival = get(session, caller, arrival_id)
        aim = session.get_one(Competition, arrival.competition_id).slug
    if aim != slug:
        raise ConflictError(f"{arrival.file_name} was sent to {aim}, not to {slug}.")
    if arrival.offset_bytes != arrival.size_bytes:
        raise ConflictError(
            f"{arrival.file_name} is not here yet: {arrival.offset_bytes} of {arrival.size_bytes} "
            "bytes have come. Send the rest first."
        )
    for piece in arrival.pieces:
        with installation.storage.open(piece.file_key) as file:
            while chunk := file.read(CHUNK):
                whole.write(chunk)
    whole.seek(0)
    if arrival.sha256 not in (None, whole.sha256):
        drop(installation, caller, arrival_id)
        raise ConflictError(
            f"{arrival.file_name} changed while it was sent: what came is not the file that was "
            "announced. Send it again."
        )
    return arrival


def let_go(session: Session, arrival_id: str) -> None:
    """It was handed in: it stays a little, for a sender who did not hear the answer."""
    _end(session, Arrival.id == arrival_id, now() + KEPT_TAKEN)


def drop(installation: Installation, caller: Caller, arrival_id: str) -> None:
    """Give up one of the caller's own."""
    with installation.database.writing() as session:
        get(session, caller, arrival_id)
        _end(session, Arrival.id == arrival_id)


def drop_all(session: Session, user_id: int) -> None:
    """Give up all of a person."""
    _end(session, Arrival.user_id == user_id)


def _end(session: Session, which: ColumnElement[bool], moment: datetime | None = None) -> None:
    session.execute(update(Arrival).where(which).values(expires_at=moment or now()))


def expire(installation: Installation, moment: datetime) -> int:
    """Delete what is over by now; returns how many. No row ever names a file that is gone."""
    number = 0
    over = select(Arrival.id).where(Arrival.expires_at <= moment).limit(AT_ONCE)
    while True:
        with installation.database.reading() as session:
            if session.scalar(over) is None:
                return number
        with installation.database.writing() as session:
            ids = session.scalars(over.with_for_update()).all()
            keys = session.scalars(
                delete(Piece).where(Piece.arrival_id.in_(ids)).returning(Piece.file_key)
            ).all()
            session.execute(delete(Arrival).where(Arrival.id.in_(ids)))
        for key in keys:
            installation.storage.delete(key)
        number += len(ids)
