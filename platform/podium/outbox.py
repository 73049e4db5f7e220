"""The outbox: a mail is a row, written in the transaction of what it tells, and sent after it.

A row is claimed before the mail server is spoken to and settled after. One whose process died in
between, or whose server fell silent after it had the text, is `unsure` and not sent again: nobody
is written to twice.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from podium.models import Mail
from podium.models.mail import UNSENT
from podium.models.record import now

WAITING, SENDING, SENT, DROPPED, FAILED, UNSURE = (
    *("waiting", "sending", "sent", "dropped", "failed", "unsure"),
)
BACKOFF_S = (30, 120, 600, 3600, 4 * 3600)  # before the second, third, … try
CLAIM_LASTS = timedelta(minutes=10)  # far longer than a mail server is waited for
KEPT = timedelta(days=30)
LONGEST_TROUBLE = 300


def put(
    session: Session,
    recipient: str,
    kind: str,
    facts: dict[str, Any] | None = None,
    *,
    user_id: int | None = None,
) -> None:
    """Write a mail into the outbox: it is sent if the transaction is committed."""
    session.add(Mail(recipient=recipient, kind=kind, facts=facts or {}, user_id=user_id))


def is_due(session: Session, moment: datetime) -> bool:
    """Whether something waits to be sent, or to be given up for unsure."""
    return session.scalar(_due(moment).limit(1)) is not None or (
        session.scalar(_abandoned(moment).limit(1)) is not None
    )


def _due(moment: datetime) -> Any:
    return select(Mail.id).where(UNSENT, Mail.state == WAITING, Mail.not_before <= moment)


def _abandoned(moment: datetime) -> Any:
    return select(Mail.id).where(
        UNSENT, Mail.state == SENDING, Mail.moved_at < moment - CLAIM_LASTS
    )


def claim(session: Session, moment: datetime) -> Mail | None:
    """Take the next mail that is due, so that no other process does; None if there is none."""
    mail_id = session.scalar(
        _due(moment).order_by(Mail.not_before, Mail.id).limit(1).with_for_update(skip_locked=True)
    )
    if mail_id is None:
        return None
    mail = session.get_one(Mail, mail_id)
    mail.state, mail.moved_at, mail.tries = SENDING, moment, mail.tries + 1
    return mail


def settle(session: Session, mail_id: int, state: str, trouble: str = "") -> None:
    """Write down how a claimed mail ended."""
    session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.state == SENDING)
        .values(state=state, moved_at=now(), trouble=trouble[:LONGEST_TROUBLE])
    )


def put_off(session: Session, mail_id: int, trouble: str) -> str:
    """Let a claimed mail wait for its next try, or give it up after the last; its new state."""
    mail = session.get_one(Mail, mail_id, with_for_update=True)
    if mail.state != SENDING:
        return mail.state
    mail.trouble, mail.moved_at = trouble[:LONGEST_TROUBLE], now()
    if mail.tries > len(BACKOFF_S):
        mail.state = FAILED
    else:
        mail.state = WAITING
        mail.not_before = now() + timedelta(seconds=BACKOFF_S[mail.tries - 1])
    return mail.state


def abandon(session: Session, moment: datetime) -> int:
    """Give up for unsure what was claimed long ago by a process that has ended; how many."""
    found = session.execute(
        update(Mail)
        .where(Mail.id.in_(_abandoned(moment)))
        .values(state=UNSURE, moved_at=moment, trouble="the process ended while it sent this")
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    )
    return len(found.all())


def forget(session: Session, moment: datetime) -> None:
    """Drop what was settled long ago: to whom was written is nobody's business for ever."""
    session.execute(
        delete(Mail)
        .where(Mail.state.not_in((WAITING, SENDING)), Mail.moved_at < moment - KEPT)
        .execution_options(synchronize_session=False)
    )


def asked_since(
    session: Session, recipient: str, kind: str, since: datetime, *, before: int | None = None
) -> int:
    """How many mails of a kind were asked for to an address since then (before the one named)."""
    query = select(func.count()).where(
        Mail.recipient == recipient, Mail.kind == kind, Mail.created_at >= since
    )
    if before is not None:
        query = query.where(Mail.id < before)
    return session.scalar(query) or 0


def counts(session: Session) -> dict[str, int]:
    """How many mails are in each state."""
    rows = session.execute(select(Mail.state, func.count()).group_by(Mail.state))
    return {state: number for state, number in rows}
