"""What confinement costs, as ratios to the same work without it, in one run.

Minimums of several rounds: on a busy machine they are nearest to what the work itself takes.
"""

import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator

import gymnasium
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from podium.referee import Rules, gymnasium_world, play_solo
from podium.referee.lockstep import Lockstep
from podium.sandbox import Bubblewrap, Limits, run
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.inside.frames import ANSWER, RESET
from podium.sandbox.pool import Pool
from podium.sandbox.served import Load, Served, boot, launch, serving_job

pytestmark = pytest.mark.benchmark
Race = Callable[..., dict[str, float]]
WIDE = Limits(wall_s=600, cpu_s=600, memory_mib=4096)


@pytest.fixture(scope="module")
def runner() -> Bubblewrap:
    return Bubblewrap.here()


@pytest.fixture
def agent(runner: Bubblewrap) -> Callable[[str], Callable[[], Served]]:
    def make(code: str) -> Callable[[], Served]:
        load = Load("agent", {"agent.py": code.encode()}, "agent.py")
        return lambda: launch(runner, serving_job(runner, WIDE), load)

    return make


def test_a_sandbox_starts_a_few_milliseconds_after_a_bare_process(
    runner: Bubblewrap, race: Race
) -> None:
    command = [runner.python, "-I", "-c", "pass"]
    times = race(
        runs=20,
        bare=lambda: subprocess.run(command, check=True),
        sandbox=lambda: run(command, runner=runner),
    )
    more_ms = 1000 * (times["sandbox"] - times["bare"])
    print(f"sandbox over bare: +{more_ms:.1f} ms (goal: at most 15)")
    assert more_ms < 4000 * times["bare"]


def test_a_warm_sandbox_is_ready_at_once(runner: Bubblewrap, race: Race) -> None:
    code = b"import torch\ndef predict(batch):\n    return batch\n"
    load = Load("batch", {"predict.py": code}, "predict.py")
    held: list[Served] = []

    def first_line(served: Served) -> None:
        served.load(load)
        served.ready(60)
        held.append(served)

    with Pool(runner, WIDE, size=1, memory_mib=4096) as pool:

        def refilled() -> None:
            while held:
                held.pop().close()
            assert pool.wait_until_full(120)

        refilled()
        idle_mib = pool.held_mib / len(pool)
        times = race(
            runs=4,
            refill=refilled,
            warm=lambda: first_line(pool.take()),
            cold=lambda: first_line(boot(runner, serving_job(runner, WIDE))),
        )
        refilled()
    print(
        f"first line with torch: cold {times['cold']:.2f} s, warm {1000 * times['warm']:.1f} ms "
        f"(goal: at most 10), ratio {times['cold'] / times['warm']:.0f}; "
        f"an idle slot holds {idle_mib:.0f} MiB"
    )
    assert times["warm"] < times["cold"] / 10


def _echo(to_us: int, from_us: int) -> None:
    while block := os.read(from_us, 4096):
        os.write(to_us, block)


@pytest.fixture
def echo() -> Iterator[Callable[[bytes], bytes]]:
    """A bare process at the other end of two pipes: the least that a round trip can take."""
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_echo, args=(theirs_out, theirs_in), daemon=True
    )
    process.start()

    def ask(block: bytes) -> bytes:
        os.write(ours_out, block)
        return os.read(ours_in, 4096)

    yield ask
    process.kill()
    process.join()
    for fd in (ours_in, theirs_out, theirs_in, ours_out):
        os.close(fd)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it forks with threads
def test_a_question_and_its_answer_take_microseconds(
    agent: Callable[[str], Callable[[], Served]], echo: Callable[[bytes], bytes], race: Race
) -> None:
    rounds = 300
    with agent("def act(observation, info):\n    return 0\n")() as served:
        served.ready(60)
        served.link.ask(RESET, {}, ANSWER, 60)
        question = {
            "observation": np.zeros(4, np.float32),
            "reward": np.array(1.0),
            "step": np.array(3),
        }
        lockstep = Lockstep()
        lockstep.meet(served.link)

        def asked() -> None:
            for _ in range(rounds):
                began = time.monotonic()
                served.ask(question, ANSWER, 10)
                lockstep.took(time.monotonic() - began)

        times = race(
            runs=40,
            frames=asked,
            bare_pipe=lambda: [echo(b"x" * 90) for _ in range(rounds)],
        )
        lockstep.release()
    each = {name: 1e6 * seconds / rounds for name, seconds in times.items()}
    print(
        f"round trip {each['frames']:.0f} µs (goal: at most 60), of a bare pipe "
        f"{each['bare_pipe']:.0f} µs, ratio {each['frames'] / each['bare_pipe']:.1f}"
    )
    assert each["frames"] < 30 * each["bare_pipe"]


def test_cartpole_keeps_a_fair_part_of_its_speed(
    agent: Callable[[str], Callable[[], Served]], race: Race
) -> None:
    one = "def act(observation, info):\n    return int(observation[2] + observation[3] > 0)\n"
    many = (
        "def act(observation, info):\n    return (observation[:, 2] + observation[:, 3] > 0) * 1\n"
    )
    world = gymnasium_world("CartPole-v1")
    steps: dict[str, int] = {}

    def raw() -> None:
        env = gymnasium.make("CartPole-v1")
        observation, _ = env.reset(seed=0)
        for _ in range(20_000):
            action = int(observation[2] + observation[3] > 0)
            observation, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                observation, _ = env.reset()
        steps["raw"] = 20_000

    waiting: list[Served] = []

    def played(name: str, episodes: int, rules: Rules) -> None:
        tally = play_solo(waiting.pop, world, range(episodes), rules)
        steps[name] = sum(episode.steps for episode in tally.episodes)

    times = race(
        runs=8,
        raw=raw,
        load_one=lambda: waiting.append(agent(one)()),
        one=lambda: played("one", 5, Rules()),
        load_many=lambda: waiting.append(agent(many)()),
        batched=lambda: played("batched", 64, Rules(environments=32)),
    )
    speed = {name: steps[name] / times[name] for name in steps}
    shares = {name: speed[name] / speed["raw"] for name in ("one", "batched")}
    print(
        f"CartPole: raw {speed['raw']:,.0f} steps/s; one by one {shares['one']:.0%} (goal: 25 %), "
        f"32 at once {shares['batched']:.0%} (goal: 70 %)"
    )
    assert shares["batched"] > shares["one"]


def _network() -> bytes:
    draw = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(draw.normal(0, 0.1, shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["c", "k2"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [weights("k1", 16, 1, 3, 3), weights("k2", 32, 16, 3, 3), weights("w", 32 * 14 * 14, 10)],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_a_model_in_the_sandbox_is_as_fast_as_outside(runner: Bubblewrap, race: Race) -> None:
    content = _network()
    images = np.random.default_rng(1).random((6_000, 1, 28, 28), np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    answers: dict[str, np.ndarray] = {}

    def bare() -> None:
        parts = [
            session.run(["y"], {"x": images[first : first + 256]})[0]
            for first in range(0, len(images), 256)
        ]
        answers["bare"] = np.concatenate(parts)

    waiting: list[Served] = []

    def loaded() -> None:
        served = boot(runner, serving_job(runner, WIDE, ("onnxruntime",)))
        served.load(Load("model", {"model.onnx": content}))
        waiting.append(served)
        time.sleep(0.5)  # it makes its session

    def fed() -> None:
        with waiting.pop() as served:
            _, found = predict(served, {"x": images}, Expected((10,)), 256)
            assert found is not None
            answers["fed"] = found

    times = race(runs=12, loading=loaded, sandbox=fed, bare=bare)
    np.testing.assert_allclose(answers["fed"], answers["bare"], rtol=1e-4, atol=1e-4)
    share = times["bare"] / times["sandbox"]
    speed = len(images) / times["bare"]
    print(f"ONNX: {speed:,.0f} images/s bare, {share:.0%} of it fed (goal: 95 %)")
    assert share > 0.2  # each batch waits for a place on a busy processor
