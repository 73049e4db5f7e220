from dataclasses import asdict

import pytest

from podium import competitions, conduct, handedin, participants, submissions
from podium.errors import BadRequestError, ConflictError, NoAccessError
from podium.handedin import Filter
from podium.models import AuditEntry, Submission


@pytest.fixture
def teacher(factory):
    return factory.course(assistant=("tutor-01",), student=("ada-01", "bob-01"))["teacher-01"]


@pytest.fixture
def handed_in(installation, factory, teacher, predictions):
    """Three submissions of ada and bob, in the order of their names: scored, invalid, waiting."""
    factory.competition(is_practice=False, host_id=teacher.id)
    with installation.database.writing() as session:
        toy = competitions.find(session, "toy")
        toy.course_id = next(iter(teacher.courses))
    ada, bob = (factory.as_now(factory.person(handle)) for handle in ("ada-01", "bob-01"))
    with installation.database.writing() as session:
        for caller in (ada, bob):
            competitions.join(session, competitions.find(session, "toy"), caller)
    scored = factory.submit(ada, predictions(13), message="A wide 100%_network")
    invalid = factory.submit(bob, "id,label\n0,12\n", file_name="broken.csv")
    for number in (scored, invalid):
        factory.judge(number)
    return {"scored": scored, "invalid": invalid, "waiting": factory.submit(bob, predictions(2))}


def listed(installation, **wanted):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        fits = Filter(**wanted)
        found = handedin.find(session, toy, fits)
        assert handedin.count(session, toy, fits) == len(found)
        return found


def test_staff_lists_everybodys_submissions_with_both_scores(installation, handed_in):
    waiting, invalid, scored = listed(installation)
    assert [one.id for one in (scored, invalid, waiting)] == list(handed_in.values())
    assert (scored.team, scored.handle, scored.state) == ("ada-01", "ada-01", "scored")
    assert (scored.public, scored.private) == (0.6, 0.7)
    assert (invalid.public, invalid.private) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"team": "ADA"}, {"scored"}),
        ({"team": "b_b"}, set()),
        ({"state": "queued"}, {"waiting"}),
        ({"verdict": "invalid"}, {"invalid"}),
        ({"kind": "model"}, set()),
        ({"kind": "predictions", "team": "bob"}, {"invalid", "waiting"}),
        ({"text": "100%_net"}, {"scored"}),
        ({"text": "BROKEN"}, {"invalid"}),
        ({"counts": "counting"}, {"scored", "invalid", "waiting"}),
        ({"counts": "disqualified"}, set()),
    ],
)
def test_a_filter_keeps_what_fits(installation, handed_in, wanted, expected):
    found = {one.id for one in listed(installation, **wanted)}
    assert found == {handed_in[name] for name in expected}


def test_a_number_finds_its_submission(installation, handed_in):
    (found,) = listed(installation, text=str(handed_in["invalid"]), verdict="invalid")
    assert found.id == handed_in["invalid"]


def test_pages_follow_each_other_without_gaps(installation, handed_in):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        pages = [handedin.find(session, toy, Filter(), page=n, per_page=2) for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert {one.id for page in pages for one in page} == set(handed_in.values())


@pytest.mark.parametrize("field", ["state", "verdict", "kind", "counts"])
def test_a_value_that_there_is_not_is_named(field):
    with pytest.raises(BadRequestError, match=f"no {field} 'none'. Choose"):
        Filter(**{field: "none"})


def test_the_disqualified_are_found_by_submission_and_by_team(installation, teacher, handed_in):
    with installation.database.writing() as session:
        conduct.disqualify_submission(session, teacher, handed_in["scored"], "copied")
        conduct.disqualify_team(session, teacher, "toy", "bob-01", "two accounts")
    assert len(listed(installation, counts="disqualified")) == 3
    with installation.database.writing() as session:
        conduct.reinstate_submission(session, teacher, handed_in["scored"], "")
    assert [one.id for one in listed(installation, counts="counting")] == [handed_in["scored"]]


def test_a_cancellation_by_staff_is_audited_and_its_team_reads_why(
    installation, factory, teacher, handed_in
):
    submissions.cancel(installation, teacher, handed_in["waiting"], "the  exam room is closed")
    with installation.database.reading() as session:
        found = session.get_one(Submission, handed_in["waiting"])
        assert found.reason == "Cancelled. It does not count. the exam room is closed"
        toy = competitions.find(session, "toy")
        (entry, who), *_ = competitions.audited(session, toy, 1)
        assert (entry.action, who, entry.reason) == (
            "submission.cancel",
            "teacher-01",
            "the exam room is closed",
        )
        assert entry.detail["submission"] == handed_in["waiting"]
    with pytest.raises(ConflictError, match="has ended already"):
        submissions.cancel(installation, teacher, handed_in["waiting"])


def test_what_a_team_cancels_itself_is_no_act_of_a_host(installation, factory, handed_in):
    submissions.cancel(installation, factory.as_now(factory.person("bob-01")), handed_in["waiting"])
    with installation.database.reading() as session:
        assert not session.query(AuditEntry).filter_by(action="submission.cancel").count()


def test_an_assistant_without_the_right_cancels_nothing(installation, factory, handed_in):
    tutor = factory.as_now(factory.person("tutor-01"))
    with pytest.raises(NoAccessError, match="does not allow its assistants"):
        submissions.cancel(installation, tutor, handed_in["waiting"])


def test_participants_come_with_team_class_list_and_scores(installation, handed_in):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        ada, bob = participants.of(session, toy)
        assert participants.staff(session, toy) == [
            ("teacher-01", "instructor"),
            ("tutor-01", "assistant"),
        ]
        found = participants.find(session, toy, "BOB")
        assert participants.read(session, toy, found) == [bob]
    assert (ada.handle, ada.email, ada.role) == ("ada-01", "ada-01@example.org", "student")
    assert (ada.team, ada.is_leader, ada.submissions, ada.public, ada.private) == (
        "ada-01",
        True,
        1,
        0.6,
        0.7,
    )
    assert (bob.submissions, bob.public, bob.last_at is not None) == (2, None, True)


def test_many_participants_are_asked_for_in_chunks_and_stay_in_order(
    installation, handed_in, monkeypatch
):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        whole = participants.of(session, toy)
        monkeypatch.setattr(participants, "CHUNK", 1)
        assert participants.of(session, toy) == whole
    assert len(whole) == 2


def test_a_host_of_no_course_learns_no_addresses(installation, factory):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    factory.member("eve-01")
    with installation.database.reading() as session:
        (eve,) = participants.of(session, competitions.find(session, "toy"))
        assert participants.staff(session, competitions.find(session, "toy")) == [
            ("host-01", "host")
        ]
    assert not {"name", "email", "number", "section", "role"} & {
        name for name, value in asdict(eve).items() if value
    }


def test_all_that_ended_in_error_waits_again_at_once(installation, factory, teacher, handed_in):
    with installation.database.writing() as session:
        for name in ("invalid", "waiting"):
            found = session.get_one(Submission, handed_in[name])
            found.state, found.verdict = "error", "challenge_fault"
    tutor = factory.as_now(factory.person("tutor-01"))
    with pytest.raises(NoAccessError):
        handedin.run_again(installation, tutor, "toy", Filter())
    assert handedin.run_again(installation, teacher, "toy", Filter(team="ada")) == 0
    only = Filter(text="broken")
    assert handedin.run_again(installation, teacher, "toy", only, "answers mended") == 1
    assert handedin.run_again(installation, teacher, "toy", Filter()) == 1
    assert {one.id for one in listed(installation, state="queued")} == {
        handed_in["invalid"],
        handed_in["waiting"],
    }
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        (_, _), (entry, _), *_ = competitions.audited(session, toy, 9)
    assert (entry.action, entry.reason) == ("submission.retry", "answers mended")
    assert entry.detail == {"submissions": 1, "wanted": {"text": "broken"}}
    assert factory.judge_all() == 2
