"""One agent in gymnasium's environments: scores, faults that end an episode and not the run."""

import gymnasium
import numpy as np
import pytest

from podium.referee import Replay, Rules, gymnasium_world, play_solo
from podium.sandbox import Cause, Limits

CARTPOLE = gymnasium_world("CartPole-v1")
LEAN = "def act(observation, info):\n    return int(observation[2] + observation[3] > 0)\n"
LEAN_BATCH = (
    "def act(observation, info):\n    return (observation[:, 2] + observation[:, 3] > 0) * 1\n"
)
QUICK = Rules(move_s=0.3, bank_s=0.3, restarts=1, fault_return=-1.0)


def played_here(seeds):
    """The same policy without a sandbox."""
    env = gymnasium.make("CartPole-v1")
    scores = []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(
                int(observation[2] + observation[3] > 0)
            )
            total, done = total + reward, terminated or truncated
        scores.append(total)
    return scores


def test_an_agent_scores_as_its_policy_does_without_a_sandbox(agent):
    tally = play_solo(agent(LEAN), CARTPOLE, [1, 2, 3], Rules())
    assert [episode.score for episode in tally.episodes] == played_here([1, 2, 3])
    assert tally.outcome.ok
    assert tally.mean == np.mean(played_here([1, 2, 3]))


def test_batched_episodes_are_the_same_as_one_after_the_other(agent):
    seeds = list(range(10))
    tally = play_solo(agent(LEAN_BATCH), CARTPOLE, seeds, Rules(environments=4))
    assert [episode.score for episode in tally.episodes] == played_here(seeds)


def test_a_class_is_made_anew_for_each_episode(agent):
    code = """
class Agent:
    def __init__(self):
        self.steps = 0
    def act(self, observation, info):
        assert info["step"] == self.steps
        assert info["reward"] == (1.0 if self.steps else 0.0)
        self.steps += 1
        return 0
"""
    tally = play_solo(agent(code), CARTPOLE, [1, 2, 3], Rules())
    assert [episode.fault for episode in tally.episodes] == ["", "", ""]


def test_a_class_plays_many_environments_at_once(agent):
    code = """
class Agent:
    def act(self, observation, info):
        return (observation[:, 2] + observation[:, 3] > 0) * 1
"""
    tally = play_solo(agent(code), CARTPOLE, [1, 2, 3, 4, 5], Rules(environments=2))
    assert [episode.score for episode in tally.episodes] == played_here([1, 2, 3, 4, 5])


def test_a_class_that_cannot_be_made_anew_faults_each_episode_once(agent):
    code = """
made = 0
class Agent:
    def __init__(self):
        global made
        made += 1
        assert made != 2, "only once"
    def act(self, observation, info):
        return 0
"""
    tally = play_solo(agent(code), CARTPOLE, [1, 2, 3], Rules())
    assert [(one.number, one.fault) for one in tally.episodes] == [
        (0, ""),
        (1, "AssertionError: only once"),
        (2, ""),
    ]


def test_seeds_are_not_shown(agent):
    code = """
import gc
def act(observation, info):
    assert sorted(info) == ["reward", "step"]
    assert not any(item == 987654321987 for item in gc.get_objects() if isinstance(item, int))
    return 0
"""
    tally = play_solo(agent(code), CARTPOLE, [98765], Rules())
    assert tally.episodes[0].fault == ""


def test_the_lunar_lander_flies_and_its_replay_is_small(agent):
    code = "def act(observation, info):\n    return 2 if observation[3] < -0.3 else 0\n"
    tally = play_solo(agent(code), gymnasium_world("LunarLander-v3"), [7], Rules())
    episode = tally.episodes[0]
    assert episode.steps > 50
    content = episode.replay("LunarLander-v3").to_bytes()
    assert len(content) < 20 * episode.steps
    replay = Replay.from_bytes(content)
    assert replay.game == "LunarLander-v3"
    assert replay.tracks["observation"].shape == (episode.steps, 8)
    np.testing.assert_array_equal(
        replay.tracks["action"], [action for _, action, _ in episode.moves]
    )


def test_continuous_actions_are_played_and_checked(agent):
    world = gymnasium_world("LunarLander-v3", continuous=True)
    code = "import numpy as np\ndef act(o, i):\n    return np.array([0.5, 0.0], np.float32)"
    assert play_solo(agent(code), world, [7], Rules()).episodes[0].steps > 50
    code = "import numpy as np\ndef act(o, i):\n    return np.array([5.0, 0.0])"
    assert "Expected from" in play_solo(agent(code), world, [7], Rules()).episodes[0].fault


FAULTS = {
    "an illegal action": ("def act(o, i):\n    return 2", "Actions run from 0 to 1"),
    "a fraction": ("def act(o, i):\n    return 0.5", "Expected a whole number"),
    "NaN": ("def act(o, i):\n    return float('nan')", "Expected a whole number"),
    "another shape": ("def act(o, i):\n    return [0, 1]", "shape (2,)"),
    "text": ("def act(o, i):\n    return 'left'", "can be sent"),
    "nothing": ("def act(o, i):\n    pass", "can be sent"),
    "an exception": ("def act(o, i):\n    return o.nope", "no attribute 'nope'"),
    "too late": ("import time\ndef act(o, i):\n    time.sleep(9)", "did not move in time"),
    "death": ("import os\ndef act(o, i):\n    os._exit(1)", "status 1"),
    "a false frame": (
        "import os\ndef act(o, i):\n    for fd in range(3, 9):\n        try:\n"
        "            os.write(fd, bytes([8, 0, 0, 0, 99] + [0] * 7))\n"
        "        except OSError:\n            pass\n    return 0",
        "kind 99",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_the_episode_and_not_the_run(agent, name):
    code, words = FAULTS[name]
    tally = play_solo(agent(code), CARTPOLE, [1, 2], QUICK)
    assert [episode.score for episode in tally.episodes] == [-1.0, -1.0]
    assert all(words in episode.fault for episode in tally.episodes), tally.episodes


def test_the_next_episode_is_played_after_a_death(agent):
    code = """
import os
def act(observation, info):
    if abs(observation[0] - FATAL) < 1e-7:
        os._exit(1)
    return 0
"""
    env = gymnasium.make("CartPole-v1")
    fatal = float(env.reset(seed=1)[0][0])
    tally = play_solo(agent(code.replace("FATAL", repr(fatal))), CARTPOLE, [1, 2, 3], QUICK)
    assert [bool(episode.fault) for episode in tally.episodes] == [True, False, False]
    assert tally.outcome.ok


def test_an_agent_that_dies_too_often_forfeits_the_rest(agent):
    code = "import os\ndef act(o, i):\n    os._exit(1)"
    tally = play_solo(agent(code), CARTPOLE, range(5), QUICK)
    assert ["not there to play" in episode.fault for episode in tally.episodes] == [
        *(False, False, True, True, True)
    ]
    assert tally.outcome.cause is Cause.EXCEPTION


def test_a_module_that_does_not_load_is_told_once(agent):
    tally = play_solo(agent("import nowhere"), CARTPOLE, [1, 2], Rules())
    assert all("No module named 'nowhere'" in episode.fault for episode in tally.episodes)
    assert tally.outcome.cause is Cause.EXCEPTION


def test_a_module_without_an_agent_is_told(agent):
    tally = play_solo(agent("x = 1"), CARTPOLE, [1], Rules())
    assert "defines neither act(observation, info) nor Agent" in tally.episodes[0].fault


def test_a_slow_move_is_paid_from_the_bank_until_it_is_empty(agent):
    code = "import time\ndef act(o, i):\n    time.sleep(0.25)\n    return 0"
    rules = Rules(move_s=0.05, bank_s=0.7, restarts=0)
    episode = play_solo(agent(code), CARTPOLE, [1], rules).episodes[0]
    assert "did not move in time" in episode.fault
    assert 1 <= episode.steps <= 3


def test_one_bad_row_of_a_batch_ends_one_episode(agent):
    code = """
import numpy as np
def act(observation, info):
    return np.where(info["environment"] == 1, 7, 0)
"""
    tally = play_solo(agent(code), CARTPOLE, [1, 2, 3], Rules(environments=3))
    assert [bool(episode.fault) for episode in tally.episodes] == [False, True, False]


def test_too_few_actions_are_a_fault_of_all_rows(agent):
    tally = play_solo(
        agent("def act(o, i):\n    return [0]"), CARTPOLE, [1, 2], Rules(environments=2)
    )
    assert all("Expected one for each of 2 rows" in episode.fault for episode in tally.episodes)


def test_a_limit_of_the_sandbox_is_the_fault_that_is_told(agent):
    code = "held = []\ndef act(o, i):\n    while True:\n        held.append(bytearray(4 << 20))"
    tally = play_solo(agent(code, Limits(memory_mib=200)), CARTPOLE, [1], Rules(restarts=0))
    assert "200 MiB of memory" in tally.episodes[0].fault
    assert tally.outcome.cause is Cause.MEMORY_LIMIT


def test_an_environment_with_other_actions_is_refused():
    class Switches(gymnasium.Env):
        action_space = gymnasium.spaces.MultiBinary(2)

    gymnasium.register("Switches-v0", Switches)
    with pytest.raises(ValueError, match="Discrete and Box"):
        gymnasium_world("Switches-v0")()


@pytest.mark.parametrize("content", [b"", b"hello", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_other_bytes_are_no_replay(content):
    with pytest.raises(ValueError, match=r"replay|frame"):
        Replay.from_bytes(content)
