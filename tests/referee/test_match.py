"""Two agents, two sandboxes, one referee."""

import numpy as np
import pytest

from podium.referee import ConnectFour, Replay, Rules, play_match

FIRST = "import numpy as np\ndef act(o, i):\n    return int(np.flatnonzero(i['legal'])[0])\n"
LAST = "import numpy as np\ndef act(o, i):\n    return int(np.flatnonzero(i['legal'])[-1])\n"
QUICK = Rules(move_s=0.3, bank_s=0.3, restarts=1)


def test_two_agents_begin_in_turn_and_the_beginner_of_two_stackers_wins(agent):
    results, outcomes = play_match(agent(FIRST), agent(LAST), ConnectFour, Rules(), seed=1)
    assert [(game.winner, game.beginner) for game in results] == [(0, 0), (1, 1)]
    assert all(outcome.ok for outcome in outcomes)


def test_a_replay_holds_the_moves(agent):
    results, _ = play_match(agent(FIRST), agent(LAST), ConnectFour, Rules(), seed=1, games=1)
    content = results[0].replay.to_bytes()
    assert len(content) < 150
    replay = Replay.from_bytes(content)
    np.testing.assert_array_equal(replay.tracks["action"], [0, 6, 0, 6, 0, 6, 0])
    assert replay.result == "won by 0"


def test_openings_are_drawn_and_the_same_for_a_game_and_its_return(agent):
    rules = Rules(opening_moves=4)
    results, _ = play_match(agent(FIRST), agent(LAST), ConnectFour, rules, seed=5, games=4)
    openings = [tuple(game.replay.tracks["action"][:4]) for game in results]
    assert openings[0] == openings[1]
    assert openings[2] == openings[3]
    assert openings[0] != openings[2]


def test_each_sees_the_board_as_its_own(agent):
    code = """
def act(observation, info):
    mine, theirs = (observation == 1).sum(), (observation == -1).sum()
    assert info["step"] == mine + theirs
    assert mine - theirs in (0, -1)
    return int(info["legal"].argmax())
"""
    results, _ = play_match(agent(code), agent(code), ConnectFour, Rules(), seed=1)
    assert [game.fault for game in results] == ["", ""]


FAULTS = {
    "an illegal move": ("def act(o, i):\n    return 7", "Columns run from 0 to 6"),
    "a full column": ("def act(o, i):\n    return 3", "Column 3 is full"),
    "an exception": ("def act(o, i):\n    1 / 0", "ZeroDivisionError"),
    "too late": ("import time\ndef act(o, i):\n    time.sleep(9)", "did not move in time"),
    "death": ("import os\ndef act(o, i):\n    os._exit(2)", "status 2"),
    "a module that does not load": ("1 / 0", "ZeroDivisionError"),
}
BLOCKS = "def act(o, i):\n    return 3 if i['legal'][3] else int(i['legal'].argmax())\n"


@pytest.mark.parametrize("name", FAULTS)
def test_an_agent_that_errs_loses_and_the_match_goes_on(agent, name):
    code, words = FAULTS[name]
    results, _ = play_match(agent(code), agent(BLOCKS), ConnectFour, QUICK, seed=1)
    assert [game.winner for game in results] == [1, 1]
    assert all(words in game.fault for game in results)


def test_when_both_do_not_load_nobody_wins(agent):
    results, _ = play_match(
        agent("1 / 0"), agent("import nope"), ConnectFour, QUICK, seed=1, games=1
    )
    assert results[0].winner is None
    assert "ZeroDivisionError" in results[0].fault
