from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from podium import (
    allowances,
    boardclock,
    boardoptions,
    competitions,
    conduct,
    entries,
    history,
    leaderboard,
    reveal,
    shakeup,
    uncertainty,
)
from podium.errors import BadRequestError, ClosedError, ConflictError, NoAccessError
from podium.leaderboard import Reader
from podium.models import AuditEntry, BoardEntry, Competition, Submission
from podium.models.record import now

ROWS = range(20)


def file(public, private):
    right = {i for i in ROWS if i // 2 < (public if i % 2 else private)}
    return "id,label\n" + "".join(f"{i},{i % 10 if i in right else (i + 1) % 10}\n" for i in ROWS)


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id, daily_limit=50, closes_at=now() + timedelta(days=1))
    return caller


@pytest.fixture
def played(factory, host):
    """ada leads on public, bob on private, cy is last on both."""
    for handle, public, private in (("ada-01", 9, 3), ("bob-01", 8, 8), ("cy-01", 2, 2)):
        factory.judge(factory.submit(factory.member(handle), file(public, private)))


def end(installation):
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))


def board(installation, split="public"):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        page = leaderboard.read(session, competition, split=split, reader=Reader(is_host=True))
    return [(row.rank, row.team) for row in page.rows]


def change(installation, host, **wanted):
    with installation.database.writing() as session:
        boardoptions.change(session, installation.storage, host, "toy", wanted)


def test_a_competition_that_is_over_and_scored_is_revealed_by_itself(installation, played):
    end(installation)
    boardclock.tick(installation, now())
    with installation.database.reading() as session:
        assert competitions.sees_private(competitions.find(session, "toy"), None)
        assert session.scalars(select(AuditEntry.action)).all() == ["competition.reveal"]
    assert board(installation, "private") == [(1, "bob-01"), (2, "ada-01"), (3, "cy-01")]


def test_a_held_one_waits_for_its_host(installation, host, played):
    change(installation, host, holds_reveal=True)
    end(installation)
    boardclock.tick(installation, now())
    with installation.database.reading() as session:
        assert not competitions.sees_private(competitions.find(session, "toy"), None)
    with installation.database.writing() as session:
        reveal.by_host(session, host, "toy", "verified")
    with installation.database.reading() as session:
        assert competitions.sees_private(competitions.find(session, "toy"), None)


def test_nothing_is_revealed_while_a_team_still_has_time_or_waits_for_a_score(
    installation, factory, host, played
):
    with (
        pytest.raises(ClosedError, match="after the last deadline"),
        installation.database.writing() as session,
    ):
        reveal.by_host(session, host, "toy", "")
    waiting = factory.submit(factory.person("ada-01"), file(1, 1))
    with installation.database.writing() as session:
        allowances.extend(
            session, host, "toy", allowances.Receiver("cy-01"), now() + timedelta(hours=2), "ill"
        )
    end(installation)
    boardclock.tick(installation, now())
    later = now() + timedelta(hours=3)
    boardclock.tick(installation, later)
    with installation.database.reading() as session:
        assert competitions.find(session, "toy").revealed_at is None
    factory.judge(waiting)
    boardclock.tick(installation, later)
    with installation.database.reading() as session:
        assert competitions.find(session, "toy").revealed_at == later


def test_only_the_host_reveals_and_only_once(installation, factory, host, played):
    end(installation)
    with pytest.raises(NoAccessError), installation.database.writing() as session:
        reveal.by_host(session, factory.person("eve-01", "instructor"), "toy", "")
    boardclock.tick(installation, now())
    with (
        pytest.raises(ConflictError, match="was revealed"),
        installation.database.writing() as session,
    ):
        reveal.by_host(session, host, "toy", "")
    with pytest.raises(ConflictError, match="stays as it is"):
        change(installation, host, finals=1)


def test_a_frozen_board_shows_what_was_there_before_and_all_after_the_reveal(
    installation, factory, host, played
):
    change(installation, host, freezes_at=now())
    factory.judge(factory.submit(factory.member("dee-01"), file(10, 10)))
    assert board(installation) == [(1, "ada-01"), (2, "bob-01"), (3, "cy-01")]
    end(installation)
    boardclock.tick(installation, now())
    assert board(installation)[0] == (1, "dee-01")


def test_an_entry_leaves_the_window_and_what_stands_behind_it_comes_up(installation, factory, host):
    ada = factory.member("ada-01")
    old = factory.submit(ada, file(9, 9))
    factory.judge(old)
    factory.judge(factory.submit(ada, file(4, 4)))
    with installation.database.writing() as session:
        session.execute(
            update(Submission)
            .where(Submission.id == old)
            .values(received_at=now() - timedelta(days=6, hours=23))
        )
    change(installation, host, window_days=7)

    def score():
        with installation.database.reading() as session:
            return session.scalars(
                select(BoardEntry.score).where(BoardEntry.split == "public")
            ).one()

    assert score() == 0.9
    boardclock.tick(installation, now() + timedelta(hours=2))
    assert score() == 0.4


def test_the_change_is_told_from_the_beginning_of_the_day(installation, factory, host, played):
    tomorrow = now() + timedelta(days=1)
    boardclock.tick(installation, tomorrow)
    factory.judge(factory.submit(factory.person("cy-01"), file(10, 1)))
    factory.judge(factory.submit(factory.member("dee-01"), file(1, 1)))
    with installation.database.reading() as session:
        rows = leaderboard.read(session, competitions.find(session, "toy")).rows
    assert [(row.team, row.change) for row in rows] == [
        ("cy-01", 2),
        ("ada-01", -1),
        ("bob-01", -1),
        ("dee-01", None),
    ]


def test_the_board_of_then_is_that_of_what_had_been_received(installation, factory, host, played):
    then = now()
    factory.judge(factory.submit(factory.person("cy-01"), file(10, 1)))
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        page = history.as_of(session, competition, then)
        today = history.as_of(session, competition, now())
    assert [(row.rank, row.team) for row in page.rows] == [
        (1, "ada-01"),
        (2, "bob-01"),
        (3, "cy-01"),
    ]
    assert [(row.rank, row.team) for row in today.rows] == board(installation)


def test_progress_has_a_step_where_a_score_rose(installation, factory, host):
    ada = factory.member("ada-01")
    for public in (3, 2, 5, 5):
        factory.judge(factory.submit(ada, file(public, 1)))
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        (one,) = history.progress(session, competition, leaderboard.read(session, competition))
    assert [step.score for step in one.steps] == [0.3, 0.5]


def test_a_disqualified_team_is_off_both_boards_until_it_is_reinstated(installation, host, played):
    with installation.database.writing() as session:
        conduct.disqualify_team(session, host, "toy", "ada-01", "shared files")
    assert board(installation) == [(1, "bob-01"), (2, "cy-01")]
    assert board(installation, "private") == [(1, "bob-01"), (2, "cy-01")]
    with installation.database.writing() as session:
        conduct.reinstate_team(session, host, "toy", "ada-01", "a mistake")
    assert board(installation) == [(1, "ada-01"), (2, "bob-01"), (3, "cy-01")]
    with installation.database.reading() as session:
        told = session.execute(select(AuditEntry.action, AuditEntry.reason)).all()
    assert told == [("team.disqualify", "shared files"), ("team.reinstate", "a mistake")]


def test_a_disqualification_needs_a_reason(installation, host, played):
    with (
        pytest.raises(BadRequestError, match="Say why"),
        installation.database.writing() as session,
    ):
        conduct.disqualify_team(session, host, "toy", "ada-01", "  ")


def test_the_shake_up_compares_both_ranks(installation, factory, host, played):
    end(installation)
    boardclock.tick(installation, now())
    uncertainty.work(installation)
    with installation.database.reading() as session:
        found = shakeup.read(session, competitions.find(session, "toy"), Reader())
    assert [(one.team, one.public_rank, one.private_rank, one.climb) for one in found.shifts] == [
        ("bob-01", 2, 1, 1),
        ("ada-01", 1, 2, -1),
        ("cy-01", 3, 3, 0),
    ]
    assert [round(one.gap, 6) for one in found.shifts] == [0.0, 0.6, 0.0]
    assert found.agreement == pytest.approx(0.5)
    assert [one.is_overfitted for one in found.shifts] == [False, True, False]
    assert found.shifts[2].by_chance is True


@pytest.mark.parametrize(
    "wanted",
    [
        {"names": "secret"},
        {"finals": 0},
        {"window_days": 0},
        {"order_by": "mean_rank"},
        {"freezes_at": datetime(2026, 12, 1)},
    ],
)
def test_an_option_that_does_not_fit_is_refused_and_nothing_changed(installation, host, wanted):
    with pytest.raises(BadRequestError) as told:
        change(installation, host, **wanted)
    assert told.value.facts["field"] == next(iter(wanted))
    with installation.database.reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_options_are_audited_with_what_they_were(installation, host):
    change(installation, host, names="hidden", finals=3)
    with installation.database.reading() as session:
        detail = session.scalars(select(AuditEntry.detail)).one()
    assert detail == {"changes": {"names": ["named", "hidden"], "finals": [2, 3]}}


def test_a_rebuild_of_an_untouched_board_changes_nothing(installation, host, played):
    before = board(installation), board(installation, "private")
    with installation.database.writing() as session:
        assert entries.rebuild(session, competitions.find(session, "toy")) == 3
    assert (board(installation), board(installation, "private")) == before
