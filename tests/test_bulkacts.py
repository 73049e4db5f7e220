import pytest

from podium import bulkacts, competitions
from podium.bulkacts import MOST
from podium.errors import BadRequestError, LimitError, NoAccessError
from podium.handedin import Filter
from podium.models import Submission


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id)
    return caller


@pytest.fixture
def handed_in(factory, host, predictions):
    """Submissions of two teams by name: one scored each, one that waits."""
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    found = {
        "ada": factory.submit(ada, predictions(13)),
        "bob": factory.submit(bob, predictions(5)),
    }
    for number in found.values():
        factory.judge(number)
    return found | {"waiting": factory.submit(ada, predictions(7))}


def choose(installation, verb, **meant):
    with installation.database.reading() as session:
        return bulkacts.choose(session, competitions.find(session, "toy"), verb, **meant)


def states(installation, handed_in):
    with installation.database.reading() as session:
        rows = {name: session.get_one(Submission, id_) for name, id_ in handed_in.items()}
        return {name: (row.state, row.disqualified) for name, row in rows.items()}


def test_an_act_fits_some_of_those_that_are_meant(installation, handed_in):
    chosen = choose(installation, "cancel", ids=list(handed_in.values()))
    assert (chosen.ids, chosen.teams, chosen.left_out) == ([handed_in["waiting"]], 1, 2)
    chosen = choose(installation, "disqualify", wanted=Filter())
    assert (chosen.ids, chosen.teams) == ([handed_in["ada"], handed_in["bob"]], 2)
    assert choose(installation, "disqualify", wanted=Filter(team="bob")).ids == [handed_in["bob"]]
    assert choose(installation, "reinstate", wanted=Filter()).ids == []
    assert choose(installation, "retry", wanted=Filter()).ids == []


def test_many_are_disqualified_and_reinstated_each_with_its_line_in_the_log(
    installation, host, handed_in
):
    both = [handed_in["ada"], handed_in["bob"]]
    done = bulkacts.act(installation, host, "toy", "disqualify", both, "the same file")
    assert (done.ids, done.refused) == (both, {})
    found = states(installation, handed_in)
    assert found["ada"] == found["bob"] == ("scored", "the same file")
    again = bulkacts.act(installation, host, "toy", "disqualify", both, "the same file")
    assert again.ids == []
    assert "is disqualified already" in again.refused[both[0]]
    assert bulkacts.act(installation, host, "toy", "reinstate", both).ids == both
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        actions = [entry.action for entry, _ in competitions.audited(session, toy, 9)]
    assert actions == ["submission.reinstate"] * 2 + ["submission.disqualify"] * 2


def test_what_has_ended_meanwhile_is_left_and_told(installation, factory, host, handed_in):
    factory.judge(handed_in["waiting"])
    done = bulkacts.act(installation, host, "toy", "cancel", [handed_in["waiting"]], "late")
    assert done.ids == []
    assert "has ended already (scored)" in done.refused[handed_in["waiting"]]


def test_a_number_twice_is_done_once_and_one_of_elsewhere_never(
    installation, factory, host, handed_in, predictions
):
    factory.competition("other", host_id=host.id)
    elsewhere = factory.submit(factory.member("cy-01", "other"), predictions(1), "other")
    numbers = [handed_in["waiting"], elsewhere, handed_in["waiting"]]
    done = bulkacts.act(installation, host, "toy", "cancel", numbers)
    assert done.ids == [handed_in["waiting"]]
    assert done.refused == {elsewhere: f"toy has no submission {elsewhere}."}
    with installation.database.reading() as session:
        assert session.get_one(Submission, elsewhere).state == "queued"


def test_nothing_is_done_without_right_reason_or_measure(installation, factory, host, handed_in):
    number = [handed_in["ada"]]
    with pytest.raises(NoAccessError):
        bulkacts.act(installation, factory.person("ada-01"), "toy", "disqualify", number, "x")
    with pytest.raises(BadRequestError, match="Say why"):
        bulkacts.act(installation, host, "toy", "disqualify", number, "  ")
    with pytest.raises(BadRequestError, match="nothing called 'delete'"):
        bulkacts.act(installation, host, "toy", "delete", number)
    with pytest.raises(LimitError, match="more than 500"):
        bulkacts.act(installation, host, "toy", "cancel", range(MOST + 1))
    assert states(installation, handed_in)["ada"] == ("scored", "")
