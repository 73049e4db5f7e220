"""Class lists: a CSV is read, compared with a course, and applied; the same file twice is once.

The columns of Moodle's and Canvas' own exports are understood beside the plain ones. A list never
removes anybody unless that is asked for, and never an instructor.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from podium import courses
from podium.accounts import COURSE_ROLES, EMAIL, HOST, INSTRUCTOR, STUDENT, Caller
from podium.errors import BadRequestError
from podium.models import Course, Enrolment, User
from podium.models.record import now
from podium_scoring.errors import MOST_DETAILS, Detail, SubmissionError

MOST_ROWS = 20_000
LONGEST = 120
CHUNK = 500  # addresses asked for at once
COLUMNS = {
    "email": ("email", "e-mail", "mail", "email address", "sis login id"),
    "name": ("name", "full name", "student", "student name"),
    "first": ("first name", "given name"),
    "last": ("last name", "surname", "family name"),
    "number": ("number", "student number", "id number", "student id", "sis user id"),
    "section": ("section", "group", "groups"),
    "role": ("role",),
}
KEPT = ("name", "number", "section", "role")


@dataclass(frozen=True)
class Line:
    """One person of a list; None is a column that the file does not have."""

    email: str
    name: str | None
    number: str | None
    section: str | None
    role: str | None

    @property
    def said(self) -> dict[str, str]:
        """What the file says beside the address."""
        return {name: value for name in KEPT if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Change:
    """What a list would change of one place: each field before and after."""

    enrolment_id: int
    email: str
    fields: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Difference:
    """What a list means for a course."""

    added: list[Line]
    with_account: int  # of those added
    changed: list[Change]
    unchanged: int
    absent: list[str]  # in the course, not in the list
    removes: bool  # whether they go
    not_read: list[str] = field(default_factory=list)  # columns of no meaning here


def read(content: bytes) -> tuple[list[Line], list[str]]:
    """The people of a CSV, and the columns that were not read; SubmissionError with its faults."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"The class list is not UTF-8 (byte {error.start}). Save it as CSV UTF-8."
        ) from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        places = _places(header)
        known = set(places.values())
        not_read = [name for index, name in enumerate(header) if index not in known and name]
        return _lines(rows, header, places), not_read
    except csv.Error as error:
        raise SubmissionError(f"Line {rows.line_num} is no CSV: {error}.") from None


def _places(header: list[str]) -> dict[str, int]:
    places = {
        what: header.index(name)
        for what, names in COLUMNS.items()
        for name in reversed(names)
        if name in header
    }
    if "email" not in places:
        raise SubmissionError(
            "The class list has no column of addresses.",
            [
                Detail(
                    1,
                    "email",
                    f"a column called {', '.join(COLUMNS['email'])}",
                    ", ".join(header[:8]) or "an empty file",
                )
            ],
        )
    return places


def _lines(rows: Iterator[list[str]], header: list[str], places: dict[str, int]) -> list[Line]:
    lines: list[Line] = []
    faults: list[Detail] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            faults.append(Detail(number, None, f"{len(header)} fields", f"{len(row)} fields"))
            continue
        line = _line(row, places)
        faults += _faults(number, line)
        if line.email in seen:
            expected = f"each address once (it stands in line {seen[line.email]} too)"
            faults.append(Detail(number, "email", expected, line.email))
        seen.setdefault(line.email, number)
        lines.append(line)
    if len(lines) > MOST_ROWS:
        raise SubmissionError(f"The class list has {len(lines)} people. The most is {MOST_ROWS}.")
    if faults:
        raise SubmissionError(
            f"The class list has {len(faults)} faults. Nothing was changed.",
            faults[:MOST_DETAILS],
            len(faults) - len(faults[:MOST_DETAILS]),
        )
    return lines


def _line(row: list[str], places: dict[str, int]) -> Line:
    def cell(what: str) -> str | None:
        return " ".join(row[places[what]].split()) if what in places else None

    name = cell("name")
    if name is None and ("first" in places or "last" in places):
        name = " ".join(part for part in (cell("first"), cell("last")) if part)
    role = cell("role")
    return Line(
        email=(cell("email") or "").lower(),
        name=name,
        number=cell("number"),
        section=cell("section"),
        # An empty role says nothing: it must not make a student of an assistant.
        role=role.lower() if role else None,
    )


def _faults(number: int, line: Line) -> Iterator[Detail]:
    if not EMAIL.fullmatch(line.email) or len(line.email) > 254:
        yield Detail(number, "email", "an e-mail address", repr(line.email[:60]))
    if line.role is not None and line.role not in COURSE_ROLES:
        yield Detail(number, "role", " or ".join(COURSE_ROLES), repr(line.role[:60]))
    for name in ("name", "number", "section"):
        value = getattr(line, name)
        if value is not None and (len(value) > LONGEST or not value.isprintable()):
            yield Detail(number, name, f"at most {LONGEST} printable characters", repr(value[:60]))


def compare(
    session: Session, course: Course, content: bytes, *, removes_absent: bool = False
) -> Difference:
    """What a list would change; changes nothing."""
    lines, not_read = read(content)
    there = {
        place.email: place
        for place in session.scalars(select(Enrolment).where(Enrolment.course_id == course.id))
    }
    added, changed, unchanged = [], [], 0
    for line in lines:
        place = there.get(line.email)
        if place is None:
            added.append(line)
            continue
        fields = {
            name: (getattr(place, name), value)
            for name, value in line.said.items()
            if getattr(place, name) != value
        }
        if fields:
            changed.append(Change(place.id, line.email, fields))
        else:
            unchanged += 1
    listed = {line.email for line in lines}
    absent = sorted(
        email for email, place in there.items() if email not in listed and place.role != INSTRUCTOR
    )
    accounts = _accounts(session, [line.email for line in added])
    return Difference(added, len(accounts), changed, unchanged, absent, removes_absent, not_read)


def _accounts(session: Session, emails: Sequence[str]) -> dict[str, int]:
    """The ids of those who have an account, by their address; unconfirmed ones come in later."""
    found: dict[str, int] = {}
    for start in range(0, len(emails), CHUNK):
        part = emails[start : start + CHUNK]
        rows = session.execute(
            select(User.email, User.id).where(User.email.in_(part), User.unconfirmed.is_(False))
        )
        found |= {email: id_ for email, id_ in rows}
    return found


def preview(
    session: Session, caller: Caller, slug: str, content: bytes, *, removes_absent: bool = False
) -> Difference:
    """The dry run, for those who may apply it."""
    course = courses.find(session, slug, caller)
    courses.need_right(course, caller, "roster")
    return compare(session, course, content, removes_absent=removes_absent)


def apply(
    session: Session, caller: Caller, slug: str, content: bytes, *, removes_absent: bool = False
) -> Difference:
    """Bring a course to what a list says; returns what was changed. Audited.

    Raises SubmissionError with the faults of the list, and NoAccessError where a list makes or
    unmakes staff and the caller is no instructor.
    """
    # Two lists at once come one after the other.
    session.scalars(select(Course.id).where(Course.slug == slug).with_for_update()).first()
    difference = preview(session, caller, slug, content, removes_absent=removes_absent)
    course = courses.find(session, slug, caller)
    if _touches_staff(session, course, difference):
        courses.need_right(course, caller, HOST)
    _need_instructor(session, course, difference)
    accounts = _accounts(session, [line.email for line in difference.added])
    # Who has changed the address has a place already, under the earlier one.
    there = set(session.scalars(select(Enrolment.user_id).where(Enrolment.course_id == course.id)))
    accounts = {email: user_id for email, user_id in accounts.items() if user_id not in there}
    if difference.added:
        blank = {"name": "", "number": "", "section": "", "role": STUDENT}
        rows: list[dict[str, Any]] = [
            blank
            | line.said
            | {
                "course_id": course.id,
                "email": line.email,
                "user_id": accounts.get(line.email),
                "created_at": now(),
            }
            for line in difference.added
        ]
        session.execute(insert(Enrolment), rows)
    for name in KEPT:
        rows = [
            {"id": one.enrolment_id, name: one.fields[name][1]}
            for one in difference.changed
            if name in one.fields
        ]
        if rows:
            session.execute(update(Enrolment), rows)
    if difference.removes:
        for start in range(0, len(difference.absent), CHUNK):
            part = difference.absent[start : start + CHUNK]
            session.execute(
                delete(Enrolment)
                .where(Enrolment.course_id == course.id, Enrolment.email.in_(part))
                .execution_options(synchronize_session=False)
            )
    courses.audit(
        session,
        caller,
        "course.roster",
        course,
        added=len(difference.added),
        changed=len(difference.changed),
        removed=len(difference.absent) if difference.removes else 0,
    )
    return difference


def _touches_staff(session: Session, course: Course, difference: Difference) -> bool:
    if any((line.role or STUDENT) != STUDENT for line in difference.added):
        return True
    if any("role" in one.fields for one in difference.changed):
        return True
    if not difference.removes:
        return False
    staff = select(Enrolment.email).where(
        Enrolment.course_id == course.id, Enrolment.role != STUDENT
    )
    return not set(session.scalars(staff)).isdisjoint(difference.absent)


def _need_instructor(session: Session, course: Course, difference: Difference) -> None:
    """A course keeps one instructor, whatever a list says."""
    roles = {
        email: role
        for email, role in session.execute(
            select(Enrolment.email, Enrolment.role).where(Enrolment.course_id == course.id)
        )
    }
    roles |= {
        one.email: one.fields["role"][1] for one in difference.changed if "role" in one.fields
    }
    roles |= {line.email: line.role or STUDENT for line in difference.added}
    if INSTRUCTOR not in roles.values():
        raise BadRequestError(
            f"After this list {course.title} would have no instructor. Keep one in it.",
            field="role",
        )
