"""Speed of BLEU on 3,000 pairs: references remembered, against sacrebleu given them anew."""

from collections.abc import Callable

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from podium_scoring.translation import bleu

pytestmark = pytest.mark.benchmark


def test_bleu_with_known_references_is_as_fast_as_sacrebleu_with_a_cache(
    race: Callable[..., dict[str, float]],
) -> None:
    draw = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(4000)])
    answers = [" ".join(words[draw.zipf(1.3, 22) % 4000]) for _ in range(3000)]
    guesses = [
        " ".join(word for word in answer.split() if draw.random() < 0.9) for answer in answers
    ]
    cached = BLEU(references=[answers], force=True)
    units = bleu(guesses, answers)
    times = race(
        bleu=lambda: bleu(guesses, answers).value(),
        sacrebleu_cached=lambda: cached.corpus_score(guesses, None),
        sacrebleu=lambda: BLEU(force=True).corpus_score(guesses, [answers]),
        interval=lambda: units.interval(0),
        sacrebleu_interval=lambda: BLEU(force=True).corpus_score(
            guesses, [answers], n_bootstrap=1000
        ),
    )
    assert times["bleu"] <= 1.15 * times["sacrebleu_cached"]
