import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from podium import competitions, leaderboard, positions
from podium.models import BoardEntry, Competition, Evaluation, Submission, Team

START = datetime(2026, 11, 1, tzinfo=UTC)


def add_team(session, name, *, is_baseline=False):
    competition = session.scalars(select(Competition)).one()
    team = Team(competition_id=competition.id, name=name, is_baseline=is_baseline)
    session.add(team)
    session.flush()
    return team


def add_score(session, team, score, minute, *, higher_is_better=True):
    """A scored submission, entered into the board as judging does it."""
    submission = Submission(
        competition_id=team.competition_id,
        team_id=team.id,
        kind="predictions",
        file_name="f.csv",
        file_key="k",
        sha256="0",
        size_bytes=1,
        state="scored",
        received_at=START + timedelta(minutes=minute),
    )
    session.add(submission)
    session.flush()
    evaluation = Evaluation(
        submission_id=submission.id,
        scorer_version="1",
        truth_version="t",
        split="public",
        metric="accuracy",
        value=score,
        low=None,
        high=None,
        n=10,
        signature="s",
    )
    session.add(evaluation)
    leaderboard.record(session, submission, evaluation, higher_is_better=higher_is_better)
    return submission


def page(session, **options):
    return leaderboard.read(session, session.scalars(select(Competition)).one(), **options)


def shown(board):
    return [(row.rank, row.team, row.score) for row in board.rows]


def naive_board(histories, *, higher_is_better):
    """The rules once more, without index, cache or increments."""
    best = {}
    for name, history in histories.items():
        sign = -1 if higher_is_better else 1
        best[name] = min((sign * score, minute, order) for score, minute, order in history)
    ordered = sorted(best.items(), key=lambda item: item[1])
    return [
        (1 + sum(other[:2] < place[:2] for _, other in ordered), name) for name, place in ordered
    ]


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_board_equals_a_naive_ranking_of_the_same_history(
    installation, factory, seed, higher_is_better, monkeypatch
):
    monkeypatch.setattr(positions, "MOST", 3)  # many segments for few teams
    factory.competition()
    chance = random.Random(seed)
    histories = {}
    with installation.database.writing() as session:
        teams = [add_team(session, f"team-{i:02}") for i in range(12)]
        for order in range(60):
            team = chance.choice(teams)
            # few distinct scores and minutes: ties of every sort
            score, minute = chance.randrange(4) / 4, chance.randrange(6)
            add_score(session, team, score, minute, higher_is_better=higher_is_better)
            histories.setdefault(team.name, []).append((score, minute, order))
    with installation.database.reading() as session:
        board = page(session, per_page=100)
        assert [(row.rank, row.team) for row in board.rows] == naive_board(
            histories, higher_is_better=higher_is_better
        )
        paged = [
            row for number in (1, 2, 3, 4) for row in page(session, page=number, per_page=3).rows
        ]
        assert [(row.rank, row.team) for row in paged] == [
            (row.rank, row.team) for row in board.rows
        ]
        ranks = [page(session, my_team_id=row.team_id, per_page=1).mine.rank for row in board.rows]
        assert ranks == [row.rank for row in board.rows]
        before = [(row.team, row.score, row.entries, row.last_at) for row in board.rows]
    with installation.database.writing() as session:
        competition = session.scalars(select(Competition)).one()
        leaderboard.rebuild(
            session, competition, metric="accuracy", higher_is_better=higher_is_better
        )
    with installation.database.reading() as session:
        after = page(session, per_page=100).rows
        assert [(row.team, row.score, row.entries, row.last_at) for row in after] == before


def test_a_tie_goes_to_the_earlier_reception_and_equal_places_share_a_rank(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        for name, minute in (("late", 9), ("early", 1), ("twin-a", 5), ("twin-b", 5)):
            add_score(session, add_team(session, name), 0.5, minute)
        add_score(session, add_team(session, "last"), 0.4, 0)
    with installation.database.reading() as session:
        assert [(row.rank, row.team) for row in page(session).rows] == [
            (1, "early"),
            (2, "twin-a"),
            (2, "twin-b"),
            (4, "late"),
            (5, "last"),
        ]


def test_a_worse_submission_counts_as_an_entry_and_changes_no_score(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        team = add_team(session, "ada")
        add_score(session, team, 0.9, 1)
        add_score(session, team, 0.2, 7)
    with installation.database.reading() as session:
        (row,) = page(session).rows
    assert (row.score, row.entries) == (0.9, 2)
    assert row.last_at == START + timedelta(minutes=7)


def test_the_same_score_again_keeps_the_earlier_reception(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        team = add_team(session, "ada")
        first = add_score(session, team, 0.9, 1)
        add_score(session, team, 0.9, 2)
    with installation.database.reading() as session:
        assert session.scalars(select(BoardEntry)).one().submission_id == first.id


def test_baselines_stand_at_their_place_without_a_rank(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        for index in range(7):
            add_score(session, add_team(session, f"team-{index}"), 0.9 - index / 10, index)
        add_score(session, add_team(session, "net", is_baseline=True), 0.65, 0)
        add_score(session, add_team(session, "zero", is_baseline=True), 0.0, 0)
        add_score(session, add_team(session, "top", is_baseline=True), 1.0, 0)
    with installation.database.reading() as session:
        names = [[row.team for row in page(session, page=n, per_page=3).rows] for n in (1, 2, 3)]
        board = page(session, per_page=3)
    assert names == [
        ["top", "team-0", "team-1", "team-2"],
        ["net", "team-3", "team-4", "team-5"],
        ["team-6", "zero"],
    ]
    assert (board.total, board.pages) == (7, 3)
    assert board.rows[0].rank is None
    assert board.rows[1].rank == 1


def test_my_own_row_comes_with_every_page(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        teams = [add_team(session, f"team-{i}") for i in range(6)]
        for index, team in enumerate(teams):
            add_score(session, team, 1 - index / 10, index)
    with installation.database.reading() as session:
        board = page(session, per_page=2, my_team_id=teams[4].id)
        assert (board.mine.rank, board.mine.team) == (5, "team-4")
        assert page(session, my_team_id=None).mine is None


def test_a_page_past_the_end_is_the_last_and_an_empty_board_has_one_page(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        assert (page(session, page=9).page, page(session).rows) == (1, [])
        for index in range(5):
            add_score(session, add_team(session, f"t{index}"), index / 10, 0)
        session.flush()
        assert [row.team for row in page(session, page=99, per_page=2).rows] == ["t0"]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_never_ranked(score):
    with pytest.raises(ValueError, match="cannot be ranked"):
        leaderboard.order_key(score, higher_is_better=True)


def test_every_change_raises_the_boards_revision(installation, factory, predictions):
    factory.competition()
    ada = factory.member("ada-01")
    revisions = []
    for correct in (3, 2):
        factory.judge(factory.submit(ada, predictions(correct)))
        with installation.database.reading() as session:
            revisions.append(competitions.find(session, "toy").board_revision)
    assert revisions == [1, 2]
