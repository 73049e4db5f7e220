"""Notifications: what people are told of, on the page behind the bell and by mail.

Whoever changes something that others wait for calls `tell` in the same transaction.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from podium import letters, outbox
from podium.errors import BadRequestError, NotFoundError
from podium.models import Mail, Membership, Notification, Team, User
from podium.models.notification import IN_DIGEST, UNREAD
from podium.models.record import now

NONE, PAGE, DIGEST, MAIL = "none", "page", "digest", "mail"
WAYS = {
    NONE: "Not at all",
    PAGE: "On the page",
    DIGEST: "On the page, and once a day by mail",
    MAIL: "On the page, and at once by mail",
}
CHUNK = 500  # people asked for at once
LONGEST_TEXT = 300
DIGEST_RESTS = timedelta(hours=1)  # what belongs together comes together
DIGEST_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Kind:
    """A kind of event: what people read in their preferences, and how they are told by default."""

    title: str
    by_default: str


SCORED, FAILED, INVITATION, ENTRY, RESCORING, DEADLINE, REVEAL, REPLY, ANNOUNCEMENT = (
    *("scored", "failed", "invitation", "entry", "rescoring"),
    *("deadline", "reveal", "reply", "announcement"),
)
KINDS = {
    SCORED: Kind("A submission that took long is scored", PAGE),
    FAILED: Kind("A submission has failed", PAGE),
    INVITATION: Kind("A team invites you, or asks yours to merge", MAIL),
    ENTRY: Kind("A competition that you asked to enter answers", MAIL),
    RESCORING: Kind("A competition of yours was scored again", DIGEST),
    DEADLINE: Kind("A deadline is near", MAIL),
    REVEAL: Kind("The final board of a competition is shown", DIGEST),
    REPLY: Kind("Somebody answers in a discussion of yours", DIGEST),
    ANNOUNCEMENT: Kind("A host announces something", MAIL),
}


def tell(
    session: Session, kind: str, people: Iterable[int], text: str, link: str, *, key: str = ""
) -> int:
    """Tell people, by their ids, of an event, each in the way that they prefer; how many were.

    `link` is a path of this site. With a `key` nobody is told of the same event twice.
    """
    key = key or f"{kind}:{secrets.token_hex(8)}"
    ids, count = sorted(set(people)), 0
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(User.id, User.email, User.told_by, User.unconfirmed).where(
                User.id.in_(ids[start : start + CHUNK]), User.deleted_at.is_(None)
            )
        ).all()
        ways = {id_: way_of(told_by, kind) for id_, _, told_by, _ in rows}
        told = _insert(
            session,
            [
                {
                    "user_id": id_,
                    "kind": kind,
                    "key": key,
                    "text": text[:LONGEST_TEXT],
                    "link": link,
                    "in_digest": way == DIGEST,
                    "created_at": now(),
                }
                for id_, way in ways.items()
                if way != NONE
            ],
        )
        for id_, email, _, unconfirmed in rows:
            if id_ in told and ways[id_] == MAIL and not unconfirmed:
                facts = {"text": text[:LONGEST_TEXT], "link": link}
                outbox.put(session, email, letters.EVENT, facts, user_id=id_)
        count += len(told)
    return count


def _insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Add rows except where the person has one of this key; gives whose were new."""
    if not rows:
        return set()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    statement = insert(Notification).on_conflict_do_nothing(index_elements=["user_id", "key"])
    added = session.execute(statement.returning(Notification.user_id), list(rows))
    return set(added.scalars())


def way_of(told_by: Mapping[str, str] | None, kind: str) -> str:
    """How a person is told of a kind of event."""
    return (told_by or {}).get(kind, KINDS[kind].by_default)


def preferences(session: Session, user_id: int) -> dict[str, str]:
    """How a person is told of each kind."""
    told_by = session.get_one(User, user_id).told_by
    return {kind: way_of(told_by, kind) for kind in KINDS}


def prefer(session: Session, user_id: int, wanted: Mapping[str, str]) -> dict[str, str]:
    """Set how a person is told of some kinds; returns all of them."""
    for kind, way in wanted.items():
        if kind not in KINDS:
            raise BadRequestError(
                f"There is no kind {kind!r}. Kinds are {', '.join(KINDS)}.", field=kind
            )
        if way not in WAYS:
            raise BadRequestError(
                f"There is no way {way!r}. Ways are {', '.join(WAYS)}.", field=kind
            )
    user = session.get_one(User, user_id, with_for_update=True)
    user.told_by = (user.told_by or {}) | dict(wanted)
    return {kind: way_of(user.told_by, kind) for kind in KINDS}


def competitors(session: Session, competition_id: int) -> Sequence[int]:
    """Everybody who has joined a competition."""
    return session.scalars(
        select(Membership.user_id).where(Membership.competition_id == competition_id)
    ).all()


def members(session: Session, team_id: int) -> Sequence[int]:
    """Everybody in a team."""
    return session.scalars(select(Membership.user_id).where(Membership.team_id == team_id)).all()


def leader(session: Session, team_id: int) -> list[int]:
    """The leader of a team, if it has one."""
    found = session.scalar(select(Team.leader_id).where(Team.id == team_id))
    return [] if found is None else [found]


def unread(session: Session, user_id: int) -> int:
    """How many a person has not read."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Notification)
            .where(UNREAD, Notification.user_id == user_id)
        )
        or 0
    )


def of_user(
    session: Session, user_id: int, *, only_unread: bool = False, page: int = 1, per_page: int = 50
) -> Sequence[Notification]:
    """A person's notifications, the latest first."""
    query = select(Notification).where(Notification.user_id == user_id)
    if only_unread:
        query = query.where(UNREAD)
    return session.scalars(
        query.order_by(Notification.id.desc()).offset((page - 1) * per_page).limit(per_page)
    ).all()


def count(session: Session, user_id: int, *, only_unread: bool = False) -> int:
    """How many there are."""
    if only_unread:
        return unread(session, user_id)
    return (
        session.scalar(
            select(func.count()).select_from(Notification).where(Notification.user_id == user_id)
        )
        or 0
    )


def read(session: Session, user_id: int, ids: Sequence[int] | None = None) -> int:
    """Mark some as read, or all; how many were not before."""
    changed = update(Notification).where(UNREAD, Notification.user_id == user_id)
    if ids is not None:
        changed = changed.where(Notification.id.in_(ids))
    found = session.execute(
        changed.values(read_at=now())
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return len(found.all())


def open_one(session: Session, user_id: int, notification_id: int) -> str:
    """Mark one as read; returns the path that it leads to."""
    found = session.get(Notification, notification_id)
    if found is None or found.user_id != user_id:
        raise NotFoundError(f"You have no notification {notification_id}.")
    found.read_at = found.read_at or now()
    return found.link


def due_digests(session: Session, moment: datetime) -> Sequence[int]:
    """People for whom something has come together, and who had no digest for a day."""
    recent = exists().where(
        Mail.user_id == Notification.user_id,
        Mail.kind == letters.DIGEST,
        Mail.created_at > moment - DIGEST_EVERY,
    )
    return session.scalars(
        select(Notification.user_id)
        .where(IN_DIGEST, ~recent)
        .group_by(Notification.user_id)
        .having(func.min(Notification.created_at) < moment - DIGEST_RESTS)
    ).all()


def gather(session: Session, user_id: int) -> None:
    """Put a digest of all that waits for it into the outbox: each event goes into one."""
    ids = session.scalars(
        update(Notification)
        .where(IN_DIGEST, Notification.user_id == user_id)
        .values(in_digest=False)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).all()
    user = session.get_one(User, user_id)
    if ids and not user.unconfirmed and user.deleted_at is None:
        facts = {"ids": sorted(ids)}
        outbox.put(session, user.email, letters.DIGEST, facts, user_id=user_id)
