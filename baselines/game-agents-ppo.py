"""Landing on the moon with PPO: a network that says how likely each action should be.

Command     python baselines/game-agents-ppo.py --data game-agents --out agent.zip
Data        sample_agent.py from `podium download game-agents`
Needs       pip install torch "gymnasium[box2d]"
Measured    One thread of a machine that others kept busy, 26 Nov 2026, seeds 0, 1, 2: mean return
            264.6, 264.8, 264.4 over 100 hidden seeds, in 54, 35 and 38 s of one processor.
Schulman et al. 2017. Not a library: copy it, change it, beat it.
"""

import argparse
import copy
import runpy
import tempfile
import time
import warnings
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Box2D and pygame speak of their own build
    import gymnasium

ENVIRONMENT = "LunarLander-v3"
CRAFTS, ROLLOUT = 16, 512  # landers side by side, and the steps of each between two rounds
BATCH, EPOCHS = 256, 4  # what is flown is learned from four times, then forgotten
RATE = 1e-3
GAMMA = 0.995
LAMBDA = 0.98  # 1: judge an action by all that followed; 0: by the next step and the critic alone
CLIP = 0.2  # an action becomes at most a fifth more or less likely in a round
CURIOSITY = 0.01  # the worth of staying undecided
SCALE = 0.02  # of rewards, which reach hundreds, to what a young network can say
TRIAL_EVERY, TRIAL_SEEDS = 40_000, range(10_000, 10_030)
ENOUGH = 260.0  # mean return in a trial at which training ends: 200 is called solved

# What is handed in: NumPy alone is faster than torch for one observation, and starts at once.
AGENT = '''"""An agent for LunarLander: the action that a small network finds most likely."""

from pathlib import Path

import numpy as np

with np.load(Path(__file__).parent / "weights.npz") as file:
    LAYERS = [(file[f"weight{i}"].T, file[f"bias{i}"]) for i in range(len(file.files) // 2)]


def act(observation, info):
    values = observation
    for weight, bias in LAYERS[:-1]:
        values = np.tanh(values @ weight + bias)
    weight, bias = LAYERS[-1]
    return int((values @ weight + bias).argmax())
'''

Act = Callable[[np.ndarray, dict[str, Any]], int]


def network(answers: int, last: float) -> nn.Sequential:
    """Eight numbers in; `last` is how loud the answers are at first."""
    sizes, layers = [8, 64, 64, answers], []
    for number, gain in enumerate((2**0.5, 2**0.5, last)):
        linear = nn.Linear(sizes[number], sizes[number + 1])
        nn.init.orthogonal_(linear.weight, gain)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


class Flight:
    """A rollout of all landers: arrays of (step, lander)."""

    def __init__(self) -> None:
        self.observation = np.zeros((ROLLOUT + 1, CRAFTS, 8), np.float32)
        self.action = np.zeros((ROLLOUT, CRAFTS), np.int64)
        self.reward = np.zeros((ROLLOUT, CRAFTS), np.float32)
        self.over = np.zeros((ROLLOUT, CRAFTS), np.float32)

    def advantages(self, worth: np.ndarray) -> np.ndarray:
        """How much better each action was than what the critic expected (Schulman et al. 2016)."""
        found, later = np.zeros_like(self.reward), np.zeros(CRAFTS, np.float32)
        for t in reversed(range(ROLLOUT)):
            goes_on = 1 - self.over[t]
            surprise = self.reward[t] + GAMMA * goes_on * worth[t + 1] - worth[t]
            found[t] = later = surprise + GAMMA * LAMBDA * goes_on * later
        return found


class Fleet:
    """Landers that fly at the same time, so that the network is asked once for all of them."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.envs = [gymnasium.make(ENVIRONMENT) for _ in range(CRAFTS)]
        starts = [env.reset(seed=seed * CRAFTS + i)[0] for i, env in enumerate(self.envs)]
        self.observation = np.stack(starts)
        self.earned = np.zeros(CRAFTS)  # by each in its episode so far
        self.returns: deque[float] = deque(maxlen=50)  # of the latest episodes

    @torch.inference_mode()
    def fly(self, actor: nn.Module, critic: nn.Module) -> Flight:
        flight = Flight()
        for t in range(ROLLOUT):
            flight.observation[t] = self.observation
            likely = actor(torch.from_numpy(self.observation)).softmax(1).numpy()
            drawn = likely.cumsum(1) > self.generator.random((CRAFTS, 1))
            flight.action[t] = drawn.argmax(1)
            for i, env in enumerate(self.envs):
                after, reward, ended, cut, _ = env.step(int(flight.action[t, i]))
                self.earned[i] += float(reward)
                flight.reward[t, i] = SCALE * float(reward)
                flight.over[t, i] = ended or cut
                if cut and not ended:  # it would have gone on: what for, the critic guesses
                    flight.reward[t, i] += GAMMA * float(critic(torch.from_numpy(after)))
                if ended or cut:
                    self.returns.append(self.earned[i])
                    self.earned[i], (after, _) = 0.0, env.reset()
                self.observation[i] = after
        flight.observation[ROLLOUT] = self.observation
        return flight


def learn(
    actor: nn.Module, critic: nn.Module, optimizer: torch.optim.Optimizer, flight: Flight
) -> None:
    """Make what went better than expected more likely, and expect what came."""
    with torch.no_grad():
        worth = critic(torch.from_numpy(flight.observation)).squeeze(2).numpy()
    better = flight.advantages(worth)
    arrays = (flight.observation[:-1], flight.action[..., None], better, better + worth[:-1])
    seen, action, advantage, goal = (torch.from_numpy(each).flatten(0, 1) for each in arrays)

    def chances(rows: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities of all actions, and of the one that was taken."""
        every = actor(seen[rows]).log_softmax(1)
        return every, every.gather(1, action[rows]).squeeze(1)

    with torch.no_grad():
        _, before = chances(torch.arange(len(seen)))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(seen)).split(BATCH):
            every, now = chances(rows)
            gain = (advantage[rows] - advantage[rows].mean()) / (advantage[rows].std() + 1e-8)
            ratio = (now - before[rows]).exp()
            # Beyond the clip nothing more is to be gained: the flights tell of the old network.
            won = torch.min(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain).mean()
            undecided = -(every.exp() * every).sum(1).mean()
            wrong = (critic(seen[rows]).squeeze(1) - goal[rows]).square().mean()
            loss = 0.5 * wrong - won - CURIOSITY * undecided
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*actor.parameters(), *critic.parameters()], 0.5)
            optimizer.step()


def train(steps: int, seed: int) -> nn.Sequential:
    """The network that did best in trials on the way."""
    torch.manual_seed(seed)
    actor, critic, fleet = network(4, 0.01), network(1, 1.0), Fleet(seed)
    both = nn.ModuleList([actor, critic])
    optimizer = torch.optim.Adam(both.parameters(), lr=RATE, eps=1e-5, fused=True)
    kept, best, tried, started = actor, -np.inf, 0, time.process_time()
    for step in range(CRAFTS * ROLLOUT, steps + CRAFTS * ROLLOUT, CRAFTS * ROLLOUT):
        optimizer.param_groups[0]["lr"] = RATE * max(0.0, 1 - step / steps)
        learn(actor, critic, optimizer, fleet.fly(actor, critic))
        latest, seconds = float(np.mean(fleet.returns)), time.process_time() - started
        print(f"step {step}/{steps}  return {latest:.0f}  {seconds:.0f} s", flush=True)
        is_due = step - tried >= TRIAL_EVERY and latest > max(150.0, best - 30)
        if is_due or step >= steps:
            flown = returns(lambda seen, _: greedy(actor, seen), TRIAL_SEEDS)
            tried, earned = step, float(np.mean(flown))
            print(f"  a trial of {len(flown)} episodes: {earned:.1f}", flush=True)
            if earned > best:
                best, kept = earned, copy.deepcopy(actor)
            if best >= ENOUGH:
                break
    return kept


@torch.inference_mode()
def greedy(actor: nn.Module, observation: np.ndarray) -> int:
    """The most likely action: chance is for learning."""
    return int(actor(torch.from_numpy(observation)).argmax())


def returns(act: Act, seeds: range) -> list[float]:
    """What an agent earns in an episode of each seed, as the platform plays it."""
    env, earned = gymnasium.make(ENVIRONMENT), []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        total, step, last, is_over = 0.0, 0, 0.0, False
        while not is_over:
            action = act(observation, {"reward": np.array(last), "step": np.array(step)})
            observation, reward, terminated, truncated, _ = env.step(action)
            last, step, is_over = float(reward), step + 1, terminated or truncated
            total += last
        earned.append(total)
    return earned


def write(actor: nn.Sequential, folder: Path) -> None:
    """The two files of the agent."""
    linear = [layer for layer in actor if isinstance(layer, nn.Linear)]
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(linear):
        arrays[f"weight{i}"] = layer.weight.detach().numpy()
        arrays[f"bias{i}"] = layer.bias.detach().numpy()
    np.savez(folder / "weights.npz", **arrays)
    (folder / "agent.py").write_text(AGENT)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path("game-agents" if Path("game-agents").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: game-agents/, else .")
    parser.add_argument("--out", type=Path, default=Path("agent.zip"))
    parser.add_argument("--small", action="store_true", help="a minute instead of five")
    parser.add_argument("--steps", type=int, help="at most: 2,000,000, with --small 600,000")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data, sample = options.data, options.data / "sample_agent.py"
    if not sample.is_file():
        parser.error(f"no {sample.name} in {str(data)!r}: podium download game-agents fetches it")
    seeds = range(100)  # practice seeds: those of the competition are hidden
    fallen = returns(runpy.run_path(str(sample))["act"], seeds)
    print(f"the sample earns {np.mean(fallen):.1f} over {len(seeds)} episodes", flush=True)
    torch.set_num_threads(1)  # the batches are too small to be shared out

    actor = train(options.steps or (600_000 if options.small else 2_000_000), options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(actor, folder)
        # What is measured is what is handed in.
        earned = returns(runpy.run_path(str(folder / "agent.py"))["act"], seeds)
        error = np.std(earned) / np.sqrt(len(earned))
        print(f"the agent earns {np.mean(earned):.1f} ± {error:.1f} over {len(earned)} episodes")
        with zipfile.ZipFile(options.out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
