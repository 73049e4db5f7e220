"""Submitted agents, really played in the sandbox of this machine."""

import io
import threading
import zipfile
from dataclasses import dataclass, field

import gymnasium
import numpy as np
import pytest

from podium import running
from podium.catalog import Run
from podium.desk import Desk, Said
from podium.referee import Replay
from podium.sandbox import Bubblewrap
from podium.sandbox.confinement import Sandbox

FALLS = b"def act(observation, info):\n    return 0\n"
STACKS = b"def act(o, i):\n    print('mine')\n    return int(i['legal'].argmax())\n"
LAST = b"def act(o, i):\n    print('theirs')\n    return 6 - int(i['legal'][::-1].argmax())\n"
ALONE = {"agent": {"game": "LunarLander-v3", "fault_return": -600.0}}
DUEL = {"agent": {"game": "connect-four", "players": 2, "games": 8}}
OWN, OTHER = 7, 9


@dataclass
class Ear:
    """Hears what is printed."""

    said: str = ""
    let_go: threading.Event = field(default_factory=threading.Event)

    def hear(self, text: str) -> None:
        self.said += text


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def play(scratch, ear, tmp_path_factory):
    """Plays an agent under the rules of `[run]`, on seeds or in matches."""

    def play(content: bytes, rules: dict, other: bytes = b"", **given) -> Said:
        folder = tmp_path_factory.mktemp("desk")
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
        desk = Desk.make(folder, Bubblewrap.here())
        desk.file.write_bytes(content)
        (desk.inputs / str(OTHER)).write_bytes(other)
        assignment = {
            "kind": "agent",
            "submission_id": OWN,
            "run": Run.model_validate(rules).model_dump(mode="json"),
            "output": "predictions.csv",
            "columns": ["episode", "return"],
        }
        return running.run(assignment | given, desk, ear)

    return play


def fallen(seed: int) -> float:
    env = gymnasium.make("LunarLander-v3")
    env.reset(seed=seed)
    total, is_over = 0.0, False
    while not is_over:
        _, reward, terminated, truncated, _ = env.step(0)
        total, is_over = total + float(reward), terminated or truncated
    return total


def test_returns_of_the_hidden_seeds_become_the_file_that_is_scored(play):
    said = play(FALLS, ALONE, seeds=[(1, 11), (2, 12)])
    assert said.outcome == "ran", said.reason
    expected = f"episode,return\n1,{fallen(11)}\n2,{fallen(12)}\n"
    assert said.output.read_text() == expected


def test_replays_lie_one_behind_the_other(play):
    said = play(FALLS, ALONE, seeds=[(1, 11), (2, 12)])
    first, second = said.episodes
    replay = Replay.from_bytes(said.replays[first.replay_bytes :])
    assert len(said.replays) == first.replay_bytes + second.replay_bytes
    assert len(replay.tracks["action"]) == second.steps
    assert replay.tracks["reward"].sum() == pytest.approx(fallen(12), abs=0.5)
    assert b"8101" not in said.replays


def test_a_zip_reads_what_lies_beside_its_agent(play):
    packed = io.BytesIO()
    code = (
        "from pathlib import Path\nimport numpy as np\n"
        "CHOICE = int(np.load(Path(__file__).parent / 'w.npy'))\n"
        "def act(observation, info):\n    return CHOICE\n"
    )
    weights = io.BytesIO()
    np.save(weights, np.array(0))
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("agent.py", code)
        archive.writestr("w.npy", weights.getvalue())
    said = play(packed.getvalue(), ALONE, seeds=[(1, 11)])
    assert said.episodes[0].sides[0].score == fallen(11)


def test_an_agent_that_errs_in_an_episode_has_its_floor_and_the_run_goes_on(play):
    code = b"def act(o, i):\n    if i['step'] == 5:\n        1 / 0\n    return 0\n"
    said = play(code, ALONE, seeds=[(1, 11), (2, 12)])
    assert said.outcome == "ran"
    assert said.output.read_text() == "episode,return\n1,-600.0\n2,-600.0\n"
    assert "ZeroDivisionError" in said.episodes[1].sides[0].fault


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        (b"import nowhere\n", "exception", "No module named 'nowhere'"),
        (b"def act(o, i):\n    return 4\n", "protocol", "Actions run from 0 to 3"),
        (b"def act(o, i):\n    return o.nope\n", "exception", "nope"),
        (b"while True:\n    pass\n", "time_limit", ""),
    ],
)
def test_an_agent_that_never_moves_has_failed_with_its_cause(play, code, cause, words):
    rules = ALONE["agent"] | {"load_s": 1.0}
    said = play(code, {"agent": rules}, seeds=[(1, 11), (2, 12)])
    assert (said.outcome, words in said.reason) == (cause, True), said.reason


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"\0\0\0\0"])
def test_what_is_no_agent_is_invalid_in_words(play, content):
    assert play(content, ALONE, seeds=[(1, 11)]).outcome == "invalid"


def test_a_trial_is_one_game_against_itself(play):
    trial = {"opponent": OWN, "number": 1, "seed": 5}
    said = play(STACKS, DUEL, matches=[trial])
    assert said.outcome == "ran", said.reason
    (game,) = said.episodes
    assert [side.submission_id for side in game.sides] == [OWN, OWN]


def test_a_match_is_two_games_with_the_seats_swapped(play, ear):
    said = play(STACKS, DUEL, LAST, matches=[{"opponent": OTHER, "number": 3, "seed": 5}])
    seats = [[(side.submission_id, side.score) for side in one.sides] for one in said.episodes]
    assert seats == [[(OWN, 1.0), (OTHER, 0.0)], [(OTHER, 1.0), (OWN, 0.0)]]
    assert [one.number for one in said.episodes] == [3, 3]
    assert "mine" in ear.said
    assert "theirs" not in ear.said


def test_an_agent_that_fails_its_trial_plays_nobody(play):
    matches = [
        {"opponent": OWN, "number": 1, "seed": 5},
        {"opponent": OTHER, "number": 1, "seed": 5},
    ]
    said = play(b"def act(o, i):\n    return 9\n", DUEL, LAST, matches=matches)
    assert said.outcome == "protocol"
    assert said.reason.startswith("In a game against itself: The action is 9.")
    assert len(said.episodes) == 1


def test_an_opponent_that_errs_loses(play):
    said = play(STACKS, DUEL, b"1 / 0", matches=[{"opponent": OTHER, "number": 1, "seed": 5}])
    sides = [side for one in said.episodes for side in one.sides if side.submission_id == OTHER]
    assert [side.score for side in sides] == [0.0, 0.0]
    assert all("ZeroDivisionError" in side.fault for side in sides)


def test_what_an_agent_told_is_not_lost_when_it_is_gone_before_it_is_ended(play, monkeypatch):
    def late(self, *reason):
        self.wait()  # its process has ended by itself, as on a busy machine
        end(self, *reason)

    end = Sandbox.end
    monkeypatch.setattr(Sandbox, "end", late)
    said = play(b"1 / 0", DUEL, matches=[{"opponent": OWN, "number": 1, "seed": 5}])
    assert (said.outcome, "ZeroDivisionError" in said.reason) == ("exception", True)


def test_letting_go_ends_a_run_at_once(play, ear):
    threading.Timer(1.5, ear.let_go.set).start()
    code = b"import time\ndef act(o, i):\n    time.sleep(0.5)\n    return 0\n"
    assert play(code, ALONE, seeds=[(1, 11)]).outcome == "returned"
