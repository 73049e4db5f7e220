"""The final round: the pool is locked, every pair plays the same, nothing is lost or doubled."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from podium import (
    assignments,
    attempts,
    boardclock,
    boardoptions,
    competitions,
    conduct,
    encounters,
    finalround,
    leaderboard,
    reveal,
    submissions,
)
from podium.assignments import Report
from podium.errors import BadRequestError, ClosedError, ConflictError
from podium.leaderboard import NOBODY
from podium.models import Attempt, Competition, Episode, Evaluation, Finalist, Player, Submission
from podium.models.record import now

GAMES = 4  # of each pair


@pytest.fixture
def pool(arena):
    """Five teams, one of them with two agents: fourteen pairs. The season is played."""
    names = ("ada", "bob", "cyd", "dan", "eve", "eve")
    ids = [arena.hand_in(f"{name}-01", strength) for strength, name in enumerate(names)]
    arena.play_all()
    close(arena)
    return ids


def close(arena, holds=False):
    with arena.here.database.writing() as session:
        session.execute(
            update(Competition).values(
                closes_at=now() - timedelta(seconds=1), final_games=GAMES, holds_reveal=holds
            )
        )


def tick(arena):
    return boardclock.tick(arena.here, now())


def found(arena):
    with arena.here.database.reading() as session:
        return competitions.find(session, "duel")


def progress(arena):
    with arena.here.database.reading() as session:
        return finalround.progress(session, competitions.find(session, "duel"))


def finals(arena) -> Counter[tuple[int, int]]:
    """How many games of the final there were, by who sat where."""
    with arena.here.database.reading() as session:
        rows = session.scalars(select(Episode).where(Episode.split == "private")).all()
        return Counter(tuple(p.submission_id for p in one.players) for one in rows)


def everybody_met(arena, ids) -> bool:
    """Whether every pair of different teams has played as often from either seat."""
    played = finals(arena)
    team = {one: index for index, one in enumerate(ids)} | {ids[5]: 4}
    return played == {
        (one, other): GAMES // 2 for one in ids for other in ids if team[one] != team[other]
    }


def test_every_pair_plays_both_seats_and_then_the_board_is_revealed(arena, pool):
    tick(arena)
    assert (progress(arena).played, progress(arena).planned) == (0, 14 * GAMES)
    assert found(arena).revealed_at is None
    arena.play_all()
    assert everybody_met(arena, pool)
    done = progress(arena)
    assert (done.played, done.planned, done.is_due) == (14 * GAMES, 14 * GAMES, False)
    tick(arena)
    assert found(arena).revealed_at is not None
    with arena.here.database.reading() as session:
        competition = competitions.find(session, "duel")
        board = leaderboard.read(session, competition, split="private")
        names = [f"{name}-01" for name in ("eve", "dan", "cyd", "bob", "ada")]
        assert [row.team for row in board.rows] == names


def test_openings_are_the_same_for_every_pair_and_not_those_of_the_season(arena, pool):
    tick(arena)
    numbers: dict[tuple[int, int], list[int]] = {}
    while assignment := arena.take():
        own = assignment.submission_id
        for match in assignment.matches:
            numbers.setdefault((own, match.opponent), []).append(match.number)
        arena.report(assignment, arena.games(assignment))
    assert len(numbers) == 14
    assert set(map(tuple, numbers.values())) == {(4, 3)}  # of four, from the far end


def test_while_it_is_played_neither_games_nor_ratings_are_told(arena, pool):
    with arena.here.database.reading() as session:
        competition = competitions.find(session, "duel")
        before = [(row.team, row.score) for row in leaderboard.read(session, competition).rows]
    tick(arena)
    for _ in range(3):
        assignment = arena.take()
        arena.report(assignment, arena.games(assignment))
    with arena.here.database.reading() as session:
        competition = competitions.find(session, "duel")
        assert [
            (row.team, row.score) for row in leaderboard.read(session, competition).rows
        ] == before
        _, games = encounters.games(session, competition, NOBODY, sees_private=False, per_page=200)
        assert not any(game.is_final for game in games)
        private = session.scalars(select(Evaluation.value).where(Evaluation.split == "private"))
        assert {score for _, score in before} <= set(private)


def test_the_public_rating_stays_the_seasons_and_the_private_one_knows_the_final(arena, pool):
    tick(arena)
    with arena.here.database.reading() as session:
        public = {
            row.submission_id: (row.value, row.n)
            for row in session.scalars(select(Evaluation).where(Evaluation.split == "public"))
        }
    arena.play_all()
    with arena.here.database.reading() as session:
        rows = session.scalars(select(Evaluation)).all()
    assert {r.submission_id: (r.value, r.n) for r in rows if r.split == "public"} == public
    private = {r.submission_id: r.n for r in rows if r.split == "private"}
    assert private == {
        one: n + GAMES * (4 if one in pool[4:] else 5) for one, (_, n) in public.items()
    }


def test_a_killed_worker_loses_no_game_and_a_late_report_doubles_none(arena, pool):
    tick(arena)
    lost = arena.take("m1")
    played = arena.games(lost)
    other = arena.take("m2")
    with arena.here.database.writing() as session:  # what the reconciler does with a silent one
        lease = assignments.read_token(arena.here, lost.token)
        assert attempts.reclaim(session, [lease], 3) == [lost.submission_id]
    again = [arena.take("m3") for _ in range(6)]
    successor = next(one for one in again if one and one.submission_id == lost.submission_id)
    lease = assignments.read_token(arena.here, lost.token)
    with pytest.raises(ConflictError):
        assignments.report(arena.here, lease, Report("ran", episodes=played))
    for one in (successor, other, *(o for o in again if o not in (None, successor))):
        assert arena.report(one, arena.games(one))
    with pytest.raises(ConflictError):
        assignments.report(arena.here, lease, Report("ran", episodes=played))
    arena.play_all()
    assert everybody_met(arena, pool)


def test_a_second_start_changes_nothing(arena, pool):
    tick(arena)

    def twins() -> set[int]:
        with arena.here.database.reading() as session:
            query = select(Submission.id).where(Submission.original_id.is_not(None))
            return set(session.scalars(query))

    began = twins()
    for _ in range(2):
        with arena.here.database.writing() as session:
            competition = competitions.find(session, "duel")
            assert finalround.advance(session, competition, now()) == 0
    first = arena.take()
    tick(arena)
    arena.report(first, arena.games(first))
    tick(arena)
    assert twins() == began
    arena.play_all()
    tick(arena)
    assert everybody_met(arena, pool)


def test_an_agent_that_errs_loses_its_games_and_they_are_there(arena, pool):
    tick(arena)
    while assignment := arena.take():
        games = [
            replace(
                game,
                sides=tuple(
                    replace(side, fault="It is gone.") if side.score == 0 else side
                    for side in game.sides
                ),
            )
            for game in arena.games(assignment)
        ]
        assert arena.report(assignment, games)
    assert everybody_met(arena, pool)
    with arena.here.database.reading() as session:
        erred = session.scalars(
            select(Player.submission_id)
            .join(Episode, Episode.id == Player.episode_id)
            .where(Episode.split == "private", Player.fault != "")
        ).all()
        assert Counter(erred)[pool[0]] == 5 * GAMES
        states = select(Submission.state).where(Submission.id.in_(pool))
        assert {*session.scalars(states)} == {"scored"}


def test_what_ends_in_error_stops_the_reveal_until_its_host_runs_it_again(arena, pool, factory):
    host = factory.person("host-01", "instructor")
    tick(arena)
    for _ in range(3):  # a fault of ours, three times
        broken = arena.take()
        lease = assignments.read_token(arena.here, broken.token)
        assignments.report(arena.here, lease, Report("fault", "The disk is full."))
        with arena.here.database.writing() as session:
            session.execute(
                update(Submission)
                .where(Submission.id == broken.submission_id)
                .values(not_before=None, round=-1)
            )
    arena.play_all()
    tick(arena)
    stuck = progress(arena)
    assert (stuck.in_error, stuck.is_stuck) == (1, True)
    assert 0 < stuck.played < stuck.planned
    assert found(arena).revealed_at is None
    submissions.retry(arena.here, host, broken.submission_id)
    with (
        arena.here.database.writing() as session,
        pytest.raises(ConflictError, match=rf"has played {stuck.played} of 56 games"),
    ):
        reveal.by_host(session, host, "duel", "now")
    arena.play_all()
    tick(arena)
    assert everybody_met(arena, pool)
    assert found(arena).revealed_at is not None


def test_a_host_may_reveal_a_final_that_is_stuck(arena, pool, factory):
    host = factory.person("host-01", "instructor")
    tick(arena)
    with arena.here.database.writing() as session:
        session.execute(
            update(Submission).where(Submission.original_id.is_not(None)).values(state="error")
        )
        reveal.by_host(session, host, "duel", "the workers are gone")
    assert found(arena).final_ended_at is not None


def test_the_pool_is_locked_when_it_begins(arena, pool, factory):
    host = factory.person("host-01", "instructor")
    tick(arena)
    with arena.here.database.reading() as session:
        assert {*session.scalars(select(Finalist.submission_id))} == {*pool}
    with arena.here.database.writing() as session:  # a deadline that is moved opens nothing
        session.execute(update(Competition).values(closes_at=now() + timedelta(days=1)))
    with pytest.raises(ClosedError, match="has begun: nobody enters its pool"):
        arena.hand_in("ada-01", 99)
    with arena.here.database.writing() as session, pytest.raises(ConflictError, match="has begun"):
        boardoptions.change(session, arena.here.storage, host, "duel", {"final_games": 8})


def test_who_is_disqualified_in_the_middle_leaves_and_who_is_reinstated_plays_on(
    arena, pool, factory
):
    admin = factory.person("root-01", "admin")
    close(arena, holds=True)
    tick(arena)
    first = arena.take()
    with arena.here.database.writing() as session:
        conduct.disqualify_team(session, admin, "duel", "dan-01", "It looked up moves.")
    arena.report(first, arena.games(first))
    arena.play_all()
    tick(arena)
    done = progress(arena)
    assert (done.agents, done.planned) == (5, 9 * GAMES)
    assert not done.is_due
    with arena.here.database.writing() as session:
        conduct.reinstate_team(session, admin, "duel", "dan-01", "They were its own.")
    tick(arena)
    assert progress(arena).is_due
    arena.play_all()
    tick(arena)
    assert everybody_met(arena, pool)
    assert not progress(arena).is_due


def test_without_games_of_a_final_the_board_is_revealed_at_once(arena):
    for name in ("ada-01", "bob-01"):
        arena.hand_in(name)
    arena.play_all()
    with arena.here.database.writing() as session:
        session.execute(
            update(Competition).values(closes_at=now() - timedelta(seconds=1), final_games=0)
        )
    tick(arena)
    assert found(arena).revealed_at is not None


def test_it_waits_until_everything_is_played_and_a_pool_of_one_has_nothing_to_play(arena):
    arena.hand_in("ada-01")
    close(arena)
    tick(arena)
    assert found(arena).final_began_at is None
    arena.play_all()
    tick(arena)
    assert (progress(arena).planned, progress(arena).is_due) == (0, False)


@pytest.mark.parametrize("games", [3, -2, 2000, None])
def test_games_of_a_final_are_an_even_number(arena, factory, games):
    host = factory.person("host-01", "instructor")
    with arena.here.database.writing() as session, pytest.raises(BadRequestError, match="even"):
        boardoptions.change(session, arena.here.storage, host, "duel", {"final_games": games})


def test_only_agents_that_play_each_other_have_a_final(installation, factory):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    with installation.database.writing() as session, pytest.raises(BadRequestError, match="nobody"):
        boardoptions.change(session, installation.storage, host, "toy", {"final_games": 4})


def test_its_work_is_on_no_list_and_uses_no_try(arena, pool):
    tick(arena)
    arena.play_all()
    with arena.here.database.reading() as session:
        competition = competitions.find(session, "duel")
        assert submissions.count(session, competition_id=competition.id) == 6
        assert competition.team_count == 5
        stray = session.scalars(
            select(Player.submission_id)
            .join(Submission, Submission.id == Player.submission_id)
            .where(Submission.original_id.is_not(None))
        ).all()
        assert stray == []
        assert session.scalars(select(Attempt.outcome).distinct()).all()
