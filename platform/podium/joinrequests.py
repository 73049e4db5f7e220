"""Who came by a course's join code and waits: staff that keeps the roster lets them in, or not."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from podium import courses
from podium.accounts import STUDENT, Caller
from podium.errors import NotFoundError
from podium.models import Course, JoinRequest


def of(session: Session, course: Course) -> Sequence[JoinRequest]:
    """All who wait, the longest first."""
    return session.scalars(
        select(JoinRequest)
        .where(JoinRequest.course_id == course.id)
        .options(joinedload(JoinRequest.user))
        .order_by(JoinRequest.asked_at, JoinRequest.id)
    ).all()


def decide(
    session: Session,
    caller: Caller,
    slug: str,
    request_id: int,
    *,
    accepts: bool,
    reason: str = "",
) -> JoinRequest:
    """Let a person in as a student, or decline; audited. They may ask again.

    Raises NoAccessError, or NotFoundError for a request that is decided already.
    """
    course = courses.find(session, slug, caller)
    courses.need_right(course, caller, "roster")
    found = session.get(JoinRequest, request_id)
    if found is None or found.course_id != course.id:
        raise NotFoundError(f"{course.title} has no request {request_id}: it is decided already.")
    if accepts:
        courses.enrol(session, caller, slug, found.user.handle, STUDENT)
    else:
        courses.audit(session, caller, "course.decline", course, reason, handle=found.user.handle)
    session.delete(found)
    return found
