"""Connect Four by search: looks a few moves ahead, and values what it sees there by open lines.

Command     python baselines/connect-four.py --data connect-four --out agent.zip
Data        sample_agent.py from `podium download connect-four`
Measured    One thread of a shared machine, 26 Nov 2026: 99 of 100 games won against the sample in
            4 s; rated 1439 ± 23 where the sample, alone with it, is rated 561 (40 games).
Not a library: copy it, change it, beat it.
"""

import argparse
import random
import runpy
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Act = Callable[[np.ndarray, dict[str, Any]], int]

# What is handed in. Seven bits a column, the highest one always empty: four in a row are found by
# shifting a whole side's stones against themselves.
AGENT = '''"""Connect Four: alpha-beta search on bitboards, DEPTH moves deep."""

import numpy as np

DEPTH = {depth}
SHIFTS = (1, 7, 6, 8)  # up, right, and both diagonals
ORDER = (3, 2, 4, 1, 5, 0, 6)  # the middle first: good moves early let more be skipped
WON = 10_000
ROOM = [1 << (7 * column + 5) for column in range(7)]  # taken when a column is full
BOTTOM = [1 << (7 * column) for column in range(7)]
LINES = [
    sum(1 << (7 * (column + right * i) + row + up * i) for i in range(4))
    for column in range(7)
    for row in range(6)
    for right, up in ((0, 1), (1, 0), (1, 1), (1, -1))
    if column + 3 * right < 7 and 0 <= row + 3 * up < 6
]


def has_four(stones):
    for shift in SHIFTS:
        pairs = stones & (stones >> shift)
        if pairs & (pairs >> (2 * shift)):
            return True
    return False


def value(mine, theirs):
    """Lines that only one side has stones in, by how many: 1, 4 or 16."""
    total = 0
    for line in LINES:
        own, other = mine & line, theirs & line
        if own and not other:
            total += 4 ** (own.bit_count() - 1)
        elif other and not own:
            total -= 4 ** (other.bit_count() - 1)
    return total


def search(mine, theirs, depth, low, high):
    """How good the board is for the side to move; exact between low and high."""
    if has_four(theirs):
        return -WON - depth  # the later, the better
    if depth == 0:
        return value(mine, theirs)
    both, best = mine | theirs, -WON * 2
    for column in ORDER:
        if not both & ROOM[column]:
            stone = (both + BOTTOM[column]) & ~both & (0b111111 << (7 * column))
            best = max(best, -search(theirs, mine | stone, depth - 1, -high, -low))
            low = max(low, best)
            if low >= high:
                break
    return best if best > -WON * 2 else 0  # full: a draw


def act(observation, info):
    mine = theirs = 0
    for row, column in zip(*np.nonzero(observation)):
        bit = 1 << (7 * int(column) + int(row))
        if observation[row, column] > 0:
            mine |= bit
        else:
            theirs |= bit
    both, best, chosen = mine | theirs, -WON * 4, 0
    for column in ORDER:
        if info["legal"][column]:
            stone = (both + BOTTOM[column]) & ~both & (0b111111 << (7 * column))
            worth = -search(theirs, mine | stone, DEPTH - 1, -WON * 4, -best)
            if worth > best:
                best, chosen = worth, column
    return chosen
'''


def has_won(board: np.ndarray, row: int, column: int) -> bool:
    """Whether the stone of value 1 at this place is one of four in a row."""
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        count = 1
        for sign in (1, -1):
            y, x = row + sign * down, column + sign * right
            while 0 <= y < 6 and 0 <= x < 7 and board[y, x] == 1:
                count, y, x = count + 1, y + sign * down, x + sign * right
        if count >= 4:
            return True
    return False


def play(beginner: Act, other: Act, opening: list[int]) -> float:
    """A game after some given moves: 1 if the beginner wins, 0.5 for a draw, 0 if not."""
    board, agents = np.zeros((6, 7), np.int8), (beginner, other)
    for step in range(42):
        legal = board[5] == 0
        drawn = step < len(opening) and legal[opening[step]]
        asked = agents[step % 2]
        column = opening[step] if drawn else asked(board, {"legal": legal, "step": np.array(step)})
        row = int((board[:, column] != 0).sum())
        board[row, column] = 1
        if has_won(board, row, column):
            return 1.0 - step % 2
        board = -board  # as the next one sees it
    return 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path("connect-four" if Path("connect-four").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: connect-four/, else .")
    parser.add_argument("--out", type=Path, default=Path("agent.zip"))
    parser.add_argument("--small", action="store_true", help="tried in few games")
    parser.add_argument("--depth", type=int, default=4, help="moves that it looks ahead")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sample = options.data / "sample_agent.py"
    if not sample.is_file():
        where = str(options.data)
        parser.error(f"no {sample.name} in {where!r}: podium download connect-four fetches it")
    random.seed(options.seed)

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "agent.py"
        file.write_text(AGENT.replace("{depth}", str(options.depth)))
        act = runpy.run_path(str(file))["act"]  # what is tried is what is handed in
        opponent = runpy.run_path(str(sample))["act"]
        won, matches, started = 0.0, 5 if options.small else 50, time.perf_counter()
        for _ in range(matches):
            opening = random.choices(range(7), k=4)  # the same for both games of a match
            won += play(act, opponent, opening) + 1 - play(opponent, act, opening)
        seconds = time.perf_counter() - started
        print(f"won {won:g} of {2 * matches} games against the sample in {seconds:.1f} s")
        with zipfile.ZipFile(options.out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, file.name)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
