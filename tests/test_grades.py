import contextlib
import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import update

from podium import (
    competitions,
    courses,
    difference,
    editing,
    gradelists,
    grades,
    rescoring,
    submissions,
)
from podium.errors import BadRequestError, ClosedError, ConflictError, NoAccessError
from podium.models import BoardEntry, Competition, Submission
from podium.models.record import now
from podium.revision import Revision
from podium_scoring.errors import SubmissionError

DAY = timedelta(days=1)
STUDENTS = ("ada-01", "bob-01", "cy-01")
RULE = [
    {"name": "sample", "score": 0.1, "percent": 0},
    {"name": "baseline", "score": 0.5, "percent": 60},
    {"name": "reference", "score": 1.0, "percent": 100},
]


def file(private, public=0):
    """So many of ten private rows right (the even ids), and of ten public ones."""
    right = [i // 2 < (public if i % 2 else private) for i in range(20)]
    return "id,label\n" + "".join(f"{i},{(i + (not right[i])) % 10}\n" for i in range(20))


@pytest.fixture
def people(installation, factory):
    return factory.course(assistant=("tutor-01",), student=STUDENTS)


@pytest.fixture
def host(installation, factory, people):
    """Makes a competition of the course that was revealed; ada and bob handed in."""

    def make(slug="toy", late=(), closes_at=None, **columns):
        teacher = people["teacher-01"]
        closes_at = closes_at or now() + DAY
        factory.competition(
            slug, host_id=teacher.id, is_practice=False, closes_at=closes_at, **columns
        )
        with installation.database.writing() as session:
            editing.change(session, installation.storage, teacher, slug, {"course": "dl"})
            for handle in STUDENTS:
                competitions.join(session, competitions.find(session, slug), people[handle])
        ids = {}
        for handle, right in (("ada-01", 9), ("bob-01", 3)):
            ids[handle] = factory.submit(people[handle], file(right), slug)
            factory.judge(ids[handle])
        with installation.database.writing() as session:
            for handle, days in late:
                receive(session, ids[handle], closes_at + days * DAY - timedelta(hours=1))
            session.execute(
                update(Competition).where(Competition.slug == slug).values(revealed_at=now())
            )
        return ids

    return make


def receive(session, submission_id, moment):
    """Let a submission have been received at that moment."""
    for table, key in ((Submission, Submission.id), (BoardEntry, BoardEntry.submission_id)):
        session.execute(update(table).where(key == submission_id).values(received_at=moment))


def rule(installation, people, slug="toy", kind="anchors", points=RULE, **options):
    with installation.database.writing() as session:
        grades.set_scheme(session, people["teacher-01"], slug, kind, points, **options)


def results(installation, people, slug="toy"):
    with installation.database.reading() as session:
        competition, book, _ = grades.of_competition(session, people["teacher-01"], slug)
        return {student.name: book.results[student.id, competition.id] for student in book.students}


def percents(installation, people, slug="toy"):
    return {name: one.percent for name, one in results(installation, people, slug).items()}


def override(installation, caller, email, percent, note="spoke with her"):
    with installation.database.writing() as session:
        grades.override(session, caller, "toy", f"{email}@example.org", percent, note)


def release(installation, people):
    with installation.database.writing() as session:
        return grades.release(session, people["teacher-01"], "toy")


def mine(installation, caller, slug="toy"):
    with installation.database.reading() as session:
        return grades.of_student(session, caller, competitions.find(session, slug))


def test_between_anchors_the_percent_is_linear_and_who_has_nothing_has_nothing(
    installation, people, host
):
    host()
    rule(installation, people)
    assert percents(installation, people) == {"ada-01": 92.0, "bob-01": 30.0, "cy-01": 0.0}


def test_thresholds_are_steps(installation, people, host):
    host()
    rule(installation, people, kind="thresholds")
    assert percents(installation, people) == {"ada-01": 60.0, "bob-01": 0.0, "cy-01": 0.0}


@pytest.mark.parametrize(
    ("score", "percent"),
    [(2.0, 0), (1.0, 0), (0.75, 30), (0.5, 60), (0.25, 80), (0.0, 100), (-1.0, 100)],
)
def test_where_lower_is_better_the_anchors_run_down(score, percent):
    points = [
        grades.Point("sample", 0, 1.0),
        grades.Point("baseline", 60, 0.5),
        grades.Point("reference", 100, 0.0),
    ]
    found = grades.percent(points, "anchors", score, higher_is_better=False)
    assert found == pytest.approx(percent)


def test_an_anchor_may_be_a_baselines_private_score(installation, factory, people, host):
    host()
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(file(5).encode())
        upload = submissions.Upload(incoming, "predictions.csv")
        number = submissions.accept_baseline(installation, "toy", "Logistic", upload)
    factory.judge(number)
    points = [RULE[0], {"name": "baseline", "baseline": "Logistic", "percent": 60}, RULE[2]]
    rule(installation, people, points=points)
    assert percents(installation, people)["ada-01"] == 92.0


def test_who_cannot_be_told_apart_is_graded_alike(installation, people, host):
    ids = host()
    with installation.database.writing() as session:
        session.execute(
            update(BoardEntry).where(BoardEntry.submission_id.in_(ids.values())).values(tie_group=1)
        )
    rule(installation, people, equal_in_ties=True)
    found = results(installation, people)
    assert found["bob-01"].percent == found["ada-01"].percent == 92.0
    assert "cannot be told apart" in found["bob-01"].words


def test_late_days_are_taken_from_the_bank_in_the_order_of_the_deadlines(
    installation, people, host
):
    with installation.database.writing() as session:
        courses.change(session, people["teacher-01"], "dl", {"late_days": 3})
    host("second", late=[("ada-01", 2)], closes_at=now() + 9 * DAY, late_percent=10)
    host("first", late=[("ada-01", 2)], late_percent=10)
    for slug in ("first", "second"):
        rule(installation, people, slug)
    first, second = (results(installation, people, slug)["ada-01"] for slug in ("first", "second"))
    assert (first.days_late, first.days_from_bank, first.percent) == (2, 2, 92.0)
    assert (second.days_late, second.days_from_bank, second.credit) == (2, 1, 0.9)
    assert second.percent == pytest.approx(82.8)
    assert "2 days late; 1 was taken from your late days" in second.words


def test_a_grade_set_by_hand_outlives_a_rescoring(installation, factory, people, host):
    host()
    rule(installation, people)
    override(installation, people["teacher-01"], "bob-01", 50.0)
    release(installation, people)
    wrong = "id,label,Usage\n" + "".join(
        f"{i},{(i + (i < 6)) % 10},{'Public' if i % 2 else 'Private'}\n" for i in range(20)
    )
    rescoring.begin(
        installation, people["teacher-01"], "toy", Revision(answers=wrong.encode(), reason="x")
    )
    factory.judge_all()
    difference.apply(installation, people["teacher-01"], "toy", "mended")
    found = results(installation, people)
    assert (found["ada-01"].score, found["bob-01"].score) == (0.6, 0.0)
    assert found["bob-01"].percent == 50.0
    assert (found["bob-01"].computed, found["bob-01"].note) == (0.0, "spoke with her")
    with installation.database.reading() as session:
        _, book, column = grades.of_competition(session, people["teacher-01"], "toy")
        changed = grades.changed_since_release(book, column)
    assert [(one.name, was, is_) for one, was, is_ in changed] == [("ada-01", 92.0, 68.0)]
    assert mine(installation, people["ada-01"]).released["percent"] == 92.0


def test_students_see_their_grade_when_it_is_released_and_not_before(installation, people, host):
    host()
    rule(installation, people)
    assert mine(installation, people["ada-01"]) is None
    assert release(installation, people) == 3
    told = mine(installation, people["ada-01"]).released
    assert told["percent"] == 92.0
    assert "between baseline (0.5 is 60 %) and reference (1 is 100 %) gives 92.0 %" in told["words"]


def test_before_the_reveal_nothing_is_released(installation, people, host):
    host()
    rule(installation, people)
    with installation.database.writing() as session:
        competitions.find(session, "toy").revealed_at = None
    with pytest.raises(ClosedError, match="would tell the private score"):
        release(installation, people)


def test_without_a_rule_nothing_is_released(installation, people, host):
    host()
    with pytest.raises(ConflictError, match="no rule"):
        release(installation, people)


def test_an_assistant_grades_only_what_the_course_allows(installation, factory, people, host):
    host()
    rule(installation, people)
    with pytest.raises(NoAccessError):
        override(installation, people["tutor-01"], "ada-01", 100.0)
    with installation.database.writing() as session:
        courses.change(session, people["teacher-01"], "dl", {"assistants_may": ["grade"]})
    tutor = factory.as_now(people["tutor-01"])
    override(installation, tutor, "ada-01", 95.0)
    assert percents(installation, people)["ada-01"] == 95.0
    with installation.database.writing() as session, pytest.raises(NoAccessError):
        grades.set_scheme(session, tutor, "toy", "anchors", RULE)
    with installation.database.writing() as session, pytest.raises(NoAccessError):
        grades.release(session, tutor, "toy")


def test_a_student_who_assists_elsewhere_grades_nobody_here(installation, factory, people, host):
    host()
    other = factory.course("nlp", teacher=("teacher-02",), assistant=("eve-01",))
    with installation.database.writing() as session:
        courses.change(
            session,
            other["teacher-02"],
            "nlp",
            {"assistants_may": ["grade"]},
        )
    with pytest.raises(NoAccessError):
        override(installation, factory.as_now(other["eve-01"]), "ada-01", 95.0)


def test_a_grade_by_hand_needs_a_note_and_may_be_taken_back(installation, people, host):
    host()
    rule(installation, people)
    with pytest.raises(BadRequestError, match="Say why"):
        override(installation, people["teacher-01"], "ada-01", 95.0, "")
    override(installation, people["teacher-01"], "ada-01", 95.0)
    override(installation, people["teacher-01"], "ada-01", None, "")
    assert percents(installation, people)["ada-01"] == 92.0


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (RULE[:1], "2 to 20 points"),
        ([RULE[1], RULE[0]], "not in order"),
        ([RULE[0], RULE[1] | {"percent": 101}], "not 0 to 100"),
        ([RULE[0], {"name": "x", "percent": 5}], "a score or a baseline"),
        ([RULE[0], {"name": "x", "percent": 5, "baseline": "None"}], "no baseline 'None'"),
        ([RULE[0], RULE[1] | {"score": float("nan")}], "no score"),
    ],
)
def test_points_that_do_not_fit_are_refused(installation, people, host, points, said):
    host()
    with pytest.raises(BadRequestError, match=said):
        rule(installation, people, points=points)


def test_a_competition_of_no_course_has_nobody_to_grade(installation, factory):
    teacher = factory.person("teacher-01", "instructor")
    factory.competition(host_id=teacher.id)
    with installation.database.writing() as session, pytest.raises(BadRequestError):
        grades.set_scheme(session, teacher, "toy", "anchors", RULE)


@pytest.fixture
def export(installation, people, host):
    host()
    rule(installation, people)

    def make(style="csv", class_list=None):
        with installation.database.reading() as session:
            _, book, column = grades.of_competition(session, people["teacher-01"], "toy")
            return gradelists.export(book, column, style, class_list)

    return make


def test_the_own_csv_has_everybody(export):
    rows = list(csv.DictReader(io.StringIO(export().content)))
    assert [(row["email"], row["percent"]) for row in rows] == [
        ("ada-01@example.org", "92.00"),
        ("bob-01@example.org", "30.00"),
        ("cy-01@example.org", "0.00"),
    ]


def test_a_list_of_canvas_is_filled_in_and_keeps_all_its_rows(export):
    class_list = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)\n"
        "    Points Possible,,,,,10\n"
        '"L, Ada",1,,ada-01@example.org,A,9\n'
        '"S, Guest",2,,guest@example.org,A,\n'
        '"B, Bob",3,,bob-01,A,8\n'
    )
    found = export("canvas", class_list.encode())
    assert list(csv.reader(io.StringIO(found.content))) == [
        [
            *["Student", "ID", "SIS User ID", "SIS Login ID", "Section"],
            "Homework 1 (77)",
            "Toy digits",
        ],
        ["    Points Possible", "", "", "", "", "10", "100"],
        ["L, Ada", "1", "", "ada-01@example.org", "A", "9", "92.00"],
        ["S, Guest", "2", "", "guest@example.org", "A", "", ""],
        ["B, Bob", "3", "", "bob-01", "A", "8", "30.00"],
    ]
    assert (found.matched, found.unmatched_rows, found.unmatched_students) == (
        2,
        [(4, "guest@example.org")],
        ["cy-01@example.org"],
    )


def test_a_column_that_canvas_has_already_is_filled_in_its_points(export):
    class_list = (
        "Student,ID,SIS Login ID,toy digits (4711),Section\n"
        "Points Possible,,,20,\n"
        '"L, Ada",1,ada-01@example.org,3,A\n'
        '"B, Bob",3,bob-01,,A\n'
    )
    found = list(csv.reader(io.StringIO(export("canvas", class_list.encode()).content)))
    assert found[0] == ["Student", "ID", "SIS Login ID", "Section", "toy digits (4711)"]
    assert [row[-1] for row in found[1:]] == ["20", "18.40", "6.00"]


def test_of_a_list_of_moodle_comes_what_its_import_finds_people_by(export):
    class_list = (
        "First name,Last name,ID number,Email address\nAda,L,7,ada-01@example.org\n"
        "Guest,S,8,guest@example.org\n"
    )
    found = export("moodle", class_list.encode())
    assert found.content == "ID number,Email address,Toy digits\n7,ada-01@example.org,92.00\n"
    assert [line for line, _ in found.unmatched_rows] == [3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "class list"),
        (b"Student,Section\nAda,A\n", "neither a column of numbers"),
        (b"Email address\n\xff\n", "not UTF-8"),
        (b"Email address,ID number\na@b.example\n", "ragged"),
    ],
)
def test_a_list_that_is_none_is_refused(export, content, said):
    with pytest.raises(SubmissionError, match=said):
        export("moodle", content)
