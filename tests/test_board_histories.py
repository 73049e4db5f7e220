"""Random histories on the real pipeline against a ranking written once more, without the code."""

import contextlib
import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from podium import (
    competitions,
    conduct,
    difference,
    entries,
    finals,
    leaderboard,
    rescoring,
    reveal,
    submissions,
    teams,
)
from podium.errors import AskError
from podium.leaderboard import Reader
from podium.models import BoardEntry, Competition, Result, User
from podium.models.record import now
from podium.revision import Revision

ROWS = range(20)
PEOPLE = ("ada-01", "bob-01", "cy-01")
FINALS = 2
MASK = st.lists(st.booleans(), min_size=20, max_size=20)
WHO = st.sampled_from(PEOPLE)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), WHO, st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("submit"), WHO, st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("select"), WHO, st.integers(0, 5), st.booleans()),
        st.tuples(st.just("ban team"), WHO, st.booleans(), st.just(0)),
        st.tuples(st.just("ban submission"), WHO, st.integers(0, 5), st.booleans()),
        st.tuples(st.just("merge"), WHO, WHO, st.just(0)),
        st.tuples(st.just("rescore"), st.booleans(), st.integers(0, 19), st.booleans()),
        st.tuples(st.just("freeze"), st.booleans(), st.just(0), st.just(0)),
        st.tuples(st.just("reveal"), st.just(0), st.just(0), st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


class Naive:
    """The rules once more: plain lists, everything made anew whenever it is asked for."""

    def __init__(self):
        self.team_of = {person: person for person in PEOPLE}
        self.handed_in = []  # of each: id, person, the rows that are right, when
        self.wrong_truth = set()  # rows whose answer was changed: right is wrong there
        self.left_out = set()
        self.banned_teams, self.banned, self.selected = set(), set(), set()
        self.frozen_at, self.is_revealed = None, False

    def score(self, right, split):
        rows = [i for i in ROWS if i % 2 == (split == "public") and i not in self.left_out]
        return sum((i in right) != (i in self.wrong_truth) for i in rows) / len(rows)

    def board(self, split):
        best = {}
        for team in set(self.team_of.values()) - self.banned_teams:
            own = [
                one
                for one in self.handed_in
                if self.team_of[one[1]] == team and one[0] not in self.banned
            ]
            if split == "private":
                chosen = [one for one in own if one[0] in self.selected] or own
                chosen = sorted(chosen, key=lambda one: (-self.score(one[2], "public"), one[3]))
                own = chosen[:FINALS]
            elif self.frozen_at is not None and not self.is_revealed:
                own = [one for one in own if one[3] < self.frozen_at]
            if own:
                best[team] = min((-self.score(one[2], split), one[3]) for one in own)
        order = sorted(best.items(), key=lambda item: item[1])
        return [
            (1 + sum(other < place for _, other in order), team, -place[0]) for team, place in order
        ]

    def results(self):
        """Of each person: rank, medal and points; nothing before the reveal."""
        if not self.is_revealed:
            return {}
        board = self.board("private")
        found = {}
        for rank, team, _ in board:
            people = [person for person, own in self.team_of.items() if own == team]
            worth = 100_000 / len(people) ** 0.5 / rank**0.75
            worth *= math.log(1 + math.log(len(board), 10), 10)
            share = rank / len(board)
            medals = [("gold", 0.1), ("silver", 0.2), ("bronze", 0.4)]
            won = next((name for name, most in medals if share <= most), "")
            found |= {person: (rank, won, pytest.approx(worth)) for person in people}
        return found


class World:
    """The same moves made through the services."""

    def __init__(self, installation, factory, slug):
        self.installation, self.factory, self.slug = installation, factory, slug
        self.naive = Naive()
        self.host = factory.person("host-01", "instructor")
        factory.competition(
            slug,
            daily_limit=100,
            finals=FINALS,
            host_id=self.host.id,
            closes_at=now() + timedelta(days=1),
            holds_reveal=True,
            season=slug,
        )
        self.people = {person: factory.member(person, slug) for person in PEOPLE}

    def submit(self, person, public, private):
        right = {i for i in ROWS if i // 2 < 3 * (public if i % 2 else private)}
        rows = "".join(f"{i},{i % 10 if i in right else (i + 1) % 10}\n" for i in ROWS)
        submission_id = self.factory.submit(
            self.people[person], "id,label\n" + rows, slug=self.slug
        )
        judged = self.factory.judge(submission_id)
        assert judged.state == "scored"
        self.naive.handed_in.append((submission_id, person, right, judged.received_at))

    def own(self, person, index):
        team = self.naive.team_of[person]
        ids = [one[0] for one in self.naive.handed_in if self.naive.team_of[one[1]] == team]
        return ids[index % len(ids)] if ids else None

    def select(self, person, index, selected):
        if (submission_id := self.own(person, index)) is None:
            return
        with self.installation.database.writing() as session:
            caller = self.people[person]
            submission = submissions.get(session, caller, submission_id)
            finals.select_one(session, caller, submission, selected=selected)
        (self.naive.selected.add if selected else self.naive.selected.discard)(submission_id)

    def ban_team(self, person, lifts, _):
        team = self.naive.team_of[person]
        act = conduct.reinstate_team if lifts else conduct.disqualify_team
        with self.installation.database.writing() as session:
            act(session, self.host, self.slug, team, "a reason")
        (self.naive.banned_teams.discard if lifts else self.naive.banned_teams.add)(team)

    def ban_submission(self, person, index, lifts):
        if (submission_id := self.own(person, index)) is None:
            return
        act = conduct.reinstate_submission if lifts else conduct.disqualify_submission
        with self.installation.database.writing() as session:
            act(session, self.host, submission_id, "a reason")
        (self.naive.banned.discard if lifts else self.naive.banned.add)(submission_id)

    def merge(self, person, other, _):
        mine, theirs = self.naive.team_of[person], self.naive.team_of[other]
        merged = None
        for leader, wanted in ((mine, theirs), (theirs, mine)):
            if merged is None:  # one of them may have asked before
                with self.installation.database.writing() as session:
                    competition = competitions.find(session, self.slug)
                    merged = teams.merge(session, competition, self.people[leader], wanted)
        team = merged.name
        goes = theirs if team == mine else mine
        self.naive.team_of = {
            one: team if name == goes else name for one, name in self.naive.team_of.items()
        }
        if goes in self.naive.banned_teams:
            self.naive.banned_teams.add(team)
        ids = {one[0] for one in self.naive.handed_in if self.naive.team_of[one[1]] == team}
        if len(ids & self.naive.selected) > FINALS:
            self.naive.selected -= ids

    def rescore(self, mends_answers, row, applies):
        wrong = self.naive.wrong_truth ^ {row} if mends_answers else self.naive.wrong_truth
        left_out = self.naive.left_out if mends_answers else self.naive.left_out | {row}
        if len(left_out) > 8:
            return
        answers = "id,label,Usage\n" + "".join(
            f"{i},{(i + 1) % 10 if i in wrong else i % 10},{'Public' if i % 2 else 'Private'}\n"
            for i in ROWS
        )
        revision = Revision(
            answers=answers.encode() if mends_answers else None,
            excluded=() if mends_answers else (str(row),),
        )
        rescoring.begin(self.installation, self.host, self.slug, revision)
        self.factory.judge_all()
        if not applies:
            rescoring.discard(self.installation, self.host, self.slug, "no")
            return
        difference.apply(self.installation, self.host, self.slug)
        self.naive.wrong_truth, self.naive.left_out = wrong, left_out

    def freeze(self, is_frozen, *_):
        self.naive.frozen_at = now() if is_frozen else None
        with self.installation.database.writing() as session:
            competition = competitions.find(session, self.slug)
            competition.freezes_at = self.naive.frozen_at
            session.flush()
            entries.rebuild(session, competition)

    def reveal(self, *_):
        with self.installation.database.writing() as session:
            session.execute(
                update(Competition)
                .where(Competition.slug == self.slug)
                .values(closes_at=now() - timedelta(seconds=1))
            )
        with self.installation.database.writing() as session:
            reveal.by_host(session, self.host, self.slug, "it is over")
        self.naive.is_revealed = True

    def do(self, kind, *arguments):
        # What a rule refuses changes nothing; the rules themselves have their own tests.
        with contextlib.suppress(AskError):
            getattr(self, kind.replace(" ", "_"))(*arguments)

    def board(self, split):
        with self.installation.database.reading() as session:
            competition = competitions.find(session, self.slug)
            page = leaderboard.read(
                session, competition, split=split, per_page=100, reader=Reader(is_host=True)
            )
        return [(row.rank, row.team, row.score) for row in page.rows]

    def kept(self):
        """All entries as they are in the database, but for their numbers."""
        columns = [
            column
            for column in BoardEntry.__table__.columns
            if column.name not in ("id", "intervals")
        ]
        with self.installation.database.reading() as session:
            competition_id = competitions.find(session, self.slug).id
            rows = session.execute(
                select(*columns)
                .where(BoardEntry.competition_id == competition_id)
                .order_by(BoardEntry.split, BoardEntry.team_id)
            )
            return [tuple(row) for row in rows]

    def results(self):
        """What is kept of each person."""
        with self.installation.database.reading() as session:
            competition_id = competitions.find(session, self.slug).id
            rows = session.execute(
                select(User.handle, Result)
                .join(User, User.id == Result.user_id)
                .where(Result.competition_id == competition_id)
            )
            return {handle: (row.rank, row.medal, row.points) for handle, row in rows}


@pytest.fixture
def world(installation, factory):
    """Begins a world in a competition of its own."""
    number = 0

    def begin():
        nonlocal number
        number += 1
        return World(installation, factory, f"toy-{number}")

    return begin


def holds(installation, it, moves):
    for move in moves:
        it.do(*move)
        assert it.board("public") == it.naive.board("public"), move
        assert it.board("private") == it.naive.board("private"), move
        assert it.results() == it.naive.results(), move
    before, results = it.kept(), it.results()
    with installation.database.writing() as session:
        competition = competitions.find(session, it.slug)
        number = entries.rebuild(session, competition)
    assert it.kept() == before
    assert it.results() == results
    assert number <= len(it.naive.handed_in)


def examples(number):
    """So many histories, each in a competition of its own within one database."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=number, deadline=None, suppress_health_check=checks)


@examples(5)
@given(moves=MOVES)
def test_the_board_of_any_history_is_the_naive_one_and_a_rebuild_changes_nothing(
    installation, world, moves
):
    holds(installation, world(), moves)


@pytest.mark.slow
@examples(60)
@given(moves=MOVES)
def test_so_it_is_for_many_histories(installation, world, moves):
    holds(installation, world(), moves)
