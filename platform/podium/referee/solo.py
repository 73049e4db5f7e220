"""Plays one agent in an environment of one player, over many episodes, one or many at a time."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.referee.clock import Clock, Rules
from podium.referee.lockstep import Lockstep
from podium.referee.replay import Replay
from podium.referee.worlds import ActionError, World
from podium.sandbox.inside.frames import ANSWER, ASK, RESET, Field
from podium.sandbox.link import GoneError, LateError, LinkError, ToldError
from podium.sandbox.outcome import Cause, Outcome, SandboxError
from podium.sandbox.served import Served

Array = NDArray[Any]
CANCELLED = "The run was cancelled."


@dataclass
class Episode:
    """One episode: what it earned, and what the agent did wrong, if it did."""

    number: int
    score: float = 0.0
    fault: str = ""
    cause: Cause = Cause.OK  # of the fault
    moves: list[tuple[Array, Array, float]] = field(default_factory=list, repr=False)

    @property
    def steps(self) -> int:
        """How many actions were played."""
        return len(self.moves)

    def replay(self, game: str) -> Replay:
        """What was played."""
        names = ("observation", "action", "reward")
        columns = zip(*self.moves, strict=True)
        tracks = {name: np.array(column) for name, column in zip(names, columns, strict=False)}
        return Replay(game, self.fault or f"{self.score:.6g} in {self.steps} steps", tracks)


@dataclass(frozen=True)
class Tally:
    """All episodes in the order of their seeds, and how the agent's last sandbox ended."""

    episodes: list[Episode]
    outcome: Outcome

    @property
    def mean(self) -> float:
        """The mean return."""
        return float(np.mean([episode.score for episode in self.episodes]))


def play_solo(
    start: Callable[[], Served], make: Callable[[], World], seeds: Sequence[int], rules: Rules
) -> Tally:
    """Play an episode for each seed.

    `start` gives a sandbox with the agent handed over (`Served.load`); it is called again for the
    next episode if the agent's process has died. With `rules.environments` above 1, the agent gets
    stacked observations of those that run, and `info["environment"]` says which they are.

    Raises SandboxError if a sandbox cannot be started.
    """
    return _Solo(start, make, seeds, rules).play()


class _Solo:
    def __init__(
        self,
        start: Callable[[], Served],
        make: Callable[[], World],
        seeds: Sequence[int],
        rules: Rules,
    ) -> None:
        self._start, self._rules = start, rules
        self._worlds = [make() for _ in range(min(rules.environments, len(seeds)))]
        self._is_batched = rules.environments > 1
        self._seeds = deque(enumerate(seeds))
        self._episodes: list[Episode] = []
        self._running: list[_Running] = []
        self._served: Served | None = None
        self._lockstep = Lockstep()
        self._starts = 0
        self._outcome: Outcome | None = None

    def play(self) -> Tally:
        try:
            while self._seeds:
                served = self._agent()
                if served is None:
                    self._forfeit()
                else:
                    self._run(served)
            if self._served is not None:
                self._outcome = self._served.finished()
        finally:
            self._lockstep.release()
            if self._served is not None:
                self._served.close()
        if self._outcome is None:
            raise SandboxError("No agent was ever started: there are no seeds.")
        self._episodes.sort(key=lambda episode: episode.number)
        return Tally(self._episodes, self._outcome)

    def _agent(self) -> Served | None:
        """The loaded agent; None if it has died too often."""
        while self._served is None and self._starts <= self._rules.restarts:
            self._starts += 1
            served = self._start()
            self._served = served
            self._lockstep.meet(served.link)
            try:
                served.ready(self._rules.load_s)
            except LinkError as error:
                self._bury(error)
                self._starts = self._rules.restarts + 1  # it will not load better next time
        return self._served

    def _bury(self, error: LinkError) -> None:
        if self._served is not None:
            self._outcome = self._served.failed(error)
            self._served.close()
            self._served = None
            if self._outcome.cause is Cause.CANCELLED:
                self._starts = self._rules.restarts + 1

    def _forfeit(self) -> None:
        """The episodes that nobody is left to play."""
        reason, cause = CANCELLED, Cause.CANCELLED
        if self._outcome is not None:
            reason, cause = self._outcome.reason, self._outcome.cause
        while self._seeds:
            number, _ = self._seeds.popleft()
            self._end(Episode(number), f"It was not there to play: {reason}", cause)

    def _run(self, served: Served) -> None:
        """Play until no seed is left or the agent has to be started again."""
        try:
            for place, world in enumerate(self._worlds):
                if self._seeds:
                    self._running.append(self._begin(place, world))
            self._reset(served)
            while self._running:
                self._move(served)
        except LinkError as error:
            self._blame(error)

    def _blame(self, error: LinkError) -> None:
        """End what runs by this fault."""
        fault, cause = str(error), error.cause
        if isinstance(error, LateError):
            fault = self._running[0].clock.told(error)
        elif isinstance(error, GoneError):
            self._bury(error)
            if self._outcome is not None:
                fault, cause = self._outcome.reason, self._outcome.cause
        for one in self._running:
            self._end(one.episode, fault, cause)
        self._running = []
        if not isinstance(error, (GoneError, ToldError)):  # its next answer may be the late one
            self._bury(error)

    def _begin(self, place: int, world: World) -> "_Running":
        number, seed = self._seeds.popleft()
        return _Running(place, world, Episode(number), Clock(self._rules), world.reset(seed))

    def _reset(self, served: Served) -> None:
        served.link.ask(RESET, {}, ANSWER, self._rules.load_s)

    def _move(self, served: Served) -> None:
        """One question, and a step of each environment that runs; others begin where some end."""
        running = self._running
        left_s = min([one.clock.left_s for one in running])
        began = time.monotonic()
        answer = served.link.ask(ASK, self._question(running), ANSWER, left_s)
        seconds = time.monotonic() - began
        self._lockstep.took(seconds)
        actions, fault = self._actions(answer.get("action"), len(running))
        most, goes_on, has_begun = self._rules.max_steps, [], False
        for one, action in zip(running, actions, strict=True):
            one.clock.spend(seconds)
            fault_here = fault or one.step(action)
            if not fault_here and not one.is_over and len(one.episode.moves) < most:
                goes_on.append(one)
                continue
            self._end(one.episode, fault_here, Cause.PROTOCOL if fault_here else Cause.OK)
            if self._seeds:
                goes_on.append(self._begin(one.place, one.world))
                has_begun = True
        self._running = goes_on
        if has_begun and not self._is_batched:
            self._reset(served)

    def _question(self, running: list["_Running"]) -> dict[str, Field]:
        if not self._is_batched:
            one = running[0]
            return {
                "observation": one.observation,
                "reward": np.array(one.reward),
                "step": np.array(one.episode.steps),
            }
        return {
            "observation": np.array([one.observation for one in running]),
            "reward": np.array([one.reward for one in running]),
            "step": np.array([one.episode.steps for one in running]),
            "environment": np.array([one.place for one in running]),
        }

    def _actions(self, action: Field | None, rows: int) -> tuple[Sequence[Array] | Array, str]:
        """One action for each row, and what is wrong with all of them."""
        nothing = [np.array(None)] * rows
        if not isinstance(action, np.ndarray):
            return nothing, "The answer holds no action."
        if not self._is_batched:
            return [action], ""
        if action.ndim == 0 or len(action) != rows:
            told = f"The actions have shape {action.shape}. Expected one for each of {rows} rows."
            return nothing, told
        return action, ""

    def _end(self, episode: Episode, fault: str, cause: Cause) -> None:
        episode.fault, episode.cause = fault, cause
        episode.score = sum(reward for _, _, reward in episode.moves)
        floor = self._rules.fault_return
        if fault and floor is not None:
            episode.score = min(episode.score, floor)
        self._episodes.append(episode)


@dataclass
class _Running:
    place: int
    world: World
    episode: Episode
    clock: Clock
    observation: Array
    reward: float = 0.0
    is_over: bool = False

    def step(self, action: Array) -> str:
        """Play it; returns what is wrong with it."""
        try:
            observation, reward, self.is_over = self.world.step(action)
        except ActionError as error:
            return str(error)
        self.episode.moves.append((self.observation, action, reward))
        self.observation, self.reward = observation, reward
        return ""
