"""For run workers: take an assignment, keep it alive, fetch its files, bring output and report.

The worker itself is known by a token of the scope `work`; the header `Podium-Attempt` carries the
token of the attempt, which came with the assignment and dies with it.
"""

from collections.abc import Callable

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema, FileSchema
from flask import Response, request

from podium import assignments, workers
from podium.attempts import Lease, Spent
from podium.desk import Played, Side
from podium.errors import BadRequestError, NoAccessError
from podium.installation import Installation
from podium.storage import Incoming
from podium.web import downloads, identity, installation
from podium.web.api import workshapes
from podium.web.security import limiter
from podium.web.uploads import receiving_body
from podium.workers import Card

blueprint = APIBlueprint("api_work", __name__, url_prefix="/api/v1/work", tag="Run workers")
limiter.exempt(blueprint)  # they beat for hundreds of attempts behind one token

ATTEMPT = "Podium-Attempt"
WITH_ATTEMPT = {
    "parameters": [
        {"name": ATTEMPT, "in": "header", "required": True, "schema": {"type": "string"}}
    ]
}
FILE = FileSchema(type="string", format="binary")
LARGEST_REPLAYS = 64 << 20  # bytes, of one attempt
BODY = {"content": {downloads.TYPE: {"schema": {"type": "string", "format": "binary"}}}}


@blueprint.post("/workers")
@blueprint.input(workshapes.WorkerCard, arg_name="card")
@blueprint.output(EmptySchema, status_code=204)
@blueprint.doc(security=[{"token": ["work"]}], responses=[401, 403])
def arrive(card: workshapes.WorkerCard) -> tuple[str, int]:
    """Enter the list of workers; what an earlier process of this name held is given back."""
    identity.need_caller("work")
    assignments.arrive(installation(), _card(card))
    return "", 204


@blueprint.delete("/workers/<name>")
@blueprint.output(EmptySchema, status_code=204)
@blueprint.doc(security=[{"token": ["work"]}], responses=[401, 403])
def leave(name: str) -> tuple[str, int]:
    """Leave the list of workers."""
    identity.need_caller("work")
    with installation().database.writing() as session:
        workers.leave(session, name)
    return "", 204


@blueprint.post("/assignments")
@blueprint.input(workshapes.WorkerCard, arg_name="card")
@blueprint.output(workshapes.Assignments)
@blueprint.doc(security=[{"token": ["work"]}], responses=[400, 401, 403])
def take(card: workshapes.WorkerCard) -> workshapes.Assignments:
    """The submission whose turn it is and that fits this worker; none if there is none."""
    identity.need_caller("work")
    found = assignments.take(installation(), _card(card))
    items = [] if found is None else [workshapes.Assignment.model_validate(found)]
    return workshapes.Assignments(items=items)


@blueprint.post("/beats")
@blueprint.input(workshapes.BeatRequest, arg_name="asked")
@blueprint.output(workshapes.Beat)
@blueprint.doc(security=[{"token": ["work"]}], responses=[401, 403])
def beat(asked: workshapes.BeatRequest) -> workshapes.Beat:
    """The worker lives, and so does its attempt, with the end of what it has printed."""
    identity.need_caller("work")
    is_draining, is_in_force = assignments.beat(
        installation(), _card(asked.card), asked.token, asked.log
    )
    return workshapes.Beat(is_draining=is_draining, is_in_force=is_in_force)


@blueprint.get("/file")
@blueprint.output(FILE, content_type=downloads.TYPE)
@blueprint.doc(
    security=[{"token": ["work"]}],
    responses=[206, 304, 401, 403, 409, 416],
    extensions=WITH_ATTEMPT,
)
def fetch_file() -> Response:
    """The submitted file."""
    lease, here = _lease(), installation()
    with here.database.reading() as session:
        found = assignments.submission_of(session, lease)
    return downloads.send(
        here.storage, found.file_key, found.file_name, found.size_bytes, found.sha256
    )


@blueprint.get("/inputs/<name>")
@blueprint.output(FILE, content_type=downloads.TYPE)
@blueprint.doc(
    security=[{"token": ["work"]}],
    responses=[206, 304, 401, 403, 409, 416],
    extensions=WITH_ATTEMPT,
)
def fetch_input(name: str) -> Response:
    """One of the public files that the run reads."""
    lease, here = _lease(), installation()
    with here.database.reading() as session:
        found = assignments.input_of(session, lease, name)
    return downloads.send(here.storage, found.file_key, found.name, found.size_bytes, found.sha256)


@blueprint.get("/opponents/<int(max=2147483647):submission_id>")
@blueprint.output(FILE, content_type=downloads.TYPE)
@blueprint.doc(
    security=[{"token": ["work"]}],
    responses=[206, 304, 401, 403, 409, 416],
    extensions=WITH_ATTEMPT,
)
def fetch_opponent(submission_id: int) -> Response:
    """The file of an agent that this one plays against."""
    lease, here = _lease(), installation()
    with here.database.reading() as session:
        found = assignments.opponent_of(session, lease, submission_id)
    return downloads.send(
        here.storage, found.file_key, found.file_name, found.size_bytes, found.sha256
    )


@blueprint.put("/output")
@blueprint.output(EmptySchema, status_code=204)
@blueprint.doc(
    security=[{"token": ["work"]}],
    responses=[400, 401, 403, 409, 413],
    extensions=WITH_ATTEMPT | {"requestBody": BODY},
)
def bring_output() -> tuple[str, int]:
    """What the run wrote, as the body."""
    lease, here = _lease(), installation()
    with here.database.reading() as session:
        most = assignments.largest_output(session, lease)
    _receive(lease, most, assignments.keep_output)
    return "", 204


@blueprint.put("/replays")
@blueprint.output(EmptySchema, status_code=204)
@blueprint.doc(
    security=[{"token": ["work"]}],
    responses=[400, 401, 403, 409, 413],
    extensions=WITH_ATTEMPT | {"requestBody": BODY},
)
def bring_replays() -> tuple[str, int]:
    """The replays of an agent's episodes, one behind the other, as the body."""
    _receive(_lease(), LARGEST_REPLAYS, assignments.keep_replays)
    return "", 204


def _receive(
    lease: Lease, most: int, keep: Callable[[Installation, Lease, Incoming], None]
) -> None:
    """Take the body in, at most so many bytes, and keep it for the attempt."""
    with receiving_body(most, f"At most {most:,} bytes are taken.") as incoming:
        if not incoming.size_bytes:
            raise BadRequestError("The body is empty.", field="body")
        keep(installation(), lease, incoming)


@blueprint.post("/report")
@blueprint.input(workshapes.ReportRequest, arg_name="said")
@blueprint.output(workshapes.Reported)
@blueprint.doc(
    security=[{"token": ["work"]}], responses=[400, 401, 403, 409], extensions=WITH_ATTEMPT
)
def report(said: workshapes.ReportRequest) -> workshapes.Reported:
    """How the attempt ended; it is dropped if the attempt is over already."""
    lease = _lease()
    spent = None
    if said.wall_s is not None:
        spent = Spent(said.wall_s, said.cpu_s, said.memory_bytes)
    taken = assignments.report(
        installation(),
        lease,
        assignments.Report(
            outcome=said.outcome,
            reason=said.reason,
            details=[detail.model_dump() for detail in said.details],
            log=said.log,
            spent=spent,
            episodes=[_played(one) for one in said.episodes],
        ),
    )
    return workshapes.Reported(is_taken=taken)


def _played(said: workshapes.Played) -> Played:
    sides = tuple(Side(**side.model_dump()) for side in said.sides)
    return Played(**said.model_dump() | {"sides": sides})


def _lease() -> Lease:
    identity.need_caller("work")
    token = request.headers.get(ATTEMPT)
    if token is None:
        raise NoAccessError(f"The header {ATTEMPT} with the token of the attempt is missing.")
    return assignments.read_token(installation(), token)


def _card(card: workshapes.WorkerCard) -> Card:
    return Card(**card.model_dump() | {"tags": tuple(card.tags)})
