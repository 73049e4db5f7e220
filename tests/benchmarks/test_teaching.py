"""A term's numbers: a class list of 2,000 rows, a gradebook of 500 students and ten competitions.

Each is measured beside the bare statements of the same run; the goals are 2 s and 1 s on two idle
cores, the bounds generous multiples, so that a busy machine does not fail them.
"""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from podium import (
    catalog,
    checkup,
    competitions,
    courses,
    grades,
    hosting,
    publishing,
    roster,
)
from podium.boardrules import PRIVATE
from podium.models import (
    BoardEntry,
    Competition,
    Enrolment,
    GradeScheme,
    Membership,
    Submission,
    Team,
    User,
)
from podium.models.record import now

pytestmark = pytest.mark.benchmark

ROWS, STUDENTS, COMPETITIONS = 2000, 500, 10
POINTS = [
    {"name": "sample", "score": 0.1, "percent": 0, "baseline": None},
    {"name": "baseline", "score": 0.6, "percent": 60, "baseline": None},
    {"name": "reference", "score": 0.9, "percent": 100, "baseline": None},
]


def test_a_class_list_of_two_thousand(installation, factory, race):
    teacher = factory.course()["teacher-01"]
    rows = "".join(f"s{n}@uni.example,Student {n},{n:06},{n % 20}\n" for n in range(ROWS))
    content = f"email,name,number,section\n{rows}".encode()

    class Undone(Exception):
        pass

    def first():
        try:
            with installation.database.writing() as session:
                roster.apply(session, teacher, "dl", content)
                raise Undone
        except Undone:
            pass

    def bare():
        try:
            with installation.database.writing() as session:
                course = courses.find(session, "dl", teacher)
                values = [
                    {"course_id": course.id, "email": f"s{n}@uni.example", "name": f"{n}"}
                    | {"number": "", "section": "", "role": "student", "created_at": now()}
                    for n in range(ROWS)
                ]
                session.execute(insert(Enrolment), values)
                raise Undone
        except Undone:
            pass

    times = race(first=first, bare=bare)
    with installation.database.writing() as session:
        roster.apply(session, teacher, "dl", content)

    def again():
        with installation.database.writing() as session:
            assert roster.apply(session, teacher, "dl", content).unchanged == ROWS

    times |= race(again=again)
    assert times["first"] < max(8.0, 20 * times["bare"])
    assert times["again"] < 8.0


def fill(installation, teacher):
    """Each student in a team of one with a score in every competition, by bulk insertion."""
    with installation.database.writing() as session:
        course = courses.find(session, "dl", teacher)
        people = [
            {"handle": f"s-{n}", "email": f"s{n}@uni.example", "password_hash": "none"}
            | {"role": "student", "session_epoch": 0, "created_at": now()}
            for n in range(STUDENTS)
        ]
        session.execute(insert(User), people)
        ids = session.scalars(select(User.id).where(User.handle.startswith("s-"))).all()
        places = [
            {"course_id": course.id, "user_id": id_, "email": f"p{id_}@uni.example", "name": "S"}
            | {"number": str(id_), "section": "", "role": "student", "created_at": now()}
            for id_ in ids
        ]
        session.execute(insert(Enrolment), places)
        course.late_days = 3
        for competition in session.scalars(select(Competition)):
            competition.course_id = course.id
            session.add(GradeScheme(competition_id=competition.id, kind="anchors", points=POINTS))
            teams = [
                {"competition_id": competition.id, "name": f"t-{id_}", "created_at": now()}
                for id_ in ids
            ]
            session.execute(insert(Team), [one | {"is_baseline": False} for one in teams])
            team_ids = session.scalars(
                select(Team.id).where(Team.competition_id == competition.id).order_by(Team.id)
            ).all()
            members = [
                {"competition_id": competition.id, "team_id": team_id, "user_id": id_}
                | {"joined_at": now()}
                for team_id, id_ in zip(team_ids, ids, strict=True)
            ]
            session.execute(insert(Membership), members)
            handed_in = [
                {"competition_id": competition.id, "team_id": team_id, "kind": "predictions"}
                | {"file_name": "f", "file_key": "k", "sha256": "0", "size_bytes": 1}
                | {"state": "scored", "received_at": now()}
                for team_id in team_ids
            ]
            session.execute(insert(Submission), handed_in)
            rows = session.execute(
                select(Submission.id, Submission.team_id).where(
                    Submission.competition_id == competition.id
                )
            ).all()
            entries = [
                {"competition_id": competition.id, "split": PRIVATE, "team_id": team_id}
                | {"ranked": True, "submission_id": id_, "score": 0.1 + 0.9 * (id_ % 97) / 97}
                | {"order_key": 0.0, "entries": 1, "others": {}}
                | {"received_at": now() + timedelta(days=id_ % 3), "last_at": now()}
                for id_, team_id in rows
            ]
            session.execute(insert(BoardEntry), entries)


def test_a_gradebook_of_five_hundred_students(installation, factory, race):
    teacher = factory.course()["teacher-01"]
    for number in range(COMPETITIONS):
        factory.competition(f"toy-{number}", closes_at=now(), late_hours=99, late_percent=10)
    fill(installation, teacher)

    def book():
        with installation.database.reading() as session:
            found = grades.gradebook(session, courses.find(session, "dl", teacher))
            assert len(found.results) == STUDENTS * COMPETITIONS

    def bare():
        with installation.database.reading() as session:
            for table in (BoardEntry, Enrolment, Membership):
                session.execute(select(table.__table__)).all()

    times = race(book=book, bare=bare)
    assert times["book"] < max(4.0, 20 * times["bare"])


def test_the_checks_of_digits(installation, factory, race):
    folder = catalog.folder_of("digits")
    hosting.publish(installation, folder)
    hosting.prepare(installation, folder)
    teacher = factory.person("teacher-01", "instructor")
    publishing.draft_of_bundled(installation, teacher, "mine", "digits")
    with installation.database.reading() as session:
        competition_id = competitions.find(session, "mine").id

    times = race(runs=1, check=lambda: checkup.check(installation, competition_id))
    assert times["check"] < 60  # the goal is 30 s
