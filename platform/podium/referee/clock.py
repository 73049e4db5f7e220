"""How long an agent may think: a time for each move, and a bank that slow moves are paid from."""

from dataclasses import dataclass

from podium.sandbox.link import LateError


@dataclass(frozen=True)
class Rules:
    """The terms on which an agent plays."""

    move_s: float = 1.0
    bank_s: float = 10.0  # an episode's worth of being late
    load_s: float = 60.0  # to import its module
    max_steps: int = 10_000  # of one episode
    environments: int = 1  # at once; with more, observations come stacked
    fault_return: float | None = None  # an erring episode gets this, if that is less than it has
    restarts: int = 3  # fresh sandboxes for an agent whose process dies
    opening_moves: int = 0  # of a match: drawn at random, so that games differ


class Clock:
    """The time of one agent in one episode."""

    def __init__(self, rules: Rules) -> None:
        self._move_s = rules.move_s
        self._bank_s = rules.bank_s

    @property
    def left_s(self) -> float:
        """The seconds after which a move that begins now is too late."""
        return self._move_s + self._bank_s

    def spend(self, seconds: float) -> None:
        """A move is made; what it took beyond its time comes from the bank."""
        if seconds > self._move_s:
            self._bank_s -= seconds - self._move_s

    def told(self, error: LateError) -> str:
        """What is said of a move that did not come."""
        return (
            f"It did not move in time: {self._move_s:g} s a move, and a bank of "
            f"{self._bank_s:.3g} s was left. {error}"
        )
