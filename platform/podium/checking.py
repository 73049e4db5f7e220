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
from podium.models import Challenge
from podium.recent import Recent
from podium.running import check_bundle
from podium.sandbox.refusal import RefusedError
from podium.submissions import check_kind, queue_for
from podium_scoring import SubmissionError
from podium_scoring.tables import Form, read_predictions


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


def check(
    installation: Installation, slug: str, file: Readable, kind: str = "predictions"
) -> Checked:
    """Check the content of a file as far as it can be without running it."""
    with installation.database.reading() as session:
        competition = find(session, slug)
        check_kind(competition, kind)
        challenge = competition.challenge
        if challenge.state != "ready":
            raise BadRequestError(f"{competition.title} is not ready: its data are being prepared.")
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
