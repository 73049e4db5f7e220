"""Trains a baseline: runs its script on the files that students get, and keeps what it wrote."""

import os
import subprocess
import sys
from pathlib import Path

from podium import catalog
from podium.catalog import Baseline
from podium.errors import FaultError
from podium.processes import die_with_parent

TIME_LIMIT_S = 1800


def train(challenge: Path, baseline: Baseline, data: Path, out: Path, *, small: bool) -> None:
    """Run a baseline of a challenge's folder on the folder `data`; `out` is the file to submit.

    FaultError with the last line of its output if it fails, writes nothing or takes too long.
    """
    script = catalog.script(challenge, baseline)
    command = [sys.executable, "-P", str(script), "--data", str(data), "--out", str(out)]
    try:
        done = subprocess.run(
            [*command, *(baseline.small if small else [])],
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            preexec_fn=die_with_parent,
            # Half of the processors: threads that wait for each other crawl on a busy machine.
            env=os.environ | {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // 2))},
        )
    except subprocess.TimeoutExpired:
        raise FaultError(
            f"The baseline {baseline.script} did not end within {TIME_LIMIT_S} s."
        ) from None
    if done.returncode or not out.is_file():
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise FaultError(f"The baseline {baseline.script} failed: {last}")
