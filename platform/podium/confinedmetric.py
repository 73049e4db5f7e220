"""A host's metric.py is run in the sandbox: it sees the frames it scores, and nothing else."""

import json
import math
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import podium_scoring
from podium.config import Config
from podium.confiner import confiner
from podium.errors import ConfigError
from podium.sandbox.confinement import run
from podium.sandbox.job import DATA, OUT, Bind
from podium.sandbox.limits import Limits
from podium.sandbox.runner import Runner
from podium_scoring import ChallengeError, Detail, SubmissionError, hostmetric
from podium_scoring.hostcall import JOB, SAID
from podium_scoring.hostmetric import HostMetric, Masks

if TYPE_CHECKING:
    import pandas

LIMITS = Limits(wall_s=300, cpu_s=300, memory_mib=4096, processes=64, output_mib=4)
SCORING = "/scoring"
CALL = (
    f"import sys; sys.path.insert(0, {SCORING!r}); from pathlib import Path; "
    f"from podium_scoring import hostcall; hostcall.main(Path({DATA!r}), Path({OUT!r}))"
)
LAST_LINES = 5


def begin(config: Config) -> None:
    """From now on, metric files of this process's challenges run in the sandbox.

    Where there is no sandbox they are not run at all: such a score ends as the challenge's fault,
    with the reason.
    """
    try:
        walls: Runner | ConfigError = confiner(config)
    except ConfigError as error:
        walls = error

    def scores(
        metric: HostMetric,
        solution: "pandas.DataFrame",
        submission: "pandas.DataFrame",
        row_id: str,
        options: Mapping[str, Any],
        masks: Masks,
    ) -> list[float]:
        if isinstance(walls, ConfigError):
            raise ChallengeError(f"metric.py is not run without a sandbox. {walls.message}")
        arguments = (solution, submission, row_id, dict(options), list(masks))
        return _scores(walls, metric, arguments)

    hostmetric.confine(scores)


def _scores(walls: Runner, metric: HostMetric, arguments: tuple[Any, ...]) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="podium-metric-") as scratch:
        data, out = Path(scratch, "data"), Path(scratch, "out")
        for place in (data, out):
            place.mkdir()
        job = {
            "name": metric.name,
            "source": metric.source,
            "higher_is_better": metric.higher_is_better,
            "arguments": arguments,
        }
        (data / JOB).write_bytes(pickle.dumps(job))
        for place in (Path(scratch), data, data / JOB):  # it runs as somebody else
            place.chmod(0o755 if place.is_dir() else 0o644)
        outcome = run(
            [walls.python, "-s", "-E", "-c", CALL],
            LIMITS,
            binds=[
                Bind(Path(podium_scoring.__file__).parent, f"{SCORING}/podium_scoring"),
                Bind(data, DATA),
            ],
            outputs=out,
            runner=walls,
        )
        if not outcome.ok or not (out / SAID).is_file():
            last = outcome.last_lines(LAST_LINES)
            raise ChallengeError(f"metric.py was ended: {outcome.reason} {last}".strip())
        return _read((out / SAID).read_bytes(), len(arguments[-1]))


def _read(content: bytes, number: int) -> list[float]:
    """What came back, believed only as far as it has the form that it should have."""
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    match said:
        case {"scores": list(scores)} if len(scores) == number and all(
            isinstance(one, int | float) and math.isfinite(one) for one in scores
        ):
            return [float(one) for one in scores]
        case {"submission": str(message)}:
            message = message[: hostmetric.LONGEST]
            raise SubmissionError(message, [Detail(None, None, "what the metric takes", message)])
        case {"challenge": str(message)}:
            raise ChallengeError(message)
    raise ChallengeError("metric.py left something else than its scores.")
