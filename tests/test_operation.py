import pytest

from podium import attempts, competitions, judging, operation
from podium.errors import ConflictError, NotFoundError
from podium.models import Submission


def test_an_admin_takes_a_job_from_its_worker_and_another_scores_it(
    installation, factory, predictions
):
    admin = factory.person("root-01", "admin")
    factory.competition()
    number = factory.submit(factory.member("ada-01"), predictions(13))
    held = judging.take(installation, "score", "frozen")
    operation.release(installation, admin, number, "its machine hangs")
    with installation.database.reading() as session:
        found = session.get_one(Submission, number)
        assert (found.state, found.faults) == ("queued", 0)
        assert not attempts.in_force(session, held.lease)
        toy = competitions.find(session, "toy")
        (entry, who), *_ = competitions.audited(session, toy, 1)
        assert (entry.action, who, entry.reason) == (
            "submission.release",
            "root-01",
            "its machine hangs",
        )
    assert factory.judge_all() == 1
    judging.judge(installation, held)  # thawed: too late, and without effect
    with installation.database.reading() as session:
        found = session.get_one(Submission, number)
        assert found.state == "scored"
        assert [one.outcome for one in found.attempts] == ["returned", "scored"]


def test_what_no_worker_holds_is_not_released(installation, factory, predictions):
    admin = factory.person("root-01", "admin")
    factory.competition()
    number = factory.submit(factory.member("ada-01"), predictions(13))
    with pytest.raises(ConflictError, match=r"No worker holds submission \d+ \(queued\)"):
        operation.release(installation, admin, number)
    with pytest.raises(NotFoundError):
        operation.release(installation, admin, 999)
