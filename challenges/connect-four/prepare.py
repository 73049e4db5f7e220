"""Connect Four: there are no data but the sample; what is hidden are the seeds of the openings.

`prepare` is pure: the same seed of the installation draws the same openings.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

OPENINGS = 200
LARGEST_SEED = 2**31


def decode(sources: Mapping[str, Path], edition: str) -> dict[str, list[str]]:
    """The lines of the sample."""
    return {"sample": sources["data"].read_text(encoding="utf-8").splitlines()}


def prepare(decoded: Mapping[str, Any], public: Path, private: Path, *, seed: int) -> None:
    """Write sample_agent.py, and the hidden answers.csv with the seeds from which openings come."""
    text = "".join(f"{line}\n" for line in decoded["sample"])
    (public / "sample_agent.py").write_text(text, encoding="utf-8")
    seeds = np.random.default_rng(seed).choice(LARGEST_SEED, OPENINGS, replace=False)
    with (private / "answers.csv").open("w", encoding="utf-8") as out:
        out.write("game,seed,Usage\n")
        out.writelines(f"{number},{value},Public\n" for number, value in enumerate(seeds, 1))
