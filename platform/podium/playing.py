"""Plays a submitted agent: alone over the hidden seeds, or against others of its pool.

The referee steps the game on our side of the pipe; the agent sits in the sandbox and hears neither
seed nor opponent. What it does wrong ends an episode, never the run.
"""

import csv
import importlib.util
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from podium.desk import Desk, Hand, Played, Said, Side, limits_of
from podium.errors import FaultError
from podium.referee import (
    Board,
    ConnectFour,
    MatchResult,
    Replay,
    Rules,
    World,
    gymnasium_world,
    play_match,
    play_solo,
)
from podium.sandbox import Outcome
from podium.sandbox.bundle import Bundle, read_bundle
from podium.sandbox.served import Load

GAMES = {game.name: game for game in (ConnectFour,)}  # of two players


@dataclass(frozen=True)
class Silent:
    """Holds a run without keeping what it prints: an opponent's words are not for this team."""

    let_go: threading.Event

    def hear(self, text: str) -> None:
        """Nothing is kept."""


@dataclass
class Reel:
    """The episodes of a run, and their replays one behind the other."""

    episodes: list[Played] = field(default_factory=list)
    replays: bytearray = field(default_factory=bytearray)

    def add(self, number: int, steps: int, replay: Replay, *sides: Side) -> None:
        """Keep one more."""
        content = replay.to_bytes()
        self.episodes.append(Played(number, steps, replay.result, sides, len(content)))
        self.replays += content

    def said(self, outcome: str, reason: str = "", **more: Any) -> Said:
        """How the run ended, with all that was played."""
        played, replays = tuple(self.episodes), bytes(self.replays)
        return Said(outcome, reason, episodes=played, replays=replays, **more)


def play_alone(assignment: Mapping[str, Any], bundle: Bundle, desk: Desk, hand: Hand) -> Said:
    """An episode for each seed of the assignment; the returns become a file to be scored.

    An agent that never made a move has failed; one that erred later has the floor of its episode.
    """
    run = assignment["run"]
    numbers, seeds = zip(*assignment["seeds"], strict=True)
    start = desk.agent(_load(bundle), limits_of(run), hand)
    tally = play_solo(start, world(run["agent"]), seeds, terms(run["agent"]))
    if hand.let_go.is_set():
        return Said("returned", tally.outcome.reason, ended=tally.outcome)
    reel = Reel()
    for number, episode in zip(numbers, tally.episodes, strict=True):
        side = Side(assignment["submission_id"], episode.score, episode.fault)
        reel.add(number, episode.steps, episode.replay(run["agent"]["game"]), side)
    if not any(episode.steps for episode in tally.episodes):
        first = tally.episodes[0]
        reason = f"It made no move in any episode. {first.fault}"
        return reel.said(first.cause.value, reason, ended=tally.outcome)
    output = desk.outputs / assignment["output"]
    with output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(assignment["columns"])
        writer.writerows([one.number, one.sides[0].score] for one in reel.episodes)
    return reel.said("ran", output=output, ended=tally.outcome)


def play_others(assignment: Mapping[str, Any], bundle: Bundle, desk: Desk, hand: Hand) -> Said:
    """The matches of the assignment, each of two games with seats swapped.

    A match with itself is one game, to see whether it plays at all: if it errs there, it has
    failed. The opponents' files lie among the inputs, by the number of their submission.
    """
    run, own = assignment["run"], assignment["submission_id"]
    reel = Reel()
    ended: Outcome | None = None
    for match in assignment["matches"]:
        is_trial = match["opponent"] == own
        other = bundle
        if not is_trial:
            other = read_bundle((desk.inputs / str(match["opponent"])).read_bytes(), "agent")
        results, outcomes = play_match(
            desk.agent(_load(bundle), limits_of(run), hand),
            desk.agent(_load(other), limits_of(run), Silent(hand.let_go)),
            board(run["agent"]),
            terms(run["agent"]),
            match["seed"],
            games=1 if is_trial else 2,
        )
        ended = _together(ended, outcomes[0])
        if hand.let_go.is_set():
            return Said("returned", ended.reason, ended=ended)
        sides = (own, match["opponent"])
        for result in results:
            _add(reel, match["number"], result, sides)
        if is_trial and results[0].fault:
            reason = f"In a game against itself: {results[0].fault}"
            return reel.said(results[0].cause.value, reason, ended=ended)
    return reel.said("ran", ended=ended)


def world(rules: Mapping[str, Any]) -> Callable[[], World]:
    """A maker of the environment that `[run.agent]` names; FaultError where it is not here."""
    if importlib.util.find_spec("gymnasium") is None:
        raise FaultError("gymnasium is not installed here: pip install 'podium[games]'.")
    import gymnasium

    try:
        gymnasium.spec(rules["game"])
    except gymnasium.error.Error as error:
        raise FaultError(f"gymnasium has no environment {rules['game']!r}: {error}") from None
    return gymnasium_world(rules["game"], **rules["options"])


def board(rules: Mapping[str, Any]) -> Callable[[], Board]:
    """A maker of the game of two players that `[run.agent]` names; FaultError if there is none."""
    if rules["game"] not in GAMES:
        known = ", ".join(GAMES)
        raise FaultError(f"There is no game of two players {rules['game']!r}. There are: {known}.")
    return GAMES[rules["game"]]


def terms(rules: Mapping[str, Any]) -> Rules:
    """The referee's rules, as `[run.agent]` says them."""
    known = {one.name for one in fields(Rules)}
    return Rules(**{name: value for name, value in rules.items() if name in known})


def _load(bundle: Bundle) -> Load:
    return Load("agent", bundle.files, bundle.entry)


def _add(reel: Reel, number: int, result: MatchResult, sides: Sequence[int]) -> None:
    """Keep a game; whoever begins sits in the first seat."""
    seats = []
    for place in (result.beginner, 1 - result.beginner):
        score = 0.5 if result.winner is None else float(result.winner == place)
        errs = result.winner is None or result.winner != place
        seats.append(Side(sides[place], score, result.fault if errs else ""))
    said = "draw" if result.winner is None else f"won by player {1 + (seats[1].score > 0.5)}"
    steps = len(result.replay.tracks["action"])
    reel.add(number, steps, replace(result.replay, result=said), *seats)


def _together(before: Outcome | None, last: Outcome) -> Outcome:
    """The last outcome with what all have taken."""
    if before is None:
        return last
    return replace(
        last,
        wall_s=before.wall_s + last.wall_s,
        cpu_s=before.cpu_s + last.cpu_s,
        peak_memory_mib=max(before.peak_memory_mib, last.peak_memory_mib),
    )
