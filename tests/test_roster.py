import pytest
from sqlalchemy import select

from podium import courses, roster
from podium.errors import BadRequestError, NoAccessError
from podium.models import Enrolment
from podium_scoring.errors import SubmissionError

LIST = b"""email,name,number,section
ada@uni.example,Ada,1001,A
bob@uni.example,Bob,1002,B
"""


@pytest.fixture
def people(factory):
    return factory.course(assistant=("tutor-01",))


def apply(installation, caller, content, **named):
    with installation.database.writing() as session:
        return roster.apply(session, caller, "dl", content, **named)


def places(installation):
    with installation.database.reading() as session:
        rows = session.scalars(select(Enrolment).order_by(Enrolment.id))
        return {one.email: (one.name, one.number, one.section, one.role) for one in rows}


def test_a_list_keeps_places_for_people_without_an_account(installation, people):
    found = apply(installation, people["teacher-01"], LIST)
    assert (len(found.added), found.with_account, found.unchanged) == (2, 0, 0)
    assert places(installation)["ada@uni.example"] == ("Ada", "1001", "A", "student")


def test_the_same_list_twice_changes_nothing(installation, people):
    apply(installation, people["teacher-01"], LIST)
    before = places(installation)
    found = apply(installation, people["teacher-01"], LIST)
    assert (found.added, found.changed, found.unchanged) == ([], [], 2)
    assert places(installation) == before


def test_a_dry_run_tells_the_difference_and_changes_nothing(installation, people):
    apply(installation, people["teacher-01"], LIST)
    before = places(installation)
    new = b"email,section\nada@uni.example,C\ncy@uni.example,A\n"
    with installation.database.reading() as session:
        found = roster.preview(session, people["teacher-01"], "dl", new)
    assert [line.email for line in found.added] == ["cy@uni.example"]
    assert [one.fields for one in found.changed] == [{"section": ("A", "C")}]
    assert found.absent == ["bob@uni.example", "tutor-01@example.org"]
    assert places(installation) == before


def test_who_has_an_account_is_in_at_once(installation, factory, people):
    ada = factory.person("ada-01")
    found = apply(installation, people["teacher-01"], b"email\nADA-01@example.org\n")
    assert found.with_account == 1
    assert factory.as_now(ada).courses


def test_who_is_not_in_the_list_stays_unless_that_is_asked_for(installation, people):
    apply(installation, people["teacher-01"], LIST)
    apply(installation, people["teacher-01"], b"email\nada@uni.example\n")
    assert "bob@uni.example" in places(installation)
    apply(installation, people["teacher-01"], b"email\nada@uni.example\n", removes_absent=True)
    assert set(places(installation)) == {"ada@uni.example", "teacher-01@example.org"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (  # Moodle's participants
            b"First name,Last name,ID number,Email address,Groups\nAda,L,7,a@uni.example,G1\n",
            ("Ada L", "7", "G1", "student"),
        ),
        (  # Canvas' gradebook
            b'Student,ID,SIS User ID,SIS Login ID,Section\n"Lovelace, Ada",33,7,a@uni.example,G1\n',
            ("Lovelace, Ada", "7", "G1", "student"),
        ),
        (  # a German Excel: semicolons, byte order mark
            "\ufeffE-Mail;Name;Section\r\na@uni.example;Jürgen;G1\r\n".encode(),
            ("Jürgen", "", "G1", "student"),
        ),
    ],
)
def test_exports_of_other_systems_are_understood(installation, people, content, expected):
    apply(installation, people["teacher-01"], content)
    assert places(installation)["a@uni.example"] == expected


def test_every_fault_is_told_with_its_place_and_nothing_is_changed(installation, people):
    bad = b"email,role\nnobody,student\nada@uni.example,king\nada@uni.example,student\n,\nx\n"
    before = places(installation)
    with pytest.raises(SubmissionError) as raised:
        apply(installation, people["teacher-01"], bad)
    assert [(one.line, one.column) for one in raised.value.details] == [
        (2, "email"),
        (3, "role"),
        (4, "email"),
        (6, None),
    ]
    assert places(installation) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nAda\n", "no column of addresses"),
        (b"", "no column of addresses"),
        (b"email\n\xff\n", "not UTF-8"),
        (b'email\n"a@uni.example\n', "no CSV"),
    ],
)
def test_a_file_that_is_no_class_list_is_refused(installation, people, content, said):
    with pytest.raises(SubmissionError, match=said):
        apply(installation, people["teacher-01"], content)


def test_an_assistant_needs_the_right_and_then_makes_no_staff(installation, factory, people):
    tutor = people["tutor-01"]
    with pytest.raises(NoAccessError):
        apply(installation, tutor, LIST)
    with installation.database.writing() as session:
        courses.change(session, people["teacher-01"], "dl", {"assistants_may": ["roster"]})
    tutor = factory.as_now(tutor)
    apply(installation, tutor, LIST)
    for content in (
        b"email,role\neve@uni.example,instructor\n",
        b"email,role\ntutor-01@example.org,instructor\n",
        b"email,role\nteacher-01@example.org,student\n",
    ):
        with pytest.raises(NoAccessError):
            apply(installation, tutor, content)


def test_an_empty_role_makes_no_student_of_an_assistant(installation, people):
    apply(installation, people["teacher-01"], b"email,role\ntutor-01@example.org,\n")
    assert places(installation)["tutor-01@example.org"][3] == "assistant"


def test_a_list_leaves_an_instructor(installation, people):
    with pytest.raises(BadRequestError, match="no instructor"):
        apply(installation, people["teacher-01"], b"email,role\nteacher-01@example.org,student\n")
