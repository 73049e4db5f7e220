"""Hosting over the API: create, check, publish, open, close, clone, export."""

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response, request, send_file
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from podium import givens, plaincsv, publishing
from podium.accounts import Caller
from podium.competitions import find, need_right
from podium.errors import BadRequestError
from podium.models.record import now
from podium.submissions import Upload
from podium.web import identity, installation
from podium.web.api.shapes import Reason, Shape
from podium.web.uploads import PARTS, takes_file, takes_new
from podium_scoring import ChallengeError

blueprint = APIBlueprint("api_publishing", __name__, url_prefix="/api/v1", tag="Hosting")

NUMBERS = {"test_fraction": float, "public_fraction": float, "seed": int}


class CreateForm(Shape):
    """A new competition as multipart/form-data.

    Either `challenge` names one that comes with Podium, or the file is the zip of a prepared
    folder, or (with `target` and `metric`) a labelled CSV that is split here. `train`, `test` and
    `answers` are three CSVs whose split is given.
    """

    slug: str
    title: str = ""
    course: str = ""
    opens_at: str = ""
    closes_at: str = ""
    time_zone: str = ""
    challenge: str = ""
    file: str = Field("", json_schema_extra={"format": "binary"})
    train: str = Field("", json_schema_extra={"format": "binary"})
    test: str = Field("", json_schema_extra={"format": "binary"})
    answers: str = Field("", json_schema_extra={"format": "binary"})
    target: str = ""
    answer_column: str = ""
    metric: str = ""
    options: str = "{}"
    summary: str = ""
    text: str = ""
    licence: str = ""
    id_column: str = ""
    split: str = "fraction"
    by: str = ""
    test_value: str = ""
    test_fraction: str = "0.4"
    public_fraction: str = "0.3"
    seed: str = "0"


class Checks(Shape):
    """How far a competition is, and what its checks have found."""

    slug: str
    stage: str
    is_checking: bool
    blockers: list[str]
    warnings: list[str]
    scores: dict[str, dict[str, float]]


class BaselineForm(Shape):
    """A baseline's predictions as multipart/form-data."""

    name: str
    file: str = Field(json_schema_extra={"format": "binary"})


class HandedIn(Shape):
    """The submission that a baseline became."""

    submission: int


class CloneRequest(Shape):
    """The short name of the new one, and by how many days its dates are later."""

    slug: str = Field(max_length=200)
    days: int = 0
    course: str | None = Field(None, max_length=200)


def _form(shape: type[Shape]) -> dict[str, Any]:
    content = {"multipart/form-data": {"schema": shape.model_json_schema()}}
    return {"required": True, "content": content}


@blueprint.post("/competitions")
@takes_new
@blueprint.output(Checks, status_code=201)
@blueprint.doc(
    security=[{"token": ["host"]}],
    responses=[400, 401, 403, 404, 409, 413],
    extensions={"requestBody": _form(CreateForm)},
)
def create(files: dict[str, bytes]) -> tuple[Checks, int]:
    """Create a draft; its host sees it, and a score worker checks it."""
    caller = identity.need_caller("host")
    slug = make(caller, request.form, files)
    return _checks(slug, caller), 201


def make(caller: Caller, form: Mapping[str, str], files: Mapping[str, bytes]) -> str:
    """The draft that a form asks for; returns its short name."""
    here = installation()
    slug = form.get("slug", "").strip().lower()
    common: dict[str, Any] = {
        "title": form.get("title", "").strip() or None,
        "course": form.get("course", "").strip() or None,
        "settings": _settings(form),
    }
    if challenge := form.get("challenge", "").strip():
        return publishing.draft_of_bundled(here, caller, slug, challenge, **common)
    try:
        if (content := files.get("file")) is not None and content.startswith(b"PK"):
            folder = publishing.read_folder(content)
        else:
            wish = wish_of(form)
            folder = plaincsv.folder(wish, made_of(wish, files))
        return publishing.draft(here, caller, slug, folder, **common)
    except ChallengeError as error:
        raise BadRequestError(error.message, field="file") from None


def made_of(wish: plaincsv.Wish, files: Mapping[str, bytes]) -> plaincsv.Made:
    """What one labelled CSV, or three files whose split is given, make a challenge of."""
    if (content := files.get("file")) is not None:
        return plaincsv.divided(wish, content)
    missing = [name for name in PARTS if name not in files]
    if len(missing) == len(PARTS):
        raise BadRequestError(
            "Name a challenge that comes with Podium, or send a folder's zip, a CSV with the "
            "answers in it, or train, test and answers.",
            field="file",
        )
    if missing:
        raise BadRequestError(
            f"The file {missing[0]!r} is missing. Send train, test and answers, or one CSV.",
            field=missing[0],
        )
    return givens.given(wish, *(files[name] for name in PARTS))


def wish_of(form: Mapping[str, str]) -> plaincsv.Wish:
    """What a form says of a labelled CSV."""
    slug = form.get("slug", "").strip().lower()
    values: dict[str, Any] = {}
    for name, kind in NUMBERS.items():
        if text := form.get(name, "").strip():
            try:
                values[name] = kind(text)
            except ValueError:
                raise BadRequestError(f"{name} is a number, not {text!r}.", field=name) from None
    for name in ("id_column", "answer_column", "split", "by", "test_value", "licence", "text"):
        if text := form.get(name, "").strip():
            values[name] = text
    try:
        options = json.loads(form.get("options", "").strip() or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise BadRequestError('The options are a JSON table like {"k": 3}.', field="options")
    title = form.get("title", "").strip() or slug
    return plaincsv.Wish(
        slug=slug,
        title=title,
        summary=form.get("summary", "").strip() or title,
        target=form.get("target", "").strip(),
        metric=form.get("metric", "").strip(),
        options=options,
        **values,
    )


def _settings(form: Mapping[str, str]) -> dict[str, Any]:
    """Dates and zone, where they are said."""
    found: dict[str, Any] = {}
    if zone := form.get("time_zone", "").strip():
        found["time_zone"] = zone
    for name in ("opens_at", "closes_at"):
        if text := form.get(name, "").strip():
            try:
                found[name] = TypeAdapter(AwareDatetime).validate_python(text)
            except ValidationError:
                raise BadRequestError(
                    f"{text!r} is no moment with its zone. Write it like 2026-12-01T18:00+01:00.",
                    field=name,
                ) from None
    return found


@blueprint.get("/competitions/<slug>/checks")
@blueprint.output(Checks)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def show_checks(slug: str) -> Checks:
    """The stage of a competition, and what its checks have found."""
    return _checks(slug, identity.need_caller("host"))


@blueprint.post("/competitions/<slug>/checks")
@blueprint.output(Checks)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def ask_checks(slug: str) -> Checks:
    """Let it be checked again."""
    caller = identity.need_caller("host")
    publishing.ask_checks(installation(), caller, slug)
    return _checks(slug, caller)


def _checks(slug: str, caller: Caller) -> Checks:
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        found = competition.checks or {}
        return Checks(
            slug=slug,
            stage=publishing.stage(competition, now()),
            is_checking=competition.checks_wanted_at is not None,
            blockers=publishing.blockers(competition) if competition.is_draft else [],
            warnings=found.get("warnings", []),
            scores=found.get("scores", {}),
        )


@blueprint.post("/competitions/<slug>/baselines")
@takes_file(must_have_room=False)
@blueprint.output(HandedIn, status_code=201)
@blueprint.doc(
    security=[{"token": ["host"]}],
    responses=[400, 401, 403, 404, 413],
    extensions={"requestBody": _form(BaselineForm)},
)
def hand_in(slug: str, upload: Upload) -> tuple[HandedIn, int]:
    """Hand in a file as a baseline."""
    caller = identity.need_caller("host")
    name = request.form.get("name", "")
    number = publishing.hand_in_baseline(installation(), caller, slug, name, upload)
    return HandedIn(submission=number), 201


@blueprint.post("/competitions/<slug>/publish")
@blueprint.input(Reason, arg_name="asked")
@blueprint.output(Checks)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def publish(slug: str, asked: Reason) -> Checks:
    """Let a checked draft be seen; it opens when its dates say so."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        publishing.publish(session, caller, slug, asked.reason)
    return _checks(slug, caller)


@blueprint.post("/competitions/<slug>/open")
@blueprint.input(Reason, arg_name="asked")
@blueprint.output(Checks)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def open_now(slug: str, asked: Reason) -> Checks:
    """Open it now; a checked draft is published first."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        publishing.open_now(session, caller, slug, asked.reason)
    return _checks(slug, caller)


@blueprint.post("/competitions/<slug>/close")
@blueprint.input(Reason, arg_name="asked")
@blueprint.output(Checks)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def close_now(slug: str, asked: Reason) -> Checks:
    """End it now."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        publishing.close_now(session, caller, slug, asked.reason)
    return _checks(slug, caller)


@blueprint.post("/competitions/<slug>/clone")
@blueprint.input(CloneRequest, arg_name="asked")
@blueprint.output(Checks, status_code=201)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def clone(slug: str, asked: CloneRequest) -> tuple[Checks, int]:
    """The same competition once more as a draft, its dates shifted."""
    caller = identity.need_caller("host")
    publishing.clone(installation(), caller, slug, asked.slug, days=asked.days, course=asked.course)
    return _checks(asked.slug, caller), 201


@blueprint.get("/competitions/<slug>/export")
@blueprint.output(FileSchema(type="string", format="binary"), content_type="application/zip")
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def export(slug: str) -> Response:
    """The challenge's folder as a zip, answers included: for hosts."""
    return zipped(slug)


def zipped(slug: str) -> Response:
    """The answer with a competition's folder."""
    caller = identity.need_caller("host")
    with ExitStack() as unless_sent:
        out = unless_sent.enter_context(tempfile.TemporaryFile())
        publishing.export(installation(), caller, slug, out)
        out.seek(0)
        unless_sent.pop_all()  # the answer closes it
    return send_file(
        out, mimetype="application/zip", as_attachment=True, download_name=f"{slug}.zip"
    )
