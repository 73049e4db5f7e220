import textwrap

import numpy as np
import pandas as pd
import pytest

from podium import confinedmetric
from podium.config import Config
from podium_scoring import ChallengeError, SubmissionError, hostmetric
from podium_scoring.hostmetric import HostMetric

MEAN = """
    def score(solution, submission, row_id_column_name, weight=1.0):
        return weight * float(abs(solution["x"] - submission["x"]).mean())
"""


@pytest.fixture
def confined(tmp_path):
    confinedmetric.begin(Config.load(tmp_path, secret_key="x"))
    yield
    hostmetric.confine(None)


def judged(source, submission=(1.0, 2.0, 4.0), **options):
    metric = HostMetric("own", textwrap.dedent(source), higher_is_better=False)
    frames = (
        pd.DataFrame({"id": range(3), "x": values}) for values in (submission, (1.0, 2.0, 3.0))
    )
    return metric.units(*frames, "id", options)


def test_a_metric_gives_the_same_confined_and_not(confined):
    inside = judged(MEAN, weight=3.0)
    found = (inside.value(), inside.interval(0))
    hostmetric.confine(None)
    here = judged(MEAN, weight=3.0)
    assert found == (here.value(), here.interval(0)) == (pytest.approx(1.0), here.interval(0))


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("def score(a, b, c): return open('/etc/shadow').read()", ChallengeError, "No such file"),
        (
            "import socket\ndef score(a, b, c): socket.create_connection(('127.0.0.1', 1))",
            ChallengeError,
            "OSError|Error",
        ),
        ("import os\ndef score(a, b, c): os._exit(0)", ChallengeError, "was ended"),
        ("def score(a, b, c): return [1] * 10**10", ChallengeError, "memory|MemoryError|ended"),
        ("def score(a, b, c): return float('nan')", ChallengeError, "finite"),
        (
            "class ParticipantVisibleError(Exception): pass\n"
            "def score(a, b, c): raise ParticipantVisibleError('No negative numbers.')",
            SubmissionError,
            "No negative numbers.",
        ),
    ],
)
def test_what_a_metric_does_stays_in_the_sandbox(confined, source, error, said):
    with pytest.raises(error, match=said):
        judged(source)


def test_it_sees_no_environment_and_no_other_file(confined, tmp_path, monkeypatch):
    monkeypatch.setenv("PODIUM_SECRET_KEY", "hidden")
    (tmp_path / "answers.csv").write_text("x")
    source = f"""
        import os
        def score(a, b, c):
            assert "PODIUM_SECRET_KEY" not in os.environ
            assert not os.path.exists({str(tmp_path / "answers.csv")!r})
            return 0.5
    """
    assert judged(source).value() == 0.5


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"scores": [1]}', b'{"scores": [1, NaN]}', b'{"scores": ["1", 2]}', b'{"a": 1}'],
)
def test_what_comes_back_is_not_believed(content):
    with pytest.raises(ChallengeError, match="something else"):
        confinedmetric._read(content, 2)


def test_without_a_sandbox_it_is_not_run(tmp_path):
    confinedmetric.begin(Config.load(tmp_path, secret_key="x", sandbox="docker"))
    try:
        with pytest.raises(ChallengeError, match="not run without a sandbox"):
            judged(MEAN)
    finally:
        hostmetric.confine(None)


def test_masks_choose_the_rows(confined):
    metric = HostMetric("own", textwrap.dedent(MEAN), higher_is_better=False)
    frames = [pd.DataFrame({"id": range(2), "x": x}) for x in ((0.0, 0.0), (1.0, 3.0))]
    run = hostmetric._confined
    masks = [np.array([True, False]), np.array([False, True])]
    assert run(metric, *frames, "id", {}, masks) == [1.0, 3.0]
