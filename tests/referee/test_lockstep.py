"""Referee and agent share a processor while the agent is quick, and never longer."""

import os
import time

import numpy as np
import pytest

from podium.referee import Rules, play_match, play_solo
from podium.referee.connect_four import ConnectFour
from podium.referee.lockstep import SLOW_S, Lockstep
from podium.referee.worlds import ActionError
from podium.sandbox.inside.frames import ANSWER, ASK, RESET

WHERE = """
import os, time
def act(observation, info):
    if observation[0]:
        time.sleep(float(observation[0]))
    return len(os.sched_getaffinity(0))
"""

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")


@pytest.fixture
def ask(agent):
    """`ask(seconds)` has the agent think so long and tells on how many processors it may run."""
    with agent(WHERE)() as served:
        served.ready(60)
        served.link.ask(RESET, {}, ANSWER, 60)
        lockstep = Lockstep()
        lockstep.meet(served.link)

        def ask(seconds: float) -> int:
            began = time.monotonic()
            answer = served.link.ask(ASK, {"observation": np.array([seconds])}, ANSWER, 60)
            lockstep.took(time.monotonic() - began)
            return int(answer["action"])

        yield ask
        lockstep.release()


def test_a_quick_agent_comes_near_and_a_slow_one_is_let_go(ask):
    free = os.sched_getaffinity(0)
    assert ask(0) == len(free)
    for _ in range(2000):  # the mean must fall: on a busy machine that takes a while
        if ask(0) == 1:
            break
    assert ask(0) == 1
    assert len(os.sched_getaffinity(0)) == 1
    for _ in range(200):
        if ask(2 * SLOW_S) == len(free):
            break
    assert ask(2 * SLOW_S) == len(free)
    assert os.sched_getaffinity(0) == free


class Endless:
    """An environment that asks for hundreds of moves."""

    def reset(self, seed):
        return np.zeros(1)

    def step(self, action):
        if action.shape:
            raise ActionError("One number.")
        return np.zeros(1), 1.0, False


def test_whoever_played_may_run_everywhere_again(agent):
    free = os.sched_getaffinity(0)
    tally = play_solo(agent(WHERE), Endless, [1, 2], Rules(max_steps=500))
    assert tally.outcome.ok
    assert os.sched_getaffinity(0) == free
    dies = "import os\ndef act(observation, info):\n    os._exit(3) if info['step'] > 300 else 0\n"
    play_solo(agent(dies), Endless, [1, 2], Rules(max_steps=500))
    assert os.sched_getaffinity(0) == free


def test_after_a_match_too(agent):
    free = os.sched_getaffinity(0)
    quick = "def act(observation, info):\n    return int(info['legal'].argmax())\n"
    slow = "import time\n" + quick.replace("    ", "    time.sleep(0.01)\n    ", 1)
    play_match(agent(quick), agent(slow), ConnectFour, Rules(), seed=1, games=4)
    assert os.sched_getaffinity(0) == free
