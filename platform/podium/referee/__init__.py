"""Steps environments on the trusted side of the pipe; agents sit in the sandbox.

Nothing that an agent says is believed: shapes, types, ranges and times are checked here. An agent
that errs ends or loses its episode, never the run. Imports `podium.sandbox` and nothing else.
"""

from podium.referee.clock import Rules
from podium.referee.connect_four import ConnectFour
from podium.referee.match import Board, MatchResult, play_match
from podium.referee.replay import Replay
from podium.referee.solo import Episode, Tally, play_solo
from podium.referee.worlds import World, gymnasium_world

__all__ = [
    "Board",
    "ConnectFour",
    "Episode",
    "MatchResult",
    "Replay",
    "Rules",
    "Tally",
    "World",
    "gymnasium_world",
    "play_match",
    "play_solo",
]
