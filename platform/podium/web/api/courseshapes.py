"""The shapes of answers about courses, as those of `shapes`."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from podium.web.api.shapes import Shape

CourseRole = Literal["instructor", "assistant", "student"]


class CourseRequest(Shape):
    """A new course."""

    slug: str = Field(max_length=200)
    title: str = Field(max_length=200)
    time_zone: str = Field("UTC", max_length=100)


class CourseOptions(Shape):
    """What its instructors choose; what is left out stays."""

    title: str | None = Field(None, max_length=200)
    time_zone: str | None = Field(None, max_length=100)
    asks_first: bool | None = None
    mail_domains: list[str] | None = Field(None, max_length=50)
    assistants_may: list[str] | None = Field(None, max_length=20)
    late_days: int | None = None
    reason: str = Field("", max_length=500)


class CodeRequest(Shape):
    """A new join code; `until` of null: until it is closed."""

    until: AwareDatetime | None = None


class JoinRequest(Shape):
    """A join code."""

    code: str = Field(max_length=100)


class Course(Shape):
    """A course as somebody in it sees it; the code and the rules are told to staff."""

    slug: str
    title: str
    time_zone: str
    role: str
    rights: list[str]
    competitions: list[str]
    people: dict[str, int] | None
    join_code: str | None
    join_until: datetime | None
    asks_first: bool
    mail_domains: list[str]
    assistants_may: list[str]
    late_days: int


class Courses(Shape):
    """The caller's courses."""

    items: list[Course]


class Request(Shape):
    """Somebody who came by the code and waits."""

    id: int
    handle: str
    email: str
    asked_at: datetime


class Requests(Shape):
    """All who wait, the longest first."""

    items: list[Request]


class Decision(Shape):
    """Whether they are let in."""

    accepts: bool
    reason: str = Field("", max_length=500)


class EnrolRequest(Shape):
    """A person with an account."""

    handle: str = Field(max_length=200)
    role: CourseRole = "student"
    section: str = Field("", max_length=200)


class PlaceRequest(Shape):
    """Another role or section."""

    role: CourseRole
    section: str = Field("", max_length=200)


class Place(Shape):
    """A person's place in a course; `handle` is null until somebody signs up with the address."""

    id: int
    email: str
    name: str
    number: str
    section: str
    role: str
    handle: str | None


class Roster(Shape):
    """Everybody in a course."""

    items: list[Place]


class RosterForm(Shape):
    """A class list as multipart/form-data."""

    file: str = Field(json_schema_extra={"format": "binary"})
    dry_run: str = "false"
    remove_absent: str = "false"


class RosterLine(Shape):
    """Somebody whom the list adds."""

    email: str
    name: str | None
    number: str | None
    section: str | None
    role: str | None


class RosterChange(Shape):
    """A place that the list changes: each field before and after."""

    email: str
    fields: dict[str, tuple[str, str]]


class RosterDifference(Shape):
    """What a list changes, or in a dry run would."""

    applied: bool
    added: list[RosterLine]
    with_account: int
    changed: list[RosterChange]
    unchanged: int
    absent: list[str]
    removes: bool
    not_read: list[str]
