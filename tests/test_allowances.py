from datetime import timedelta

import pytest

from podium import allowances, competitions, limits
from podium.allowances import Receiver
from podium.errors import BadRequestError, ClosedError, LimitError, NoAccessError, NotFoundError
from podium.models import AuditEntry
from podium.models.record import now


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(
        host_id=caller.id, daily_limit=1, total_limit=2, closes_at=now() + timedelta(hours=1)
    )
    return caller


@pytest.fixture
def ada(factory, host):
    return factory.member("ada-01")


def grant(installation, host, team="ada-01", count=1):
    with installation.database.writing() as session:
        allowances.grant(session, host, "toy", Receiver(team), count, "was ill")


def extend(installation, host, until, team="ada-01"):
    with installation.database.writing() as session:
        allowances.extend(session, host, "toy", Receiver(team), until, "was ill")


def numbers(installation, ada, moment=None):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        team = competitions.need_team(session, competition, ada)
        return limits.of_team(session, competition, team.id, moment or now())


def test_a_grant_gives_a_team_more_today_and_in_all(installation, factory, predictions, host, ada):
    factory.submit(ada, predictions(1))
    with pytest.raises(LimitError):
        factory.submit(ada, predictions(2))
    grant(installation, host, count=2)
    found = numbers(installation, ada)
    assert (found.daily_limit, found.total_limit, found.allowed_now) == (3, 4, 2)
    factory.submit(ada, predictions(2))
    assert numbers(installation, ada).allowed_now == 1


def test_a_grant_is_for_its_day_and_for_its_team(installation, factory, host, ada):
    bob = factory.member("bob-01")
    grant(installation, host)
    tomorrow = numbers(installation, ada, now() + timedelta(days=1, seconds=-1))
    assert tomorrow.daily_limit == 1
    assert numbers(installation, bob).daily_limit == 1


def test_an_extension_opens_the_door_for_one_team_only(
    installation, factory, predictions, host, ada
):
    bob = factory.member("bob-01")
    with installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now() - timedelta(minutes=1)
    extend(installation, host, now() + timedelta(hours=1))
    factory.submit(ada, predictions(1))
    with pytest.raises(ClosedError, match="deadline"):
        factory.submit(bob, predictions(1))


def test_an_earlier_deadline_than_everybodys_takes_nothing_away(installation, host, ada):
    extend(installation, host, now() - timedelta(hours=1))
    assert numbers(installation, ada).limited_by is None


def test_the_last_extension_given_is_in_force(installation, host, ada):
    extend(installation, host, now() + timedelta(days=9))
    extend(installation, host, now() + timedelta(days=2))
    assert numbers(installation, ada).closes_at < now() + timedelta(days=3)


def test_who_gave_it_when_and_why_is_in_the_audit_log(installation, host, ada):
    grant(installation, host, count=3)
    with installation.database.reading() as session:
        (entry,) = session.query(AuditEntry).where(AuditEntry.action == "team.grant")
    assert (entry.user_id, entry.subject) == (host.id, "team:toy/ada-01")
    assert (entry.reason, entry.detail["submissions"]) == ("was ill", 3)


def test_only_the_host_may(installation, factory, host, ada):
    other = factory.person("host-02", "instructor")
    for caller in (ada, other):
        with pytest.raises(NoAccessError):
            grant(installation, caller)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_number_that_is_none_is_refused(installation, host, ada, count):
    with pytest.raises(BadRequestError, match="Grant 1 to 1000"):
        grant(installation, host, count=count)


def test_an_unknown_team_is_named(installation, host, ada):
    with pytest.raises(NotFoundError, match="'eve-01'"):
        grant(installation, host, team="eve-01")


def test_a_time_without_a_zone_is_refused(installation, host, ada):
    with pytest.raises(BadRequestError, match="time zone"):
        extend(installation, host, (now() + timedelta(days=1)).replace(tzinfo=None))


def test_a_competition_without_a_deadline_has_nothing_to_extend(installation, factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id)
    factory.member("ada-01")
    with pytest.raises(BadRequestError, match="no deadline"):
        extend(installation, caller, now() + timedelta(days=1))
