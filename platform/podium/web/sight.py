"""No route of a competition answers those who may not know of it: asked here, once for all."""

from flask import Flask, request

from podium import competitions
from podium.web import identity, installation

SLUG = "slug"  # what every route of a competition calls it


def init_app(app: Flask) -> None:
    """Look before every view; the error is that of a competition that is not there."""
    app.before_request(look)


def look() -> None:
    """Raise NotFoundError where the caller may not see the competition of this address."""
    slug = (request.view_args or {}).get(SLUG)
    if slug is None:
        return
    with installation().database.reading() as session:
        competitions.need_sight(session, slug, identity.caller())
