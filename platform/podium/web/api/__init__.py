"""The versioned JSON API under /api/v1: one module a noun, the answers' shapes in `shapes`."""

from apiflask import APIFlask


def init_app(app: APIFlask) -> None:
    """Add the routes of every noun."""
