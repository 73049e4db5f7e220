"""The versioned JSON API under /api/v1: one module a noun, the answers' shapes in `shapes`."""

from apiflask import APIFlask

from podium.web.api import competitions, files, leaderboard, shapes, submissions, users


def init_app(app: APIFlask) -> None:
    """Add the routes of every noun, and describe them."""
    error = shapes.Error.model_json_schema(ref_template="#/components/schemas/{model}")
    app.config.update(
        AUTO_SERVERS=False,
        VALIDATION_ERROR_STATUS_CODE=400,
        VALIDATION_ERROR_SCHEMA=error,
        HTTP_ERROR_SCHEMA=error,
        SECURITY_SCHEMES={"token": {"type": "http", "scheme": "bearer"}},
    )
    for noun in (users, competitions, files, submissions, leaderboard):
        app.register_blueprint(noun.blueprint)
