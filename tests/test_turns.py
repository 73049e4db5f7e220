from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from podium import attempts, competitions, judging, turns
from podium.attempts import Ending
from podium.models import Competition, Submission, Turn
from podium.models.record import now
from podium.verdicts import State, Verdict


@pytest.fixture
def hand_in(installation, factory, predictions):
    """Hands in `count` files of one team; returns their ids."""
    members = {}

    def hand_in(handle: str, count: int = 1, slug: str = "toy") -> list[int]:
        if (handle, slug) not in members:
            members[handle, slug] = factory.member(handle, slug)
        return [
            factory.submit(members[handle, slug], predictions(index), slug=slug)
            for index in range(count)
        ]

    return hand_in


def taken(installation, count: int) -> list[int]:
    """Ids in the order in which one worker gets them, each ended before the next."""
    found = []
    for _ in range(count):
        work = judging.take(installation, "score", "w1")
        if work is None:
            break
        found.append(work.submission.id)
        with installation.database.writing() as session:
            attempts.end(session, work.lease, Ending(Verdict.INVALID))
    return found


def change(installation, slug: str, **columns) -> None:
    with installation.database.writing() as session:
        session.execute(update(Competition).where(Competition.slug == slug).values(**columns))


def test_a_team_with_many_waiting_does_not_hold_up_a_team_with_one(installation, factory, hand_in):
    factory.competition()
    busy = hand_in("busy", 4)
    (single,) = hand_in("single")
    assert taken(installation, 9) == [busy[0], single, *busy[1:]]


def test_a_team_that_comes_back_joins_the_round_of_now(installation, factory, hand_in):
    factory.competition(daily_limit=20)
    first = hand_in("first", 3)
    taken(installation, 2)
    late = hand_in("late", 2)
    assert taken(installation, 9) == [late[0], first[2], late[1]]


def test_competitions_take_turns_whatever_waits_in_one(installation, factory, hand_in):
    factory.competition("toy")
    factory.competition("other")
    crowd = [hand_in(f"p-{index}")[0] for index in range(6)]
    others = [hand_in(f"q-{index}", slug="other")[0] for index in range(2)]
    assert taken(installation, 4) == [crowd[0], others[0], crowd[1], others[1]]


def test_a_weight_of_three_gives_three_turns_of_four(installation, factory, hand_in):
    factory.competition("toy", weight=3.0)
    factory.competition("other")
    heavy = {hand_in(f"p-{index}")[0] for index in range(9)}
    for index in range(9):
        hand_in(f"q-{index}", slug="other")
    order = taken(installation, 12)
    assert Counter(one in heavy for one in order) == {True: 9, False: 3}
    assert Counter(one in heavy for one in order[:4]) == {True: 3, False: 1}


def test_a_competition_that_was_idle_gets_no_credit_for_it(installation, factory, hand_in):
    factory.competition("toy")
    factory.competition("other")
    hand_in("q-0", slug="other")
    for index in range(8):
        hand_in(f"p-{index}")
    taken(installation, 7)
    late = {hand_in(f"r-{index}", slug="other")[0] for index in range(3)}
    assert sum(one in late for one in taken(installation, 3)) <= 2


def test_people_come_before_demo_work_and_rescoring_comes_last(installation, factory, hand_in):
    factory.competition()
    ids = [hand_in(f"p-{index}")[0] for index in range(3)]
    lanes = (turns.RESCORING, turns.DEMO, turns.PEOPLE)
    with installation.database.writing() as session:
        for submission_id, lane in zip(ids, lanes, strict=True):
            session.get_one(Submission, submission_id).lane = lane
    assert taken(installation, 3) == ids[::-1]


def test_a_team_has_at_most_so_many_at_work_and_others_go_on(installation, factory, hand_in):
    factory.competition(team_running=1)
    mine = hand_in("ada-01", 2)
    (other,) = hand_in("bob-01")
    works = [judging.take(installation, "score", f"w{index}") for index in range(3)]
    assert [work and work.submission.id for work in works] == [mine[0], other, None]
    with installation.database.writing() as session:
        attempts.end(session, works[0].lease, Ending(Verdict.INVALID))
    assert taken(installation, 9) == [mine[1]]


def test_what_backs_off_after_a_fault_lets_others_pass(installation, factory, hand_in):
    factory.competition()
    (first,) = hand_in("ada-01")
    (second,) = hand_in("bob-01")
    with installation.database.writing() as session:
        session.get_one(Submission, first).not_before = now() + timedelta(minutes=1)
    assert taken(installation, 9) == [second]


def test_a_worker_takes_only_what_fits_it(installation, factory, hand_in):
    factory.competition("toy")
    factory.competition("other")
    hand_in("ada-01")
    (other,) = hand_in("bob-01", slug="other")
    with installation.database.writing() as session:
        fits = {competitions.find(session, "other").id}
        lease = turns.take(session, "score", "w1", "score", 10, fits=fits)
        assert lease is not None
        assert lease.submission_id == other
        assert turns.take(session, "score", "w1", "score", 10, fits=set()) is None


def test_a_lost_turn_is_mended_and_nothing_waits_for_ever(installation, factory, hand_in):
    factory.competition()
    (waiting,) = hand_in("ada-01")
    with installation.database.writing() as session:
        session.execute(delete(Turn))
        assert len(turns.lacking(session)) == 1
        turns.mend(session)
        assert turns.lacking(session) == []
    assert taken(installation, 9) == [waiting]


def test_the_place_told_is_the_place_in_which_it_is_taken(installation, factory, hand_in):
    factory.competition("toy")
    factory.competition("other", weight=2.0)
    ids = hand_in("ada-01", 3) + hand_in("bob-01", 2) + hand_in("eve-01", 3, slug="other")
    with installation.database.reading() as session:
        places = {
            one: sum(turns.ahead(session, session.get_one(Submission, one)).values()) for one in ids
        }
    assert taken(installation, len(ids)) == sorted(ids, key=places.__getitem__)
    assert sorted(places.values()) == list(range(len(ids)))


def test_what_was_cancelled_is_not_taken(installation, factory, hand_in):
    factory.competition()
    first, second = hand_in("ada-01")[0], hand_in("bob-01")[0]
    with installation.database.writing() as session:
        attempts.move(session, first, State.QUEUED, State.CANCELLED)
    assert taken(installation, 9) == [second]
