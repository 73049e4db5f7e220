import contextlib
import threading
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import func, select

from podium import attempts, competitions, limits, submissions, waiting
from podium.attempts import Ending
from podium.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    LimitError,
    NoAccessError,
    NotFoundError,
    TooLargeError,
)
from podium.models import Submission
from podium.models.record import now
from podium.storage import FolderStorage
from podium.verdicts import Verdict


def limits_of(installation, caller, slug="toy", moment=None):
    with installation.database.reading() as session:
        competition = competitions.find(session, slug)
        team = competitions.need_team(session, competition, caller)
        return limits.of_team(session, competition, team.id, moment or now())


def settle(installation, submission_id, verdict):
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "score", "w", 10)
        attempts.end(session, lease, Ending(verdict))


def count(installation):
    with installation.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Submission))


def stored_files(installation):
    assert isinstance(installation.storage, FolderStorage)
    folder = installation.storage.root / "submissions"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_accepted_file_is_durable_recorded_and_queued(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(20), message="first")
    with installation.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
    assert (submission.state, submission.message) == ("queued", "first")
    with installation.storage.open(submission.file_key) as file:
        assert file.read().decode() == predictions(20)
    assert installation.queue.depth("score") == 1


def test_a_queue_that_is_gone_loses_nothing(installation, factory, predictions, monkeypatch):
    factory.competition()
    caller = factory.member("ada-01")
    monkeypatch.setattr(installation.queue, "connection", Redis(unix_socket_path="/nowhere.sock"))
    submission_id = factory.submit(caller, predictions(3))
    with installation.database.reading() as session:
        assert session.get_one(Submission, submission_id).state == "queued"


@pytest.mark.parametrize(
    ("verdict", "used"),
    [
        (Verdict.SCORED, 1),
        (Verdict.INVALID, 0),
        (Verdict.PLATFORM_FAULT, 0),
        (Verdict.CHALLENGE_FAULT, 0),
    ],
)
def test_only_what_was_scored_or_failed_counts(installation, factory, predictions, verdict, used):
    factory.competition()
    caller = factory.member("ada-01")
    submission_id = factory.submit(caller, predictions(1))
    assert limits_of(installation, caller).used_today == 1  # reserved
    settle(installation, submission_id, verdict)
    assert limits_of(installation, caller).used_today == used


def test_the_day_starts_anew_in_the_zone_of_the_competition(installation, factory, predictions):
    factory.competition(time_zone="Asia/Tokyo")
    caller = factory.member("ada-01")
    factory.submit(caller, predictions(1))
    today = limits_of(installation, caller)
    assert today.resets_at.hour == 15  # midnight in Tokyo, in UTC
    assert limits_of(installation, caller, moment=today.resets_at).used_today == 0
    before = today.resets_at - timedelta(seconds=1)
    assert limits_of(installation, caller, moment=before).used_today == 1


def test_over_the_daily_limit_nothing_is_kept(installation, factory, predictions):
    factory.competition(daily_limit=1)
    caller = factory.member("ada-01")
    factory.submit(caller, predictions(1))
    with pytest.raises(LimitError, match="daily limit of 1 submissions is reached"):
        factory.submit(caller, predictions(2))
    assert count(installation) == 1
    assert len(stored_files(installation)) == 1
    assert not list((installation.storage.root / "incoming").iterdir())


def test_the_total_limit_ends_it_for_good(installation, factory, predictions):
    factory.competition(daily_limit=9, total_limit=1)
    caller = factory.member("ada-01")
    factory.submit(caller, predictions(1))
    assert limits_of(installation, caller).limited_by == "total"
    with pytest.raises(LimitError, match="total limit of 1"):
        factory.submit(caller, predictions(2))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"closes_at": now() - timedelta(seconds=5)}, "deadline"),
        ({"opens_at": now() + timedelta(days=1)}, "opens at"),
    ],
)
def test_outside_its_dates_a_competition_takes_nothing(
    installation, factory, predictions, columns, words
):
    factory.competition()
    caller = factory.member("ada-01")
    with installation.database.writing() as session:
        for name, value in columns.items():
            setattr(competitions.find(session, "toy"), name, value)
    with pytest.raises(ClosedError, match=words):
        factory.submit(caller, predictions(1))


def test_who_has_not_joined_is_told_how_to_join(factory, predictions):
    factory.competition()
    with pytest.raises(NoAccessError, match="podium competitions join toy"):
        factory.submit(factory.person("bob-01"), predictions(1))


def test_an_unknown_competition_is_answered_with_the_nearest(factory, predictions):
    factory.competition()
    with pytest.raises(NotFoundError, match="Did you mean 'toy'"):
        factory.submit(factory.person("bob-01"), predictions(1), slug="toyy")


def test_an_empty_file_and_an_untaken_kind_are_refused(factory, predictions):
    factory.competition()
    caller = factory.member("ada-01")
    with pytest.raises(BadRequestError, match="empty"):
        factory.submit(caller, "")
    with pytest.raises(BadRequestError, match="does not take submissions of kind 'agent'"):
        factory.submit(caller, predictions(1), kind="agent")


def test_a_file_over_the_limit_is_refused_at_its_first_byte_too_many(installation):
    with contextlib.closing(installation.storage.receive(10)) as incoming:
        incoming.write(b"0123456789")
        with pytest.raises(TooLargeError):
            incoming.write(b"0")


def test_fifty_parallel_clicks_with_one_try_left_make_one_submission(
    installation, factory, predictions
):
    factory.competition(daily_limit=1)
    caller = factory.member("ada-01")
    outcomes = in_parallel(50, lambda _: factory.submit(caller, predictions(5)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LimitError"] * 49 + ["int"]
    assert count(installation) == 1
    assert len(stored_files(installation)) == 1


def test_the_same_idempotency_key_twenty_times_is_one_submission(
    installation, factory, predictions
):
    factory.competition()
    caller = factory.member("ada-01")
    outcomes = in_parallel(
        20, lambda _: factory.submit(caller, predictions(5), idempotency_key="k1")
    )
    assert len(set(outcomes)) == 1
    assert count(installation) == 1
    with pytest.raises(ConflictError, match="another file"):
        factory.submit(caller, predictions(6), idempotency_key="k1")


def test_parallel_joining_makes_one_team(installation, factory):
    factory.competition()
    caller = factory.person("ada-01")

    def join(_):
        with installation.database.writing() as session:
            return competitions.join(session, competitions.find(session, "toy"), caller).id

    assert len(set(in_parallel(10, join))) == 1


def test_a_submission_is_shown_to_its_team_and_the_host_only(installation, factory, predictions):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    stranger = factory.person("teacher-02", "instructor")
    submission_id = factory.submit(ada, predictions(1))
    with installation.database.reading() as session:
        for allowed in (ada, host, factory.person("root-01", "admin")):
            assert submissions.get(session, allowed, submission_id).id == submission_id
        for refused in (bob, stranger):
            with pytest.raises(NotFoundError):
                submissions.get(session, refused, submission_id)


def test_a_cancelled_submission_gives_its_try_back_and_is_not_taken(
    installation, factory, predictions
):
    factory.competition()
    caller = factory.member("ada-01")
    submission_id = factory.submit(caller, predictions(1))
    submissions.cancel(installation, caller, submission_id)
    assert limits_of(installation, caller).used_today == 0
    with installation.database.writing() as session:
        assert attempts.take(session, submission_id, "score", "w", 10) is None
    with pytest.raises(ConflictError, match="has ended already"):
        submissions.cancel(installation, caller, submission_id)


def test_an_earlier_submission_of_the_same_file_is_told(installation, factory, predictions):
    factory.competition()
    caller = factory.member("ada-01")
    first, second = (factory.submit(caller, predictions(4)) for _ in range(2))
    with installation.database.reading() as session:
        assert submissions.earlier_twin(session, session.get_one(Submission, second)) == first
        assert submissions.earlier_twin(session, session.get_one(Submission, first)) is None


def test_the_place_in_the_queue_counts_who_came_before(installation, factory, predictions):
    factory.competition()
    ids = [factory.submit(factory.member(f"p-{i}"), predictions(i)) for i in range(3)]
    with installation.database.reading() as session:
        places = [waiting.place(session, session.get_one(Submission, i), 10).position for i in ids]
    assert places == [1, 2, 3]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\preds.csv", "preds.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("", "file"),
    ],
)
def test_file_names_are_only_names(given, shown):
    assert submissions.clean_file_name(given) == shown


def in_parallel(times, act):
    outcomes = [None] * times
    barrier = threading.Barrier(times)

    def run(index):
        barrier.wait()
        try:
            outcomes[index] = act(index)
        except Exception as error:
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
