"""The versioned JSON API under /api/v1: one module a noun, the answers' shapes in `shapes`."""

from typing import Any

from apiflask import APIFlask

from podium.web.api import (
    announcements,
    arrivals,
    competitions,
    courses,
    discussion,
    episodes,
    files,
    grades,
    handedin,
    hosts,
    leaderboard,
    matches,
    myself,
    notifications,
    operation,
    publishing,
    rescoring,
    seasons,
    shapes,
    submissions,
    teams,
    users,
    work,
)

SCHEMAS = "#/components/schemas/"


def init_app(app: APIFlask) -> None:
    """Add the routes of every noun, and describe them."""
    error = {"$ref": f"{SCHEMAS}Error"}
    app.config.update(
        AUTO_SERVERS=False,
        VALIDATION_ERROR_STATUS_CODE=400,
        VALIDATION_ERROR_SCHEMA=error,
        HTTP_ERROR_SCHEMA=error,
        SECURITY_SCHEMES={"token": {"type": "http", "scheme": "bearer"}},
    )
    app.spec_processor(_complete)
    for noun in (
        *(users, competitions, files, submissions, episodes, leaderboard, teams, hosts, rescoring),
        *(matches, arrivals, courses, grades, publishing, handedin, announcements),
        *(myself, notifications, discussion, seasons, operation, work),
    ):
        app.register_blueprint(noun.blueprint)


def _complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
    """Add the one shape of errors, and the scope of routes that only read."""
    assert isinstance(spec, dict)  # the format is JSON
    error = shapes.Error.model_json_schema(ref_template=f"{SCHEMAS}{{model}}")
    spec["components"]["schemas"] |= error.pop("$defs") | {"Error": error}
    for methods in spec["paths"].values():
        for route in methods.values():
            for needed in route.get("security", ()):
                needed["token"] = needed["token"] or ["read"]
    return spec
