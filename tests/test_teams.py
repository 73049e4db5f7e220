import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from podium import competitions, invitations, limits, teams
from podium.errors import (
    AskError,
    BadRequestError,
    ClosedError,
    ConflictError,
    LimitError,
    NoAccessError,
    NotFoundError,
)
from podium.models import BoardEntry, Competition, Grant, Membership, Submission, Team
from podium.models.record import now


@pytest.fixture
def toy(factory):
    factory.competition(daily_limit=3, team_size=3)


@pytest.fixture
def do(installation, toy):
    """Calls a function of `invitations` or `teams` in a transaction."""

    def act(name, caller, *arguments, **named):
        with installation.database.writing() as session:
            competition = competitions.find(session, "toy")
            noun = invitations if hasattr(invitations, name) else teams
            return getattr(noun, name)(session, competition, caller, *arguments, **named)

    return act


@pytest.fixture
def ada(factory, toy):
    return factory.member("ada-01")


@pytest.fixture
def bob(factory, toy):
    return factory.member("bob-01")


def members(installation, name):
    with installation.database.reading() as session:
        team = session.scalars(select(Team).where(Team.name == name)).one()
        return [one.handle for one in teams.members(session, team)]


def test_who_joins_leads_a_team_of_one_and_may_name_it(installation, do, ada):
    team = do("name", ada, "  The   Lovelaces ")
    assert team.name == "The Lovelaces"
    assert members(installation, "The Lovelaces") == ["ada-01"]


@pytest.mark.parametrize("name", ["x", "y" * 41, "a\tb\u202eb", ""])
def test_an_unfit_name_is_refused(do, ada, name):
    with pytest.raises(BadRequestError, match="does not fit"):
        do("name", ada, name)


def test_two_teams_have_no_name_in_common_whatever_the_case(do, ada, bob):
    do("name", ada, "Lovelaces")
    with pytest.raises(ConflictError, match="already"):
        do("name", bob, "lovelaces")


def test_an_invited_person_enters_with_what_they_handed_in(
    installation, factory, predictions, do, ada, bob
):
    factory.judge(factory.submit(bob, predictions(12)))
    do("invite", ada, "bob-01")
    team = do("accept", bob)
    assert members(installation, team.name) == ["ada-01", "bob-01"]
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        entries = session.scalars(select(BoardEntry).where(BoardEntry.split == "public")).all()
        assert competition.team_count == 1
        assert [entry.team_id for entry in entries] == [team.id]
        assert limits.of_team(session, competition, team.id, now()).used_today == 1


def test_whoever_has_not_joined_may_enter_by_a_link(installation, factory, do, ada):
    _, code = do("invite", ada, None)
    do("accept", factory.person("cy-01"), code=code)
    do("accept", factory.person("dee-01"), code=code)
    assert members(installation, "ada-01") == ["ada-01", "cy-01", "dee-01"]


def test_a_link_that_was_closed_opens_nothing(factory, do, ada):
    _, code = do("invite", ada, None)
    assert do("withdraw", ada) == 1
    with pytest.raises(NotFoundError, match="not any more"):
        do("accept", factory.person("cy-01"), code=code)


def test_nobody_enters_uninvited(do, ada, bob):
    with pytest.raises(NotFoundError, match="not invited"):
        do("accept", bob, team_name="ada-01")


def test_only_the_leader_invites_names_and_merges(do, ada, bob):
    do("invite", ada, "bob-01")
    do("accept", bob)
    for act in (("invite", None), ("name", "Mine"), ("merge", "x")):
        with pytest.raises((NoAccessError, NotFoundError)):
            do(act[0], bob, act[1])


def test_a_team_is_never_larger_than_its_limit(installation, factory, do, ada):
    _, code = do("invite", ada, None)
    people = [factory.member(f"p-{index}") for index in range(6)]
    refused = []

    def enter(person):
        try:
            do("accept", person, code=code)
        except LimitError:
            refused.append(person)

    threads = [threading.Thread(target=enter, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(members(installation, "ada-01")) == 3
    assert len(refused) == 4
    with installation.database.reading() as session:
        assert competitions.find(session, "toy").team_count == 1 + 4


def test_two_teams_become_one_when_both_leaders_say_so(
    installation, factory, predictions, do, ada, bob
):
    factory.judge(factory.submit(ada, predictions(8), idempotency_key="k"))
    factory.judge(factory.submit(bob, predictions(12), idempotency_key="k"))
    assert do("merge", bob, "ada-01") is None
    assert do("merge", ada, "bob-01").name == "bob-01"
    assert members(installation, "bob-01") == ["ada-01", "bob-01"] or members(
        installation, "bob-01"
    ) == ["bob-01", "ada-01"]
    with installation.database.reading() as session:
        (entry,) = session.scalars(select(BoardEntry).where(BoardEntry.split == "public"))
        assert (entry.entries, entry.score) == (2, 0.6)
        gone = session.scalars(select(Team).where(Team.name == "ada-01")).one()
        assert gone.merged_into_id == entry.team_id


def test_a_merge_beyond_what_one_team_may_have_handed_in_is_refused(
    installation, factory, predictions, do, ada, bob
):
    # 3 a day and one day so far: 2 + 2 are too many, until tomorrow or a host's grant
    for person in (ada, ada, bob, bob):
        factory.judge(factory.submit(person, predictions(1)))
    with pytest.raises(LimitError, match=r"4 together\. One team may have 3 by now"):
        do("merge", bob, "ada-01")
    with installation.database.writing() as session:
        own = select(Team.id).where(Team.name == "ada-01").scalar_subquery()
        session.execute(
            Grant.__table__.insert().values(
                team_id=own, day=now().date(), submissions=1, reason="", granted_at=now()
            )
        )
    do("merge", bob, "ada-01")
    assert do("merge", ada, "bob-01").name == "bob-01"


def test_tomorrow_there_is_room_for_the_same_merge(
    installation, factory, predictions, do, ada, bob
):
    for person in (ada, ada, bob, bob):
        factory.judge(factory.submit(person, predictions(1)))
    with installation.database.writing() as session:
        yesterday = now() - timedelta(days=1)
        session.execute(update(Competition).values(opens_at=yesterday))
    do("merge", bob, "ada-01")
    assert do("merge", ada, "bob-01") is not None


def test_invalid_files_do_not_stand_in_the_way(factory, predictions, do, ada, bob):
    for person in (ada, bob):
        for content in (predictions(1), "nonsense", "nonsense"):
            factory.judge(factory.submit(person, content))
    do("merge", bob, "ada-01")
    assert do("merge", ada, "bob-01") is not None


@pytest.mark.parametrize("column", ["merges_until", "closes_at"])
def test_after_the_deadline_no_team_changes(installation, do, ada, bob, column):
    do("invite", ada, "bob-01")
    with installation.database.writing() as session:
        session.execute(update(Competition).values({column: now() - timedelta(seconds=1)}))
    for name, caller, argument in (
        ("merge", ada, "bob-01"),
        ("invite", ada, None),
        ("accept", bob, None),
        ("leave", ada, None),
    ):
        arguments = () if name in ("accept", "leave") else (argument,)
        with pytest.raises(ClosedError):
            do(name, caller, *arguments)


def test_parallel_merges_and_submissions_pass_no_limit(
    installation, factory, predictions, do, ada, bob
):
    """Whatever comes first: nobody's submission is lost, and no team has more than its limit."""
    factory.submit(ada, predictions(1))
    factory.submit(bob, predictions(2))
    do("merge", bob, "ada-01")
    errors = []

    def attempt(act):
        try:
            act()
        except (LimitError, ConflictError) as error:
            errors.append(error)

    acts = [lambda: do("merge", ada, "bob-01")]
    acts += [lambda one=one: factory.submit(one, predictions(3)) for one in (ada, bob) * 3]
    threads = [threading.Thread(target=attempt, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with installation.database.reading() as session:
        per_team = dict(
            session.execute(
                select(Submission.team_id, func.count()).group_by(Submission.team_id)
            ).all()
        )
        merged = session.scalar(select(func.count()).where(Team.merged_into_id.is_not(None)))
        live = set(session.scalars(select(Membership.team_id)))
    assert set(per_team) <= live
    assert all(number <= 3 for number in per_team.values())
    assert len(errors) == 7 - merged - (sum(per_team.values()) - 2)


def test_who_leaves_a_team_that_has_handed_in_nothing_is_alone_again(installation, do, ada, bob):
    do("invite", ada, "bob-01")
    do("accept", bob)
    team = do("leave", ada)
    assert team.name == "ada-01 2"  # the old name stays with the team
    assert members(installation, "ada-01") == ["bob-01"]
    with installation.database.reading() as session:
        left = session.scalars(select(Team).where(Team.name == "ada-01")).one()
        assert left.leader_id == bob.id


def test_a_team_that_has_handed_something_in_stays_together(factory, predictions, do, ada, bob):
    do("invite", ada, "bob-01")
    do("accept", bob)
    factory.submit(bob, predictions(1))
    with pytest.raises(ConflictError, match="stays together"):
        do("leave", bob)


def test_a_judgement_under_way_counts_for_the_merged_team(
    installation, factory, predictions, do, ada, bob
):
    submission_id = factory.submit(ada, predictions(12))
    do("merge", bob, "ada-01")
    do("merge", ada, "bob-01")
    factory.judge(submission_id)
    with installation.database.reading() as session:
        entries = session.scalars(select(BoardEntry).where(BoardEntry.split == "public")).all()
        assert [session.get_one(Team, entry.team_id).name for entry in entries] == ["bob-01"]


def test_every_refusal_is_shown_as_it_stands(do, ada):
    with pytest.raises(AskError, match="'nobody-01'"):
        do("invite", ada, "nobody-01")
