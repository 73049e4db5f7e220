"""The icon that browsers ask for without being told to."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from podium.web.pages.display import static

blueprint = Blueprint("icon", __name__)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """The mark."""
    return redirect(static("mark.svg"), 301)
