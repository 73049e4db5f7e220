"""What a reader sees when something cannot be done: the one place where errors become answers.

Under /api an error is `{"error": {"code", "message", "details"}}`, elsewhere a page. Each detail
has the keys line, column, expected, got; for a field of a request, `column` names the field.
"""

import errno
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, NotFound

from podium.errors import (
    AskError,
    BadRequestError,
    ClosedError,
    ConflictError,
    FaultError,
    LimitError,
    NoAccessError,
    NotFoundError,
    NotSignedInError,
    TooLargeError,
)
from podium.web.maintenance import RETRY_S as MAINTENANCE_RETRY_S
from podium.web.maintenance import MaintenanceError
from podium_scoring.errors import SubmissionError

STATUS: dict[type[AskError], int] = {
    BadRequestError: 400,
    NotSignedInError: 401,
    NoAccessError: 403,
    ClosedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    LimitError: 429,
}
# For what Flask and its neighbours refuse before a view is reached.
CODES = {400: "bad_request", 401: "not_signed_in", 403: "no_access", 404: "not_found"} | {
    405: "method_not_allowed",
    413: "too_large",
    415: "bad_request",
    416: "bad_range",
    429: "rate_limited",
    503: "unavailable",
}

FULL = (errno.ENOSPC, errno.EDQUOT)
RETRY_S = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """An error as it is shown."""

    status: int
    code: str
    message: str
    details: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    error_id: str = ""  # finds the traceback of an error of ours in the log


# PostgreSQL refuses a NUL in a text wherever it comes from; SQLite would keep it.
_UNKEEPABLE = Problem(
    400, "bad_request", "The request holds a character that cannot be kept, such as NUL. Remove it."
)


def init_app(app: Flask) -> None:
    """Register the answer to every kind of error."""
    app.register_error_handler(AskError, lambda error: show(_asked(error)))
    app.register_error_handler(SubmissionError, lambda error: show(_submitted(error)))
    app.register_error_handler(HTTPError, lambda error: show(_validated(error)))
    app.register_error_handler(DataError, lambda _: show(_UNKEEPABLE))
    app.register_error_handler(HTTPException, lambda error: show(_refused(error)))
    app.register_error_handler(FaultError, lambda error: show(_unavailable(error)))
    app.register_error_handler(OperationalError, lambda error: show(_unavailable(error)))
    app.register_error_handler(Exception, lambda error: show(_ours(error)))


def show(problem: Problem) -> Response:
    """The answer for a problem, as JSON under /api and as a page elsewhere."""
    if request.path.startswith("/api/"):
        error = {
            "code": problem.code,
            "message": problem.message,
            "details": list(problem.details),
        }
        response = jsonify({"error": error})
    else:
        response = make_response(render_template("errors/error.html", problem=problem))
    response.status_code = problem.status
    response.headers.update(problem.headers)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def field_problem(name: str, expected: str, got: object = None) -> dict[str, Any]:
    """One detail, about a field of the request rather than a place in a file."""
    return {"line": None, "column": name, "expected": expected, "got": got}


def _asked(error: AskError) -> Problem:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    details = []
    if "field" in error.facts:
        details.append(field_problem(error.facts["field"], error.message))
    details = error.facts.get("details") or details
    headers = {}
    if resets_at := error.facts.get("resets_at"):
        seconds = (resets_at - datetime.now(UTC)).total_seconds()
        headers["Retry-After"] = str(max(1, round(seconds)))
    return Problem(status, error.facts.get("code", error.code), error.message, details, headers)


def _submitted(error: SubmissionError) -> Problem:
    return Problem(
        422, "invalid_submission", str(error), [vars(detail) for detail in error.details]
    )


def _validated(error: HTTPError) -> Problem:
    """A request whose fields do not fit the model of its route."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return Problem(error.status_code, _code(error.status_code), error.message or "")
    details = [
        field_problem(".".join(map(str, wrong["loc"])) or "body", wrong["msg"], _shown(wrong))
        for wrong in cause.errors()
    ]
    first = details[0]
    got = "" if first["got"] is None else f" It is {first['got']}."
    message = f"The field {first['column']!r} does not fit: {first['expected']}.{got}"
    return Problem(400, "bad_request", message, details)


def _shown(wrong: Mapping[str, Any]) -> str | None:
    """The value that did not fit, unless it is secret or was not there."""
    secret = any("password" in str(part) for part in wrong["loc"])
    if secret or wrong["type"] == "missing":
        return None
    return repr(wrong["input"])[:80]


def _refused(error: HTTPException) -> Problem:
    status = error.code or 500
    message = error.description or error.name
    kept = ("Allow", "Content-Range", "Location", "Retry-After")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    if isinstance(error, MaintenanceError):
        retry = {"Retry-After": str(MAINTENANCE_RETRY_S)}
        return Problem(503, "maintenance", message, headers=retry)
    if status == 404 and error.description == NotFound.description:
        message = "There is nothing at this address. It may be mistyped, or have been moved."
    if status == 413 and not isinstance(error, RateLimitExceeded):
        message = (
            "The request is larger than what is taken here. A file is handed in on the Submit tab "
            "of its competition, which says how large it may be."
        )
    if isinstance(error, RateLimitExceeded):
        headers["Retry-After"] = str(error.limit.limit.get_expiry())
        message = (
            f"Too many requests: {error.limit.limit} are allowed. Wait a little and try again."
        )
    return Problem(status, _code(status), message, headers=headers)


def _unavailable(error: Exception) -> Problem:
    """A server or a disk of ours does not do its part just now."""
    log.error("unavailable at %s %s", request.method, request.path, exc_info=error)
    message = (
        "A part of Podium does not answer just now. Try again in a minute; what was received "
        "before is kept."
    )
    return Problem(503, "unavailable", message, headers={"Retry-After": str(RETRY_S)})


def _ours(error: Exception) -> Problem:
    if isinstance(error, OSError) and error.errno in FULL:
        return _unavailable(error)
    error_id = uuid.uuid4().hex[:12]
    log.error("error %s at %s %s", error_id, request.method, request.path, exc_info=error)
    message = (
        f"Something went wrong on our side. It was written down as {error_id}; "
        "tell the host this number if it happens again."
    )
    return Problem(500, "internal", message, error_id=error_id)


def _code(status: int) -> str:
    return CODES.get(status, "internal" if status >= 500 else "bad_request")
