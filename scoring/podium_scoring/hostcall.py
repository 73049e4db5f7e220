"""Calls a host's metric file in a process of its own: frames in, numbers out.

Whoever confines metric files starts this where they are confined. The frames come pickled from the
side that is trusted; what goes back is JSON, to be read with suspicion.
"""

import json
import pickle
from pathlib import Path

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.hostmetric import HostMetric

JOB, SAID = "job.pkl", "said.json"


def main(inputs: Path, outputs: Path) -> None:
    """Score the rows of each mask of a job; what goes wrong is told with whose it is."""
    with (inputs / JOB).open("rb") as file:
        job = pickle.load(file)
    metric = HostMetric(job["name"], job["source"], job["higher_is_better"])
    said: dict[str, object]
    try:
        said = {"scores": metric.scores(*job["arguments"])}
    except SubmissionError as error:
        said = {"submission": error.message}
    except ChallengeError as error:
        said = {"challenge": error.message}
    (outputs / SAID).write_text(json.dumps(said), encoding="utf-8")
