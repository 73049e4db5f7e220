"""Medals and points against Kaggle's thresholds and values worked out by hand."""

from datetime import timedelta

import pytest

from podium.medals import BRONZE, GOLD, SILVER, faded, medal, points
from podium.models.record import now

# Teams, and the last rank of gold, silver and bronze.
THRESHOLDS = [
    (1, 0, 0, 0),
    (4, 0, 0, 1),
    (5, 0, 1, 2),
    (9, 0, 1, 3),
    (10, 1, 2, 4),
    (57, 5, 11, 22),
    (99, 9, 19, 39),
    (100, 10, 20, 40),
    (249, 10, 49, 99),
    (250, 10, 50, 100),
    (499, 10, 50, 100),
    (500, 11, 50, 100),
    (999, 11, 50, 100),
    (1000, 12, 50, 100),
    (2600, 15, 130, 260),
    (5000, 20, 250, 500),
]


@pytest.mark.parametrize(("teams", "gold", "silver", "bronze"), THRESHOLDS)
def test_the_last_rank_of_each_medal(teams, gold, silver, bronze):
    won = [medal(rank, teams) for rank in range(1, teams + 1)]
    expected = [GOLD] * gold + [SILVER] * (silver - gold) + [BRONZE] * (bronze - silver)
    assert won == expected + [""] * (teams - bronze)


POINTS = [
    # log10(1 + log10(10)) = log10 2 = 0.30103
    (1, 10, 1, 30103.0),
    # and halved by four members
    (1, 10, 4, 15051.5),
    # 16^-0.75 = 1/8
    (16, 100, 1, 100_000 / 8 * 0.4771213),
    # log10(1 + 3) = 0.60206
    (1, 1000, 1, 60206.0),
    (81, 1000, 9, 100_000 / 3 / 27 * 0.60206),
    (1, 1, 1, 0.0),
]


@pytest.mark.parametrize(("rank", "teams", "members", "expected"), POINTS)
def test_points_worked_out_by_hand(rank, teams, members, expected):
    assert points(rank, teams, members) == pytest.approx(expected, rel=1e-6)


def test_points_fade_to_a_third_in_five_hundred_days():
    moment = now()
    assert faded(1000, moment, moment) == 1000
    assert faded(1000, moment, moment + timedelta(days=500)) == pytest.approx(367.879, abs=0.001)
    assert faded(1000, moment, moment + timedelta(days=1)) == pytest.approx(998.002, abs=0.001)
    assert faded(1000, moment + timedelta(days=1), moment) == 1000  # a deadline yet to come


def test_more_members_a_worse_rank_and_fewer_teams_are_worth_less():
    worth = points(3, 50, 2)
    assert worth > points(4, 50, 2)
    assert worth > points(3, 49, 2)
    assert worth > points(3, 50, 3)
