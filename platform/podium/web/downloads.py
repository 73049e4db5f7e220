"""Stored files on their way out: in parts if asked, always as attachments, never rendered."""

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from podium.storage import CHUNK, Storage

TYPE = "application/octet-stream"


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
