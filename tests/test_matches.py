"""Whom an agent plays, and what all games together say."""

import contextlib

import numpy as np
import pytest
from scipy.stats import kendalltau
from sqlalchemy import func, select

from podium import attempts, episodes, leaderboard, matches, rescoring, submissions
from podium.accounts import Caller
from podium.competitions import find
from podium.desk import Played, Side
from podium.errors import ConflictError
from podium.models import Challenge, Episode, Evaluation, Player, Submission


@pytest.fixture
def pool(installation, factory, duel):
    """A competition of agents that play each other: eight games each."""
    factory.competition("duel", declared=duel, daily_limit=50)
    return Pool(installation, factory)


class Pool:
    """Plays rounds by hand: who is stronger is given."""

    def __init__(self, installation, factory) -> None:
        self.here = installation
        self.factory = factory
        self.people: dict[str, Caller] = {}
        self.strength: dict[int, int] = {}

    def hand_in(self, name: str) -> int:
        if name not in self.people:
            self.people[name] = self.factory.member(name, "duel")
        return self.factory.submit(self.people[name], name, "duel", kind="agent")

    def take(self, submission_id: int):
        with self.here.database.writing() as session:
            lease = attempts.take(session, submission_id, "run", "m1", 60)
            assert lease is not None
            submission = session.get_one(Submission, submission_id)
            return lease, matches.pairings(self.here, session, submission)

    def results(self, submission_id: int, pairings) -> list[Played]:
        games = []
        for pairing in pairings:
            sides = [submission_id, pairing.opponent]
            for seats in [sides] if pairing.opponent == submission_id else [sides, sides[::-1]]:
                better = max(seats, key=lambda one: self.strength.get(one, 0))
                scores = [float(one == better) for one in seats]
                who = tuple(Side(one, score) for one, score in zip(seats, scores, strict=True))
                games.append(Played(pairing.number, 7, "won", who, 3))
        return games

    def report(self, lease, played) -> tuple[bool, bool]:
        with self.here.database.writing() as session:
            submission = session.get_one(Submission, lease.submission_id)
            if not attempts.hold(session, lease):
                return False, False
            episodes.add(self.here, session, lease, submission, played)
            return matches.settle(session, lease, submission, None)

    def play_out(self, submission_id: int, strength: int = 0) -> int:
        """All rounds of an agent; returns how many they were."""
        self.strength[submission_id] = strength
        rounds, goes_on = 0, True
        while goes_on:
            lease, pairings = self.take(submission_id)
            taken, goes_on = self.report(lease, self.results(submission_id, pairings))
            assert taken
            rounds += 1
        return rounds

    def read(self, submission_id: int) -> Submission:
        with self.here.database.reading() as session:
            return session.get_one(Submission, submission_id)

    def ratings(self) -> dict[int, float]:
        with self.here.database.reading() as session:
            rows = session.scalars(select(Evaluation).where(Evaluation.split == "public"))
            return {row.submission_id: row.value for row in rows}

    def board(self) -> list[tuple[str, int]]:
        with self.here.database.reading() as session:
            page = leaderboard.read(session, find(session, "duel"))
            return [(row.team, row.submission_id) for row in page.rows]


def test_an_agent_waits_in_the_queue_of_matches(pool):
    assert pool.read(pool.hand_in("ada-01")).queue == "match"


def test_the_first_match_is_with_itself_and_alone_it_is_scored_as_the_mean(pool):
    first = pool.hand_in("ada-01")
    lease, pairings = pool.take(first)
    assert [one.opponent for one in pairings] == [first]
    assert pool.report(lease, pool.results(first, pairings)) == (True, False)
    assert pool.read(first).state == "scored"
    assert pool.ratings() == {first: 1000.0}


def test_a_second_agent_plays_its_games_and_both_are_rated(pool):
    weak, strong = pool.hand_in("ada-01"), pool.hand_in("bob-01")
    pool.play_out(weak, strength=1)
    assert pool.play_out(strong, strength=2) == 1  # four matches of two games at once
    rated = pool.ratings()
    assert rated[strong] > 1000 > rated[weak]
    assert pool.board() == [("bob-01", strong), ("ada-01", weak)]


def test_openings_are_the_same_for_every_pair_and_change_from_match_to_match(pool):
    first, second, third = (pool.hand_in(f"{name}-01") for name in ("ada", "bob", "cyd"))
    pool.play_out(first)
    _, pairings = pool.take(second)
    assert [(one.number, one.seed) for one in pairings[1:]] == [
        *((1, 8101), (2, 8102), (3, 8103), (4, 8104))
    ]
    assert pool.take(third)[1][1].seed == 8101


def test_the_baseline_is_played_first_then_those_of_whom_a_game_tells_most(pool, installation):
    baseline = baseline_of(installation)
    others = [pool.hand_in(f"{name}-01") for name in ("ada", "bob")]
    pool.play_out(baseline, strength=5)
    pool.play_out(others[0], strength=9)
    pool.play_out(others[1], strength=1)
    new = pool.hand_in("cyd-01")
    _, pairings = pool.take(new)
    opponents = [one.opponent for one in pairings]
    assert opponents[:2] == [new, baseline]
    assert {*opponents[1:]} == {baseline, *others}
    assert len(opponents) == 1 + 4


def baseline_of(installation) -> int:
    with contextlib.closing(installation.storage.receive(100)) as incoming:
        incoming.write(b"def act")
        upload = submissions.Upload(incoming, "agent.py", kind="agent")
        return submissions.accept_baseline(installation, "duel", "Search", upload)


def test_teams_do_not_play_themselves(pool):
    first, second = pool.hand_in("ada-01"), pool.hand_in("ada-01")
    pool.play_out(first)
    _, pairings = pool.take(second)
    assert [one.opponent for one in pairings] == [second]


def test_the_latest_two_agents_of_a_team_play(pool):
    rival = pool.hand_in("bob-01")
    pool.play_out(rival, strength=2)
    own = [pool.hand_in("ada-01") for _ in range(3)]
    for agent in own:
        pool.play_out(agent, strength=agent - own[0])
    assert {*pool.ratings()} == {rival, *own[1:]}
    assert "when newer agents of its team came" in pool.read(own[0]).reason
    new = pool.hand_in("cyd-01")
    _, pairings = pool.take(new)
    assert own[0] not in {one.opponent for one in pairings}


def test_the_better_of_a_teams_agents_stands_on_the_board(pool):
    rival = pool.hand_in("bob-01")
    pool.play_out(rival, strength=2)
    good, bad = pool.hand_in("ada-01"), pool.hand_in("ada-01")
    pool.play_out(good, strength=3)
    pool.play_out(bad, strength=0)
    assert pool.board()[0] == ("ada-01", good)


def test_what_a_lost_attempt_had_played_is_counted_once(pool, installation):
    first, second = pool.hand_in("ada-01"), pool.hand_in("bob-01")
    pool.play_out(first)
    lost, pairings = pool.take(second)
    with installation.database.writing() as session:  # its worker was killed: another one begins
        assert attempts.reclaim(session, [lost], 3) == [second]
    played = pool.results(second, pairings)
    again, _ = pool.take(second)
    assert pool.report(lost, played) == (False, False)
    assert pool.report(again, played) == (True, False)
    assert pool.report(again, played) == (False, False)
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Episode)) == 1 + 1 + 8
        assert session.scalar(select(func.count()).select_from(Player)) == 2 * 10


def test_an_agent_with_more_games_to_play_goes_back_to_the_queue(pool, installation):
    first, second = pool.hand_in("ada-01"), pool.hand_in("bob-01")
    pool.play_out(first)
    lease, pairings = pool.take(second)
    assert pool.report(lease, pool.results(second, pairings[:3])) == (True, True)
    waiting = pool.read(second)
    assert (waiting.state, waiting.queue) == ("queued", "match")
    with installation.database.reading() as session:
        last = session.get_one(Submission, second).transitions[-1]
        assert last.note == "4 of 8 games are played. It waits for the next ones."
    _, pairings = pool.take(second)
    assert len(pairings) == 2  # no trial again, and what is missing only


def test_an_agent_that_is_disqualified_is_nobodys_opponent(pool, installation):
    first, second = pool.hand_in("ada-01"), pool.hand_in("bob-01")
    pool.play_out(first)
    with installation.database.writing() as session:
        session.get_one(Submission, first).disqualified = "It looked up moves."
    _, pairings = pool.take(second)
    assert [one.opponent for one in pairings] == [second]


def test_a_pool_is_not_scored_once_more(pool, installation, factory):
    admin = factory.person("root-01", "admin")
    with pytest.raises(ConflictError, match="rates agents by all their games"):
        rescoring.begin(installation, admin, "duel", rescoring.Revision(excluded=("1",)))


def test_games_against_an_agent_in_the_middle_of_its_rounds_count_already(pool):
    first, second, third = (pool.hand_in(f"{name}-01") for name in ("ada", "bob", "cyd"))
    pool.strength = {first: 1, second: 2, third: 3}
    pool.play_out(first, 1)
    pool.play_out(second, 2)
    before = pool.ratings()
    lease, pairings = pool.take(third)
    assert pool.report(lease, pool.results(third, pairings[:3])) == (True, True)
    after = pool.ratings()
    assert {*after} == {first, second}  # the third has no rating yet
    assert after != before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ratings_recover_a_known_order_at_a_hundred_games_each(arena, installation):
    """Through matchmaking, rounds and fits as they are: Kendall's tau with the truth."""
    with installation.database.writing() as session:
        challenge = session.scalars(select(Challenge)).one()
        agent = challenge.spec["run"]["agent"] | {"games": 100}
        challenge.spec = challenge.spec | {"run": {"agent": agent}}
    arena.luck = np.random.default_rng(7)
    strengths = np.random.default_rng(1).permutation(np.linspace(-2, 2, 12))
    ids = [arena.hand_in(f"player-{n:02}", one) for n, one in enumerate(strengths)]
    arena.play_all()
    with installation.database.reading() as session:
        rows = session.scalars(select(Evaluation).where(Evaluation.split == "public")).all()
        assert all(row.n >= 100 for row in rows)
        rated = {row.submission_id: row.value for row in rows}
    assert kendalltau(strengths, [rated[one] for one in ids]).statistic >= 0.8
