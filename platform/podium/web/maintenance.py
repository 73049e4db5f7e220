"""While the operator works on the installation: a page that says so, and for how long."""

from flask import Flask, g, request
from werkzeug.exceptions import ServiceUnavailable

from podium.web import installation

FILE = "maintenance"  # in the home; its text is shown, and it is looked for at each request
GOES_ON = frozenset(
    {"static", "health.healthz", "health.readyz", "health.metrics", "account.sign_in_form"}
    | {"account.sign_in", "account.sign_out", "icon.favicon"}
)
RUN_WORKERS = "/api/v1/work/"  # what runs may end
LONGEST_TEXT = 500
RETRY_S = 60


class MaintenanceError(ServiceUnavailable):
    """Not now: the installation is being worked on."""


def init_app(app: Flask) -> None:
    """Look before every view, once it is known who asks."""
    app.before_request(look)


def look() -> None:
    """Raise MaintenanceError while the file is there, except for admins."""
    if request.endpoint in GOES_ON or request.path.startswith(RUN_WORKERS):
        return
    file = installation().config.home / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return
    caller = g.get("caller")
    if caller is not None and caller.is_admin:
        return
    said = " ".join(text.split())[:LONGEST_TEXT]
    raise MaintenanceError(
        said or "Podium is being worked on. What was handed in is kept; come back in a while."
    )
