from datetime import timedelta

import pytest
from sqlalchemy import select, update

from podium import competitions, finals, submissions
from podium.errors import BadRequestError, ClosedError, LimitError
from podium.models import BoardEntry, Competition
from podium.models.record import now


@pytest.fixture
def ada(factory):
    factory.competition(daily_limit=50, finals=2, closes_at=now() + timedelta(days=1))
    return factory.member("ada-01")


@pytest.fixture
def four(factory, ada):
    """Four scored submissions: of ten rows each, public right 9, 8, 7, 6 and private 1, 2, 3, 9."""
    ids = []
    for public, private in ((9, 1), (8, 2), (7, 3), (6, 9)):
        right = {i for i in range(20) if i // 2 < (public if i % 2 else private)}
        rows = "".join(f"{i},{i % 10 if i in right else (i + 1) % 10}\n" for i in range(20))
        ids.append(factory.submit(ada, "id,label\n" + rows))
        factory.judge(ids[-1])
    return ids


@pytest.fixture
def choose(installation, ada):
    def act(ids, caller=ada):
        with installation.database.writing() as session:
            competition = competitions.find(session, "toy")
            return finals.choose(session, competition, caller, ids)

    return act


def private_score(installation):
    with installation.database.reading() as session:
        return session.scalars(select(BoardEntry.score).where(BoardEntry.split == "private")).one()


def test_without_a_selection_the_best_on_public_count(installation, four, choose):
    found = choose([])
    assert (found.selected, found.counting) == ([], four[:2])
    assert private_score(installation) == 0.2


def test_the_best_private_score_of_the_selected_counts(installation, four, choose):
    found = choose([four[3], four[0]])
    assert (found.selected, found.counting) == ([four[0], four[3]], [four[0], four[3]])
    assert private_score(installation) == 0.9


def test_a_selection_replaces_the_one_before(installation, four, choose):
    choose([four[3]])
    assert choose([four[2]]).selected == [four[2]]
    assert private_score(installation) == 0.3


def test_more_than_may_be_are_refused(four, choose):
    with pytest.raises(LimitError, match=r"3 submissions\. 2 may be final"):
        choose(four[:3])


def test_a_third_one_is_refused_until_one_is_taken_out(installation, ada, four):
    def select_one(submission_id, selected):
        with installation.database.writing() as session:
            submission = submissions.get(session, ada, submission_id)
            return finals.select_one(session, ada, submission, selected=selected)

    select_one(four[0], True)
    select_one(four[1], True)
    with pytest.raises(LimitError, match="Take one out first"):
        select_one(four[2], True)
    select_one(four[0], False)
    assert select_one(four[2], True).selected == [four[1], four[2]]


def test_only_scored_or_open_submissions_of_the_own_team_are_selected(
    factory, predictions, ada, four, choose
):
    strange = factory.submit(factory.member("bob-01"), predictions(3))
    with pytest.raises(BadRequestError, match="of your team"):
        choose([strange])
    waiting, broken = factory.submit(ada, predictions(3)), factory.submit(ada, "nonsense")
    factory.judge(broken)
    assert choose([waiting]).selected == [waiting]
    with pytest.raises(BadRequestError, match="ended as invalid"):
        choose([broken])


def test_after_the_deadline_the_selection_stands(installation, four, choose):
    choose([four[3]])
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    with pytest.raises(ClosedError, match="could be selected until"):
        choose([])
    assert private_score(installation) == 0.9
