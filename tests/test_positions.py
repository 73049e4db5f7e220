import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from podium import positions
from podium.models import BoardEntry, BoardSegment, Competition, Submission, Team

START = datetime(2026, 11, 1, tzinfo=UTC)
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 3))
COME, GO = "come", "go"


@pytest.fixture
def entry(installation, factory):
    """Makes entries of a board at a place, and begins with an empty one."""
    factory.competition()
    numbers = itertools.count()

    def begin(session):
        competition = session.scalars(select(Competition)).one()
        session.execute(delete(BoardEntry))
        session.execute(delete(BoardSegment))
        team = session.scalar(select(Team)) or Team(competition_id=competition.id, name="all")
        session.add(team)
        session.flush()
        submission = session.scalar(select(Submission)) or Submission(
            competition_id=competition.id,
            team_id=team.id,
            **dict.fromkeys(("kind", "file_name", "file_key", "sha256", "state"), "x"),
            size_bytes=1,
            received_at=START,
        )
        session.add(submission)
        session.flush()

        def make(place):
            own = Team(competition_id=competition.id, name=f"t{next(numbers)}")
            session.add(own)
            session.flush()
            made = BoardEntry(
                competition_id=competition.id,
                split="public",
                team_id=own.id,
                ranked=True,
                submission_id=submission.id,
                score=0.0,
                order_key=float(place[0]),
                received_at=START + timedelta(minutes=place[1]),
                entries=1,
                last_at=START,
            )
            session.add(made)
            session.flush()
            return made

        return competition.id, make

    return begin


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moves=st.lists(st.tuples(st.sampled_from([COME, COME, GO]), PLACES), max_size=25),
    is_filled=st.booleans(),
)
def test_segments_count_like_a_sorted_list_whatever_comes_and_goes(
    installation, entry, moves, is_filled
):
    with installation.database.writing() as session:
        competition_id, make = entry(session)
        there = []
        for kind, place in moves:
            if kind == COME:
                there.append(make(place))
                positions.add(session, there[-1], most=3)
            elif there:
                gone = there.pop(place[0] % len(there))
                positions.remove(session, gone)
                session.delete(gone)
                session.flush()
        places = sorted((one.order_key, one.received_at) for one in there)
        if is_filled:
            positions.fill(session, competition_id, "public", places, most=3)
        board = positions.read(session, competition_id, "public")
        assert board.total == len(places)
        assert [board.rank(session, place) for place in places] == [
            1 + sum(other < place for other in places) for place in places
        ]
        sliced = [
            (one.order_key, one.received_at)
            for offset in range(len(places))
            for one in board.slice(session, offset, 1)
        ]
        assert sliced == places
