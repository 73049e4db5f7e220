"""The API's description as people read it: routes by noun, and the shapes that they take and give.

The help page and docs/reference/api.md are made from this.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from podium.web.api.answers import short, type_of

METHODS = ("get", "post", "put", "patch", "delete")
BEGIN = "/api/v1"


@dataclass(frozen=True)
class Field:
    """A key of a request or of an answer."""

    name: str
    type: str
    is_required: bool


@dataclass(frozen=True)
class Route:
    """What may be asked; `scope` is what a token must have, empty where nobody need sign in."""

    method: str
    path: str
    noun: str
    summary: str
    scope: str
    query: tuple[Field, ...]
    form: tuple[Field, ...]
    takes: str
    gives: str
    statuses: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        """Where a page has it."""
        return f"{self.method.lower()}{self.path.translate(str.maketrans('/{}', '---'))}"


@dataclass(frozen=True)
class Shape:
    """An object of the API."""

    name: str
    text: str
    fields: tuple[Field, ...]


def routes(spec: Mapping[str, Any]) -> list[Route]:
    """All routes for people and their programs, in the order of the description."""
    found = [
        _route(method, path, operation)
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if method in METHODS and not path.startswith(f"{BEGIN}/work/")
    ]
    order = {tag["name"]: place for place, tag in enumerate(spec["tags"])}
    return sorted(
        found, key=lambda one: (order[one.noun], one.path, METHODS.index(one.method.lower()))
    )


def shapes(spec: Mapping[str, Any], said: list[Route]) -> list[Shape]:
    """What these routes take and give, and what that holds."""
    known = {short(name): schema for name, schema in spec["components"]["schemas"].items()}
    wanted: dict[str, Shape] = {}
    left = [name for one in said for name in (one.takes, one.gives) if name]
    while left:
        name = left.pop()
        if name in wanted:
            continue
        schema = known[name]
        wanted[name] = Shape(name, schema.get("description", ""), tuple(_fields(schema)))
        left += [short(one) for one in _references(schema)]
    return sorted(wanted.values(), key=lambda one: one.name)


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Route:
    bodies = operation.get("requestBody", {"content": {}})["content"]
    form: Mapping[str, Any] = next((body["schema"] for body in bodies.values()), {})
    query = [one for one in operation.get("parameters", []) if one["in"] != "path"]
    security = operation.get("security", [])
    return Route(
        method=method.upper(),
        path=path.removeprefix(BEGIN),
        noun=operation["tags"][0],
        summary=operation.get("summary", ""),
        scope=" ".join(security[0]["token"]) if security else "",
        query=tuple(Field(one["name"], _plain(one["schema"]), one["required"]) for one in query),
        form=() if "$ref" in form else tuple(_fields(form)),
        takes=short(form["$ref"].rpartition("/")[2]) if "$ref" in form else "",
        gives=_given(operation["responses"]),
        statuses=tuple(
            (status, HTTPStatus(int(status)).phrase) for status in sorted(operation["responses"])
        ),
    )


def _given(answers: Mapping[str, Any]) -> str:
    """The shape of the answer that says yes."""
    for status, answer in answers.items():
        found = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if status.startswith("2") and "$ref" in found:
            return short(found["$ref"].rpartition("/")[2])
    return ""


def _fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, place in schema.get("properties", {}).items():
        is_file = place.get("format") == "binary"
        type_ = "file" if is_file else _plain(place)
        yield Field(name, type_, name in required)


def _plain(place: Mapping[str, Any]) -> str:
    """A type in words: of a choice, what there is to choose from."""
    text = type_of(place).replace('"', "").replace("Literal", "")
    return re.sub(r"\[([a-z_, ]+)\]", lambda found: found[1].replace(", ", " | "), text)


def _references(place: Any) -> Iterator[str]:
    if isinstance(place, list):
        for one in place:
            yield from _references(one)
    if isinstance(place, dict):
        if "$ref" in place:
            yield place["$ref"].rpartition("/")[2]
        for one in place.values():
            yield from _references(one)


def tables(spec: Mapping[str, Any]) -> str:
    """The reference in Markdown: a table a noun, then the shapes."""
    said = routes(spec)
    lines: list[str] = []
    for noun in dict.fromkeys(one.noun for one in said):
        lines += [f"\n## {noun}\n", "| route | what it does | scope | takes | gives | answers |"]
        lines.append("|---|---|---|---|---|---|")
        lines += [_row(one) for one in said if one.noun == noun]
    lines.append("\n## Shapes\n")
    for shape in shapes(spec, said):
        held = ", ".join(_said(field) for field in shape.fields)
        text = " ".join(shape.text.split())
        lines.append(f'<a id="{shape.name.lower()}"></a>**{shape.name}.** {text} {held}.\n')
    return "\n".join(lines).strip() + "\n"


def _row(route: Route) -> str:
    asked = [_said(field) for field in (*route.query, *route.form)]
    asked += [_link(route.takes)] if route.takes else []
    cells = (
        f"`{route.method} {route.path}`",
        route.summary.replace("|", "\\|"),
        route.scope and f"`{route.scope}`",
        ", ".join(asked),
        _link(route.gives) if route.gives else "",
        " ".join(status for status, _ in route.statuses),
    )
    return f"| {' | '.join(cells)} |"


def _said(field: Field) -> str:
    return f"`{field.name}: {field.type}`".replace("|", "or")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"
