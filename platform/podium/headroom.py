"""The room that a challenge leaves between chance, sample, baselines and the answers."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from podium import catalog, datasets, training
from podium.catalog import Baseline, Spec
from podium.datasets import Prepared
from podium_scoring import Metric, Score
from podium_scoring.grading import Truth
from podium_scoring.tables import Predictions, read_predictions


def starts(
    spec: Spec, truth: Truth, sample: Predictions
) -> tuple[dict[str, Score] | None, dict[str, dict[str, Score]]]:
    """Scores by split of the answers themselves, and of what is there from the start.

    The answers' are None, and chance is left out, where they do not tell a perfect submission.
    """
    found = {"sample": _scored(spec, sample, truth)}
    perfect = spec.grading.perfect(truth)
    if perfect is None:
        return None, found
    found["random"] = _scored(spec, _dealt(perfect, len(truth.form.ids)), truth)
    return _scored(spec, perfect, truth), found


def faults(spec: Spec, edition: str, truth: Truth, sample: Predictions) -> Iterator[str]:
    """Where sample, chance, baselines and answers do not score in this order.

    A random submission is the perfect one, dealt to the rows anew; where the answers do not tell
    a perfect submission, the sample alone is compared.
    """
    perfect, found = starts(spec, truth, sample)
    if perfect is not None:
        yield from above(spec, edition, perfect, found)
    for which, scores in found.items():
        for split, score in scores.items():
            for script, worst, _ in _expected(spec, edition):
                if not is_ahead(spec.metric.record, worst, score.value):
                    yield (
                        f"The baseline {script} may score {worst:g}, the {which} submission "
                        f"scores {score.value:g} on {split}: the baseline must be better."
                    )


def above(
    spec: Spec, edition: str, perfect: dict[str, Score], found: dict[str, dict[str, Score]]
) -> Iterator[str]:
    """The answers score best; nothing that is there from the start, and no baseline, reaches it."""
    metric = spec.metric.record
    for split, score in perfect.items():
        best = score.value
        # A metric without a bound has no best value to reach.
        if math.isfinite(metric.best) and not math.isclose(best, metric.best, abs_tol=1e-6):
            yield f"The answers score {best:g} on {split}, not the best, {metric.best:g}."
        for which, scores in found.items():
            if not is_ahead(metric, best, start := scores[split].value):
                yield f"The {which} submission scores {start:g} on {split}: no headroom."
        for script, _, top in _expected(spec, edition):
            if is_ahead(metric, top, best):
                yield f"The baseline {script} may score {top:g}, beyond the best."


def trial(folder: Path, edition: str, cache: Path) -> list[str]:
    """Train each baseline on an edition and compare what it scores with what the folder says.

    The score must lie where it is expected, clearly apart from the sample submission's, and both
    splits must agree on it within their intervals.
    """
    spec = catalog.read(folder)
    with tempfile.TemporaryDirectory(prefix="podium-trial-") as scratch:
        prepared = datasets.prepare(spec, folder, edition, 1, Path(scratch) / "new", cache=cache)
        truth = spec.grading.read_truth(prepared.answers.read_bytes())
        return [
            fault
            for each in spec.baselines
            if edition in each.expected
            for fault in _trial(spec, each, edition, prepared, truth)
        ]


def _trial(
    spec: Spec, baseline: Baseline, edition: str, prepared: Prepared, truth: Truth
) -> Iterator[str]:
    public = prepared.folder / "public"
    out = prepared.folder / f"{baseline.script}{spec.grading.submission.suffix}"
    training.train(baseline, public, out, small=edition == "small")
    trained, start = (
        _scored(spec, read_predictions(file.read_bytes(), truth.form), truth)
        for file in (out, public / spec.sample_file)
    )
    ((_, worst, top),) = (one for one in _expected(spec, edition) if one[0] == baseline.script)
    for split, score in trained.items():
        if not min(worst, top) <= score.value <= max(worst, top):
            yield (
                f"The baseline {baseline.script} scores {score.value:.4f} on {split}. "
                f"Expected is {worst:g} to {top:g}."
            )
        is_clear = not _meet(score, start[split])
        if not (is_clear and is_ahead(spec.metric.record, score.value, start[split].value)):
            yield f"The baseline {baseline.script} is not clearly ahead of the sample on {split}."
    if not _meet(trained["public"], trained["private"]):
        yield f"The public and the private split do not agree on the baseline {baseline.script}."


def is_ahead(metric: Metric, score: float, other: float) -> bool:
    """Whether a score is better than another."""
    return score > other if metric.higher_is_better else score < other


def _scored(spec: Spec, predictions: Predictions, truth: Truth) -> dict[str, Score]:
    """The scores of the metric that ranks, by split."""
    first = replace(spec.grading, choices=spec.grading.choices[:1])
    return first.score(predictions, truth)[spec.metric.name]


def _dealt(perfect: Predictions, ids: int) -> Predictions:
    """Each id gets the values of another one, drawn by chance."""
    order = np.random.default_rng(0).permutation(ids)
    if perfect.owner is not None:
        return replace(perfect, owner=order[perfect.owner])
    return replace(perfect, columns={name: v[order] for name, v in perfect.columns.items()})


def _expected(spec: Spec, edition: str) -> Iterator[tuple[str, float, float]]:
    """Each baseline of an edition with the worst and the best score that is expected."""
    for baseline in spec.baselines:
        for name, (worst, top) in baseline.expected.items():
            if name == edition:
                yield baseline.script, worst, top


def _meet(one: Score, other: Score) -> bool:
    """Whether the intervals of two scores have a point in common."""
    low, high = _bounds(one)
    from_, to = _bounds(other)
    return low <= to and from_ <= high


def _bounds(score: Score) -> tuple[float, float]:
    """The interval; of a score that has none, the score itself."""
    if score.low is None or score.high is None:
        return score.value, score.value
    return score.low, score.high
