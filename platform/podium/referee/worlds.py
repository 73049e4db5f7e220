"""Environments of one player, as the referee sees them: arrays out, checked actions in."""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class World(Protocol):
    """An environment of one player."""

    name: str

    def reset(self, seed: int) -> Array:
        """Begin an episode; the seed is never shown to the agent."""

    def check(self, action: Array) -> str | None:
        """What is wrong with an action, in words for the student; None if it may be played."""

    def step(self, action: Array) -> tuple[Array, float, bool]:
        """Play a checked action: observation, reward, whether the episode is over."""


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

    def check(self, action: Array) -> str | None:
        """What is wrong with an action."""
        if action.shape != self._shape:
            return f"The action has shape {action.shape}. Expected {self._shape}."
        if self._discrete is not None:
            low, high = self._discrete
            if action.dtype.kind not in "iu":
                return f"The action is {action.dtype}. Expected a whole number."
            if not low <= int(action) < high:
                return f"The action is {action}. Actions run from {low} to {high - 1}."
            return None
        if action.dtype.kind not in "fiu" or not np.isfinite(action).all():
            return f"The action is {action}. Expected finite numbers."
        if (action < self._low).any() or (action > self._high).any():
            return f"The action is {action}. Expected from {self._low} to {self._high}."
        return None

    def step(self, action: Array) -> tuple[Array, float, bool]:
        """Play a checked action."""
        move = int(action) if self._discrete is not None else action
        observation, reward, terminated, truncated, _ = self._env.step(move)
        return np.asarray(observation), float(reward), bool(terminated or truncated)


def gymnasium_world(name: str, **options: Any) -> Callable[[], World]:
    """A maker of such environments, as `play_solo` takes it."""
    return lambda: GymnasiumWorld(name, **options)
