"""Seasons and profiles: what counts, who stands where, and what nobody learns from them."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from podium import (
    boardoptions,
    competitions,
    conduct,
    editing,
    leaderboard,
    reveal,
    seasons,
    teams,
)
from podium.errors import BadRequestError, ClosedError, NotFoundError
from podium.models import Competition, Result
from podium.models.record import now

PEOPLE = ("ada-01", "bob-01", "cyd-01", "dan-01", "eve-01")


@pytest.fixture
def host(factory):
    return factory.person("host-01", "instructor")


@pytest.fixture
def finished(installation, factory, predictions, host):
    """Makes a competition of five teams that is over and revealed, ranked as PEOPLE are."""

    def make(
        slug="toy", season="2026", people=PEOPLE, days_ago=0.0, before_the_end=None, **columns
    ):
        factory.competition(
            slug, season=season, **{"host_id": host.id, "is_practice": False} | columns
        )
        for place, name in enumerate(people):
            factory.judge(
                factory.submit(factory.member(name, slug), predictions(20 - 2 * place), slug)
            )
        if before_the_end:
            before_the_end()
        end(slug, days_ago)

    def end(slug, days_ago):
        with installation.database.writing() as session:
            session.execute(
                update(Competition)
                .where(Competition.slug == slug)
                .values(closes_at=now() - timedelta(days=days_ago, seconds=1))
            )
        with installation.database.writing() as session:
            reveal.when_due(session, competitions.find(session, slug), now())

    return make


def season(installation, name="2026", caller=None):
    with installation.database.reading() as session:
        return seasons.read(session, caller, name, now())


def profile(installation, handle, caller=None):
    with installation.database.reading() as session:
        return seasons.profile(session, caller, handle, now())


def test_people_of_a_revealed_competition_have_points_and_medals(installation, finished):
    finished()
    standings = season(installation).standings
    assert [one.handle for one in standings] == list(PEOPLE)
    assert [one.rank for one in standings] == [1, 2, 3, 4, 5]
    # 100,000 · log10(1 + log10 5) = 23,018.57 for the first of five
    assert standings[0].points == pytest.approx(23018.57, abs=1)
    assert standings[1].points == pytest.approx(23018.57 * 2**-0.75, abs=1)
    assert [(one.gold, one.silver, one.bronze) for one in standings[:3]] == [
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]


def test_points_of_several_competitions_add_up_and_fade(installation, finished):
    finished("old", days_ago=500)
    finished("new", people=PEOPLE[::-1])
    standings = season(installation).standings
    # In parts of a first place: 1.110, 0.725, 0.667 (the old first), 0.600, 0.572.
    order = ["eve-01", "dan-01", "ada-01", "cyd-01", "bob-01"]
    assert [one.handle for one in standings] == order
    worth = 23018.57 * (5**-0.75 * 0.367879 + 1)
    assert standings[0].points == pytest.approx(worth, abs=1)
    assert standings[0].competitions == 2


def test_nothing_counts_before_the_reveal_or_where_the_host_says_so(
    installation, finished, factory, predictions
):
    finished(season="")
    with pytest.raises(NotFoundError, match="There is no season '2026'"):
        season(installation)
    factory.competition("open", season="2026")
    factory.judge(factory.submit(factory.member("ada-01", "open"), predictions(9), "open"))
    assert season(installation).standings == []
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Result)) == 0


def test_a_host_lets_a_revealed_competition_count_and_takes_it_out(installation, finished, host):
    finished(season="")

    def set_season(name):
        with installation.database.writing() as session:
            editing.change(session, installation.storage, host, "toy", {"season": name})

    set_season(" Spring  2027 ")
    assert len(season(installation, "Spring 2027").standings) == 5
    set_season("")
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Result)) == 0
    with pytest.raises(BadRequestError, match="A season has a name"):
        set_season("a/b")


def test_a_disqualification_after_the_reveal_moves_everybody(installation, finished, host):
    finished()
    with installation.database.writing() as session:
        conduct.disqualify_team(session, host, "toy", "ada-01", "It used the answers.")
    standings = season(installation).standings
    assert [one.handle for one in standings] == list(PEOPLE[1:])
    assert standings[0].bronze == 1  # the first of four: 40 % of them are one
    with installation.database.writing() as session:
        conduct.reinstate_team(session, host, "toy", "ada-01", "They were its own.")
    assert [one.handle for one in season(installation).standings] == list(PEOPLE)


def test_members_of_a_team_share_its_points_and_each_has_its_medal(installation, finished, factory):
    ada, bob = factory.person("ada-01"), factory.person("bob-01")

    def merge():
        for caller, wanted in ((ada, "bob-01"), (bob, "ada-01")):
            with installation.database.writing() as session:
                teams.merge(session, competitions.find(session, "toy"), caller, wanted)

    finished(before_the_end=merge)
    first, second, third, *_ = season(installation).standings
    assert {first.handle, second.handle} == {"ada-01", "bob-01"}
    assert (first.rank, second.rank, third.rank) == (1, 1, 3)
    # 100,000 / √2 · log10(1 + log10 4): four teams are left, and 40 % of them are one
    assert first.points == second.points == pytest.approx(14472.97, abs=1)
    assert (first.bronze, second.bronze, third.bronze) == (1, 1, 0)
    with installation.database.writing() as session:
        toy = competitions.find(session, "toy")
        toy.merges_until = now() + timedelta(days=1)
        with pytest.raises(ClosedError, match="is revealed"):
            teams.leave(session, toy, ada)


def test_boards_without_names_count_for_no_season(installation, factory, host):
    factory.competition(host_id=host.id, names="pseudonymous")
    storage = installation.storage
    with installation.database.writing() as session, pytest.raises(BadRequestError, match="names"):
        editing.change(session, storage, host, "toy", {"season": "2026"})
    factory.competition("named", host_id=host.id, season="2026")
    with installation.database.writing() as session, pytest.raises(BadRequestError, match="names"):
        boardoptions.change(session, storage, host, "named", {"names": "hidden"})


def test_medals_are_on_the_final_board_and_on_no_other(installation, finished):
    finished()
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        final = leaderboard.read(session, competition, split="private", per_page=3)
        assert [row.medal for row in final.rows] == ["silver", "bronze", ""]
        public = leaderboard.read(session, competition)
        assert {row.medal for row in public.rows} == {""}


def test_a_profile_tells_the_final_boards_of_a_person_the_latest_first(installation, finished):
    finished("counts")
    finished("does-not", season="")
    found = profile(installation, "Ada-01")
    assert [(one.competition.slug, one.rank, one.teams) for one in found.history] == [
        ("does-not", 1, 5),
        ("counts", 1, 5),
    ]
    assert [(one.medal, one.points is None) for one in found.history] == [
        ("", True),
        ("silver", False),
    ]
    assert (found.count("silver"), found.count("gold")) == (1, 0)
    assert found.points == pytest.approx(23018.57, abs=1)


def test_of_a_course_only_its_people_learn(installation, factory, finished):
    people = factory.course("dl", student=("ada-01",))
    with installation.database.reading() as session:
        course_id = next(iter(people["ada-01"].courses))
        assert session
    finished(course_id=course_id)
    ada = factory.as_now(people["ada-01"])
    outsider = factory.person("zoe-01")
    for caller in (None, outsider):
        with pytest.raises(NotFoundError):
            season(installation, caller=caller)
        with pytest.raises(NotFoundError):
            profile(installation, "ada-01", caller)
    assert [one.handle for one in season(installation, caller=ada).standings] == list(PEOPLE)
    assert profile(installation, "bob-01", ada).history[0].competition.slug == "toy"


def test_who_stands_on_no_board_is_known_to_nobody_else(installation, factory):
    zoe, ada = factory.person("zoe-01"), factory.person("ada-01")
    assert profile(installation, "zoe-01", zoe).history == []
    with pytest.raises(NotFoundError) as there:
        profile(installation, "zoe-01", ada)
    with pytest.raises(NotFoundError) as not_there:
        profile(installation, "nil-01", ada)
    assert str(there.value).replace("zoe", "nil") == str(not_there.value)


def test_pseudonymous_boards_are_on_no_profile(installation, factory, finished):
    finished(season="", names="pseudonymous")
    with pytest.raises(NotFoundError):
        profile(installation, "ada-01", factory.person("bob-01"))


def test_equal_points_share_a_rank(installation, finished):
    finished("one", people=PEOPLE[:2])
    finished("two", people=PEOPLE[1::-1])
    with installation.database.writing() as session:
        session.execute(update(Result).values(ended_at=now()))
    first, second = season(installation).standings
    assert (first.rank, second.rank) == (1, 1)
