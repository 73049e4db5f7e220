"""Plays games of two agents against each other: two sandboxes, one referee."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from podium.referee.clock import Clock, Rules
from podium.referee.lockstep import Lockstep
from podium.referee.replay import Replay
from podium.sandbox.inside.frames import ANSWER, ASK, RESET
from podium.sandbox.link import LateError, LinkError, ToldError
from podium.sandbox.outcome import Cause, Outcome
from podium.sandbox.served import Served


class Board(Protocol):
    """A game of two players with moves in turn."""

    name: str
    moves: list[int]
    winner: int | None

    @property
    def player(self) -> int:
        """Whose move it is."""

    @property
    def is_over(self) -> bool:
        """Whether no move is left to be made."""

    def legal(self) -> NDArray[np.bool_]:
        """Which moves may be made."""

    def observation(self) -> NDArray[Any]:
        """The game as the one to move sees it."""

    def check(self, action: NDArray[Any]) -> str | None:
        """What is wrong with a move."""

    def play(self, column: int) -> None:
        """Make a legal move."""


@dataclass(frozen=True)
class MatchResult:
    """One game. `winner` is 0 for the first agent given, 1 for the second, None for a draw.

    `fault` says what the loser did wrong, if it lost by that; both of them if nobody won.
    """

    winner: int | None
    beginner: int
    fault: str
    replay: Replay
    cause: Cause = Cause.OK  # of the fault


def play_match(
    first: Callable[[], Served],
    second: Callable[[], Served],
    make: Callable[[], Board],
    rules: Rules,
    seed: int,
    games: int = 2,
) -> tuple[list[MatchResult], tuple[Outcome, Outcome]]:
    """Play games in which the agents begin in turn; returns them, and how both sandboxes ended.

    An agent that errs loses that game. One whose process has died is started again for the next,
    `rules.restarts` times. Openings are drawn from the seed, the same for a game and its return.
    """
    with _Seat(first, rules) as one, _Seat(second, rules) as other:
        seats = (one, other)
        results = []
        for number in range(games):
            openings = Random(f"{seed}:{number // 2}")
            results.append(_game(seats, make(), number % 2, rules, openings))
        return results, (one.finished(), other.finished())


class _Seat:
    """One agent at the board."""

    def __init__(self, start: Callable[[], Served], rules: Rules) -> None:
        self._start, self._rules = start, rules
        self._left = rules.restarts + 1
        self._served: Served | None = None
        self._lockstep = Lockstep()
        self._outcome: Outcome | None = None
        self.cause = Cause.OK  # of what was last wrong with it

    def sit(self) -> str:
        """Ready for a game; returns what is wrong if it is not."""
        if self._served is None and self._left:
            self._left -= 1
            self._served = self._start()
            self._lockstep.meet(self._served.link)
            try:
                self._served.ready(self._rules.load_s)
            except LinkError as error:
                self._left = 0  # it will not load better next time
                return self.stand_up(error)
        if self._served is None:
            return f"It was not there to play: {self._outcome.reason if self._outcome else ''}"
        try:
            self._served.link.ask(RESET, {}, ANSWER, self._rules.load_s)
        except LinkError as error:
            return self.stand_up(error)
        return ""

    def move(self, board: Board, clock: Clock) -> tuple[NDArray[Any] | None, str]:
        """Its move, and what is wrong with it."""
        assert self._served is not None
        question = {
            "observation": board.observation(),
            "legal": board.legal(),
            "step": np.array(len(board.moves)),
        }
        began = time.monotonic()
        try:
            action = self._served.link.ask(ASK, question, ANSWER, clock.left_s).get("action")
            self._lockstep.took(time.monotonic() - began)
        except ToldError as error:  # its process goes on, and is in step with us
            self.cause = error.cause
            return None, str(error)
        except LateError as error:
            self.stand_up(error)
            return None, clock.told(error)
        except LinkError as error:
            return None, self.stand_up(error)
        finally:
            clock.spend(time.monotonic() - began)
        self.cause = Cause.PROTOCOL  # if there is anything wrong
        if not isinstance(action, np.ndarray):
            return None, "The answer holds no action."
        return action, board.check(action) or ""

    def stand_up(self, error: LinkError) -> str:
        """Its process is of no more use; returns why."""
        if self._served is not None:
            self._outcome = self._served.failed(error)
            self.cause = self._outcome.cause
            self._served.close()
            self._served = None
        return self._outcome.reason if self._outcome else str(error)

    def finished(self) -> Outcome:
        """How its last sandbox ended."""
        if self._served is not None:
            return self._served.finished()
        assert self._outcome is not None
        return self._outcome

    def __enter__(self) -> "_Seat":
        return self

    def __exit__(self, *_: object) -> None:
        self._lockstep.release()
        if self._served is not None:
            self._served.close()


def _game(
    seats: tuple[_Seat, _Seat], board: Board, beginner: int, rules: Rules, openings: Random
) -> MatchResult:
    clocks = (Clock(rules), Clock(rules))
    fault, loser, cause = "", None, Cause.OK
    for number, seat in enumerate(seats):
        if told := seat.sit():
            loser = None if fault else number
            fault, cause = fault or told, seat.cause
    if not fault:
        _open(board, rules.opening_moves, openings)
    while not fault and not board.is_over:
        number = (board.player + beginner) % 2
        action, fault = seats[number].move(board, clocks[number])
        if fault or action is None:
            loser, cause = number, seats[number].cause
        else:
            board.play(int(action.reshape(())))
    if fault:
        winner = None if loser is None else 1 - loser
    else:
        winner = None if board.winner is None else (board.winner + beginner) % 2
    said = fault or ("draw" if winner is None else f"won by {winner}")
    moves = np.array(board.moves, np.int8)
    replay = Replay(board.name, said, {"action": moves})
    return MatchResult(winner, beginner, fault, replay, cause)


def _open(board: Board, count: int, openings: Random) -> None:
    """Random moves that decide nothing."""
    for _ in range(count):
        if not board.is_over:
            board.play(int(openings.choice(np.flatnonzero(board.legal()))))
