from datetime import timedelta

import pytest
from sqlalchemy import select

from podium import attempts
from podium.attempts import Ending, Lease
from podium.installation import Installation
from podium.models import Attempt, Submission
from podium.models.record import now
from podium.verdicts import FINAL, TRANSITIONS, State, Verdict


@pytest.fixture
def submission_id(factory, predictions) -> int:
    factory.competition()
    return factory.submit(factory.member("ada-01"), predictions(20))


def take(installation: Installation, submission_id: int, worker: str = "w1") -> Lease | None:
    with installation.database.writing() as session:
        return attempts.take(session, submission_id, "score", worker, lease_s=10)


def end(installation: Installation, lease: Lease, verdict: Verdict = Verdict.INVALID) -> bool:
    with installation.database.writing() as session:
        return attempts.end(session, lease, Ending(verdict, "Row 3 is empty."))


def give_back(installation: Installation, lease: Lease, outcome: str = attempts.FAULT):
    with installation.database.writing() as session:
        return attempts.give_back(session, lease, outcome, "boom", max_attempts=3)


def read(installation: Installation, submission_id: int) -> Submission:
    with installation.database.reading() as session:
        return session.get_one(Submission, submission_id)


def test_a_waiting_submission_is_taken_once(installation, submission_id):
    assert take(installation, submission_id) == Lease(submission_id, 1, "score", "w1")
    assert take(installation, submission_id, "w2") is None


def test_an_ending_is_written_with_its_words(installation, submission_id):
    lease = take(installation, submission_id)
    assert end(installation, lease)
    ended = read(installation, submission_id)
    assert (ended.state, ended.verdict, ended.reason) == ("invalid", "invalid", "Row 3 is empty.")
    assert ended.ended_at is not None


def test_a_second_ending_changes_nothing(installation, submission_id):
    lease = take(installation, submission_id)
    end(installation, lease)
    assert not end(installation, lease, Verdict.SCORED)
    assert read(installation, submission_id).state == "invalid"


def test_a_thawed_worker_changes_nothing_once_another_has_the_submission(
    installation, submission_id
):
    frozen = take(installation, submission_id)
    give_back(installation, frozen, attempts.LOST)
    current = take(installation, submission_id, "w2")
    assert not end(installation, frozen, Verdict.SCORED)
    assert read(installation, submission_id).state == "scoring"
    assert end(installation, current, Verdict.INVALID)


def test_three_faults_of_ours_end_in_error(installation, submission_id):
    states = [give_back(installation, take(installation, submission_id)) for _ in range(3)]
    assert states == [State.QUEUED, State.QUEUED, State.ERROR]
    ended = read(installation, submission_id)
    assert ended.verdict == Verdict.PLATFORM_FAULT
    assert "3 times" in ended.reason


def test_a_fault_waits_before_the_next_attempt_and_a_lost_worker_does_not(
    installation, submission_id
):
    give_back(installation, take(installation, submission_id), attempts.LOST)
    assert read(installation, submission_id).not_before is None
    give_back(installation, take(installation, submission_id), attempts.FAULT)
    assert read(installation, submission_id).not_before > now()


def test_a_lease_that_is_renewed_is_not_lost(installation, submission_id):
    take(installation, submission_id)
    later = now() + timedelta(seconds=11)
    with installation.database.writing() as session:
        assert [lease.number for lease in attempts.lost(session, later)] == [1]
        assert attempts.renew(session, Lease(submission_id, 1, "score", "w1"), lease_s=60)
        assert attempts.lost(session, later) == []


def test_reclaiming_closes_the_attempt_with_its_cause(installation, submission_id):
    take(installation, submission_id)
    with installation.database.writing() as session:
        assert attempts.reclaim(session, attempts.held_by(session, "w1"), 3) == [submission_id]
    with installation.database.reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert (attempt.outcome, attempt.cause) == ("lost", "worker w1 fell silent")
    assert attempt.ended_at is not None


def test_reclaiming_an_attempt_of_a_cancelled_submission_only_closes_it(
    installation, submission_id
):
    take(installation, submission_id)
    with installation.database.writing() as session:
        attempts.move(session, submission_id, State.SCORING, State.CANCELLED)
    with installation.database.writing() as session:
        assert attempts.reclaim(session, attempts.held_by(session, "w1"), 3) == []
        assert attempts.held_by(session, "w1") == []
    assert read(installation, submission_id).state == "cancelled"


def test_an_illegal_move_is_refused(installation, submission_id):
    with (
        pytest.raises(ValueError, match="cannot go from queued to scored"),
        installation.database.writing() as session,
    ):
        attempts.move(session, submission_id, State.QUEUED, State.SCORED)


def test_every_state_has_its_transitions_and_ends_are_ends():
    assert set(TRANSITIONS) == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == FINAL - {State.ERROR}


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_ends_in_a_final_state_that_scoring_or_running_may_reach(verdict):
    meaning = verdict.meaning
    assert meaning.state in FINAL
    assert meaning.state in TRANSITIONS[State.SCORING] | TRANSITIONS[State.RUNNING]
    assert meaning.owner in {"submitter", "host", "platform"}
    assert meaning.help.endswith(".")
