"""What a challenge declares about scoring, and the one way from its files to scores.

`Grading.of` takes the tables `metric`, `submission` and `answers` of a challenge.toml. Whatever the
format, the way is the same: read_form or read_answers once, then read_predictions and score.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from podium_scoring import inputs, selection
from podium_scoring.errors import ChallengeError, Detail, SubmissionError
from podium_scoring.hostmetric import HostMetric
from podium_scoring.metric import Metric
from podium_scoring.registry import metric
from podium_scoring.schema import Schema
from podium_scoring.score import Score, compute, of_units
from podium_scoring.selection import Chosen
from podium_scoring.tables import (
    ALL,
    Answers,
    Form,
    Ints,
    Predictions,
    form_of,
    read_answers,
    read_form,
    read_predictions,
)

if TYPE_CHECKING:
    from podium_scoring.features import Network

ANSWER_FORMATS = {"png": "npz", "txt": "csv"}  # of a submission that cannot carry Usage


@dataclass(frozen=True)
class Choice:
    """A metric of a challenge: its options, and the columns it reads where not all.

    With a `gate` it reads all answers, whatever their split, and what is worse is refused.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    host: HostMetric | None = None  # the challenge's own metric.py
    gate: float | None = None

    @property
    def record(self) -> Metric:
        """The metric itself; ChallengeError if there is none of this name."""
        return metric(self.name) if self.host is None else self.host.record

    def admit(self, score: Score) -> None:
        """SubmissionError if a score is worse than the gate."""
        assert self.gate is not None
        is_higher = score.higher_is_better
        if score.value < self.gate if is_higher else score.value > self.gate:
            title, bound = self.record.title, "at least" if is_higher else "at most"
            raise SubmissionError(
                f"{title} is {score.value:.3g}. This competition takes {bound} {self.gate:g}.",
                [Detail(None, self.name, f"{bound} {self.gate:g}", f"{score.value:.3g}")],
            )

    def check(self) -> None:
        """Refuse options that the metric has not; those of a host's metric are its own."""
        record = self.record
        if self.host is None:
            record.checked(self.options)

    @classmethod
    def of(cls, said: str | Mapping[str, Any]) -> Self:
        """The choice of a name, or of a table with name, options, columns, answers and gate.

        A table with `source`, the text of a metric.py, says `higher_is_better` besides.
        """
        if isinstance(said, str):
            return cls(said)
        host = None
        if said.get("source"):
            if not isinstance(said.get("higher_is_better"), bool):
                raise ChallengeError(
                    "A metric.py needs higher_is_better = true or false beside its name: the "
                    "direction is never guessed."
                )
            host = HostMetric(said["name"], said["source"], said["higher_is_better"])
        return cls(
            said["name"],
            said.get("options") or {},
            tuple(said.get("columns") or ()),
            tuple(said.get("answers") or ()),
            host,
            said.get("gate"),
        )


@dataclass(frozen=True)
class Truth:
    """Answers ready to be compared with, and the form of a file that fits them.

    A worker keeps it in memory; what a metric needs of the answers is made at its first use.
    """

    answers: Answers
    form: Form
    network: "Network | None" = None
    device: str = "cpu"  # where the network runs: cpu or cuda
    prepared: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def splits(self) -> Mapping[str, Ints]:
        """The rows of each split."""
        return self.answers.splits

    def without(self, ids: Iterable[Any]) -> Self:
        """The same answers with some ids left out of every split; a signature names them."""
        left_out = sorted({str(one) for one in ids})
        is_left_out = np.isin(self.answers.ids.astype(str), left_out)
        splits = {split: rows[~is_left_out[rows]] for split, rows in self.answers.splits.items()}
        named = hashlib.sha256("\n".join(left_out).encode()).hexdigest()[:8]
        answers = replace(
            self.answers, splits=splits, digest=f"{self.answers.digest}-without-{named}"
        )
        return replace(self, answers=answers, prepared={})

    def features(self, images: Any) -> Any:
        """Features of images by the answers' network; what are features already stay."""
        if images.ndim == 2:
            return images
        if self.network is None:
            raise ChallengeError(
                "There are images and no network. Put its weights into the answers and name it."
            )
        return self.network.features(images, device=self.device)

    @property
    def made_with(self) -> dict[str, str]:
        """The network, as a signature names it."""
        return {} if self.network is None else {"network": str(self.network)}


@dataclass(frozen=True)
class Grading:
    """A declaration: what files look like, and the metrics, of which the first one ranks.

    `network` names the network whose features the metrics of images take; its weights travel in
    the answers.
    """

    submission: Schema
    answers: Schema
    choices: tuple[Choice, ...]
    network: str = ""

    def __post_init__(self) -> None:
        names = [choice.name for choice in self.choices]
        if not names or len(set(names)) < len(names):
            raise ChallengeError(f"The metrics are {names}. Name one or more, each once.")
        if self.first.gate is not None:
            raise ChallengeError(
                f"{self.first.name} ranks, so it is scored by split and can be no gate. Move the "
                "gate to a metric of `also`."
            )
        for choice in self.choices:
            choice.check()
            self._check(choice)

    def _check(self, choice: Choice) -> None:
        """Refuse a metric whose columns cannot be what it takes."""
        chosen, takes = self.chosen(choice), choice.record.takes
        told = ((self.submission, chosen.columns), (self.answers, chosen.answers))
        for (schema, names), side in zip(told, ("the submission", "the answers"), strict=True):
            strange = [name for name in names if name not in schema.header[1:]]
            if strange:
                known = ", ".join(schema.header[1:])
                raise ChallengeError(
                    f"{choice.name} reads {strange[0]!r} of {side}. There are {known}."
                )
            most = selection.most_columns(takes, side, is_probable=chosen.is_probable)
            if most is not None and len(names) != most:
                got = ", ".join(names) or "none"
                raise ChallengeError(
                    f"{choice.name} reads {most} column(s) of {side}, not {got}. Say which, by "
                    "`columns` and `answers` beside the metric's name."
                )
        if takes == "frames" and self.submission.repeated:
            raise ChallengeError(f"{choice.name} of metric.py needs one row for each id.")
        if takes in ("classes", "grades") and not chosen.is_probable:
            given, wanted = chosen.gives(chosen.columns[0]), self.answers.column(chosen.answers[0])
            if wanted is not None and given != wanted.type:
                raise ChallengeError(
                    f"{choice.name} compares {given} classes with {wanted.type} ones. Declare the "
                    "same type for both."
                )

    @classmethod
    def of(cls, tables: Mapping[str, Any]) -> Self:
        """The declaration of challenge.toml's tables; ChallengeError that says what is missing."""
        try:
            first, submission = tables["metric"], Schema.of(tables["submission"])
            said = tables.get("answers") or {}
            choices = [Choice.of(first), *map(Choice.of, first.get("also") or ())]
        except (KeyError, TypeError, AttributeError) as error:
            raise ChallengeError(
                f"The declaration is not complete ({error!r}). It has the tables metric, with a "
                "name, and submission."
            ) from None
        whole = {"format": ANSWER_FORMATS.get(submission.format, submission.format)}
        whole |= {key: tables["submission"].get(key) for key in ("id", "columns", "repeated")}
        whole |= {key: value for key, value in said.items() if value is not None}
        network = whole.pop("network", "")
        return cls(submission, Schema.of(whole), tuple(choices), network)

    @property
    def first(self) -> Choice:
        """The metric that ranks."""
        return self.choices[0]

    def chosen(self, choice: Choice) -> Chosen:
        """The columns that a metric reads."""
        fitting = selection.suitable(choice.record.takes, self.submission, self.answers)
        return selection.named(fitting, choice.columns, choice.answers)

    def read_form(self, sample: bytes) -> Form:
        """The form of files from the public sample submission; its faults are the host's."""
        return read_form(sample, self.submission)

    def read_truth(self, data: bytes, *, usage: bool = True, device: str = "cpu") -> Truth:
        """The answers, and the form of a file that fits them; their faults are the host's."""
        answers = read_answers(data, self.answers, usage=usage)
        if self.submission.rows is None:
            form = form_of(self.submission, answers.ids)
        else:
            form = read_form(b"", self.submission)
        network = None
        if self.network:
            from podium_scoring.features import Network

            network = Network.of(self.network, data)
        return Truth(answers, form, network, device)

    def read_predictions(self, data: bytes, form: Form) -> Predictions:
        """A submission's columns; SubmissionError with at most 20 places if it does not fit."""
        return read_predictions(data, form)

    def perfect(self, truth: Truth) -> Predictions | None:
        """A submission that says what the answers say; None where they do not tell one."""
        return selection.perfect(
            self.first.record.takes, self.chosen(self.first), truth.answers, truth.form
        )

    def score(
        self, predictions: Predictions, truth: Truth, *, seed: int = 0
    ) -> dict[str, dict[str, Score]]:
        """Scores by metric and split; SubmissionError if a gate refuses one."""
        if self.submission.format == "txt":  # from the order of lines to that of the answers
            lines = truth.form.index.rows(truth.answers.ids)
            columns = {name: values[lines] for name, values in predictions.columns.items()}
            predictions = replace(predictions, columns=columns)
        features: dict[str, Any] = {}  # of generated images, which every split and metric shares
        scores = {}
        for choice in self.choices:
            if choice.gate is None:
                scores[choice.name] = {
                    split: self._score(choice, predictions, truth, split, features, seed)
                    for split in truth.splits
                }
            else:
                whole = self._score(choice, predictions, truth, ALL, features, seed)
                choice.admit(whole)
                scores[choice.name] = dict.fromkeys(truth.splits, whole)
        return scores

    def _score(
        self,
        choice: Choice,
        predictions: Predictions,
        truth: Truth,
        split: str,
        features: dict[str, Any],
        seed: int,
    ) -> Score:
        chosen, takes = self.chosen(choice), choice.record.takes
        rows = np.arange(len(truth.answers.ids)) if split == ALL else truth.splits[split]
        key = (choice.name, split)
        if key not in truth.prepared:
            made = inputs.of_answers(takes, truth.answers, rows, chosen)
            truth.prepared[key] = truth.features(made) if takes == "images" else made
        given, answers = inputs.of_predictions(
            takes, predictions, rows, chosen, truth.prepared[key]
        )
        if takes == "images":
            key_of = ",".join(chosen.columns)
            if key_of not in features:
                features[key_of] = truth.features(given)
            given = features[key_of]
        digest = f"{truth.answers.digest}/{split}"
        if choice.host is not None:
            units = choice.host.units(given, answers, self.answers.id.name, choice.options)
            return of_units(
                choice.record, units, seed=seed, answers_digest=digest, options=choice.options
            )
        return compute(
            choice.name,
            given,
            answers,
            seed=seed,
            answers_digest=digest,
            made_with=truth.made_with if takes == "images" else None,
            **choice.options,
        )
