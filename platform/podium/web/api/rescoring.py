"""Rescoring over the API: begin a trial, look at its difference, apply or discard it."""

import json
from typing import Any

from apiflask import APIBlueprint
from flask import request
from sqlalchemy.orm import Session

from podium import difference, rescoring
from podium.accounts import Caller
from podium.competitions import find, need_host
from podium.errors import BadRequestError
from podium.models import Rescoring
from podium.revision import Revision
from podium.submissions import Upload
from podium.web import identity, installation
from podium.web.api import hostshapes, shapes
from podium.web.uploads import takes_file

blueprint = APIBlueprint(
    "api_rescoring", __name__, url_prefix="/api/v1/competitions/<slug>/rescoring", tag="Rescoring"
)

FORM = {
    "required": True,
    "content": {"multipart/form-data": {"schema": hostshapes.RescoringForm.model_json_schema()}},
}


@blueprint.get("")
@blueprint.output(hostshapes.Rescoring)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def show(slug: str) -> hostshapes.Rescoring:
    """The trial that nobody has decided on: how far it is, what it would change."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        trial = _trial(session, slug, caller)
        return _shape(session, trial)


@blueprint.post("")
@takes_file(must_have_room=False, may_lack=True)
@blueprint.output(hostshapes.Rescoring, status_code=201)
@blueprint.doc(
    security=[{"token": ["host"]}],
    responses=[400, 401, 403, 404, 409, 413],
    extensions={"requestBody": FORM},
)
def begin(slug: str, upload: Upload | None) -> tuple[hostshapes.Rescoring, int]:
    """Begin a trial: another metric, mended answers (the file), rows to leave out, a new run."""
    caller = identity.need_caller("host")
    here = installation()
    rescoring.begin(here, caller, slug, wanted(request.form, upload))
    with here.database.reading() as session:
        return _shape(session, _trial(session, slug, caller)), 201


@blueprint.post("/apply")
@blueprint.input(hostshapes.ApplyRequest, arg_name="asked")
@blueprint.output(hostshapes.Rescoring)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def apply(slug: str, asked: hostshapes.ApplyRequest) -> hostshapes.Rescoring:
    """Put the new scores in force, when all are there."""
    caller, here = identity.need_caller("host"), installation()
    with here.database.reading() as session:
        shown = _shape(session, _trial(session, slug, caller))
    applied = difference.apply(here, caller, slug, asked.reason, leaves_out=asked.leaves_out)
    return shown.model_copy(update={"state": applied.state, "decided_at": applied.decided_at})


@blueprint.post("/discard")
@blueprint.input(shapes.Reason, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def discard(slug: str, asked: shapes.Reason) -> tuple[str, int]:
    """Throw the trial away; what was in force stays."""
    rescoring.discard(installation(), identity.need_caller("host"), slug, asked.reason)
    return "", 204


def wanted(form: Any, upload: Upload | None) -> Revision:
    """The revision that a form asks for; BadRequestError for a metric that is no JSON."""
    metric = None
    if text := form.get("metric", "").strip():
        try:
            metric = json.loads(text) if text.startswith("{") else {"name": text}
        except ValueError:
            raise BadRequestError(
                'The metric is neither a name nor a JSON table like {"name": "f1_macro"}.',
                field="metric",
            ) from None
    answers = None
    if upload is not None:
        upload.file.seek(0)
        answers = upload.file.read()
    return Revision(
        metric=metric,
        answers=answers,
        excluded=tuple(form.get("excluded", "").replace(",", " ").split()),
        version=_version(form.get("version", "").strip()),
        runs_again=form.get("runs_again", "") in ("1", "true", "on"),
        raise_only=form.get("raise_only", "") in ("1", "true", "on"),
        reason=form.get("reason", "").strip(),
    )


def _version(text: str) -> int | None:
    if text and not text.isdigit():
        raise BadRequestError(f"A version is a whole number, not {text!r}.", field="version")
    return int(text) if text else None


def _trial(session: Session, slug: str, caller: Caller) -> Rescoring:
    competition = find(session, slug)
    need_host(competition, caller)
    return rescoring.need_trial(session, competition)


def _shape(session: Session, trial: Rescoring) -> hostshapes.Rescoring:
    found = difference.difference(installation().storage, session, trial)
    return hostshapes.Rescoring(
        id=trial.id,
        state=trial.state,
        change=trial.change,
        reason=trial.reason,
        runs_again=trial.runs_again,
        raise_only=trial.raise_only,
        asked_at=trial.asked_at,
        decided_at=trial.decided_at,
        progress=hostshapes.Rehearsal.model_validate(rescoring.progress(session, trial)),
        public=[hostshapes.RankChange.model_validate(one) for one in found.boards["public"]],
        private=[hostshapes.RankChange.model_validate(one) for one in found.boards["private"]],
    )
