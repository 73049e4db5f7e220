"""Translation metrics against sacrebleu, hand-computed cases and strange sentences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics.base import Metric as Sacre
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.translation import bleu, chrf, chrf_pp, sacrebleu_signature, ter
from podium_scoring.units import Sums

Function = Callable[..., Sums]
PAIRS: list[tuple[Function, Sacre]] = [
    (bleu, BLEU()),
    (chrf, CHRF()),
    (chrf_pp, CHRF(word_order=2)),
    (ter, TER()),
]
WORDS = [
    "the",
    "a",
    "cat,",
    "dog.",
    "sat?",
    "on",
    "under",
    "mat",
    "(house)",
    "and",
    "très",
    "vite",
    "Élan",
    "3.14",
    "don't",
]


def corpus(seed: int, n: int = 60) -> tuple[list[str], list[str]]:
    """References of random words, and hypotheses that keep, drop, swap or add some."""
    draw = np.random.default_rng(seed)
    answers = [" ".join(draw.choice(WORDS, draw.integers(1, 15))) for _ in range(n)]
    guesses = []
    for answer in answers:
        kept = [word for word in answer.split() if draw.random() < 0.8]
        kept += draw.choice(WORDS, draw.integers(0, 3)).tolist()
        if draw.random() < 0.3:
            draw.shuffle(kept)
        guesses.append(" ".join(kept))
    return guesses, answers


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_one_reference_equals_sacrebleu(ours: Function, oracle: Sacre, seed: int) -> None:
    guesses, answers = corpus(seed)
    expected = oracle.corpus_score(guesses, [answers]).score
    assert ours(guesses, answers).value() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_several_references_equal_sacrebleu(ours: Function, oracle: Sacre) -> None:
    guesses, answers = corpus(0)
    second: list[Any] = corpus(1)[1]
    second[3] = None  # one sentence has a single reference
    lists = [
        [text for text in both if text is not None] for both in zip(answers, second, strict=True)
    ]
    expected = oracle.corpus_score(guesses, [answers, second]).score
    assert ours(guesses, lists).value() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        ("the cat", "the cat"),
        ("a", "the cat sat on the mat"),
        ("", "the cat"),
        ("the cat", ""),
        ("", ""),
        ("xyz", "the cat sat on a mat"),
        ("the cat sat on the mat today", "the cat sat under the mat"),
    ],
)
def test_a_single_sentence_equals_sacrebleu(
    ours: Function, oracle: Sacre, guess: str, answer: str
) -> None:
    expected = oracle.corpus_score([guess], [[answer]]).score
    assert ours([guess], [answer]).value() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_a_resample_equals_sacrebleu_on_the_repeated_sentences(
    ours: Function, oracle: Sacre
) -> None:
    guesses, answers = corpus(2, n=20)
    units = ours(guesses, answers)
    times = np.random.default_rng(0).multinomial(20, np.full(20, 0.05))
    drawn = np.repeat(np.arange(20), times)
    expected = oracle.corpus_score([guesses[i] for i in drawn], [[answers[i] for i in drawn]])
    assert units.reduce(times @ units.values, 20) == pytest.approx(expected.score, abs=1e-9)


def test_bleu_of_a_hand_computed_sentence() -> None:
    # matches 5/6, 3/5, 1/4, and none of 3 4-grams, which counts as half a match: 1/6.
    value = bleu(["the cat sat on a mat"], ["the cat sat on the mat"]).value()
    assert value == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_chrf_of_a_hand_computed_sentence() -> None:
    # "ab" against "ac": unigrams 1/2 on both sides, bigrams 0, longer orders do not exist.
    assert chrf(["ab"], ["ac"]).value() == pytest.approx(25.0)


def test_ter_of_a_hand_computed_sentence() -> None:
    assert ter(["the dog sat down"], ["the cat sat"]).value() == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize(("ours", "best"), [(bleu, 100), (chrf, 100), (chrf_pp, 100), (ter, 0)])
def test_the_answers_themselves_score_best(ours: Function, best: float) -> None:
    _, answers = corpus(0)
    assert ours(answers, answers).value() == pytest.approx(best)


@pytest.mark.parametrize(("ours", "worst"), [(bleu, 0), (chrf, 0), (chrf_pp, 0), (ter, 100)])
def test_empty_sentences_score_worst(ours: Function, worst: float) -> None:
    _, answers = corpus(0)
    assert ours([""] * len(answers), answers).value() == pytest.approx(worst)


@pytest.mark.parametrize("ours", [bleu, chrf, chrf_pp])
def test_options_reach_sacrebleu(ours: Function) -> None:
    assert ours(["THE CAT SAT ON IT"], ["the cat sat on it"], lowercase=True).value() > 99.9
    assert ours(["THE CAT SAT ON IT"], ["the cat sat on it"]).value() < 1


def test_ter_can_tell_case() -> None:
    assert ter(["The"], ["the"]).value() == 0
    assert ter(["The"], ["the"], case_sensitive=True).value() == 100


def test_the_signature_is_sacrebleus() -> None:
    oracle = BLEU()
    oracle.corpus_score(["a"], [["a"]])
    assert sacrebleu_signature("bleu", ["a"]) == str(oracle.get_signature())
    assert sacrebleu_signature("chrf_pp", [["a", "b"]]).startswith(
        "nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:"
    )


def test_an_unknown_tokeniser_is_the_hosts_fault() -> None:
    with pytest.raises(ChallengeError, match="no tokeniser 'words'"):
        bleu(["a"], ["a"], tokenize="words")


def test_a_prediction_that_is_no_text_is_refused_with_its_place() -> None:
    guesses: Any = ["a", None]
    with pytest.raises(SubmissionError, match="Sentence 2 is None"):
        bleu(guesses, ["a", "b"])


def test_too_few_sentences_are_refused() -> None:
    with pytest.raises(SubmissionError, match=r"There are 1 sentences\. The answers have 2"):
        bleu(["a"], ["a", "b"])


@pytest.mark.parametrize("answers", [[], [[]], [[None]], ["a", 3]])
def test_answers_that_are_no_texts_are_the_hosts_fault(answers: Any) -> None:
    with pytest.raises(ChallengeError):
        chrf(["a"] * len(answers), answers)


def test_the_interval_repeats_for_a_seed_and_holds_the_value() -> None:
    units = bleu(*corpus(0))
    low, high = units.interval(1)
    assert units.interval(1) == (low, high)
    assert low < units.value() < high


def coverage(experiments: int, n: int) -> float:
    """How often the 95 % interval of chrF holds the chrF of the whole population."""
    population = Sums(chrf(*corpus(9, n=3000)).values, chrf(["a"], ["a"]).reduce)
    truth = population.value()
    draw = np.random.default_rng(5)
    inside = 0
    for experiment in range(experiments):
        sample = Sums(population.values[draw.integers(0, 3000, n)], population.reduce)
        low, high = sample.interval(experiment)
        inside += low <= truth <= high
    return inside / experiments


def test_the_interval_of_chrf_holds_the_truth_about_95_times_in_100() -> None:
    assert 0.92 <= coverage(300, n=200) <= 0.98
