from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from podium import boardrules, competitions, entries, leaderboard
from podium.leaderboard import Reader
from podium.models import BoardEntry, Competition, Evaluation, Submission, Team

START = datetime(2026, 11, 1, tzinfo=UTC)


def add_team(session, name, *, is_baseline=False):
    competition = session.scalars(select(Competition)).one()
    team = Team(competition_id=competition.id, name=name, is_baseline=is_baseline)
    session.add(team)
    session.flush()
    return team


def add_score(session, team, score, minute, **columns):
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
    competition = session.get_one(Competition, team.competition_id)
    session.add_all(
        Evaluation(
            submission_id=submission.id,
            scorer_version="1",
            truth_version="t",
            split="public",
            metric=metric,
            value=value,
            n=10,
            signature="s",
        )
        for metric, value in {
            competition.challenge.spec["metric"]["name"]: score,
            **columns,
        }.items()
    )
    entries.refresh(session, competition, [team.id])
    return submission


def page(session, my_team_id=None, **options):
    competition = session.scalars(select(Competition)).one()
    return leaderboard.read(session, competition, reader=Reader(my_team_id), **options)


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
        boardrules.order_key(score, higher_is_better=True)


def test_every_change_raises_the_boards_revision(installation, factory, predictions):
    factory.competition()
    ada = factory.member("ada-01")
    revisions = []
    for correct in (3, 2):
        factory.judge(factory.submit(ada, predictions(correct)))
        with installation.database.reading() as session:
            revisions.append(competitions.find(session, "toy").board_revision)
    assert revisions == [1, 2]


@pytest.fixture
def three_metrics(factory):
    factory.competition(
        order_by="mean_rank",
        spec={"metric": {"name": "accuracy", "also": ["f1_macro", "log_loss"]}},
    )


def test_ranks_in_several_metrics_are_averaged_if_the_competition_says_so(
    installation, three_metrics
):
    # ranks: ada 1, 3, 3; bob 2, 1, 1; cy 3, 2, 2 (log loss: lower is better)
    scores = {"ada": (0.9, 0.1, 3.0), "bob": (0.8, 0.3, 1.0), "cy": (0.7, 0.2, 2.0)}
    with installation.database.writing() as session:
        for minute, (name, (first, f1, loss)) in enumerate(scores.items()):
            add_score(session, add_team(session, name), first, minute, f1_macro=f1, log_loss=loss)
        add_score(
            session, add_team(session, "net", is_baseline=True), 0.95, 9, f1_macro=0.9, log_loss=0.5
        )
    with installation.database.reading() as session:
        board = page(session)
        keys = dict(session.execute(select(BoardEntry.score, BoardEntry.order_key)).all())
    assert [(row.rank, row.team) for row in board.rows] == [
        (None, "net"),
        (1, "bob"),
        (2, "ada"),
        (2 + 1, "cy"),
    ]
    assert keys == {0.95: 1.0, 0.8: 4 / 3, 0.9: 7 / 3, 0.7: 7 / 3}
    assert board.rows[1].others == {"f1_macro": 0.3, "log_loss": 1.0}


def test_a_rebuild_keeps_what_only_time_and_resamples_know(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        add_score(session, add_team(session, "ada"), 0.9, 1)
        entry = session.scalars(select(BoardEntry)).one()
        entry.rank_before, entry.rank_low, entry.rank_high, entry.tie_group = 4, 1, 2, 1
    with installation.database.writing() as session:
        entries.rebuild(session, session.scalars(select(Competition)).one())
    with installation.database.reading() as session:
        (row,) = page(session).rows
    assert (row.change, row.rank_low, row.rank_high, row.tied_with_leader) == (3, 1, 2, True)


def test_other_teams_have_made_up_names_where_the_host_wants_it(installation, factory):
    factory.competition(names="pseudonymous")
    with installation.database.writing() as session:
        teams = [add_team(session, name) for name in ("ada", "bob")]
        for minute, team in enumerate(teams):
            add_score(session, team, 0.5, minute)
        add_score(session, add_team(session, "net", is_baseline=True), 0.1, 9)
    with installation.database.reading() as session:
        competition = session.scalars(select(Competition)).one()
        ada = leaderboard.read(session, competition, reader=Reader(teams[0].id))
        host = leaderboard.read(session, competition, reader=Reader(is_host=True))
    assert [row.team for row in ada.rows][::2] == ["ada", "net"]
    assert ada.rows[1].team != "bob"
    assert len(ada.rows[1].team.split()) == 3
    assert [row.team for row in host.rows] == ["ada", "bob", "net"]


def test_of_a_hidden_board_a_team_sees_its_own_score_and_no_rank(installation, factory):
    factory.competition(names="hidden")
    with installation.database.writing() as session:
        team = add_team(session, "ada")
        add_score(session, team, 0.5, 0)
        add_score(session, add_team(session, "bob"), 0.6, 0)
    with installation.database.reading() as session:
        board = page(session, my_team_id=team.id)
        assert (board.rows, board.total) == ([], 0)
        assert (board.mine.team, board.mine.score, board.mine.rank) == ("ada", 0.5, None)
        assert page(session).mine is None


def test_a_team_is_found_by_a_part_of_its_name_with_its_rank(installation, factory):
    factory.competition()
    with installation.database.writing() as session:
        for minute, name in enumerate(("Ada & co", "bob", "100% ada")):
            add_score(session, add_team(session, name), 1 - minute / 10, minute)
    with installation.database.reading() as session:
        competition = session.scalars(select(Competition)).one()
        found = leaderboard.find(session, competition, "public", "ADA", Reader(), 9)
        percent = leaderboard.find(session, competition, "public", "0%", Reader(), 9)
    assert [(row.rank, row.team) for row in found] == [(1, "Ada & co"), (3, "100% ada")]
    assert [row.team for row in percent] == ["100% ada"]
