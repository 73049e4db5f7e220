"""Uploads in pieces, by the protocol tus 1.0 (https://tus.io): begin, go on, drop.

What has arrived whole is checked or handed in by its id, as the field `upload` of those forms in
place of a file. One that stands still for a day is dropped.
"""

import base64
import re
from typing import Any

from apiflask import APIBlueprint
from flask import Response, abort, request, url_for
from werkzeug.http import http_date

from podium import arrivals, competitions, submissions
from podium.errors import BadRequestError, TooLargeError
from podium.models import Arrival
from podium.web import identity, installation
from podium.web.api import shapes
from podium.web.security import checks_csrf_itself
from podium.web.uploads import largest_file, receiving_body

blueprint = APIBlueprint("api_arrivals", __name__, url_prefix="/api/v1", tag="Uploads in pieces")

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
PIECE_TYPE = "application/offset+octet-stream"
SHA256 = re.compile("[0-9a-f]{64}")
DIGITS = re.compile("[0-9]{1,15}", re.ASCII)


def _header(name: str, kind: str, **rules: object) -> dict[str, Any]:
    schema = {"type": kind, **rules}
    return {"name": name, "in": "header", "required": True, "schema": schema}


BEGIN = {
    "parameters": [
        _header("Upload-Length", "integer", minimum=1),
        {
            "name": "Upload-Metadata",
            "in": "header",
            "required": False,
            "description": "Pairs of a key and its value in base64, parted by commas: filename, "
            "and sha256 if the whole is to be compared with it.",
            "schema": {"type": "string"},
        },
    ]
}
PIECE = {
    "parameters": [_header("Upload-Offset", "integer", minimum=0)],
    "requestBody": {
        "required": True,
        "content": {PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
}


@blueprint.before_request
def need_version() -> None:
    """Refuse another version of the protocol; who names none speaks this one."""
    if request.headers.get("Tus-Resumable", VERSION) != VERSION:
        abort(412, f"This server speaks tus {VERSION}. Set the header Tus-Resumable to it.")


@blueprint.after_request
def name_version(response: Response) -> Response:
    """The version of the protocol, in every answer."""
    response.headers["Tus-Resumable"] = VERSION
    return response


@blueprint.route("/competitions/<slug>/uploads", methods=["OPTIONS"])
@blueprint.doc(hide=True)
def describe(slug: str) -> Response:
    """What of the protocol is spoken here."""
    with installation().database.reading() as session:
        most = largest_file(competitions.find(session, slug))
    said = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(most)}
    return Response(status=204, headers=said)


@blueprint.post("/competitions/<slug>/uploads")
@blueprint.output(shapes.Arrival, status_code=201)
@blueprint.doc(
    security=[{"token": ["submit"]}],
    responses=[400, 401, 403, 404, 412, 413, 429],
    extensions=BEGIN,
)
def begin(slug: str) -> tuple[shapes.Arrival, int, dict[str, str]]:
    """Begin an upload of a file whose length is known."""
    caller = identity.need_caller("submit")
    said = _metadata()
    size_bytes = _number("Upload-Length")
    with installation().database.writing() as session:
        competition = submissions.need_room(session, caller, slug)
        most = largest_file(competition)
        if size_bytes > most:
            raise TooLargeError(f"The file has {size_bytes:,} bytes. The limit is {most:,} bytes.")
        arrival = arrivals.begin(
            session, caller, competition, said["filename"], size_bytes, said["sha256"] or None
        )
    location = url_for("api_arrivals.show", arrival_id=arrival.id)
    return _shape(arrival), 201, {"Location": location} | _headers(arrival)


@blueprint.get("/competitions/<slug>/uploads")
@blueprint.output(shapes.Arrivals)
@blueprint.doc(security="token", responses=[401, 404, 412])
def list_open(slug: str) -> shapes.Arrivals:
    """The caller's uploads to a competition that are not over, the one that moved last first."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = arrivals.of_person(session, caller, competitions.find(session, slug))
    return shapes.Arrivals(items=[_shape(arrival) for arrival in found])


@blueprint.get("/uploads/<arrival_id>")
@blueprint.output(shapes.Arrival)
@blueprint.doc(security="token", responses=[401, 404, 412])
def show(arrival_id: str) -> tuple[shapes.Arrival, int, dict[str, str]]:
    """How far an upload is; asked with HEAD, the headers say it."""
    with installation().database.reading() as session:
        arrival = arrivals.get(session, identity.need_caller(), arrival_id)
    return _shape(arrival), 200, _headers(arrival)


@blueprint.patch("/uploads/<arrival_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(
    security=[{"token": ["submit"]}],
    responses=[400, 401, 403, 404, 409, 412, 413, 415],
    extensions=PIECE,
)
@checks_csrf_itself
def append(arrival_id: str) -> tuple[str, int, dict[str, str]]:
    """The next piece, from `Upload-Offset` on. Of a body that breaks off, what came is kept."""
    caller = identity.need_caller("submit")
    if request.mimetype != PIECE_TYPE:
        abort(415, f"A piece is sent as {PIECE_TYPE}.")
    start = _number("Upload-Offset")
    here = installation()
    with here.database.reading() as session:
        arrival = arrivals.get(session, caller, arrival_id)
    room = arrivals.room_at(arrival, start)
    with receiving_body(room, f"{room:,} bytes are missing.", keeps_part=True) as piece:
        arrivals.add(here, arrival_id, start, piece)
    with here.database.reading() as session:
        return "", 204, _headers(arrivals.get(session, caller, arrival_id))


@blueprint.delete("/uploads/<arrival_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404, 412])
def drop(arrival_id: str) -> tuple[str, int]:
    """Give an upload up."""
    arrivals.drop(installation(), identity.need_caller("submit"), arrival_id)
    return "", 204


def _shape(arrival: Arrival) -> shapes.Arrival:
    return shapes.Arrival.model_validate(arrival)


def _headers(arrival: Arrival) -> dict[str, str]:
    """What the protocol says of an upload."""
    return {
        "Upload-Offset": str(arrival.offset_bytes),
        "Upload-Length": str(arrival.size_bytes),
        "Upload-Expires": http_date(arrival.expires_at),
        "Cache-Control": "no-store",
    }


def _number(name: str) -> int:
    """A header that counts bytes."""
    said = request.headers.get(name, "")
    if not DIGITS.fullmatch(said):
        raise BadRequestError(f"The header {name} says {said!r}. It takes a number of bytes.")
    return int(said)


def _metadata() -> dict[str, str]:
    """File name and digest from `Upload-Metadata`; other keys are not read."""
    said = {"filename": "file", "sha256": ""}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            text = base64.b64decode(value, validate=True).decode()
        except ValueError:
            raise BadRequestError(
                f"The header Upload-Metadata has {value[:80]!r} for {key[:80]!r}. It takes the "
                "value in base64."
            ) from None
        if key in said and text:
            said[key] = text
    if said["sha256"] and not SHA256.fullmatch(said["sha256"]):
        raise BadRequestError("The sha256 of Upload-Metadata takes 64 hexadecimal digits.")
    return said
