"""Environments of one player, as the referee sees them: arrays out, checked actions in."""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ActionError(ValueError):
    """An action that cannot be played; the message is for the student."""


class World(Protocol):
    """An environment of one player."""

    name: str

    def reset(self, seed: int) -> Array:
        """Begin an episode; the seed is never shown to the agent."""

    def step(self, action: Array) -> tuple[Array, float, bool]:
        """Play an action: observation, reward, whether the episode is over.

        Raises ActionError before anything has moved, if it is none.
        """


class GymnasiumWorld:
    """An environment of gymnasium with one array as observation."""

    def __init__(self, name: str, **options: Any) -> None:
        import gymnasium

        self.name = name
        with warnings.catch_warnings():
            # Box2D warns at its import, and crashes the interpreter where warnings are errors.
            warnings.simplefilter("ignore", DeprecationWarning)
            # Actions are checked here, with words for the student.
            self._env = gymnasium.make(name, disable_env_checker=True, **options)
        space = self._env.action_space
        self._discrete: tuple[int, int] | None = None
        if isinstance(space, gymnasium.spaces.Discrete):
            self._discrete = (int(space.start), int(space.start + space.n))
            self._shape: tuple[int, ...] = ()
        elif isinstance(space, gymnasium.spaces.Box):
            self._shape = space.shape
            self._low, self._high = space.low, space.high
        else:
            raise ValueError(f"{name} takes actions of {space}. Discrete and Box are played here.")

    def reset(self, seed: int) -> Array:
        """Begin an episode."""
        return np.asarray(self._env.reset(seed=seed)[0])

    def step(self, action: Array) -> tuple[Array, float, bool]:
        """Play an action."""
        move = self._box(action) if self._discrete is None else self._number(action)
        observation, reward, terminated, truncated, _ = self._env.step(move)
        return np.asarray(observation), float(reward), terminated or truncated

    def _number(self, action: Array) -> int:
        low, high = self._discrete or (0, 0)
        if action.shape != ():
            raise ActionError(f"The action has shape {action.shape}. Expected ().")
        if action.dtype.kind not in "iu":
            raise ActionError(f"The action is {action.dtype}. Expected a whole number.")
        move = int(action)
        if not low <= move < high:
            raise ActionError(f"The action is {move}. Actions run from {low} to {high - 1}.")
        return move

    def _box(self, action: Array) -> Array:
        if action.shape != self._shape:
            raise ActionError(f"The action has shape {action.shape}. Expected {self._shape}.")
        if action.dtype.kind not in "fiu" or not np.isfinite(action).all():
            raise ActionError(f"The action is {action}. Expected finite numbers.")
        if (action < self._low).any() or (action > self._high).any():
            raise ActionError(f"The action is {action}. Expected from {self._low} to {self._high}.")
        return action


def gymnasium_world(name: str, **options: Any) -> Callable[[], World]:
    """A maker of such environments, as `play_solo` takes it."""
    return lambda: GymnasiumWorld(name, **options)
