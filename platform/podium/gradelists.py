"""Grades as files: our own CSV, and the lists of Canvas and Moodle filled in.

A class list of the other system says which rows it has. Each is matched by number, then address,
then the part before the @; what matches nobody is told, on both sides, and never guessed.
"""

import contextlib
import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from podium.grades import Column, Gradebook
from podium.models import Enrolment
from podium_scoring.errors import Detail, SubmissionError

CSV, CANVAS, MOODLE = STYLES = ("csv", "canvas", "moodle")
OWN = ("email", "name", "number", "section", "percent", "score", "days_late", "credit", "note")
# What the other systems call things; the first that a list has is taken.
NUMBERS = ("sis user id", "id number", "student id", "number")
ADDRESSES = ("email address", "sis login id", "email", "login id")
NAMES = ("student", "name", "first name")
PERCENT = 100.0
POINTS_ROW = "points possible"  # Canvas' second line
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Export:
    """A file, and what could not be matched: rows of the list, students of the course."""

    content: str
    matched: int
    unmatched_rows: list[tuple[int, str]]  # line and what stands there
    unmatched_students: list[str]


def export(
    book: Gradebook, column: Column, style: str = CSV, class_list: bytes | None = None
) -> Export:
    """The grades of a competition as a file.

    Canvas and Moodle need their own class list; SubmissionError says what is wrong with it.
    """
    if style == CSV:
        return _own(book, column)
    if class_list is None:
        raise SubmissionError(
            f"For {style.capitalize()}, send its class list: the CSV that it exports."
        )
    return _filled(book, column, style, class_list)


def _own(book: Gradebook, column: Column) -> Export:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(OWN)
    for student in book.students:
        result = book.results.get((student.id, column.competition.id))
        told = (
            ("", "", "", "", "")
            if result is None
            else (
                f"{result.percent:.2f}",
                "" if result.score is None else repr(result.score),
                result.days_late,
                f"{result.credit:.2f}",
                safe(result.note),
            )
        )
        person = (student.email, student.name, student.number, student.section)
        writer.writerow([*map(safe, person), *told])
    return Export(out.getvalue(), len(book.students), [], [])


def overview(book: Gradebook) -> str:
    """A whole gradebook as CSV: a row a student, a column a competition."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["email", "name", "number", "section", *(one.competition.slug for one in book.columns)]
    )
    for student in book.students:
        results = (book.results.get((student.id, one.competition.id)) for one in book.columns)
        percents = ["" if one is None else f"{one.percent:.2f}" for one in results]
        person = (student.email, student.name, student.number, student.section)
        writer.writerow([*map(safe, person), *percents])
    return out.getvalue()


def _filled(book: Gradebook, column: Column, style: str, content: bytes) -> Export:
    header, rows = _read(content)
    lower = [name.strip().lower() for name in header]
    numbers, addresses = (_first(lower, names) for names in (NUMBERS, ADDRESSES))
    if numbers is None and addresses is None:
        raise SubmissionError(
            "The class list has neither a column of numbers nor one of addresses.",
            [Detail(1, None, f"one of {', '.join((*NUMBERS, *ADDRESSES))}", ", ".join(header[:8]))],
        )
    known = _known(book.students)
    title = column.competition.title
    at = _of_title(lower, title)
    name = title if at is None else header[at]  # Canvas knows its column by the number in it
    points = _points(rows, at) if style == CANVAS else PERCENT
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keep = list(range(len(header))) if style == CANVAS else _identity(lower)
    writer.writerow([header[i] for i in keep if i != at] + [name])
    matched: set[int] = set()
    unmatched = []
    for line, row in rows:
        cells = [row[i] for i in keep if i != at]
        if style == CANVAS and row[0].strip().lower() == POINTS_ROW:
            writer.writerow([*cells, f"{points:g}"])
            continue
        number = row[numbers].strip() if numbers is not None else ""
        address = row[addresses].strip().lower() if addresses is not None else ""
        student = known.get(number) or known.get(address)
        result = book.results.get((student.id, column.competition.id)) if student else None
        if student is None or student.id in matched:
            who = " ".join(part for part in (number, address) if part) or ", ".join(row[:2])
            unmatched.append((line, who))
            if style == CANVAS:  # Canvas wants every row back; an empty cell changes nothing
                writer.writerow([*cells, ""])
            continue
        matched.add(student.id)
        grade = f"{result.percent * points / PERCENT:.2f}" if result else ""
        writer.writerow([*cells, grade])
    left = [one.email for one in book.students if one.id not in matched]
    return Export(out.getvalue(), len(matched), unmatched, left)


def _of_title(header: Sequence[str], title: str) -> int | None:
    """Where a list has a column of the competition already: its title, in Canvas with a number."""
    own = re.compile(rf"{re.escape(title.lower())}( \(\d+\))?")
    return next((i for i, name in enumerate(header) if own.fullmatch(name)), None)


def _points(rows: Sequence[tuple[int, list[str]]], at: int | None) -> float:
    """What Canvas gives for 100 % in a column: what its list says, else 100."""
    for _, row in rows:
        if at is not None and row[0].strip().lower() == POINTS_ROW:
            with contextlib.suppress(ValueError):
                said = float(row[at])
                return said if math.isfinite(said) and said > 0 else PERCENT
    return PERCENT


def _identity(header: Sequence[str]) -> list[int]:
    """Of Moodle's list what it finds people by."""
    return [i for i, name in enumerate(header) if name in (*NUMBERS, *ADDRESSES)]


def _first(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _known(students: Sequence[Enrolment]) -> Mapping[str, Enrolment]:
    """Students by what a list may call them; what two share names neither."""
    found: dict[str, Enrolment | None] = {}
    for student in students:
        local = student.email.partition("@")[0]
        for key in {student.number, student.email, local} - {""}:
            found[key] = None if key in found and found[key] is not student else student
    return {key: student for key, student in found.items() if student is not None}


def _read(content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"The class list is not UTF-8 (byte {error.start}). Save it as CSV UTF-8."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SubmissionError(f"Line {reader.line_num} is no CSV: {error}.") from None
    for line, row in rows:
        if len(row) != len(header):
            raise SubmissionError(
                "The class list is ragged.",
                [Detail(line, None, f"{len(header)} fields", f"{len(row)} fields")],
            )
    return header, rows


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("Ada")
    ("'=1+1", 'Ada')
    """
    return f"'{text}" if text.startswith(DANGEROUS) else text
