"""Discussions: threads of a competition and the posts in them, and who may moderate them.

They are seen by whoever sees the competition. What staff hides is seen by staff and its author.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from podium import notifications
from podium.accounts import Caller
from podium.competitions import audit, is_staff
from podium.errors import (
    BadRequestError,
    ClosedError,
    LimitError,
    NoAccessError,
    NotFoundError,
)
from podium.models import Competition, Enrolment, Post, Thread, User
from podium.models.record import now

TITLE_CHARACTERS = (3, 150)
LONGEST_TEXT = 10_000
MOST_POSTS, WITHIN = 10, timedelta(minutes=10)  # of one person
TWICE_WITHIN = timedelta(minutes=5)  # the same words in the same place are one post
PER_PAGE = 30


@dataclass(frozen=True)
class Listed:
    """A thread in the list."""

    thread: Thread
    author: str | None  # handle
    is_staff: bool


@dataclass(frozen=True)
class Shown:
    """A post as a reader sees it; the text is None where it is not for these eyes."""

    post: Post
    text: str | None
    author: str | None
    is_staff: bool
    is_own: bool


def threads(
    session: Session,
    competition: Competition,
    caller: Caller | None,
    *,
    search: str = "",
    page: int = 1,
    per_page: int = PER_PAGE,
) -> list[Listed]:
    """The threads that a reader sees: pinned ones, then those that were written in last."""
    query = (
        select(Thread, User)
        .join(Post, Post.id == _first_post())
        .outerjoin(User, User.id == Post.user_id)
        .where(*_seen(competition, caller, search))
        .order_by(Thread.pinned.desc(), Thread.last_at.desc(), Thread.id.desc())
    )
    rows = session.execute(query.offset((page - 1) * per_page).limit(per_page)).all()
    staff = staff_of(session, competition, [user for _, user in rows if user is not None])
    return [
        Listed(thread, user.handle if user else None, user is not None and user.id in staff)
        for thread, user in rows
    ]


def count(
    session: Session, competition: Competition, caller: Caller | None, search: str = ""
) -> int:
    """How many threads a reader sees."""
    query = select(func.count()).select_from(Thread).where(*_seen(competition, caller, search))
    return session.scalar(query) or 0


def _first_post() -> ColumnElement[int]:
    first = select(func.min(Post.id)).where(Post.thread_id == Thread.id)
    return first.correlate(Thread).scalar_subquery()


def _seen(
    competition: Competition, caller: Caller | None, search: str
) -> list[ColumnElement[bool]]:
    conditions = [Thread.competition_id == competition.id]
    sees_hidden = is_staff(competition, caller)
    if not sees_hidden:
        conditions.append(Thread.hidden == "")
    for word in search.split()[:8]:
        said = and_(Post.thread_id == Thread.id, Post.text.icontains(word, autoescape=True))
        if not sees_hidden:
            said = and_(said, Post.hidden == "")
        conditions.append(
            or_(
                Thread.title.icontains(word, autoescape=True),
                exists().where(said).correlate(Thread),
            )
        )
    return conditions


def find(
    session: Session, competition: Competition, caller: Caller | None, thread_id: int
) -> Thread:
    """A thread of this competition that the reader may see, else NotFoundError."""
    thread = session.get(Thread, thread_id)
    if (
        thread is None
        or thread.competition_id != competition.id
        or (thread.hidden and not is_staff(competition, caller))
    ):
        raise NotFoundError(f"{competition.slug} has no thread {thread_id}.")
    return thread


def posts(session: Session, thread: Thread, caller: Caller | None) -> list[Shown]:
    """The posts of a thread, in their order."""
    found = session.scalars(select(Post).where(Post.thread_id == thread.id).order_by(Post.id)).all()
    sees_hidden = is_staff(thread.competition, caller)
    staff = staff_of(session, thread.competition, [one.user for one in found if one.user])
    shown = []
    for one in found:
        is_own = caller is not None and one.user_id == caller.id
        is_for_them = not one.deleted_at and (not one.hidden or sees_hidden or is_own)
        shown.append(
            Shown(
                one,
                one.text if is_for_them else None,
                one.user.handle if one.user else None,
                one.user_id in staff,
                is_own,
            )
        )
    return shown


def staff_of(session: Session, competition: Competition, people: Iterable[User]) -> set[int]:
    """Which of these people speak for the competition."""
    ids = {user.id for user in people}
    of_course = (
        false()
        if competition.course_id is None
        else exists().where(
            Enrolment.course_id == competition.course_id,
            Enrolment.user_id == User.id,
            Enrolment.role != "student",
        )
    )
    speaks = or_(User.role == "admin", User.id == competition.host_id, of_course)
    return set(session.scalars(select(User.id).where(User.id.in_(ids), speaks)))


def begin(
    session: Session, competition: Competition, caller: Caller, title: str, text: str
) -> Thread:
    """Begin a thread; the same one sent twice is one."""
    _hold_writer(session, caller)
    title, text = _title(title), _text(text)
    moment = now()
    twin = session.scalar(
        select(Thread)
        .join(Post, Post.id == _first_post())
        .where(
            Thread.competition_id == competition.id,
            Thread.title == title,
            Post.user_id == caller.id,
            Post.text == text,
            Post.created_at > moment - TWICE_WITHIN,
        )
        .limit(1)
    )
    if twin is not None:
        return twin
    _need_room(session, caller, moment)
    thread = Thread(competition_id=competition.id, title=title, created_at=moment, last_at=moment)
    session.add(thread)
    session.flush()
    session.add(Post(thread_id=thread.id, user_id=caller.id, text=text, created_at=moment))
    session.flush()
    return thread


def reply(
    session: Session, competition: Competition, caller: Caller, thread_id: int, text: str
) -> Post:
    """Answer in a thread, and tell those who have written in it; ClosedError if it is locked."""
    _hold_writer(session, caller)
    text = _text(text)
    moment = now()
    session.scalars(select(Thread.id).where(Thread.id == thread_id).with_for_update()).first()
    thread = find(session, competition, caller, thread_id)
    if thread.locked and not is_staff(competition, caller):
        raise ClosedError("This thread is closed: staff reads it, and nobody answers any more.")
    twin = session.scalar(
        select(Post)
        .where(
            Post.thread_id == thread.id,
            Post.user_id == caller.id,
            Post.text == text,
            Post.created_at > moment - TWICE_WITHIN,
        )
        .limit(1)
    )
    if twin is not None:
        return twin
    _need_room(session, caller, moment)
    post = Post(thread_id=thread.id, user_id=caller.id, text=text, created_at=moment)
    session.add(post)
    thread.replies, thread.last_at = Thread.replies + 1, moment
    session.flush()
    notifications.tell(
        session,
        notifications.REPLY,
        _listeners(session, competition, thread, caller),
        f"{caller.handle} answers in “{thread.title}”, in {competition.title}.",
        link_to(competition, post),
        key=f"reply:{post.id}",
    )
    return post


def link_to(competition: Competition, post: Post) -> str:
    """The path of a post."""
    return f"/c/{competition.slug}/discussion/{post.thread_id}#p-{post.id}"


def _listeners(
    session: Session, competition: Competition, thread: Thread, caller: Caller
) -> Sequence[int]:
    """Who has written in a thread and still sees the competition."""
    query = (
        select(Post.user_id)
        .where(
            Post.thread_id == thread.id,
            Post.deleted_at.is_(None),
            Post.user_id.is_not(None),
            Post.user_id != caller.id,
        )
        .distinct()
    )
    if competition.course_id is not None:
        query = query.where(
            exists().where(
                Enrolment.course_id == competition.course_id, Enrolment.user_id == Post.user_id
            )
        )
    return [user_id for user_id in session.scalars(query) if user_id is not None]


def edit(
    session: Session, competition: Competition, caller: Caller, post_id: int, text: str
) -> Post:
    """Change a post of one's own."""
    post = _own(session, competition, caller, post_id)
    text = _text(text)
    if text != post.text:
        post.text, post.edited_at = text, now()
    return post


def delete(session: Session, competition: Competition, caller: Caller, post_id: int) -> bool:
    """Take back a post of one's own; True if its thread went with it, since nobody answered."""
    post = _own(session, competition, caller, post_id)
    alone = select(func.count()).where(Post.thread_id == post.thread_id)
    if session.scalar(alone) == 1:
        session.delete(session.get_one(Thread, post.thread_id))
        return True
    post.text, post.deleted_at = "", now()
    return False


def _own(session: Session, competition: Competition, caller: Caller, post_id: int) -> Post:
    caller.need("submit")
    post = _post(session, competition, caller, post_id)
    if post.user_id != caller.id:
        raise NoAccessError("Only its author changes a post. Staff can hide it.")
    if post.deleted_at is not None:
        raise NotFoundError("This post was deleted.")
    if post.thread.locked and not is_staff(competition, caller):
        raise ClosedError("This thread is closed: nothing in it changes any more.")
    return post


def _post(session: Session, competition: Competition, caller: Caller | None, post_id: int) -> Post:
    post = session.get(Post, post_id)
    if post is None:
        raise NotFoundError(f"{competition.slug} has no post {post_id}.")
    # The thread first, as those who answer do: of two at once one waits for the other.
    locked = select(Thread.id).where(Thread.id == post.thread_id).with_for_update()
    session.scalars(locked).first()
    try:
        find(session, competition, caller, post.thread_id)
    except NotFoundError:
        raise NotFoundError(f"{competition.slug} has no post {post_id}.") from None
    return post


def moderate(
    session: Session,
    competition: Competition,
    caller: Caller,
    thread_id: int,
    *,
    pinned: bool | None = None,
    locked: bool | None = None,
    hidden: str | None = None,
) -> Thread:
    """Pin, close or hide a thread (with a reason; an empty one shows it again). Audited."""
    need_moderator(competition, caller)
    thread = find(session, competition, caller, thread_id)
    changed: dict[str, Any] = {}
    if pinned is not None and pinned != thread.pinned:
        thread.pinned = changed["pinned"] = pinned
    if locked is not None and locked != thread.locked:
        thread.locked = changed["locked"] = locked
    if hidden is not None and hidden != thread.hidden:
        thread.hidden = changed["hidden"] = _reason(hidden)
    if changed:
        audit(
            session,
            caller,
            "discussion.thread",
            competition,
            hidden or "",
            thread=thread.id,
            **changed,
        )
    return thread


def hide(
    session: Session, competition: Competition, caller: Caller, post_id: int, reason: str
) -> Post:
    """Hide a post with a reason, or with an empty one show it again. Audited."""
    need_moderator(competition, caller)
    post = _post(session, competition, caller, post_id)
    post.hidden = _reason(reason)
    audit(session, caller, "discussion.post", competition, post.hidden, post=post.id)
    return post


def need_moderator(competition: Competition, caller: Caller) -> None:
    """Raise NoAccessError unless the caller may moderate here."""
    if not is_staff(competition, caller):
        raise NoAccessError(f"Only the staff of {competition.title} moderates its discussion.")


def _hold_writer(session: Session, caller: Caller) -> None:
    """The person may write, and writes one thing at a time: limits are counted under this lock."""
    caller.need("submit")
    session.scalars(select(User.id).where(User.id == caller.id).with_for_update()).one()


def _need_room(session: Session, caller: Caller, moment: datetime) -> None:
    recent = session.scalars(
        select(Post.created_at)
        .where(Post.user_id == caller.id, Post.created_at > moment - WITHIN)
        .order_by(Post.created_at)
    ).all()
    if len(recent) >= MOST_POSTS:
        raise LimitError(
            f"You have written {len(recent)} posts within {WITHIN.seconds // 60} minutes, as many "
            "as may be. Wait a little.",
            resets_at=recent[0] + WITHIN,
        )


def _title(title: str) -> str:
    title = " ".join(title.split())
    least, most = TITLE_CHARACTERS
    if not least <= len(title) <= most or not title.isprintable():
        raise BadRequestError(
            f"The title has {len(title)} characters. Use {least} to {most}, printable ones.",
            field="title",
        )
    return title


def _text(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST_TEXT:
        raise BadRequestError(
            f"The text has {len(text)} characters. Use 1 to {LONGEST_TEXT:,}.", field="text"
        )
    return text


def _reason(reason: str) -> str:
    return " ".join(reason.split())[:200]
