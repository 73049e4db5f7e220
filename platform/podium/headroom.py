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
from podium_scoring import Metric, Score, SubmissionError
from podium_scoring.grading import Truth
from podium_scoring.tables import Predictions, read_predictions


def faults(spec: Spec, edition: str, truth: Truth, sample: Predictions) -> Iterator[str]:
    """Where sample, chance, baselines and answers do not score in this order.

    A random submission is the perfect one, dealt to the rows anew, or noise where images are
    generated; where the answers do not tell a perfect submission, the sample alone is compared.
    None of them may be refused by a gate.
    """
    given = {"sample": sample}
    perfect = spec.grading.perfect(truth)
    if perfect is not None:
        given["random"] = _drawn(spec, perfect, len(truth.form.ids))
        given["perfect"] = perfect
    starts = {}
    for which, predictions in given.items():
        try:
            starts[which] = _scored(spec, predictions, truth)
        except SubmissionError as error:
            yield f"The {which} submission is refused. {error.message}"
            return
    if perfect is not None:
        yield from _above(spec, edition, starts.pop("perfect"), starts)
    for which, scores in starts.items():
        for split, score in scores.items():
            for script, worst, _ in _expected(spec, edition):
                if not is_ahead(spec.metric.record, worst, score.value):
                    yield (
                        f"The baseline {script} may score {worst:g}, the {which} submission "
                        f"scores {score.value:g} on {split}: the baseline must be better."
                    )


def _above(
    spec: Spec, edition: str, perfect: dict[str, Score], starts: dict[str, dict[str, Score]]
) -> Iterator[str]:
    """The answers score best; nothing that is there from the start, and no baseline, reaches it."""
    metric = spec.metric.record
    for split, score in perfect.items():
        best = score.value
        # A metric without a bound has no best value to reach, and real images differ too.
        is_known = math.isfinite(metric.best) and metric.takes != "images"
        if is_known and not math.isclose(best, metric.best, abs_tol=1e-6):
            yield f"The answers score {best:g} on {split}, not the best, {metric.best:g}."
        for which, scores in starts.items():
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
            for fault in _trial(folder, spec, each, edition, prepared, truth)
        ]


def measured(folder: Path, baseline: Baseline, prepared: Prepared) -> float:
    """What a baseline scores in its small form, on the private split of prepared files."""
    spec = catalog.read(folder)
    truth = spec.grading.read_truth(prepared.answers.read_bytes())
    out = prepared.folder / f"{baseline.script}{spec.grading.submission.suffix}"
    training.train(folder, baseline, prepared.folder / "public", out, small=True)
    trained = read_predictions(out.read_bytes(), truth.form)
    return _scored(spec, trained, truth)["private"].value


def _trial(
    folder: Path, spec: Spec, baseline: Baseline, edition: str, prepared: Prepared, truth: Truth
) -> Iterator[str]:
    public = prepared.folder / "public"
    out = prepared.folder / f"{baseline.script}{spec.grading.submission.suffix}"
    training.train(folder, baseline, public, out, small=edition == "small")
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
    """The scores of the metric that ranks, by split; SubmissionError if a gate refuses them."""
    first, *beside = spec.grading.choices
    gates = (choice for choice in beside if choice.gate is not None)
    grading = replace(spec.grading, choices=(first, *gates))
    return grading.score(predictions, truth)[spec.metric.name]


def _drawn(spec: Spec, perfect: Predictions, ids: int) -> Predictions:
    """Each id gets the values of another one, or an image of noise, drawn by chance."""
    generator = np.random.default_rng(0)
    if spec.metric.record.takes == "images":
        shapes = {name: values.shape for name, values in perfect.columns.items()}
        return Predictions(
            {name: generator.integers(0, 256, shape) for name, shape in shapes.items()}
        )
    order = generator.permutation(ids)
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
