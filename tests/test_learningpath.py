import pytest

from podium import competitions, learningpath
from podium.models import Competition, Team


@pytest.fixture
def path(installation, factory, predictions):
    """Three practice competitions; two have a baseline of 10 right rows in 20."""
    for slug, level in (("first", "beginner"), ("second", "beginner"), ("hard", "advanced")):
        factory.competition(slug, spec={"level": level, "teaches": [f"what {slug} teaches"]})
    for slug in ("first", "hard"):
        number = factory.submit(factory.member(f"base-{slug}", slug), predictions(10), slug)
        with installation.database.writing() as session:
            toy = competitions.find(session, slug)
            session.query(Team).filter_by(competition_id=toy.id).update({"is_baseline": True})
        factory.judge(number)

    def of(viewer, person):
        with installation.database.reading() as session:
            return learningpath.of(session, viewer, person.id)

    return of


def test_it_goes_from_beginner_to_advanced_with_what_each_teaches(path, factory):
    ada = factory.person("ada-01")
    steps = path(ada, ada)
    assert [one.competition.slug for one in steps] == ["first", "second", "hard"]
    assert steps[0].spec.teaches == ["what first teaches"]
    assert [one.baseline is not None for one in steps] == [True, False, True]
    assert [(one.score, one.is_ahead) for one in steps] == [(None, False)] * 3


def test_a_step_is_done_when_the_baseline_is_beaten(path, factory, predictions):
    ada = factory.member("ada-01", "first")
    factory.judge(factory.submit(ada, predictions(4), "first"))
    first, *_ = path(ada, ada)
    assert (first.score is not None, first.is_ahead) == (True, False)
    assert learningpath.following(path(ada, ada)).competition.slug == "first"
    factory.judge(factory.submit(ada, predictions(18), "first"))
    first, *_ = path(ada, ada)
    assert first.is_ahead
    assert learningpath.following(path(ada, ada)).competition.slug == "hard"


def test_a_board_that_hides_names_hides_the_step_from_others(
    path, factory, installation, predictions
):
    ada, bob = factory.member("ada-01", "first"), factory.person("bob-01")
    factory.judge(factory.submit(ada, predictions(18), "first"))
    with installation.database.writing() as session:
        session.query(Competition).filter_by(slug="first").update({"names": "pseudonymous"})
    assert path(ada, ada)[0].is_ahead
    others = path(bob, ada)[0]
    assert (others.score, others.is_ahead) == (None, False)
    assert path(None, ada)[0].score is None


def test_what_is_no_practice_or_out_of_sight_is_no_step(path, factory, installation):
    with installation.database.writing() as session:
        session.query(Competition).filter_by(slug="second").update({"is_practice": False})
        session.query(Competition).filter_by(slug="hard").update({"is_draft": True})
    ada = factory.person("ada-01")
    assert [one.competition.slug for one in path(ada, ada)] == ["first"]
