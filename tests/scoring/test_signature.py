import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium_scoring import Signature, compute

NAMES = st.text("abcdefghijk_", min_size=1, max_size=12)
VALUES = st.booleans() | st.integers() | st.text(max_size=9) | st.floats(allow_nan=False)


@given(
    metric=NAMES,
    answers=st.text("0123456789abcdef/_", max_size=20),
    seed=st.integers(0, 2**40),
    options=st.dictionaries(NAMES, VALUES, max_size=4),
    made_with=st.dictionaries(NAMES, st.text(max_size=9), max_size=3),
)
def test_every_signature_is_one_line_that_parses_back(metric, answers, seed, options, made_with):
    signature = Signature(metric, answers, seed, options, made_with)
    assert "\n" not in str(signature)
    assert Signature.parse(str(signature)) == signature


def test_a_signature_says_what_made_the_number():
    score = compute("chrf", ["a b c"], ["a b d"], seed=5, answers_digest="1f3a", lowercase=True)
    signature = Signature.parse(str(score.signature))
    assert (signature.metric, signature.answers, signature.seed) == ("chrf", "1f3a", 5)
    assert signature.options == {"lowercase": True}
    assert set(signature.made_with) == {"numpy", "sacrebleu"}


@pytest.mark.parametrize("line", ["", "accuracy", "accuracy|answers:1|options:{}|seed:0"])
def test_what_is_no_signature_is_refused(line):
    with pytest.raises(ValueError, match="is no signature"):
        Signature.parse(line)


def test_neither_the_package_nor_scoring_images_loads_torch():
    script = (
        "import sys, numpy as np, podium_scoring as p, podium_scoring.grading, "
        "podium_scoring.features\n"
        "assert not {'scipy', 'pandas', 'sklearn', 'PIL', 'sacrebleu'} & set(sys.modules)\n"
        "x = np.random.default_rng(0).normal(size=(20, 2))\n"
        "p.compute('frechet', x, x + 1).value\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-P", "-c", script], check=False).returncode == 0
