from datetime import timedelta

import pytest
from sqlalchemy import select

from podium import accounts, competitions, courses, editing
from podium.accounts import HOST, RIGHTS
from podium.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    NoAccessError,
    NotFoundError,
)
from podium.models import AuditEntry, Enrolment
from podium.models.record import now


@pytest.fixture
def people(factory):
    return factory.course(assistant=("tutor-01",), student=("ada-01", "bob-01"))


def act(installation, does, *arguments, **named):
    with installation.database.writing() as session:
        return does(session, *arguments, **named)


def of_course(installation, factory, people, slug="toy", **columns):
    """A competition of the course."""
    factory.competition(slug, host_id=people["teacher-01"].id, is_practice=False, **columns)
    with installation.database.writing() as session:
        storage = installation.storage
        editing.change(session, storage, people["teacher-01"], slug, {"course": "dl"})


def test_an_instructor_has_every_right_and_a_student_none(installation, people):
    with installation.database.reading() as session:
        course = courses.find(session, "dl", people["teacher-01"])
    assert all(courses.may(course, people["teacher-01"], right) for right in (*RIGHTS, HOST))
    assert not any(courses.may(course, people["ada-01"], right) for right in (*RIGHTS, HOST))


def test_an_assistant_may_what_the_course_allows_and_no_more(installation, factory, people):
    wanted = {"assistants_may": ["allow"]}
    act(installation, courses.change, people["teacher-01"], "dl", wanted)
    tutor = factory.as_now(people["tutor-01"])
    with installation.database.reading() as session:
        course = courses.find(session, "dl", tutor)
    assert [right for right in (*RIGHTS, HOST) if courses.may(course, tutor, right)] == [
        "see",
        "allow",
    ]


def test_students_do_not_create_courses(installation, people):
    with pytest.raises(NoAccessError, match="Only instructors"):
        act(installation, courses.create, people["ada-01"], "mine", "Mine")


def test_an_instructor_knows_nothing_of_another_course(installation, factory, people):
    other = factory.course("nlp", teacher=("teacher-02",))["teacher-02"]
    with installation.database.reading() as session, pytest.raises(NotFoundError) as unseen:
        courses.find(session, "dl", other)
    with installation.database.reading() as session, pytest.raises(NotFoundError) as unknown:
        courses.find(session, "dx", other)
    assert unseen.value.message.replace("dl", "") == unknown.value.message.replace("dx", "")


def test_a_place_kept_for_an_address_is_taken_at_sign_up(installation, people):
    with installation.database.writing() as session:
        course = courses.find(session, "dl", people["teacher-01"])
        session.add(Enrolment(course_id=course.id, email="cy@uni.example", section="B"))
    with installation.database.writing() as session:
        user = accounts.create_user(session, "cy-01", "Cy@Uni.example", "none")
        caller = accounts.caller_of(session, user, frozenset(accounts.SCOPES))
    assert list(caller.courses) == [course.id]


def test_a_join_code_opens_until_its_end(installation, factory, people):
    eve = factory.person("eve-01")
    until = now() + timedelta(hours=1)
    code = act(installation, courses.renew_code, people["teacher-01"], "dl", until=until).join_code
    act(installation, courses.join, eve, code.upper())
    assert factory.as_now(eve).courses
    with installation.database.writing() as session:
        courses.find(session, "dl", people["teacher-01"]).join_until = now()
    with pytest.raises(ClosedError, match="ended"):
        act(installation, courses.join, factory.person("fay-01"), code)


def test_a_new_code_ends_the_old_one(installation, factory, people):
    teacher = people["teacher-01"]
    old = act(installation, courses.renew_code, teacher, "dl", until=None).join_code
    act(installation, courses.renew_code, teacher, "dl", until=None)
    with pytest.raises(NotFoundError, match="opens no course"):
        act(installation, courses.join, factory.person("eve-01"), old)


@pytest.mark.parametrize(
    ("domain", "comes_in"), [("example.org", True), ("org", False), ("uni.example", False)]
)
def test_the_mail_domain_decides_who_joins_by_the_code(
    installation, factory, people, domain, comes_in
):
    teacher = people["teacher-01"]
    domains = ["uni.example"] if domain == "org" else [domain]
    act(installation, courses.change, teacher, "dl", {"mail_domains": domains})
    code = act(installation, courses.renew_code, teacher, "dl", until=None).join_code
    eve = factory.person("eve-01")
    if comes_in:
        act(installation, courses.join, eve, code)
    else:
        with pytest.raises(NoAccessError, match=r"yours is of example\.org"):
            act(installation, courses.join, eve, code)
    assert bool(factory.as_now(eve).courses) is comes_in


def test_joining_again_keeps_role_and_section(installation, people):
    code = act(installation, courses.renew_code, people["teacher-01"], "dl", until=None).join_code
    act(installation, courses.join, people["tutor-01"], code)
    with installation.database.reading() as session:
        places = session.scalars(
            select(Enrolment).where(Enrolment.user_id == people["tutor-01"].id)
        ).all()
    assert [place.role for place in places] == ["assistant"]


def test_an_assistant_with_the_roster_makes_no_staff(installation, factory, people):
    act(installation, courses.change, people["teacher-01"], "dl", {"assistants_may": ["roster"]})
    tutor = factory.as_now(people["tutor-01"])
    act(installation, courses.enrol, tutor, "dl", "ada-01", "student", "B")
    with pytest.raises(NoAccessError):
        act(installation, courses.enrol, tutor, "dl", "tutor-01", "instructor")
    with installation.database.reading() as session:
        course = courses.find(session, "dl", tutor)
        teacher_place = courses.people(session, course)[0].id
    with pytest.raises(NoAccessError):
        act(installation, courses.remove, tutor, "dl", teacher_place, "")


def test_a_course_keeps_an_instructor(installation, people):
    with installation.database.reading() as session:
        course = courses.find(session, "dl", people["teacher-01"])
        place = courses.people(session, course)[0].id
    with pytest.raises(ConflictError, match="only instructor"):
        act(installation, courses.remove, people["teacher-01"], "dl", place, "")


def test_a_place_of_another_course_is_not_reached(installation, factory, people):
    other = factory.course("nlp", teacher=("teacher-02",))["teacher-02"]
    with installation.database.reading() as session:
        course = courses.find(session, "dl", people["teacher-01"])
        place = courses.people(session, course)[-1].id
    with pytest.raises(NotFoundError):
        act(installation, courses.remove, other, "nlp", place, "")


def test_only_its_people_know_of_a_courses_competition(installation, factory, people):
    of_course(installation, factory, people)
    eve = factory.person("eve-01")
    with installation.database.reading() as session:
        for caller in (None, eve):
            assert competitions.listed(session, caller=caller) == []
            with pytest.raises(NotFoundError):
                competitions.need_sight(session, "toy", caller)
        competitions.need_sight(session, "toy", people["ada-01"])
        assert len(competitions.listed(session, caller=people["ada-01"])) == 1


def test_who_is_taken_out_sees_nothing_any_more(installation, factory, people, predictions):
    of_course(installation, factory, people)
    ada = people["ada-01"]
    act(
        installation,
        lambda session: competitions.join(session, competitions.find(session, "toy"), ada),
    )
    number = factory.submit(ada, predictions(3))
    with installation.database.reading() as session:
        course = courses.find(session, "dl", people["teacher-01"])
        (place,) = courses.people(session, course, search="ada-01")
    act(installation, courses.remove, people["teacher-01"], "dl", place.id, "left")
    from podium import submissions

    gone = factory.as_now(ada)
    with installation.database.reading() as session:
        with pytest.raises(NotFoundError):
            submissions.get(session, gone, number)
        assert submissions.of_person(session, gone) == []


def test_of_a_courses_competition_the_staff_are_hosts_whoever_made_it(
    installation, factory, people
):
    of_course(installation, factory, people)
    with installation.database.writing() as session:
        courses.enrol(session, people["teacher-01"], "dl", "bob-01", "instructor")
    bob = factory.as_now(people["bob-01"])
    with installation.database.writing() as session:
        course = courses.find(session, "dl", bob)
        place = next(one for one in courses.people(session, course) if one.name == "teacher-01")
        courses.remove(session, bob, "dl", place.id, "")
        competition = competitions.find(session, "toy")
    assert competitions.is_host(competition, bob)
    assert not competitions.is_host(competition, factory.as_now(people["teacher-01"]))


def test_an_instructor_brings_only_their_own_competitions_in(installation, factory, people):
    other = factory.person("host-02", "instructor")
    factory.competition(host_id=other.id, is_practice=False)
    with pytest.raises(NoAccessError):
        act(
            installation,
            editing.change,
            installation.storage,
            people["teacher-01"],
            "toy",
            {"course": "dl"},
        )


def test_what_is_changed_stands_in_the_audit_log(installation, people):
    act(installation, courses.change, people["teacher-01"], "dl", {"late_days": 3}, "new rule")
    with installation.database.reading() as session:
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "course.options")
        ).all()
    assert (entry.subject, entry.reason, entry.detail) == (
        "course:dl",
        "new rule",
        {"late_days": [0, 3]},
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"time_zone": "Mars/Crater"}, "no time zone"),
        ({"mail_domains": ["not a domain"]}, "no mail domain"),
        ({"assistants_may": ["fly"]}, "no right 'fly'"),
        ({"late_days": 61}, "0 to 60"),
        ({"title": " "}, "0 characters"),
    ],
)
def test_what_does_not_fit_is_refused(installation, people, wanted, said):
    with pytest.raises(BadRequestError, match=said):
        act(installation, courses.change, people["teacher-01"], "dl", wanted)
