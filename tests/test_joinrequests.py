import pytest
from sqlalchemy import select

from podium import competitions, courses, joinrequests
from podium.errors import NoAccessError, NotFoundError
from podium.models import Course


@pytest.fixture
def people(installation, factory):
    """A course that asks first, with a join code."""
    made = factory.course(assistant=("tutor-01",), student=("ada-01",))
    with installation.database.writing() as session:
        courses.change(session, made["teacher-01"], "dl", {"asks_first": True})
        courses.renew_code(session, made["teacher-01"], "dl", until=None)
    return made


def join(installation, caller):
    """Come by the code; whether that person is in now."""
    with installation.database.writing() as session:
        code = session.scalars(select(Course.join_code)).one()
        return courses.join(session, caller, code)[1]


def waiting(installation, teacher):
    with installation.database.reading() as session:
        course = courses.find(session, "dl", teacher)
        return [(one.id, one.user.handle) for one in joinrequests.of(session, course)]


def decide(installation, caller, number, *, accepts, reason=""):
    with installation.database.writing() as session:
        joinrequests.decide(session, caller, "dl", number, accepts=accepts, reason=reason)


def test_who_comes_by_the_code_waits_and_sees_nothing(installation, factory, people):
    eve = factory.person("eve-01")
    assert not join(installation, eve)
    assert not join(installation, eve)  # asked twice, waits once
    assert [handle for _, handle in waiting(installation, people["teacher-01"])] == ["eve-01"]
    assert not factory.as_now(eve).courses


def test_who_has_a_place_does_not_wait(installation, people):
    assert join(installation, people["ada-01"])
    assert waiting(installation, people["teacher-01"]) == []


def test_a_person_who_is_let_in_is_a_student(installation, factory, people):
    eve, teacher = factory.person("eve-01"), people["teacher-01"]
    join(installation, eve)
    ((number, _),) = waiting(installation, teacher)
    decide(installation, teacher, number, accepts=True)
    assert waiting(installation, teacher) == []
    factory.competition()
    with installation.database.writing() as session:
        competitions.find(session, "toy").course_id = next(iter(teacher.courses))
        competitions.need_sight(session, "toy", factory.as_now(eve))
        with pytest.raises(NotFoundError, match="decided already"):
            joinrequests.decide(session, teacher, "dl", number, accepts=True)


def test_a_person_who_is_declined_stays_out_and_may_ask_again(installation, factory, people):
    eve, teacher = factory.person("eve-01"), people["teacher-01"]
    join(installation, eve)
    ((number, _),) = waiting(installation, teacher)
    decide(installation, teacher, number, accepts=False, reason="another course")
    assert not factory.as_now(eve).courses
    assert not join(installation, eve)
    assert len(waiting(installation, teacher)) == 1


def test_an_assistant_without_the_roster_decides_nothing(installation, factory, people):
    join(installation, factory.person("eve-01"))
    ((number, _),) = waiting(installation, people["teacher-01"])
    with pytest.raises(NoAccessError):
        decide(installation, people["tutor-01"], number, accepts=True)
