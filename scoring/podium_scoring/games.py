"""Metrics of agents: returns over hidden seeds, shares of games won, and ratings of a whole pool.

What comes in was played by the platform itself, so that strange numbers are the host's fault.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError
from podium_scoring.units import Floats, Interval, Linear, Sums, Z

Names = NDArray[Any]
START = 1000.0  # the rating of an agent as strong as the mean
SCALE = 400 / math.log(10)  # rating points of one unit of log-odds
RIDGE = 0.1
STEPS = 100
LARGEST = 1e100  # of a return, so that sums and squares stay finite


def mean_return(predictions: Any, answers: Any) -> Linear:
    """Mean return over all episodes; more is better, in the environment's own unit.

    `predictions` (n,) are returns, `answers` (n,) the seeds they were played with; episodes of a
    seed are one unit. The interval is Student's over seeds, as there are few. Exact but for
    rounding. Source: definition.
    """
    returns, _, seed = _played(predictions, answers)
    counts = np.bincount(seed).astype(np.float64)
    mean = float(returns.mean())
    # A seed's influence on the ratio of sums; its deviation, if all have as many episodes.
    effects = (np.bincount(seed, returns) - mean * counts) * len(counts) / len(returns)
    return Linear(mean, effects)


def win_rate(predictions: Any, answers: Any) -> Sums:
    """Share of games won, a draw counting half: 0 to 1, 1 is best.

    `predictions` (n,) are outcomes 1, ½ or 0; `answers` (n,) name the opening or seed, and games
    of one (both seats) are one unit. Wilson's interval if every game is a unit and none is drawn,
    else the bootstrap over units. Exact. Source: definition.
    """
    outcomes, _, unit = _played(predictions, answers)
    strange = ~np.isin(outcomes, (0.0, 0.5, 1.0))
    if strange.any():
        raise ChallengeError(
            f"Game {int(strange.argmax()) + 1} has outcome {outcomes[strange][0]}. It must be "
            "1 (won), 0.5 (drawn) or 0 (lost)."
        )
    counts = np.bincount(unit).astype(np.float64)
    won = np.bincount(unit, outcomes).astype(np.float64)
    if len(counts) == len(outcomes):
        decided = bool((outcomes != 0.5).all())
        return Sums(won[:, None], lambda sums, n: sums[..., 0] / n, is_share=decided)
    return Sums(np.stack([won, counts], axis=1), lambda sums, n: sums[..., 0] / sums[..., 1])


def bradley_terry(
    predictions: Any, answers: Any, *, agent: str = "", ridge: float = RIDGE
) -> "Rating":
    """The rating of one agent among all games of a pool, 1000 being the mean; more is better.

    `predictions` (n,) are the outcomes 1, ½ or 0 of the first agent, `answers` (n, 2) the names
    of both; `agent` is whose rating it is. As `ratings`.
    """
    table = ratings(predictions, answers, ridge=ridge)
    if agent not in table.names:
        raise ChallengeError(f"Agent {agent!r} played no game. Choose one of {table.names[:20]}.")
    return Rating(table, table.names.index(agent))


@dataclass(frozen=True)
class Ratings:
    """Ratings of a pool with their standard errors, in the order of the names."""

    names: tuple[str, ...]
    values: Floats
    errors: Floats
    games: NDArray[np.int64]

    @property
    def low(self) -> Floats:
        """Lower 95 % bounds."""
        return self.values - Z * self.errors

    @property
    def high(self) -> Floats:
        """Upper 95 % bounds."""
        return self.values + Z * self.errors


@dataclass(frozen=True)
class Rating:
    """One agent's row of the ratings; the unit is the game."""

    table: Ratings
    place: int

    @property
    def n(self) -> int:
        """Number of the agent's games."""
        return int(self.table.games[self.place])

    def value(self) -> float:
        """The rating."""
        return float(self.table.values[self.place])

    def interval(self, seed: int) -> Interval:
        """The sandwich interval, the same for every seed."""
        return float(self.table.low[self.place]), float(self.table.high[self.place])

    def losses(self) -> Floats:
        """The rating for every game: agents of a pool are compared by their ratings alone."""
        return np.full(self.n, self.value())


def ratings(outcomes: Any, pairs: Any, *, ridge: float = RIDGE) -> Ratings:
    """Bradley-Terry ratings of everybody in `pairs` (n, 2), `outcomes` (n,) being the first's.

    P(i beats j) = 1 / (1 + 10^((Rj - Ri) / 400)), a draw is half a win, R = 1000 + θ · 400 / ln 10.
    θ maximises the likelihood less `ridge` / 2 · ‖θ‖² by Newton's method, to 1e-9; the order of
    games is irrelevant. Errors are the sandwich H⁻¹GH⁻¹ with H = Σ p (1 - p) d dᵀ + ridge and
    G = Σ (y - p)² d dᵀ, d the difference of the two agents' unit vectors. Source: Bradley and
    Terry 1952; White 1982.
    """
    sides = np.asarray(pairs)
    if sides.ndim != 2 or sides.shape[1] != 2:
        raise ChallengeError(f"Pairs have shape {sides.shape}. Give two agents for each game.")
    won, agents, flat = _played(outcomes, sides.ravel(), games=len(sides))
    if not ridge > 0:
        raise ChallengeError(f"ridge is {ridge!r}. It must be above 0, or winners have no rating.")
    if ((won < 0) | (won > 1)).any():
        raise ChallengeError(f"An outcome is {won[(won < 0) | (won > 1)][0]}. It is 0 to 1.")
    first, second = flat[0::2], flat[1::2]
    if (first == second).any():
        place = int((first == second).argmax())
        raise ChallengeError(
            f"Game {place + 1} has {agents[first[place]]!s} on both sides. Leave games of an agent "
            "against itself out."
        )
    k = len(agents)
    # Games of a pair enter by their number, sum and sum of squares of outcomes.
    cell = first * k + second
    played = np.bincount(cell, minlength=k * k)
    met = np.flatnonzero(played)
    i, j = met // k, met % k
    count = played[met].astype(np.float64)
    total, squares = (np.bincount(cell, numbers, k * k)[met] for numbers in (won, won**2))
    theta = np.zeros(k)
    for _ in range(STEPS):
        chance = _chance(theta[i] - theta[j])
        surprise = total - count * chance
        slope = np.bincount(i, surprise, k) - np.bincount(j, surprise, k) - ridge * theta
        hessian = _laplacian(count * chance * (1 - chance), i, j, k) + ridge * np.eye(k)
        step = np.linalg.solve(hessian, slope)
        theta += step / max(
            1.0, float(np.abs(step).max())
        )  # at most one unit, so that it converges
        if np.abs(step).max() < 1e-11:
            break
    chance = _chance(theta[i] - theta[j])
    bread = np.linalg.inv(_laplacian(count * chance * (1 - chance), i, j, k) + ridge * np.eye(k))
    meat = _laplacian(squares - 2 * chance * total + count * chance**2, i, j, k)
    errors = np.sqrt(np.einsum("ij,jk,ki->i", bread, meat, bread, optimize=True).clip(0))
    played = np.bincount(flat, minlength=k)
    return Ratings(tuple(map(str, agents.tolist())), START + SCALE * theta, SCALE * errors, played)


def _chance(difference: Floats) -> Floats:
    """The logistic function, written so that nothing overflows."""
    chance: Floats = (1 + np.tanh(difference / 2)) / 2
    return chance


def _laplacian(weights: Floats, i: NDArray[np.int64], j: NDArray[np.int64], k: int) -> Floats:
    """Σ weight · d dᵀ, where d is 1 at i and -1 at j."""
    shared = np.bincount(i * k + j, weights, k * k).reshape(k, k)
    shared = shared + shared.T
    matrix: Floats = np.diag(shared.sum(axis=1)) - shared
    return matrix


def _played(
    numbers: Any, labels: Any, games: int | None = None
) -> tuple[Floats, Names, NDArray[np.int64]]:
    """Finite numbers of one or more games, the distinct labels, and the label of each as a code."""
    try:
        values = np.asarray(numbers, np.float64)
    except (TypeError, ValueError) as error:
        raise ChallengeError(
            f"The results are no numbers: {error}. Play the games again."
        ) from error
    expected = len(labels) if games is None else games
    if values.shape != (expected,) or not expected:
        raise ChallengeError(
            f"There are results of shape {values.shape} for {expected} games. Give one for each."
        )
    strange = ~(np.abs(values) <= LARGEST)
    if strange.any():
        raise ChallengeError(
            f"Game {int(strange.argmax()) + 1} has the result {values[strange][0]}. "
            f"It must be a number of at most {LARGEST:g}; an agent that erred has lost."
        )
    distinct, codes = np.unique(np.asarray(labels), return_inverse=True)
    return values, distinct, codes
