"""What hosts tell everybody in a competition: posted, changed, taken back; all of it audited."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import notifications
from podium.accounts import Caller
from podium.competitions import audit, find, need_host
from podium.errors import BadRequestError, NotFoundError
from podium.models import Announcement, Competition
from podium.models.record import now

LONGEST_TITLE, LONGEST_TEXT = 120, 20_000
MOST = 200  # of a competition


def of(session: Session, competition: Competition) -> Sequence[Announcement]:
    """All of a competition: the pinned first, then the newest."""
    return session.scalars(
        select(Announcement)
        .where(Announcement.competition_id == competition.id)
        .order_by(
            Announcement.is_pinned.desc(), Announcement.posted_at.desc(), Announcement.id.desc()
        )
    ).all()


def post(
    session: Session,
    caller: Caller,
    slug: str,
    title: str,
    text: str = "",
    *,
    is_pinned: bool = True,
) -> Announcement:
    """Tell everybody in the competition something; for its host.

    They are told in the way that they prefer. Raises NoAccessError, BadRequestError.
    """
    competition = find(session, slug)
    need_host(competition, caller)
    if len(of(session, competition)) >= MOST:
        raise BadRequestError(
            f"{slug} has {MOST} announcements, which is the most. Remove some first.",
            field="title",
        )
    made = Announcement(
        competition_id=competition.id,
        title=_title(title),
        text=_text(text),
        is_pinned=is_pinned,
        posted_by=caller.id,
    )
    session.add(made)
    session.flush()
    audit(session, caller, "announcement.post", competition, announcement=made.id, title=made.title)
    notifications.tell(
        session,
        notifications.ANNOUNCEMENT,
        [one for one in notifications.competitors(session, competition.id) if one != caller.id],
        f"{competition.title}: {made.title}",
        f"/c/{competition.slug}/",
        key=f"announcement:{made.id}",
    )
    return made


def edit(
    session: Session,
    caller: Caller,
    slug: str,
    announcement_id: int,
    *,
    title: str | None = None,
    text: str | None = None,
    is_pinned: bool | None = None,
) -> Announcement:
    """Change what is given; a change of the words is shown with its time, and the old are kept
    in the audit log."""
    competition, found = _found(session, caller, slug, announcement_id)
    before = {"title": found.title, "text": found.text}
    found.title = found.title if title is None else _title(title)
    found.text = found.text if text is None else _text(text)
    if is_pinned is not None:
        found.is_pinned = is_pinned
    changed = {name: value for name, value in before.items() if value != getattr(found, name)}
    if changed:
        found.edited_at = now()
    audit(
        session,
        caller,
        "announcement.edit",
        competition,
        announcement=found.id,
        pinned=is_pinned,
        before=changed or None,
    )
    return found


def remove(
    session: Session, caller: Caller, slug: str, announcement_id: int, reason: str = ""
) -> None:
    """Take it back; what it said stays in the audit log."""
    competition, found = _found(session, caller, slug, announcement_id)
    said = {"title": found.title, "text": found.text}
    audit(
        session, caller, "announcement.remove", competition, reason, announcement=found.id, **said
    )
    session.delete(found)


def _found(
    session: Session, caller: Caller, slug: str, announcement_id: int
) -> tuple[Competition, Announcement]:
    competition = find(session, slug)
    need_host(competition, caller)
    found = session.get(Announcement, announcement_id)
    if found is None or found.competition_id != competition.id:
        raise NotFoundError(f"{slug} has no announcement {announcement_id}.")
    return competition, found


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise BadRequestError(
            f"A title has 1 to {LONGEST_TITLE} characters, not {len(title)}.", field="title"
        )
    return title


def _text(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise BadRequestError(
            f"The text has {len(text)} characters. At most {LONGEST_TEXT} fit.", field="text"
        )
    return text
