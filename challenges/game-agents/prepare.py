"""Game agents: there are no data but the sample; what is hidden is the seed of each episode.

`prepare` is pure: the same seed of the installation draws the same seeds of episodes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

EPISODES = {"small": 100, "full": 300}
PUBLIC_SHARE = 0.4
LARGEST_SEED = 2**31


def decode(sources: Mapping[str, Path], edition: str) -> dict[str, Any]:
    """The lines of the sample, and how many episodes an agent plays."""
    lines = sources["data"].read_text(encoding="utf-8").splitlines()
    return {"sample": lines, "episodes": np.array(EPISODES[edition])}


def prepare(decoded: Mapping[str, Any], public: Path, private: Path, *, seed: int) -> None:
    """Write sample_agent.py, and the hidden answers.csv with the seed of each episode."""
    generator = np.random.default_rng(seed)
    text = "".join(f"{line}\n" for line in decoded["sample"])
    (public / "sample_agent.py").write_text(text, encoding="utf-8")
    count = int(decoded["episodes"])
    seeds = generator.choice(LARGEST_SEED, count, replace=False, shuffle=True)
    drawn = generator.permutation(count) < round(count * PUBLIC_SHARE)
    with (private / "answers.csv").open("w", encoding="utf-8") as out:
        out.write("episode,seed,Usage\n")
        for number, (value, is_public) in enumerate(zip(seeds, drawn, strict=True), 1):
            out.write(f"{number},{value},{'Public' if is_public else 'Private'}\n")
