import json

import pytest

from podium import courses

pytestmark = pytest.mark.usefixtures("scorer")

LIST = "email,name,section\nada@uni.example,Ada,A\nbob@uni.example,Bob,B\n"


@pytest.fixture
def teacher(factory, signed_in):
    return signed_in(factory.person("teacher-01", "instructor"))


@pytest.fixture
def course(teacher):
    made = teacher.run("courses", "create", "dl", "--title", "Deep learning")
    assert made.returncode == 0, made.stderr
    return "dl"


def test_a_class_list_is_looked_at_then_imported_then_the_same(teacher, course):
    file = teacher.write("list.csv", LIST)
    dry = teacher.run("roster", "import", course, file, "--dry-run", "--format", "json")
    assert [one["email"] for one in json.loads(dry.stdout)["added"]] == [
        "ada@uni.example",
        "bob@uni.example",
    ]
    assert "2 would be added" in dry.stderr
    assert "2 were added" in teacher.run("roster", "import", course, file).stderr
    again = teacher.run("roster", "import", course, file)
    assert "0 were added (0 with an account), 0 changed; 2 stay as they are" in again.stderr
    listed = json.loads(teacher.run("roster", "list", course, "--format", "json").stdout)
    assert [(one["email"], one["section"], one["role"]) for one in listed[1:]] == [
        ("ada@uni.example", "A", "student"),
        ("bob@uni.example", "B", "student"),
    ]


def test_the_faults_of_a_list_are_told_with_their_lines(teacher, course):
    file = teacher.write("list.csv", "email\nnobody\n")
    done = teacher.run("roster", "import", course, file)
    assert done.returncode == 5
    assert "line 2, column email: expected an e-mail address" in done.stderr


def test_a_student_joins_by_the_code_and_sees_no_roster(teacher, course, factory, signed_in):
    code = teacher.run("courses", "code", course).stdout.strip()
    ada = signed_in(factory.person("ada-01"))
    assert "You are in Deep learning" in ada.run("courses", "join", code).stderr
    assert "dl" in ada.run("courses", "list").stdout
    assert ada.run("roster", "list", course).returncode == 3


def test_who_waits_is_let_in_by_command(factory, signed_in, installation):
    teacher = signed_in(factory.course()["teacher-01"])
    with installation.database.writing() as session:
        boss = factory.as_now(factory.person("teacher-01", "instructor"))
        courses.change(session, boss, "dl", {"asks_first": True})
        code = courses.renew_code(session, boss, "dl", until=None).join_code
    eve = signed_in(factory.person("eve-01"))
    asked = eve.run("courses", "join", code)
    assert asked.returncode == 3
    assert "You have asked to join" in asked.stderr
    (waiting,) = json.loads(teacher.run("roster", "requests", "dl", "--format", "json").stdout)
    assert waiting["handle"] == "eve-01"
    decided = teacher.run("roster", "decide", "dl", str(waiting["id"]), "--accept")
    assert decided.returncode == 0, decided.stderr
    assert eve.run("courses", "join", code).returncode == 0
