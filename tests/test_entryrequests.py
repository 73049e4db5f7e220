import threading

import pytest

from podium import competitions, dashboard, entryrequests, invitations, notifications, teams
from podium.errors import BadRequestError, ClosedError, NoAccessError, NotFoundError
from podium.models import Competition, EntryRequest
from podium.models.record import now

SLUG = "toy"


@pytest.fixture
def host(installation, factory):
    """Who hosts a competition that lets people in one by one."""
    factory.competition()
    caller = factory.person("teacher-01", "instructor")
    with installation.database.writing() as session:
        found = competitions.find(session, SLUG)
        found.host_id, found.asks_first, found.is_practice = caller.id, True, False
    return caller


def enter(installation, caller, message=""):
    """Try to get in; the team's name, or None while the answer is open."""
    with installation.database.writing() as session:
        found = competitions.find(session, SLUG)
        team = entryrequests.enter(session, found, caller, message)
        return team.name if team else None


def waiting(installation):
    with installation.database.reading() as session:
        found = competitions.find(session, SLUG)
        rows = entryrequests.waiting(session, found)
        assert entryrequests.counts(session, [found.id]).get(found.id, 0) == len(rows)
        return [(one.id, one.user.handle, one.message) for one in rows]


def decide(installation, caller, number, *, accepts, reason=""):
    with installation.database.writing() as session:
        entryrequests.decide(session, caller, SLUG, number, accepts=accepts, reason=reason)


def told(installation, caller):
    with installation.database.reading() as session:
        return [one.text for one in notifications.of_user(session, caller.id)]


def team_of(installation, caller):
    with installation.database.reading() as session:
        return competitions.team_of(session, competitions.find(session, SLUG).id, caller.id)


def test_who_asks_waits_and_is_in_no_team(installation, factory, host):
    ada = factory.person("ada-01")
    assert enter(installation, ada, "I am in your seminar.") is None
    assert enter(installation, ada, " I take the seminar. ") is None  # asked twice, waits once
    ((_, handle, message),) = waiting(installation)
    assert (handle, message) == ("ada-01", "I take the seminar.")
    assert team_of(installation, ada) is None


def test_parallel_clicks_are_one_request(installation, factory, host):
    ada = factory.person("ada-01")
    clicks = [threading.Thread(target=enter, args=(installation, ada)) for _ in range(8)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert len(waiting(installation)) == 1


def test_who_is_let_in_has_a_team_and_is_told(installation, factory, host):
    ada = factory.person("ada-01")
    enter(installation, ada)
    ((number, _, _),) = waiting(installation)
    decide(installation, host, number, accepts=True)
    assert team_of(installation, ada).name == "ada-01"
    assert told(installation, ada) == ["Toy digits lets you in."]
    assert waiting(installation) == []
    assert enter(installation, ada) == "ada-01"  # joining again changes nothing
    with pytest.raises(NotFoundError, match="it is decided"):
        decide(installation, host, number, accepts=False)
    with installation.database.reading() as session:
        (entry, handle), *_ = competitions.audited(session, competitions.find(session, SLUG), 5)
    assert (entry.action, handle, entry.detail["handle"]) == ("entry.accept", host.handle, "ada-01")


def test_who_is_declined_reads_why_and_may_ask_again(installation, factory, host):
    ada = factory.person("ada-01")
    enter(installation, ada)
    ((number, _, _),) = waiting(installation)
    decide(installation, host, number, accepts=False, reason="The course is full.")
    assert told(installation, ada) == ["Toy digits does not let you in: The course is full."]
    assert waiting(installation) == []
    with installation.database.reading() as session:
        asked = entryrequests.of_person(session, competitions.find(session, SLUG), ada.id)
        assert asked.reason == "The course is full."
    assert enter(installation, ada, "Somebody left.") is None
    assert [message for _, _, message in waiting(installation)] == ["Somebody left."]
    with installation.database.reading() as session:
        asked = entryrequests.of_person(session, competitions.find(session, SLUG), ada.id)
        assert (asked.reason, asked.declined_at) == ("", None)


def test_no_other_way_leads_past_the_door(installation, factory, host):
    ada, bob = factory.person("ada-01"), factory.person("bob-01")
    enter(installation, ada)
    ((number, _, _),) = waiting(installation)
    decide(installation, host, number, accepts=True)
    with installation.database.writing() as session:
        invitations.invite(session, competitions.find(session, SLUG), ada, "bob-01")
    with installation.database.writing() as session:
        found = competitions.find(session, SLUG)
        for way in (
            lambda: competitions.join(session, found, bob),
            lambda: teams.name(session, found, bob, "Bobs"),
            lambda: invitations.accept(session, found, bob, team_name="ada-01"),
        ):
            with pytest.raises(NoAccessError, match="one by one") as refused:
                way()
            assert refused.value.facts["code"] == "asks_first"


def test_staff_just_enters(installation, host):
    assert enter(installation, host) == host.handle


def test_only_its_staff_answers(installation, factory, host):
    ada = factory.person("ada-01")
    enter(installation, ada)
    ((number, _, _),) = waiting(installation)
    for other in (ada, factory.person("eve-01"), factory.person("teacher-02", "instructor")):
        with pytest.raises(NoAccessError):
            decide(installation, other, number, accepts=True)
    factory.competition("other")
    with installation.database.writing() as session:
        competitions.find(session, "other").host_id = host.id
        with pytest.raises(NotFoundError):  # a number of another competition
            entryrequests.decide(session, host, "other", number, accepts=True)


def test_an_assistant_answers_where_the_course_lets_assistants_keep_the_roster(
    installation, factory, host
):
    people = factory.course(assistant=("tutor-01",), student=("ada-01",))
    with installation.database.writing() as session:
        competitions.find(session, SLUG).course_id = next(iter(people["teacher-01"].courses))
    enter(installation, people["ada-01"])
    ((number, _, _),) = waiting(installation)
    with pytest.raises(NoAccessError, match="'roster'"):
        decide(installation, people["tutor-01"], number, accepts=True)
    decide(installation, people["teacher-01"], number, accepts=True)
    assert team_of(installation, people["ada-01"]) is not None


def test_nobody_asks_after_the_end_or_without_measure(installation, factory, host):
    ada = factory.person("ada-01")
    with pytest.raises(BadRequestError, match="501 characters"):
        enter(installation, ada, "x" * 501)
    with installation.database.writing() as session:
        competitions.find(session, SLUG).closes_at = now()
    with pytest.raises(ClosedError):
        enter(installation, ada)
    assert waiting(installation) == []


def test_those_who_ask_stand_among_what_needs_the_host(installation, factory, host):
    enter(installation, factory.person("ada-01"))
    enter(installation, factory.person("bob-01"))
    with installation.database.reading() as session:
        (row,) = dashboard.hosted(session, host)
        assert ("2 people ask to be let in", "/c/toy/manage/participants") in [
            (need.what, need.path) for need in row.needs
        ]


def test_when_the_door_opens_who_waits_just_joins(installation, factory, host):
    ada = factory.person("ada-01")
    enter(installation, ada)
    with installation.database.writing() as session:
        session.get_one(Competition, 1).asks_first = False
    assert enter(installation, ada) == "ada-01"
    with installation.database.reading() as session:
        assert session.query(EntryRequest).count() == 0
