"""The bitboard against the rules written out."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.referee import ConnectFour


def won_by_the_rules(board):
    """Four equal stones in a row, a column or a diagonal, looked for one by one."""
    for row in range(6):
        for column in range(7):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                cells = [(row + down * i, column + right * i) for i in range(4)]
                if all(0 <= r < 6 and 0 <= c < 7 for r, c in cells):
                    stones = {int(board[cell]) for cell in cells}
                    if len(stones) == 1 and 0 not in stones:
                        return True
    return False


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=60))
def test_a_game_agrees_with_the_rules(columns):
    game, board = ConnectFour(), np.zeros((6, 7), int)
    for column in columns:
        if game.is_over:
            break
        if not game.legal()[column]:
            assert board[5, column] != 0
            continue
        stone = 1 if game.player == 0 else -1
        board[int((board[:, column] != 0).sum()), column] = stone
        game.play(column)
        assert (game.winner is not None) == won_by_the_rules(board)
        np.testing.assert_array_equal(game.observation(), board if game.player == 0 else -board)
    assert game.is_over == (won_by_the_rules(board) or bool((board != 0).all()))


@pytest.mark.parametrize(
    ("moves", "winner"),
    [
        ([0, 1, 0, 1, 0, 1, 0], 0),  # a column
        ([0, 0, 1, 1, 2, 2, 3], 0),  # a row
        ([0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3], 0),  # a diagonal that rises
        ([6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3], 0),  # a diagonal that falls
        ([6, 0, 6, 0, 5, 0, 5, 0], 1),
    ],
)
def test_four_in_a_row_win(moves, winner):
    game = ConnectFour()
    for column in moves:
        game.play(column)
    assert game.winner == winner
    assert not game.legal().any()


def test_stones_do_not_run_from_one_column_into_the_next():
    game = ConnectFour()
    for column in [0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]:  # both full, three and three on top
        game.play(column)
    assert game.winner is None
    assert list(game.legal()) == [False, False, True, True, True, True, True]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (np.array(7), "Columns run from 0 to 6"),
        (np.array(-1), "The action is -1"),
        (np.array(1.0), "Expected a whole number"),
        (np.array([1, 2]), r"shape \(2,\)"),
        (np.array(True), "bool"),
    ],
)
def test_an_action_that_is_none_is_told(action, words):
    assert re.search(words, ConnectFour().check(action))


def test_a_full_column_is_told():
    game = ConnectFour()
    for _ in range(6):
        game.play(0)
    assert game.check(np.array(0)) == "Column 0 is full."
    assert game.check(np.array([3])) is None
