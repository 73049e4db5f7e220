"""Grades: the private score of what counts, by published anchors, less what lateness costs.

Everything is computed anew whenever it is looked at, for a whole course at once, since late days
are one bank for all of its competitions; what students read is the copy made at the release. A
grade set by hand is kept beside both, so that no rescoring overwrites it.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import courses, deadlines
from podium.accounts import HOST, STUDENT, Caller
from podium.boardrules import PRIVATE
from podium.competitions import audit, find, need_right
from podium.errors import BadRequestError, ClosedError, ConflictError, NotFoundError
from podium.models import (
    BoardEntry,
    Competition,
    Course,
    Enrolment,
    Grade,
    GradeScheme,
    Membership,
    Team,
)
from podium.models.record import now
from podium_scoring.grading import Choice

ANCHORS, THRESHOLDS = KINDS = ("anchors", "thresholds")
MOST_POINTS = 20
LONGEST_NAME, LONGEST_NOTE = 60, 1000


@dataclass(frozen=True)
class Point:
    """A score with its percent; `score` is None while its baseline has none."""

    name: str
    percent: float
    score: float | None
    baseline: str | None = None


@dataclass(frozen=True)
class Result:
    """How a student's grade comes about; also what is kept of it at the release."""

    percent: float  # the grade
    computed: float  # before anything was set by hand
    score: float | None  # private, of the submission that counts
    submission_id: int | None
    by_score: float  # percent of the score alone
    in_ties: float  # … after teams that cannot be told apart were made equal
    days_late: int
    days_from_bank: int
    credit: float
    override: float | None
    note: str
    words: str


@dataclass(frozen=True)
class Column:
    """A competition of a gradebook, with its rule; a rule of no points means no grades."""

    competition: Competition
    scheme: GradeScheme | None
    points: list[Point]
    higher_is_better: bool

    @property
    def trouble(self) -> str:
        """Why there are no grades yet; empty when there are."""
        if not self.points:
            return "There is no rule yet."
        missing = [point.baseline for point in self.points if point.score is None]
        if missing:
            return f"{' and '.join(map(repr, missing))} has no private score yet."
        if not _is_ordered(self.points, self.higher_is_better):
            return "Its points are not in order: a better score must not give a lower percent."
        return ""


@dataclass(frozen=True)
class Gradebook:
    """All students of a course with all of its competitions."""

    course: Course
    columns: list[Column]
    students: Sequence[Enrolment]
    results: Mapping[tuple[int, int], Result]  # by enrolment and competition
    grades: Mapping[tuple[int, int], Grade]  # what was set by hand or released


class Entry(NamedTuple):
    """What stands for a team on a private board, as far as grades ask."""

    competition_id: int
    team_id: int
    submission_id: int
    score: float
    received_at: datetime
    ranked: bool
    tie_group: int | None


ENTRY = [getattr(BoardEntry, name) for name in Entry._fields]


def gradebook(session: Session, course: Course, explained: int | None = None) -> Gradebook:
    """Compute all grades of a course; those of the `explained` competition come with words."""
    competitions = courses.competitions_of(session, course)
    ids = [one.id for one in competitions]
    schemes = {
        one.competition_id: one
        for one in session.scalars(select(GradeScheme).where(GradeScheme.competition_id.in_(ids)))
    }
    entries: dict[int, dict[int, Entry]] = defaultdict(dict)
    for row in session.execute(
        select(*ENTRY).where(BoardEntry.competition_id.in_(ids), BoardEntry.split == PRIVATE)
    ):
        entries[row.competition_id][row.team_id] = Entry(*row)
    baselines: dict[int, dict[str, float]] = defaultdict(dict)
    for team in session.scalars(
        select(Team).where(Team.competition_id.in_(ids), Team.is_baseline.is_(True))
    ):
        if team.id in entries[team.competition_id]:
            score = entries[team.competition_id][team.id].score
            baselines[team.competition_id][team.name] = score
    columns = [_column(one, schemes.get(one.id), baselines[one.id]) for one in competitions]
    students = courses.people(session, course, role=STUDENT)
    teams = {
        (user_id, competition_id): team_id
        for user_id, competition_id, team_id in session.execute(
            select(Membership.user_id, Membership.competition_id, Membership.team_id).where(
                Membership.competition_id.in_(ids)
            )
        )
    }
    grades = {
        (one.enrolment_id, one.competition_id): one
        for one in session.scalars(select(Grade).where(Grade.competition_id.in_(ids)))
    }
    results: dict[tuple[int, int], Result] = {}
    bank = {student.id: course.late_days for student in students}
    for column in columns:  # in the order of their deadlines: so is the bank spent
        if column.trouble:
            continue
        competition = column.competition
        own = entries[competition.id]
        equal = _equal_in_ties(column, own)
        due = deadlines.of_teams(session, competition)
        for student in students:
            team_id = teams.get((student.user_id or 0, competition.id))
            entry = own.get(team_id) if team_id is not None else None
            due_at = due.get(team_id or 0, competition.closes_at)
            late = deadlines.days_late(competition, due_at, entry.received_at) if entry else 0
            from_bank = min(late, bank[student.id])
            bank[student.id] -= from_bank
            by_hand = grades.get((student.id, competition.id))
            result = _result(column, entry, equal, late, from_bank, by_hand)
            if competition.id == explained:
                result = replace(result, words=_words(column, result))
            results[student.id, competition.id] = result
    return Gradebook(course, columns, students, results, grades)


def _column(
    competition: Competition, scheme: GradeScheme | None, baselines: Mapping[str, float]
) -> Column:
    metric = Choice.of(competition.challenge.spec["metric"]).record
    points = [
        Point(
            name=one["name"],
            percent=one["percent"],
            score=baselines.get(one["baseline"]) if one["baseline"] else one["score"],
            baseline=one["baseline"],
        )
        for one in (scheme.points if scheme else [])
    ]
    return Column(competition, scheme, points, metric.higher_is_better)


def _is_ordered(points: Sequence[Point], higher_is_better: bool) -> bool:
    """Whether the scores get better, and the percents do not fall, from point to point."""
    sign = 1 if higher_is_better else -1
    scores = [sign * point.score for point in points if point.score is not None]
    percents = [point.percent for point in points]
    return all(a < b for a, b in pairwise(scores)) and all(a <= b for a, b in pairwise(percents))


def percent(points: Sequence[Point], kind: str, score: float, *, higher_is_better: bool) -> float:
    """The percent of a score: linear between anchors, or that of the last threshold reached.

    >>> rule = [Point("sample", 0, 0.1), Point("baseline", 60, 0.8), Point("reference", 100, 0.9)]
    >>> [round(percent(rule, "anchors", s, higher_is_better=True), 1) for s in (0, 0.45, 0.85, 1)]
    [0, 30.0, 80.0, 100]
    >>> percent(rule, "thresholds", 0.85, higher_is_better=True)
    60
    """
    sign = 1 if higher_is_better else -1
    below: Point | None = None
    for point in points:
        assert point.score is not None
        if sign * score < sign * point.score:
            if below is None:  # worse than the first
                return point.percent if kind == ANCHORS else 0
            if kind == THRESHOLDS:
                return below.percent
            assert below.score is not None
            part = (score - below.score) / (point.score - below.score)
            return below.percent + part * (point.percent - below.percent)
        below = point
    assert below is not None
    return below.percent


def _percent(column: Column, score: float) -> float:
    assert column.scheme is not None
    return percent(
        column.points, column.scheme.kind, score, higher_is_better=column.higher_is_better
    )


def _equal_in_ties(column: Column, entries: Mapping[int, Entry]) -> dict[int, float]:
    """The percent of each tie group: that of its best team."""
    assert column.scheme is not None
    if not column.scheme.equal_in_ties:
        return {}
    best: dict[int, float] = {}
    for entry in entries.values():
        if entry.ranked and entry.tie_group is not None:
            own = _percent(column, entry.score)
            best[entry.tie_group] = max(own, best.get(entry.tie_group, 0.0))
    return best


def _result(
    column: Column,
    entry: Entry | None,
    equal: Mapping[int, float],
    late: int,
    from_bank: int,
    by_hand: Grade | None,
) -> Result:
    if entry is None:
        found = Result(
            percent=0.0,
            computed=0.0,
            score=None,
            submission_id=None,
            by_score=0.0,
            in_ties=0.0,
            days_late=0,
            days_from_bank=0,
            credit=1.0,
            override=None,
            note="",
            words="",
        )
    else:
        by_score = _percent(column, entry.score)
        in_ties = max(by_score, equal.get(entry.tie_group or 0, 0.0))
        credit = deadlines.credit(column.competition, late - from_bank)
        computed = round(in_ties * credit, 2)
        found = Result(
            percent=computed,
            computed=computed,
            score=entry.score,
            submission_id=entry.submission_id,
            by_score=by_score,
            in_ties=in_ties,
            days_late=late,
            days_from_bank=from_bank,
            credit=credit,
            override=None,
            note="",
            words="",
        )
    if by_hand is not None and by_hand.override is not None:
        found = replace(
            found, percent=by_hand.override, override=by_hand.override, note=by_hand.note
        )
    return found


def _words(column: Column, found: Result) -> str:
    """How a grade comes about, for its student."""
    computed = _computed_words(column, found)
    return computed if found.override is None else f"{computed} Set by hand: {found.note}"


def _computed_words(column: Column, found: Result) -> str:
    if found.score is None:
        return "No submission of yours counts."
    said = [
        f"Submission {found.submission_id} counts, with {found.score:.5g} on the private part: "
        f"{_between(column, found.score)} gives {found.by_score:.1f} %."
    ]
    if found.in_ties > found.by_score:
        said.append(
            "It cannot be told apart from better ones of its group with 95 % certainty, so that "
            f"it has what they have: {found.in_ties:.1f} %."
        )
    if found.days_late and not column.competition.late_percent:
        said.append(f"It was {found.days_late} {_days(found.days_late)} late, which costs nothing.")
    elif found.days_late:
        said.append(
            f"It was {found.days_late} {_days(found.days_late)} late; {found.days_from_bank} "
            f"{'was' if found.days_from_bank == 1 else 'were'} taken from your late days, the rest "
            f"leaves {100 * found.credit:.0f} % of the credit."
        )
    return " ".join(said)


def _days(number: int) -> str:
    return "day" if number == 1 else "days"


def _between(column: Column, score: float) -> str:
    """The points on both sides of a score, in words."""
    assert column.scheme is not None
    sign = 1 if column.higher_is_better else -1
    told = [
        (sign * (point.score or 0.0), f"{point.name} ({point.score:.5g} is {point.percent:g} %)")
        for point in column.points
    ]
    below = [words for at, words in told if at <= sign * score]
    above = [words for at, words in told if at > sign * score]
    if not below:
        return f"not yet {above[0]}"
    if not above:
        return f"at or beyond {below[-1]}"
    if column.scheme.kind == THRESHOLDS:
        return f"reaching {below[-1]}, not {above[0]}"
    return f"between {below[-1]} and {above[0]}"


def of_competition(
    session: Session, caller: Caller, slug: str
) -> tuple[Competition, Gradebook, Column]:
    """A competition's column of the gradebook of its course, for whoever may see grades.

    Raises NoAccessError, or BadRequestError for a competition of no course.
    """
    competition = find(session, slug)
    need_right(competition, caller, "grade")
    book = gradebook(session, _need_course(session, competition), explained=competition.id)
    column = next(one for one in book.columns if one.competition.id == competition.id)
    return competition, book, column


def _need_course(session: Session, competition: Competition) -> Course:
    course = courses.of_competition(session, competition)
    if course is None:
        raise BadRequestError(
            f"{competition.slug} is of no course, so that there is nobody to grade. Bring it into "
            "a course first."
        )
    return course


def set_scheme(
    session: Session,
    caller: Caller,
    slug: str,
    kind: str,
    points: Sequence[Mapping[str, Any]],
    *,
    equal_in_ties: bool = False,
    reason: str = "",
) -> GradeScheme:
    """Publish the rule; for instructors, audited. Points run from the worst score to the best.

    Each has `name`, `percent` and either `score` or `baseline`, the name of a baseline team whose
    private score it is. Raises BadRequestError for points that do not fit together.
    """
    competition = find(session, slug)
    need_right(competition, caller, HOST)
    _need_course(session, competition)
    if kind not in KINDS:
        raise BadRequestError(
            f"A rule of kind {kind!r} is unknown. Choose {' or '.join(KINDS)}.", field="kind"
        )
    fitted = _fit(session, competition, kind, points)
    scheme = session.get(GradeScheme, competition.id)
    if scheme is None:
        scheme = GradeScheme(competition_id=competition.id)
        session.add(scheme)
    scheme.kind, scheme.points, scheme.equal_in_ties = kind, fitted, equal_in_ties
    audit(
        session,
        caller,
        "grades.rule",
        competition,
        reason,
        kind=kind,
        points=fitted,
        equal_in_ties=equal_in_ties,
    )
    return scheme


def _fit(
    session: Session, competition: Competition, kind: str, points: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    least = 2 if kind == ANCHORS else 1
    if not least <= len(points) <= MOST_POINTS:
        raise BadRequestError(
            f"A rule of {kind} has {least} to {MOST_POINTS} points, not {len(points)}.",
            field="points",
        )
    names = set(
        session.scalars(
            select(Team.name).where(
                Team.competition_id == competition.id, Team.is_baseline.is_(True)
            )
        )
    )
    fitted = []
    for point in points:
        name = " ".join(str(point["name"]).split())
        percent_, score, baseline = point["percent"], point.get("score"), point.get("baseline")
        if not 1 <= len(name) <= LONGEST_NAME:
            raise BadRequestError(
                f"A point's name has 1 to {LONGEST_NAME} characters, not {len(name)}.",
                field="points",
            )
        if not 0 <= percent_ <= 100:
            raise BadRequestError(f"{name}: {percent_} is not 0 to 100 percent.", field="points")
        if (score is None) == (baseline is None):
            raise BadRequestError(f"{name} needs a score or a baseline, not both.", field="points")
        if score is not None and not math.isfinite(score):
            raise BadRequestError(f"{name}: {score} is no score.", field="points")
        if baseline is not None and baseline not in names:
            raise BadRequestError(
                f"{competition.slug} has no baseline {baseline!r}. It has: "
                f"{', '.join(sorted(names)) or 'none'}.",
                field="points",
            )
        fitted.append({"name": name, "percent": percent_, "score": score, "baseline": baseline})
    metric = Choice.of(competition.challenge.spec["metric"]).record
    known = [Point(one["name"], one["percent"], one["score"]) for one in fitted]
    if all(one.score is not None for one in known) and not _is_ordered(
        known, metric.higher_is_better
    ):
        better = "higher" if metric.higher_is_better else "lower"
        raise BadRequestError(
            f"The points are not in order. Write them from the worst score to the best ({better} "
            "is better), with percents that do not fall.",
            field="points",
        )
    return fitted


def override(
    session: Session, caller: Caller, slug: str, email: str, percent_: float | None, note: str
) -> Grade:
    """Set a student's grade by hand, with a note that the student reads; None takes it back."""
    competition = find(session, slug)
    need_right(competition, caller, "grade")
    course = _need_course(session, competition)
    student = session.scalar(
        select(Enrolment).where(
            Enrolment.course_id == course.id,
            Enrolment.email == email.strip().lower(),
            Enrolment.role == STUDENT,
        )
    )
    if student is None:
        raise NotFoundError(f"{course.title} has no student with the address {email!r}.")
    if student.user_id == caller.id:
        raise ConflictError("Nobody grades themselves.")
    note = " ".join(note.split())[:LONGEST_NOTE]
    if percent_ is not None:
        if not 0 <= percent_ <= 100:
            raise BadRequestError(f"{percent_} is not 0 to 100 percent.", field="percent")
        if not note:
            raise BadRequestError("Say why: the student reads it.", field="note")
    grade = _grade(session, competition.id, student.id)
    before = grade.override
    grade.override, grade.note = percent_, note if percent_ is not None else ""
    grade.overridden_by, grade.overridden_at = caller.id, now()
    audit(
        session,
        caller,
        "grades.override",
        competition,
        note,
        student=student.email,
        percent=[before, percent_],
    )
    return grade


def _grade(session: Session, competition_id: int, enrolment_id: int) -> Grade:
    grade = session.scalar(
        select(Grade).where(
            Grade.competition_id == competition_id, Grade.enrolment_id == enrolment_id
        )
    )
    if grade is None:
        grade = Grade(competition_id=competition_id, enrolment_id=enrolment_id)
        session.add(grade)
    return grade


def release(session: Session, caller: Caller, slug: str, reason: str = "") -> int:
    """Show every student the grade as it is computed now; returns how many. For instructors.

    Raises ClosedError before the reveal, for a grade tells the private score; ConflictError while
    the rule gives no grades.
    """
    competition, book, column = of_competition(session, caller, slug)
    need_right(competition, caller, HOST)
    if competition.revealed_at is None:
        raise ClosedError(
            f"{slug} is not revealed. A grade would tell the private score: reveal it first."
        )
    if column.trouble or column.scheme is None:
        raise ConflictError(f"There are no grades to release. {column.trouble}")
    moment = now()
    for student in book.students:
        grade = book.grades.get((student.id, competition.id)) or _grade(
            session, competition.id, student.id
        )
        grade.released = asdict(book.results[student.id, competition.id])
        grade.released_at = moment
    column.scheme.released_at, column.scheme.released_by = moment, caller.id
    audit(session, caller, "grades.release", competition, reason, students=len(book.students))
    return len(book.students)


def changed_since_release(book: Gradebook, column: Column) -> list[tuple[Enrolment, float, float]]:
    """Students whose grade is another now than when it was released: before and now."""
    found = []
    for student in book.students:
        key = (student.id, column.competition.id)
        grade = book.grades.get(key)
        if grade is not None and grade.released is not None and key in book.results:
            was, is_ = grade.released["percent"], book.results[key].percent
            if was != is_:
                found.append((student, was, is_))
    return found


def of_student(session: Session, caller: Caller, competition: Competition) -> Grade | None:
    """The caller's own released grade; None before the release."""
    return session.scalar(
        select(Grade)
        .join(Enrolment, Enrolment.id == Grade.enrolment_id)
        .where(
            Grade.competition_id == competition.id,
            Enrolment.user_id == caller.id,
            Grade.released_at.is_not(None),
        )
    )


def points_of(session: Session, competition: Competition) -> list[Point]:
    """The published rule with the scores that its baselines have."""
    scores = {
        name: score
        for name, score in session.execute(
            select(Team.name, BoardEntry.score)
            .join(BoardEntry, BoardEntry.team_id == Team.id)
            .where(
                Team.competition_id == competition.id,
                Team.is_baseline.is_(True),
                BoardEntry.split == PRIVATE,
            )
        )
    }
    scheme = session.get(GradeScheme, competition.id)
    return _column(competition, scheme, scores).points


def released_of(session: Session, caller: Caller, course: Course) -> dict[int, float]:
    """The caller's released grades in a course, in percent by competition."""
    rows = session.execute(
        select(Grade.competition_id, Grade.released)
        .join(Enrolment, Enrolment.id == Grade.enrolment_id)
        .where(
            Enrolment.course_id == course.id,
            Enrolment.user_id == caller.id,
            Grade.released_at.is_not(None),
        )
    )
    return {competition_id: kept["percent"] for competition_id, kept in rows}
