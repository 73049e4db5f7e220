"""Courses: who teaches and who learns in one, how people come in, what assistants may do.

A place is kept for an address (`Enrolment`); the person with that address has it from the moment
of signing up. What a role allows is in `accounts.rights_of`.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from podium.accounts import (
    COURSE_ROLES,
    HOST,
    INSTRUCTOR,
    RIGHTS,
    STUDENT,
    Caller,
    find_user,
)
from podium.competitions import need_moment, need_zone
from podium.errors import BadRequestError, ClosedError, ConflictError, NoAccessError, NotFoundError
from podium.models import AuditEntry, Competition, Course, Enrolment, JoinRequest, User
from podium.models.record import now

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
LONGEST_SLUG, LONGEST_TITLE, LONGEST_TEXT, LONGEST_REASON = 60, 80, 120, 500
MOST_LATE_DAYS = 60
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read as something else
CODE_LETTERS = 10
OPTIONS = (
    *("title", "time_zone", "join_until", "asks_first", "mail_domains", "assistants_may"),
    "late_days",
)


def create(
    session: Session, caller: Caller, slug: str, title: str, time_zone: str = "UTC"
) -> Course:
    """A new course with the caller as its instructor; nobody joins by a code yet."""
    if caller.role not in ("instructor", "admin") or "host" not in caller.scopes:
        raise NoAccessError(
            "Only instructors create courses. An admin can make you one: "
            f"podium user role {caller.handle} instructor"
        )
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise BadRequestError(
            f"The short name {slug!r} does not fit: letters a to z, digits and single hyphens, at "
            f"most {LONGEST_SLUG}.",
            field="slug",
        )
    if session.scalar(select(exists().where(Course.slug == slug))):
        raise ConflictError(f"There is a course {slug!r} already. Choose another short name.")
    course = Course(slug=slug, title=_title(title), time_zone=need_zone(time_zone))
    course.mail_domains, course.assistants_may, course.late_days = [], ["see"], 0
    course.created_by = caller.id
    session.add(course)
    session.flush()
    user = session.get_one(User, caller.id)
    session.add(
        Enrolment(
            course_id=course.id,
            user_id=user.id,
            email=user.email,
            name=user.handle,
            role=INSTRUCTOR,
        )
    )
    audit(session, caller, "course.create", course)
    return course


def find(session: Session, slug: str, caller: Caller) -> Course:
    """The course of this short name, if the caller belongs to it; else NotFoundError."""
    course = session.scalar(select(Course).where(Course.slug == slug))
    if course is None or not (caller.is_admin or course.id in caller.courses):
        raise NotFoundError(f"You are in no course {slug!r}. `podium courses list` lists yours.")
    return course


def may(course: Course, caller: Caller, right: str) -> bool:
    """Whether the caller has a right in this course; admins have all."""
    if "host" not in caller.scopes:
        return False
    return caller.is_admin or right in caller.courses.get(course.id, ())


def need_right(course: Course, caller: Caller, right: str) -> None:
    """Raise NoAccessError unless the caller has this right in the course."""
    if not may(course, caller, right):
        raise NoAccessError(
            f"{course.title} does not allow you this (the right {right!r}). Its instructors may, "
            "with a token of scope 'host'."
        )


def of_caller(session: Session, caller: Caller) -> Sequence[tuple[Course, str]]:
    """The caller's courses with the role in each, the newest first; admins see all."""
    own = (Enrolment.course_id == Course.id) & (Enrolment.user_id == caller.id)
    query = select(Course, Enrolment.role).outerjoin(Enrolment, own).order_by(Course.id.desc())
    if not caller.is_admin:
        query = query.where(Enrolment.id.is_not(None))
    return [(course, role or "admin") for course, role in session.execute(query)]


def of_competition(session: Session, competition: Competition) -> Course | None:
    """The course that a competition belongs to."""
    return session.get(Course, competition.course_id) if competition.course_id else None


def competitions_of(session: Session, course: Course) -> Sequence[Competition]:
    """The competitions of a course, by their deadline."""
    found = session.scalars(select(Competition).where(Competition.course_id == course.id))
    far = datetime.max.replace(tzinfo=now().tzinfo)
    return sorted(found, key=lambda one: (one.closes_at or far, one.slug))


def change(
    session: Session, caller: Caller, slug: str, wanted: Mapping[str, Any], reason: str = ""
) -> Course:
    """Set some options of a course; for its instructors, audited."""
    course = find(session, slug, caller)
    need_right(course, caller, HOST)
    fitted = {name: _fit(name, value) for name, value in wanted.items()}
    changed = {name: value for name, value in fitted.items() if getattr(course, name) != value}
    before = {name: getattr(course, name) for name in changed}
    for name, value in changed.items():
        setattr(course, name, value)
    if changed:
        detail = {name: [_plain(before[name]), _plain(value)] for name, value in changed.items()}
        audit(session, caller, "course.options", course, reason, **detail)
    return course


def _fit(name: str, value: Any) -> Any:
    match name:
        case "title":
            return _title(value)
        case "time_zone":
            return need_zone(value)
        case "join_until":
            return need_moment(value, name)
        case "mail_domains":
            return _domains(value)
        case "assistants_may":
            return _rights(value)
        case "late_days" if not 0 <= value <= MOST_LATE_DAYS:
            raise BadRequestError(f"late_days is 0 to {MOST_LATE_DAYS}, not {value}.", field=name)
    return value


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise BadRequestError(
            f"The title has {len(title)} characters. Use 1 to {LONGEST_TITLE}.", field="title"
        )
    return title


def _domains(names: Sequence[str]) -> list[str]:
    found = sorted({name.strip().lower().removeprefix("@") for name in names} - {""})
    for name in found:
        if not DOMAIN.fullmatch(name):
            raise BadRequestError(
                f"{name!r} is no mail domain. Write one like uni.example.", field="mail_domains"
            )
    return found


def _rights(names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in RIGHTS:
            raise BadRequestError(
                f"There is no right {name!r}. Rights are {', '.join(RIGHTS)}.",
                field="assistants_may",
            )
    # Whoever may do something sees what it is done to.
    return [name for name in RIGHTS if name in names or (name == "see" and names)]


def renew_code(session: Session, caller: Caller, slug: str, *, until: datetime | None) -> Course:
    """A new join code, in force until then (None: until it is closed); the old one ends."""
    course = find(session, slug, caller)
    need_right(course, caller, HOST)
    course.join_code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    course.join_until = _fit("join_until", until)
    audit(session, caller, "course.code", course)
    return course


def close_code(session: Session, caller: Caller, slug: str) -> Course:
    """Nobody joins by a code any more."""
    course = find(session, slug, caller)
    need_right(course, caller, HOST)
    course.join_code = course.join_until = None
    audit(session, caller, "course.code_closed", course)
    return course


def behind(session: Session, code: str) -> Course:
    """The course that a join code opens now; NotFoundError, or ClosedError after its end."""
    course = session.scalar(select(Course).where(Course.join_code == code.strip().lower()))
    if course is None:
        raise NotFoundError("This join code opens no course. Check it, or ask your instructor.")
    if course.join_until is not None and now() > course.join_until:
        raise ClosedError(
            f"The join code of {course.title} ended on {course.join_until:%Y-%m-%d %H:%M} UTC. "
            "Ask your instructor for a new one."
        )
    return course


def join(session: Session, caller: Caller, code: str) -> tuple[Course, bool]:
    """Come in by a join code; who is in already stays as they are.

    The course, and whether the caller is in it now: where the course asks first, they wait.
    NoAccessError where the course asks for another mail domain than the caller's address has.
    """
    course = behind(session, code)
    user = session.scalars(select(User).where(User.id == caller.id).with_for_update()).one()
    if _place(session, course, user) is not None:
        return course, True
    if user.unconfirmed and course.mail_domains:
        raise NoAccessError(
            f"{course.title} takes addresses of {' or '.join(course.mail_domains)}. Confirm yours "
            "first: a link was sent to it, and your account page sends it again.",
            code="unconfirmed",
        )
    domain = user.email.rpartition("@")[2]
    if course.mail_domains and not any(
        domain == one or domain.endswith(f".{one}") for one in course.mail_domains
    ):
        raise NoAccessError(
            f"{course.title} takes addresses of {' or '.join(course.mail_domains)}; yours is of "
            f"{domain}. Sign up with that address, or ask your instructor to add you.",
            code="mail_domain",
        )
    if course.asks_first:
        asked = (JoinRequest.course_id == course.id, JoinRequest.user_id == user.id)
        if session.scalar(select(JoinRequest.id).where(*asked)) is None:
            session.add(JoinRequest(course_id=course.id, user_id=user.id))
        return course, False
    session.add(Enrolment(course_id=course.id, user_id=user.id, email=user.email, name=user.handle))
    return course, True


def _place(session: Session, course: Course, user: User) -> Enrolment | None:
    """A person's place in a course; one that was kept for the address is taken now."""
    found = session.scalar(
        select(Enrolment)
        .where(
            Enrolment.course_id == course.id,
            (Enrolment.user_id == user.id) | (Enrolment.email == user.email),
        )
        .order_by(case((Enrolment.user_id == user.id, 0), else_=1))
        .limit(1)
    )
    if found is None or found.user_id == user.id:
        return found
    if found.user_id is not None:  # who had this address before
        raise ConflictError(
            f"The place in {course.title} for the address of {user.handle} belongs to another "
            "account."
        )
    if user.unconfirmed:
        raise NoAccessError(
            f"A place in {course.title} is kept for the address of {user.handle}, which is "
            "not confirmed yet. A link was sent to it; the account page sends it again.",
            code="unconfirmed",
        )
    found.user_id = user.id
    return found


def enrol(
    session: Session, caller: Caller, slug: str, handle: str, role: str, section: str = ""
) -> Enrolment:
    """Give a person with an account a place, or another role; staff only by instructors."""
    course = find(session, slug, caller)
    _need_may_set(course, caller, role)
    user = find_user(session, handle.strip())
    place = _place(session, course, user)
    if place is None:
        place = Enrolment(course_id=course.id, user_id=user.id, email=user.email, name=handle)
        session.add(place)
    else:
        _need_may_change(session, course, caller, place, role)
    place.role, place.section = role, section.strip()[:LONGEST_TEXT] or place.section or ""
    audit(session, caller, "course.enrol", course, handle=user.handle, role=role)
    return place


def edit(
    session: Session, caller: Caller, slug: str, enrolment_id: int, *, role: str, section: str
) -> Enrolment:
    """Change the role or section of a place."""
    course, place = _found(session, caller, slug, enrolment_id)
    if role != place.role:
        _need_may_set(course, caller, role)
        _need_may_change(session, course, caller, place, role)
        audit(session, caller, "course.role", course, email=place.email, role=role)
    place.role, place.section = role, section.strip()[:LONGEST_TEXT]
    return place


def remove(session: Session, caller: Caller, slug: str, enrolment_id: int, reason: str) -> None:
    """Take a person out: they see nothing of the course any more; what they did stays."""
    course, place = _found(session, caller, slug, enrolment_id)
    _need_may_change(session, course, caller, place, STUDENT)
    audit(session, caller, "course.remove", course, reason, email=place.email)
    session.delete(place)


def _found(
    session: Session, caller: Caller, slug: str, enrolment_id: int
) -> tuple[Course, Enrolment]:
    course = find(session, slug, caller)
    need_right(course, caller, "roster")
    place = session.get(Enrolment, enrolment_id)
    if place is None or place.course_id != course.id:
        raise NotFoundError(f"{course.title} has no place {enrolment_id}.")
    return course, place


def _need_may_set(course: Course, caller: Caller, role: str) -> None:
    if role not in COURSE_ROLES:
        raise BadRequestError(
            f"There is no role {role!r} in a course. Roles are {', '.join(COURSE_ROLES)}.",
            field="role",
        )
    need_right(course, caller, "roster" if role == STUDENT else HOST)


def _need_may_change(
    session: Session, course: Course, caller: Caller, place: Enrolment, role: str
) -> None:
    """Only instructors change staff, and a course keeps one instructor."""
    if place.role != STUDENT:
        need_right(course, caller, HOST)
    if place.role == INSTRUCTOR != role:
        instructors = session.scalar(
            select(func.count()).where(
                Enrolment.course_id == course.id, Enrolment.role == INSTRUCTOR
            )
        )
        if instructors == 1:
            raise ConflictError(
                f"{place.email} is the only instructor of {course.title}. Name another first."
            )


def people(
    session: Session, course: Course, *, search: str = "", role: str | None = None
) -> Sequence[Enrolment]:
    """Everybody in a course: staff first, then students by section and name."""
    query = select(Enrolment).where(Enrolment.course_id == course.id)
    if search:
        query = query.where(
            Enrolment.email.icontains(search, autoescape=True)
            | Enrolment.name.icontains(search, autoescape=True)
            | Enrolment.number.icontains(search, autoescape=True)
        )
    if role:
        query = query.where(Enrolment.role == role)
    return sorted(
        session.scalars(query),
        key=lambda one: (COURSE_ROLES.index(one.role), one.section, one.name.lower(), one.email),
    )


def counts(session: Session, course: Course) -> dict[str, int]:
    """How many people have each role."""
    rows = session.execute(
        select(Enrolment.role, func.count())
        .where(Enrolment.course_id == course.id)
        .group_by(Enrolment.role)
    )
    return dict.fromkeys(COURSE_ROLES, 0) | {role: number for role, number in rows}


def handles(session: Session, course: Course) -> dict[int, str]:
    """The handles of those in a course who have an account, by the id of their place."""
    rows = session.execute(
        select(Enrolment.id, User.handle)
        .join(User, User.id == Enrolment.user_id)
        .where(Enrolment.course_id == course.id)
    )
    return {id_: handle for id_, handle in rows}


def audit(
    session: Session,
    caller: Caller,
    action: str,
    course: Course,
    reason: str = "",
    **detail: object,
) -> None:
    """Write into the audit log what was done to a course."""
    session.add(
        AuditEntry(
            user_id=caller.id,
            action=action,
            subject=f"course:{course.slug}",
            reason=reason[:LONGEST_REASON],
            detail=detail,
        )
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
