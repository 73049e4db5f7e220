"""The room that a challenge leaves between chance, sample, baselines and the answers."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from podium import catalog, datasets, episodes, rehearsal, training
from podium.catalog import Baseline, Spec
from podium.datasets import Prepared
from podium.desk import Said
from podium.rehearsal import OWN, Piece
from podium_scoring import ChallengeError, Metric, Score, SubmissionError
from podium_scoring.games import Ratings, ratings
from podium_scoring.grading import Truth
from podium_scoring.tables import Predictions, read_predictions


def starts(
    spec: Spec, truth: Truth, sample: Predictions
) -> tuple[dict[str, Score] | None, dict[str, dict[str, Score]]]:
    """Scores by split of the answers themselves, and of what is there from the start.

    The answers' are None, and chance is left out, where they do not tell a perfect submission.
    Chance is the perfect submission, dealt to the rows anew, or noise where images are generated.
    SubmissionError if a gate refuses one of them.
    """
    found = {"sample": _scored(spec, sample, truth)}
    perfect = spec.grading.perfect(truth)
    if perfect is None:
        return None, found
    found["random"] = _scored(spec, _drawn(spec, perfect, len(truth.form.ids)), truth)
    return _scored(spec, perfect, truth), found


def faults(spec: Spec, edition: str, truth: Truth, sample: Predictions) -> Iterator[str]:
    """Where sample, chance, baselines and answers do not score in this order.

    Where the answers do not tell a perfect submission, the sample alone is compared.
    """
    try:
        perfect, found = starts(spec, truth, sample)
    except SubmissionError as error:
        yield f"What is there from the start is refused. {error.message}"
        return
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
        # A metric without a bound has no best value to reach, and real images differ too.
        is_known = math.isfinite(metric.best) and metric.takes != "images"
        if is_known and not math.isclose(best, metric.best, abs_tol=1e-6):
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
        if spec.is_match:
            return [
                fault
                for each in spec.baselines
                if edition in each.expected
                for fault in _rated(folder, spec, each, edition, prepared)
            ]
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
    out = _trained(folder, spec, baseline, "small", prepared)
    trained = read_predictions(out.read_bytes(), truth.form)
    return _scored(spec, trained, truth)["private"].value


def _trial(
    folder: Path, spec: Spec, baseline: Baseline, edition: str, prepared: Prepared, truth: Truth
) -> Iterator[str]:
    public = prepared.folder / "public"
    out = _trained(folder, spec, baseline, edition, prepared)
    trained, start = (
        _scored(spec, predictions(spec, file, prepared, truth), truth)
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


def _trained(
    folder: Path, spec: Spec, baseline: Baseline, edition: str, prepared: Prepared
) -> Path:
    """The file that a baseline writes, of a name of its own."""
    out = prepared.folder / f"{Path(baseline.script).stem}-{spec.baseline_file}"
    training.train(folder, baseline, prepared.folder / "public", out, small=edition == "small")
    return out


def predictions(spec: Spec, file: Path, prepared: Prepared, truth: Truth) -> Predictions:
    """What a file says; an agent is played on the hidden seeds first. SubmissionError if nothing.

    ChallengeError if the agent fails, FaultError if agents cannot be run here.
    """
    content = file.read_bytes()
    if spec.run.agent is not None:
        with tempfile.TemporaryDirectory(prefix="podium-play-") as scratch:
            said = played(spec, file, prepared, Path(scratch), len(truth.form.ids))
            assert said.output is not None
            content = said.output.read_bytes()
    return read_predictions(content, truth.form)


def plays(spec: Spec, file: Path, prepared: Prepared) -> None:
    """Let an agent play one game against itself; ChallengeError if it errs."""
    with tempfile.TemporaryDirectory(prefix="podium-play-") as scratch:
        played(spec, file, prepared, Path(scratch), 1)


def _rated(
    folder: Path, spec: Spec, baseline: Baseline, edition: str, prepared: Prepared
) -> Iterator[str]:
    """Whether a baseline, against the sample alone, has the rating that is expected."""
    assert spec.run.agent is not None
    out = _trained(folder, spec, baseline, edition, prepared)
    sample = prepared.folder / "public" / spec.sample_file
    with tempfile.TemporaryDirectory(prefix="podium-play-") as scratch:
        matches = spec.run.agent.games // 2
        table = _table(played(spec, out, prepared, Path(scratch), matches, against=sample))
    place = table.names.index(str(OWN))
    ((_, worst, top),) = (one for one in _expected(spec, edition) if one[0] == baseline.script)
    if not worst <= table.values[place] <= top:
        yield (
            f"The baseline {baseline.script} is rated {table.values[place]:.0f} against the "
            f"sample. Expected is {worst:g} to {top:g}."
        )
    if not table.low[place] > table.high[1 - place]:
        yield f"The baseline {baseline.script} is not clearly ahead of the sample."


def _table(said: Said) -> Ratings:
    games = [one.sides for one in said.episodes]
    pairs = [[str(side.submission_id) for side in sides] for sides in games]
    return ratings([sides[0].score for sides in games], pairs)


def played(
    spec: Spec,
    file: Path,
    prepared: Prepared,
    scratch: Path,
    seeds: int,
    against: Path | None = None,
) -> Said:
    """Play a file on the first hidden seeds, over again if there are too few of them.

    Against another file each seed is played on both sides. ChallengeError if the file fails.
    """
    hidden = episodes.read_seeds(spec, prepared.answers.read_bytes())
    chosen = [hidden[index % len(hidden)] for index in range(seeds)]
    piece = Piece(
        "agent",
        file,
        spec.run.model_dump(mode="json"),
        spec.output_file,
        spec.output_columns,
        seeds=[(one.number, one.seed) for one in chosen],
        against=against,
    )
    said = rehearsal.rehearse(piece, scratch)
    if said.outcome != "ran":
        raise ChallengeError(f"The agent {file.name} failed ({said.outcome}): {said.reason}")
    return said


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
