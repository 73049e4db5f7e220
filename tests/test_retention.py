import io
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from podium import backup, competitions, finals, reconciler, rescoring, retention, usage
from podium.errors import BadRequestError, FaultError, NotFoundError
from podium.installation import Installation
from podium.models import AuditEntry, Submission
from podium.models.record import now
from podium.retention import Policy
from podium.revision import Revision
from podium.scorer import Scorer
from podium.workers import Card

OLD = timedelta(days=200)
MONTHS = Policy(180)
ALL = Policy(180, also_scored=True)


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id, daily_limit=20)
    return caller


@pytest.fixture
def old(installation, factory, host, predictions):
    """Submissions of half a year ago, by what is the matter with them; the board is revealed."""
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    found = {
        "best": factory.submit(ada, predictions(18)),
        "worse": factory.submit(ada, predictions(9)),
        "final": factory.submit(ada, predictions(4)),
        "invalid": factory.submit(bob, "id,label\n0,12\n"),
        "error": factory.submit(bob, predictions(3)),
        "waiting": factory.submit(bob, predictions(2)),
    }
    for name in ("best", "worse", "final", "invalid"):
        factory.judge(found[name])
    with installation.database.writing() as session:
        toy = competitions.find(session, "toy")
        toy.finals = 1
        finals.choose(session, toy, ada, [found["final"]])
        session.get_one(Submission, found["error"]).state = "error"
        past = now() - OLD
        session.execute(update(Submission).values(received_at=past))
        session.execute(
            update(Submission).where(Submission.ended_at.is_not(None)).values(ended_at=past)
        )
        toy.revealed_at = now()
    return found


def with_files(installation, old):
    """The names of those whose file can be read."""
    names = set()
    with installation.database.reading() as session:
        for name, number in old.items():
            found = session.get_one(Submission, number)
            try:
                installation.storage.open(retention.need_file(found).file_key).close()
            except NotFoundError:
                continue
            names.add(name)
    return names


def test_a_dry_run_counts_and_changes_nothing(installation, old):
    plan = retention.plan(installation, MONTHS)
    assert (plan.uncounted.files, plan.scored.files, plan.total.files) == (1, 0, 1)
    assert plan.kept_for_rescoring.files == 1
    assert plan.by_competition["toy"].files == 1
    everything = retention.plan(installation, ALL)
    assert (everything.scored.files, everything.kept_for_rescoring.files) == (1, 0)
    assert with_files(installation, old) == set(old)


def test_what_counts_for_nothing_goes_and_the_rest_stays(installation, old, host):
    done = retention.apply(installation, MONTHS, host, "the disk is full")
    assert (done.uncounted.files, done.total.files) == (1, 1)
    assert with_files(installation, old) == set(old) - {"invalid"}
    assert retention.plan(installation, MONTHS).total.files == 0
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        (entry, who), *_ = competitions.audited(session, toy, 1)
    assert (entry.action, who, entry.reason) == ("storage.prune", "host-01", "the disk is full")
    assert entry.detail["submissions"] == 1


def test_boards_finals_errors_and_what_waits_stay_even_where_all_may_go(installation, old):
    retention.apply(installation, ALL, None)
    kept = with_files(installation, old)
    assert kept == {"best", "final", "error", "waiting"}  # best: on the public board


def test_nothing_that_was_scored_goes_before_the_reveal(installation, old):
    with installation.database.writing() as session:
        competitions.find(session, "toy").revealed_at = None
    plan = retention.plan(installation, ALL)
    assert (plan.uncounted.files, plan.scored.files) == (1, 0)


def test_what_is_younger_stays(installation, old):
    assert retention.plan(installation, Policy(300, also_scored=True)).total.files == 0


def test_a_rescoring_in_progress_keeps_every_file(installation, old, host):
    rescoring.begin(installation, host, "toy", Revision(metric={"name": "f1_macro"}))
    assert retention.plan(installation, ALL).total.files == 0


def test_a_rescoring_names_what_it_cannot_score_any_more(installation, factory, old, host):
    retention.apply(installation, ALL, None)
    rescoring.begin(installation, host, "toy", Revision(metric={"name": "f1_macro"}))
    factory.judge_all()
    with installation.database.reading() as session:
        trial = rescoring.of_competition(session, competitions.find(session, "toy").id)
        progress = rescoring.progress(session, trial)
        (twin,) = (session.get_one(Submission, number) for number in progress.unscored)
    assert (progress.scored, progress.waiting) == (2, 0)
    assert twin.original_id == old["worse"]
    assert "was deleted to save room" in twin.reason


def test_a_backup_afterwards_misses_nothing(installation, old):
    retention.apply(installation, ALL, None)
    assert backup.write(installation, io.BytesIO()).missing == []


def test_files_that_no_row_names_go_when_they_are_old_enough(installation, old):
    root = installation.storage.root
    for name, age_days in (("orphan", 2), ("arriving", 0)):
        path = root / "submissions" / "zz" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"12345")
        stamp = time.time() - age_days * 86400
        os.utime(path, (stamp, stamp))
    assert usage.read(installation).unnamed.size_bytes == 5
    done = retention.apply(installation, Policy(180, unnamed=True), None)
    assert (done.unnamed.files, done.unnamed.size_bytes) == (1, 5)
    assert sorted(path.name for path in (root / "submissions" / "zz").iterdir()) == ["arriving"]


def test_the_settings_apply_once_a_day_through_an_idle_score_worker(installation, old):
    config = installation.config.model_copy(update={"retention_days": 180})
    here = Installation(config, installation.database, installation.storage, installation.queue)
    with installation.database.writing() as session:  # nothing else is to be done
        session.execute(
            update(Submission).where(Submission.state == "queued").values(state="cancelled")
        )
    installation.queue.connection.flushall()
    reconciler.reconcile(here)
    assert installation.queue.depth("score") == 1
    Scorer(here, Card("w1", "score")).work()
    assert "invalid" not in with_files(installation, old)
    assert not retention.work(here)
    with installation.database.writing() as session:
        session.execute(update(AuditEntry).values(at=now() - timedelta(days=2)))
    assert retention.work(here)


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_a_policy_has_its_bounds(days):
    with pytest.raises(BadRequestError, match="1 to 3650 days"):
        Policy(days)


def test_usage_tells_files_by_kind_competition_and_challenge(installation, old):
    found = usage.read(installation)
    with installation.database.reading() as session:
        files = [session.get_one(Submission, number).size_bytes for number in old.values()]
    own = found.competitions["toy"]["submissions"]
    assert (own.files, own.size_bytes) == (len(files), sum(files))
    assert found.kinds["submissions"].files == len(files)
    assert found.challenges["toy"].files == 2  # the answers and the sample
    assert found.unnamed.files == 0
    assert found.free_bytes
    assert found.total.files == sum(part.files for part in found.kinds.values())


def test_a_count_is_kept_until_somebody_counts_again(installation, old):
    first = usage.latest(installation)
    installation.storage.put(Path(__file__), "outputs/9/x")
    assert usage.latest(installation) == first
    again = usage.count(installation)
    assert again.kinds["outputs"].files == first.kinds["outputs"].files + 1
    assert again.counted_at > first.counted_at
    assert usage.latest(installation) == again


def test_a_missing_file_is_said_with_its_day(installation, old):
    retention.apply(installation, MONTHS, None)
    with installation.database.reading() as session, pytest.raises(NotFoundError) as error:
        retention.need_file(session.get_one(Submission, old["invalid"]))
    assert f"{now():%d %b %Y}" in error.value.message


def test_rows_are_changed_before_files_are_deleted(installation, old, monkeypatch):
    def fails(key):
        raise FaultError("the store does not answer")

    monkeypatch.setattr(installation.storage, "delete", fails)
    with pytest.raises(FaultError):
        retention.apply(installation, MONTHS, None)
    with installation.database.reading() as session:
        assert session.get_one(Submission, old["invalid"]).file_key == ""
