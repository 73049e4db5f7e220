"""The shapes of answers about grades, as those of `shapes`."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.web.api.shapes import Shape


class PointRequest(Shape):
    """A score, or a baseline whose private score it is, with its percent."""

    name: str = Field(max_length=200)
    percent: float
    score: float | None = None
    baseline: str | None = Field(None, max_length=200)


class RuleRequest(Shape):
    """How scores become percent; points from the worst score to the best."""

    kind: Literal["anchors", "thresholds"] = "anchors"
    points: list[PointRequest] = Field(max_length=50)
    equal_in_ties: bool = False
    reason: str = Field("", max_length=500)


class Point(Shape):
    """A point of the rule, with the score that its baseline has now."""

    name: str
    percent: float
    score: float | None
    baseline: str | None


class OverrideRequest(Shape):
    """A grade set by hand; `percent` of null takes it back."""

    email: str = Field(max_length=300)
    percent: float | None
    note: str = Field("", max_length=2000)


class Result(Shape):
    """How a grade comes about."""

    percent: float
    computed: float
    score: float | None
    submission_id: int | None
    by_score: float
    in_ties: float
    days_late: int
    days_from_bank: int
    credit: float
    override: float | None
    note: str
    words: str


class StudentGrade(Shape):
    """A student's grade as computed now, and as released last."""

    email: str
    name: str
    number: str
    section: str
    result: Result | None
    released_percent: float | None


class Grades(Shape):
    """The rule of a competition and all of its grades."""

    kind: str | None
    points: list[Point]
    equal_in_ties: bool
    trouble: str
    released_at: datetime | None
    changed_since_release: int
    items: list[StudentGrade]


class MyGrade(Shape):
    """The caller's own released grade."""

    released_at: datetime
    result: Result
    kind: str
    points: list[Point]


class Released(Shape):
    """How many students were shown their grade."""

    students: int


class ExportForm(Shape):
    """What file, and for canvas and moodle the class list, as multipart/form-data."""

    style: Literal["csv", "canvas", "moodle"] = "csv"
    file: str = Field("", json_schema_extra={"format": "binary"})


class UnmatchedRow(Shape):
    """A row of the class list that names no student of the course."""

    line: int
    who: str


class Export(Shape):
    """The file's content, and what could not be matched."""

    content: str
    matched: int
    unmatched_rows: list[UnmatchedRow]
    unmatched_students: list[str]
