from datetime import timedelta

import pytest

from podium import (
    allowances,
    competitions,
    courses,
    deadlines,
    editing,
    invitations,
    limits,
    reveal,
)
from podium.allowances import Receiver
from podium.errors import BadRequestError, ClosedError, NotFoundError
from podium.models.record import now

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def closes_at():
    return now() + HOUR


@pytest.fixture
def people(installation, factory, closes_at):
    """A course with ada in section A, bob and cy in section B, all in its competition `toy`."""
    made = factory.course(student=("ada-01", "bob-01", "cy-01"))
    teacher = made["teacher-01"]
    factory.competition(
        host_id=teacher.id, is_practice=False, closes_at=closes_at, daily_limit=2, total_limit=3
    )
    with installation.database.writing() as session:
        editing.change(session, installation.storage, teacher, "toy", {"course": "dl"})
        for handle, section in (("ada-01", "A"), ("bob-01", "B"), ("cy-01", "B")):
            courses.enrol(session, teacher, "dl", handle, "student", section)
            competitions.join(session, competitions.find(session, "toy"), made[handle])
    return made


def extend(installation, people, until, **to):
    with installation.database.writing() as session:
        allowances.extend(session, people["teacher-01"], "toy", Receiver(**to), until, "was ill")


def grant(installation, people, number, **to):
    with installation.database.writing() as session:
        allowances.grant(session, people["teacher-01"], "toy", Receiver(**to), number, "")


def edit(installation, people, **wanted):
    with installation.database.writing() as session:
        editing.change(session, installation.storage, people["teacher-01"], "toy", wanted)


def of(installation, caller, moment=None):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        team = competitions.need_team(session, competition, caller)
        return limits.of_team(session, competition, team.id, moment or now())


def due(installation, caller):
    return of(installation, caller).closes_at


def test_a_section_has_a_deadline_of_its_own(installation, people, closes_at):
    extend(installation, people, closes_at + DAY, section="B")
    assert due(installation, people["bob-01"]) == closes_at + DAY
    assert due(installation, people["ada-01"]) == closes_at


def test_a_students_deadline_goes_before_the_sections(installation, people, closes_at):
    extend(installation, people, closes_at + 3 * DAY, section="B")
    extend(installation, people, closes_at + DAY, student="bob-01")
    assert due(installation, people["bob-01"]) == closes_at + DAY
    assert due(installation, people["cy-01"]) == closes_at + 3 * DAY


def test_no_deadline_of_ones_own_takes_time_away(installation, people, closes_at):
    extend(installation, people, closes_at - HOUR, student="bob-01")
    assert due(installation, people["bob-01"]) == closes_at


def test_a_team_has_the_latest_of_its_members(installation, people, closes_at):
    extend(installation, people, closes_at + DAY, student="bob-01")
    ada, bob = people["ada-01"], people["bob-01"]
    with installation.database.writing() as session:
        competition = competitions.find(session, "toy")
        invitations.invite(session, competition, ada, "bob-01")
        invitations.accept(session, competition, bob, team_name="ada-01")
    assert due(installation, ada) == closes_at + DAY


def test_extras_of_a_student_go_before_those_of_the_section(installation, people):
    grant(installation, people, 3, section="B")
    grant(installation, people, 1, student="bob-01")
    numbers = {
        handle: (found.daily_limit, found.total_limit)
        for handle in ("ada-01", "bob-01", "cy-01")
        for found in [of(installation, people[handle])]
    }
    assert numbers == {"ada-01": (2, 3), "bob-01": (3, 4), "cy-01": (5, 6)}


def test_who_was_given_time_may_still_join(installation, factory, people, predictions):
    eve = factory.person("eve-01")
    with installation.database.writing() as session:
        courses.enrol(session, people["teacher-01"], "dl", "eve-01", "student")
        competitions.find(session, "toy").closes_at = now() - HOUR
    extend(installation, people, now() + HOUR, student="eve-01")
    with installation.database.writing() as session:
        competitions.join(session, competitions.find(session, "toy"), factory.as_now(eve))
    factory.submit(factory.as_now(eve), predictions(1))


def test_grace_is_on_time_and_what_comes_later_is_refused(
    installation, factory, people, predictions
):
    edit(installation, people, grace_minutes=10, closes_at=now() - timedelta(minutes=5))
    assert of(installation, people["ada-01"]).days_late == 0
    factory.submit(people["ada-01"], predictions(1))
    edit(installation, people, closes_at=now() - timedelta(minutes=11))
    with pytest.raises(ClosedError, match="with what is taken late until"):
        factory.submit(people["ada-01"], predictions(2))


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (timedelta(minutes=-1), 0),
        (timedelta(minutes=10), 0),
        (timedelta(minutes=11), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=1), 2),
    ],
)
def test_started_days_are_counted_from_the_deadline(installation, people, closes_at, after, days):
    edit(installation, people, grace_minutes=10, late_hours=72, late_percent=15)
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        assert deadlines.days_late(competition, closes_at, closes_at + after) == days
        assert deadlines.credit(competition, days) == pytest.approx(1 - 0.15 * days)


def test_late_files_are_taken_and_the_reveal_waits_for_them(
    installation, factory, people, predictions
):
    edit(installation, people, late_hours=48, closes_at=now() - HOUR)
    assert of(installation, people["ada-01"]).days_late == 1
    factory.submit(people["ada-01"], predictions(1))
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        assert not reveal.standing(session, competition, now()).is_over
        assert reveal.standing(session, competition, now() + 2 * DAY).is_over


def test_the_reveal_waits_for_a_students_extension(installation, people, closes_at):
    extend(installation, people, closes_at + 3 * DAY, student="bob-01")
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        assert reveal.standing(session, competition, now()).ends_at == closes_at + 3 * DAY


def test_of_all_teams_those_with_another_deadline_are_told(installation, people, closes_at):
    extend(installation, people, closes_at + DAY, section="B")
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        found = deadlines.of_teams(session, competition)
        named = {
            handle: found[competitions.need_team(session, competition, people[handle]).id]
            for handle in ("ada-01", "bob-01", "cy-01")
        }
    assert named == {"ada-01": closes_at, "bob-01": closes_at + DAY, "cy-01": closes_at + DAY}


def test_a_receiver_is_one_of_three(installation, people):
    for to in ({}, {"team": "ada-01", "student": "ada-01"}):
        with pytest.raises(BadRequestError, match="one of them"):
            Receiver(**to)


@pytest.mark.parametrize("to", [{"section": "Z"}, {"student": "stranger-01"}])
def test_whoever_is_not_in_the_course_is_named(installation, factory, people, to):
    factory.person("stranger-01")
    with pytest.raises(NotFoundError, match=r"'Z'|stranger-01"):
        grant(installation, people, 1, **to)


def test_what_was_given_is_listed_for_staff(installation, people, closes_at):
    extend(installation, people, closes_at + DAY, student="bob-01")
    grant(installation, people, 2, section="B")
    with installation.database.reading() as session:
        found = allowances.given(session, competitions.find(session, "toy"))
    assert [(one["to"], one["value"], one["reason"]) for one in found] == [
        ("section B", 2, ""),
        ("bob-01", closes_at + DAY, "was ill"),
    ]
