"""Runs a host's metric.py on frames that the score worker made: frames in, numbers out.

It needs `podium_scoring` at /scoring and nothing of the platform. The frames come pickled from the
trusted side; what goes back is JSON.
"""

import json
import pickle
import sys
from pathlib import Path

sys.path.insert(0, "/scoring")

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.hostmetric import HostMetric


def main() -> None:
    """Score the rows of each mask; what goes wrong is told with whose it is."""
    with Path("/data/job.pkl").open("rb") as file:
        job = pickle.load(file)
    metric = HostMetric(job["name"], job["source"], job["higher_is_better"])
    try:
        said = {"scores": metric.scores(*job["arguments"])}
    except SubmissionError as error:
        said = {"submission": error.message}
    except ChallengeError as error:
        said = {"challenge": error.message}
    Path("/out/said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
