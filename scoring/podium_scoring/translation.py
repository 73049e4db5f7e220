"""Translation metrics: sacrebleu's counts for each sentence, so that sentences can be resampled.

Predictions are n sentences; answers are n sentences, or n lists of one or more references. The
counts come from sacrebleu itself and the formulas over their sums are written out here, because
an interval takes a thousand of them at once. References are prepared once and remembered.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from sacrebleu.metrics.base import Metric as Sacre
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.units import Floats, Sums

Answers = Sequence[str] | Sequence[Sequence[str]]
TOKENISERS = ("13a", "char", "intl", "none", "zh")  # of sacrebleu's, those that fetch nothing
References = tuple[tuple[str | None, ...], ...]

MAKERS: dict[str, Callable[..., Sacre]] = {"bleu": BLEU, "chrf": CHRF, "chrf_pp": CHRF, "ter": TER}
FIXED: dict[str, dict[str, Any]] = {
    "bleu": {"force": True},  # silences a warning about sentences that end in " ."; no effect
    "chrf": {},
    "chrf_pp": {"word_order": 2},
    "ter": {},
}


def bleu(
    predictions: Sequence[str],
    answers: Answers,
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Sums:
    """Corpus BLEU with up to 4-grams and exponential smoothing: 0 to 100, 100 is best.

    100 · brevity · (product of the four n-gram precisions)^(1/4), of counts summed over the
    sentences; `tokenize` is 13a, char, intl, none or zh. Equals sacrebleu to 1e-9. Source:
    Papineni et al. 2002; Post 2018.
    """
    return _units("bleu", predictions, answers, _bleu, tokenize=tokenize, lowercase=lowercase)


def chrf(predictions: Sequence[str], answers: Answers, *, lowercase: bool = False) -> Sums:
    """Character 6-gram F score with β = 2 (chrF2): 0 to 100, 100 is best.

    Precision and recall are means over the orders that both sides have. Equals sacrebleu to
    1e-9. Source: Popović 2015.
    """
    return _units("chrf", predictions, answers, _chrf, lowercase=lowercase)


def chrf_pp(predictions: Sequence[str], answers: Answers, *, lowercase: bool = False) -> Sums:
    """chrF++: chrF with word 1- and 2-grams besides: 0 to 100, 100 is best.

    Equals sacrebleu to 1e-9. Source: Popović 2017.
    """
    return _units("chrf_pp", predictions, answers, _chrf, lowercase=lowercase)


def ter(predictions: Sequence[str], answers: Answers, *, case_sensitive: bool = False) -> Sums:
    """Translation edit rate: 100 · edits, shifts included, per reference word; 0 is best.

    Equals sacrebleu to 1e-9; of several references the nearest gives the edits, all the mean
    length. Source: Snover et al. 2006.
    """
    return _units("ter", predictions, answers, _ter, case_sensitive=case_sensitive)


def sacrebleu_signature(name: str, answers: Answers, **options: Any) -> str:
    """sacrebleu's own line for one of these metrics, such as `nrefs:1|case:mixed|...`."""
    judge = _judge(name, _references(answers), tuple(sorted(options.items())))
    return str(judge.get_signature().format())


def _units(
    name: str, predictions: Sequence[str], answers: Answers, reduce: Any, **options: Any
) -> Sums:
    for place, sentence in enumerate(predictions, start=1):
        if not isinstance(sentence, str):
            raise SubmissionError(
                f"Sentence {place} is {sentence!r}. Every prediction must be a text."
            )
    references = _references(answers)
    if len(predictions) != len(references[0]):
        raise SubmissionError(
            f"There are {len(predictions)} sentences. The answers have {len(references[0])}."
        )
    judge = _judge(name, references, tuple(sorted(options.items())))
    # sacrebleu's one door to counts by sentence with remembered references.
    counts = judge._extract_corpus_statistics(list(predictions), None)
    return Sums(np.array(counts, np.float64), reduce)


@lru_cache(maxsize=8)
def _judge(name: str, references: References, options: tuple[tuple[str, Any], ...]) -> Sacre:
    """sacrebleu's metric with these references prepared: the dearer half of a score."""
    chosen = dict(options)
    tokenizer = chosen.get("tokenize", "13a")
    if tokenizer not in TOKENISERS:
        known = ", ".join(TOKENISERS)
        raise ChallengeError(f"There is no tokeniser {tokenizer!r}. Choose one of {known}.")
    return MAKERS[name](**FIXED[name], **chosen, references=references)


def _references(answers: Answers) -> References:
    """Streams as sacrebleu wants them: the first reference of all sentences, the second, ..."""
    if not len(answers):
        raise ChallengeError("The answers hold no sentence. A translation metric needs one.")
    for place, answer in enumerate(answers, start=1):
        texts = answer if isinstance(answer, list | tuple) else [answer]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ChallengeError(
                f"Answer {place} is {answer!r}. It must be a text or a list of texts."
            )
    lists = [(answer,) if isinstance(answer, str) else tuple(answer) for answer in answers]
    most = max(map(len, lists))
    padded = (several + (None,) * (most - len(several)) for several in lists)
    return tuple(zip(*padded, strict=True))


def _bleu(sums: Floats, n: int) -> Floats:
    """BLEU of sums (..., 10): hypothesis length, reference length, 4 matches, 4 totals."""
    length, wanted = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2:6], sums[..., 6:10]
    present = np.logical_and.accumulate(totals > 0, axis=-1)
    zero = present & (matches == 0)
    # The k-th order without a match counts as 1 / 2^k of a match.
    smoothed = np.where(zero, 0.5 ** np.cumsum(zero, axis=-1), matches)
    precision = np.divide(smoothed, totals, out=np.zeros_like(totals), where=present)
    with np.errstate(divide="ignore"):
        mean = np.log(precision).mean(axis=-1)  # minus infinity where an order is missing
    ratio = np.divide(wanted, length, out=np.full_like(length, np.inf), where=length > 0)
    score: Floats = 100 * np.exp(np.minimum(0, 1 - ratio) + mean)
    return np.where((matches > 0).any(axis=-1), score, 0.0)


def _chrf(sums: Floats, n: int) -> Floats:
    """chrF with β = 2 of sums (..., 3 · orders): hypothesis, reference, matching n-grams."""
    hypothesis, reference, match = (sums[..., i::3] for i in range(3))
    both = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(both.sum(axis=-1), 1)
    nothing = np.zeros_like(match)
    precision = np.divide(match, hypothesis, out=nothing.copy(), where=both).sum(axis=-1) / orders
    recall = np.divide(match, reference, out=nothing, where=both).sum(axis=-1) / orders
    below = 4 * precision + recall
    above = 500 * precision * recall
    score: Floats = np.divide(above, below, out=np.zeros_like(below), where=below > 0)
    return score


def _ter(sums: Floats, n: int) -> Floats:
    """TER of sums (..., 2): edits and reference words; 100 where there are edits but no words."""
    edits, words = sums[..., 0], sums[..., 1]
    without_words = np.array(edits > 0, np.float64)
    rate: Floats = np.divide(edits, words, out=without_words, where=words > 0)
    return 100 * rate
