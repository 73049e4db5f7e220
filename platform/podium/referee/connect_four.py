"""Connect Four on a bitboard: seven columns of six cells, seven bits a column.

Bit `7 * column + row` of `mine` and `theirs`; the seventh bit of a column stays empty, so that
shifts by 1, 7, 6 and 8 (up, right, and both diagonals) never run from one column into the next.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 7, 6
HEIGHT = ROWS + 1
LINES = (1, HEIGHT, HEIGHT - 1, HEIGHT + 1)
CELLS = [[1 << (HEIGHT * column + row) for column in range(COLUMNS)] for row in range(ROWS)]


class ConnectFour:
    """A game in progress. Player 0 begins."""

    name = "connect-four"
    players = 2

    def __init__(self) -> None:
        self._stones = [0, 0]
        self._heights = [HEIGHT * column for column in range(COLUMNS)]
        self.moves: list[int] = []
        self.winner: int | None = None

    @property
    def player(self) -> int:
        """Whose move it is."""
        return len(self.moves) % 2

    @property
    def is_over(self) -> bool:
        """Won, or no cell is left."""
        return self.winner is not None or len(self.moves) == COLUMNS * ROWS

    def legal(self) -> NDArray[np.bool_]:
        """Which columns have room."""
        return np.array(
            [
                self._heights[column] < HEIGHT * column + ROWS and not self.is_over
                for column in range(COLUMNS)
            ]
        )

    def observation(self) -> NDArray[np.int8]:
        """The board as the one to move sees it: (6, 7), row 0 at the bottom; own 1, theirs -1."""
        mine, theirs = self._stones[self.player], self._stones[1 - self.player]
        return np.array(
            [[bool(mine & cell) - bool(theirs & cell) for cell in row] for row in CELLS], np.int8
        )

    def check(self, action: NDArray[Any]) -> str | None:
        """What is wrong with a move, in words for the student."""
        if action.shape not in ((), (1,)) or action.dtype.kind not in "iu":
            return (
                f"The action is {action.dtype} with shape {action.shape}. Expected a whole number."
            )
        column = int(action.reshape(()))
        if not 0 <= column < COLUMNS:
            return f"The action is {column}. Columns run from 0 to {COLUMNS - 1}."
        if not self.legal()[column]:
            return f"Column {column} is full."
        return None

    def play(self, column: int) -> None:
        """Drop a stone; the column must have room."""
        player = self.player
        self._stones[player] |= 1 << self._heights[column]
        self._heights[column] += 1
        self.moves.append(column)
        if has_four(self._stones[player]):
            self.winner = player


def has_four(stones: int) -> bool:
    """Whether four in a row are among these stones."""
    for shift in LINES:
        pairs = stones & (stones >> shift)
        if pairs & (pairs >> (2 * shift)):
            return True
    return False
