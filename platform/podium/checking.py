"""Dry runs: what can be said of a file before it is handed in, at no cost, without answers."""

import io
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from podium import catalog, modelfile, workers
from podium.catalog import Spec
from podium.competitions import find
from podium.errors import BadRequestError
from podium.installation import Installation
from podium.models import Challenge, Competition
from podium.recent import Recent
from podium.running import check_bundle
from podium.sandbox.refusal import RefusedError
from podium.submissions import check_kind, largest_file, queue_for
from podium_scoring import SubmissionError
from podium_scoring.column import Column
from podium_scoring.rules import SUM_TOLERANCE
from podium_scoring.tables import Form, most_lines, read_predictions
from podium_scoring.textfile import MAGIC


class Readable(Protocol):
    """An arrived file, at its start."""

    def read(self) -> bytes:
        """Its bytes."""


@dataclass(frozen=True)
class Checked:
    """What a dry run found; `errors` are shown as they stand."""

    ok: bool
    message: str
    rows: int | None
    errors: list[dict[str, object]]
    more: int


@dataclass(frozen=True)
class Rules:
    """What a file of predictions must be, as data: a client can check it before it is sent."""

    format: str
    suffix: str
    max_bytes: int
    header: list[str]
    id: Column
    columns: list[Column]
    probabilities: list[str]
    sum_tolerance: float
    repeated: bool
    distinct: bool
    most_lines: int
    ids: list[str]  # of the sample submission, in its order
    magic: dict[str, str]  # how files of other kinds begin, in hexadecimal


def rules(installation: Installation, slug: str) -> Rules:
    """The rules by which `check` judges predictions; they hold nothing that is not public."""
    with installation.database.reading() as session:
        competition = find(session, slug)
        check_kind(competition, "predictions")
        challenge = competition.challenge
        _need_ready(competition)
        form = _forms.get(installation, challenge)
    schema = form.schema
    return Rules(
        format=schema.format,
        suffix=schema.suffix,
        max_bytes=largest_file(competition, installation.config.upload_mib << 20),
        header=schema.header,
        id=schema.id,
        columns=list(schema.columns),
        probabilities=list(schema.probabilities),
        sum_tolerance=SUM_TOLERANCE,
        repeated=schema.repeated,
        distinct=schema.distinct,
        most_lines=most_lines(schema, len(form.ids)),
        ids=[str(one) for one in form.ids.tolist()],
        magic={start.hex(): words for start, words in MAGIC.items()},
    )


def _need_ready(competition: Competition) -> None:
    if competition.challenge.state != "ready":
        raise BadRequestError(f"{competition.title} is not ready: its data are being prepared.")


def check(
    installation: Installation, slug: str, file: Readable, kind: str = "predictions"
) -> Checked:
    """Check the content of a file as far as it can be without running it."""
    with installation.database.reading() as session:
        competition = find(session, slug)
        check_kind(competition, kind)
        challenge = competition.challenge
        _need_ready(competition)
        spec = catalog.parse(challenge.spec)
        keys = {one.name: one.file_key for one in challenge.files}
        available = workers.environment(session, queue_for(session, challenge, kind))
    try:
        match kind:
            case "predictions":
                return _predictions(installation, challenge, file.read())
            case "model":
                return _model(installation, spec, keys, file.read())
            case _:
                rules = spec.run.model_dump(mode="json")
                bundle = check_bundle(rules, file.read(), kind, available)
                return _fits(
                    f"The bundle can be run: {bundle.entry} and {len(bundle.files) - 1} files "
                    "beside it. What it does is seen when it runs."
                )
    except SubmissionError as error:
        errors = [asdict(detail) for detail in error.details]
        return Checked(ok=False, message=error.message, rows=None, errors=errors, more=error.more)
    except RefusedError as error:
        return Checked(ok=False, message=error.message, rows=None, errors=[], more=0)


def _predictions(installation: Installation, challenge: Challenge, content: bytes) -> Checked:
    form = _forms.get(installation, challenge)
    read_predictions(content, form)
    return _fits("The file fits the published format.", rows=len(form.ids))


def _model(installation: Installation, spec: Spec, keys: dict[str, str], content: bytes) -> Checked:
    rules = spec.run.model
    if rules is None:
        raise BadRequestError(f"{spec.title} says nothing of how it runs models.", field="kind")
    with installation.storage.open(keys[rules.file]) as file:
        data = io.BytesIO(file.read())
    with np.load(data, allow_pickle=False) as stored:
        model = modelfile.read(rules.model_dump(mode="json"), content, stored)
    return _fits(f"The model can be run: {model.words}.")


def _fits(message: str, rows: int | None = None) -> Checked:
    return Checked(ok=True, message=message, rows=rows, errors=[], more=0)


def _read_form(installation: Installation, challenge: Challenge) -> Form:
    spec = catalog.parse(challenge.spec)
    with installation.storage.open(challenge.sample_key) as file:
        return spec.grading.read_form(file.read())


_forms = Recent(_read_form)
