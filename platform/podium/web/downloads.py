"""Stored files on their way out: in parts if asked, always as attachments, never rendered."""

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from podium import competitions
from podium.models import ChallengeFile
from podium.storage import CHUNK, Storage
from podium.web import identity, installation

TYPE = "application/octet-stream"


def offered(slug: str, name: str) -> ChallengeFile:
    """A file of a competition by name; that the caller, if a member, has it is remembered."""
    caller, database = identity.caller(), installation().database
    with database.reading() as session:
        competition = competitions.find(session, slug)
        file = competitions.file(session, competition, name)
        is_noted = competitions.has_downloaded(session, competition, caller)
    if caller is not None and not is_noted:
        with database.writing() as session:
            competitions.note_download(session, competition, caller)
    return file


def send(storage: Storage, key: str, name: str, size_bytes: int, sha256: str) -> Response:
    """The stored file, or the part that `Range` asks for, or 304 if the reader has it."""
    file = storage.open(key)
    response = Response(
        wrap_file(request.environ, file, CHUNK), mimetype=TYPE, direct_passthrough=True
    )
    response.call_on_close(file.close)
    response.content_length = size_bytes
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.set_etag(sha256)
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=size_bytes)
    except RequestedRangeNotSatisfiable:
        file.close()
        raise
    return response
