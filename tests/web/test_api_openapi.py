"""The description of the API, and what it may never do."""

import ast
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.web.api import answers, reference

ROOT = Path(__file__).parents[2]
CLIENT_TYPES = ROOT / "platform" / "podium" / "client" / "answers.py"
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def spec_of(app):
    return app.test_client().get("/api/v1/openapi.json").get_json()


@ONLY_SQLITE
def test_the_description_is_as_written_down(app, snapshot):
    shown = json.dumps(spec_of(app), indent=1, sort_keys=True) + "\n"
    assert snapshot("openapi.json", shown) == shown


@ONLY_SQLITE
def test_the_types_of_the_client_are_as_written_down(app, snapshot):
    text = answers.source(spec_of(app))
    assert snapshot(str(CLIENT_TYPES), text) == text


@ONLY_SQLITE
def test_every_route_has_a_method_of_the_client(app):
    wanted = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, methods in spec_of(app)["paths"].items()
        for method in methods
        if not path.startswith("/api/v1/work/")
    }
    assert routes_of_the_client() - wanted == set()
    assert wanted - routes_of_the_client() == set()


def routes_of_the_client():
    """Method and path of every request in the source of `podium.client`."""
    found = set()
    for file in CLIENT_TYPES.parent.glob("*.py"):
        for method in ast.walk(ast.parse(file.read_text())):
            if isinstance(method, ast.FunctionDef):
                found |= set(_routes(method))
    return found


def _routes(method):
    paths = {
        node.targets[0].id: node.value
        for node in ast.walk(method)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(method):
        name = call.func.attr if isinstance(getattr(call, "func", None), ast.Attribute) else ""
        if name in ("_json", "_do", "_call", "_send") and isinstance(call.args[0], ast.Constant):
            verb, path = call.args[0].value, call.args[1]
        elif name in ("_items", "_pages", "_fetch", "_stream"):
            verb, path = "GET", call.args[0]
        else:
            continue
        if text := _text(paths.get(getattr(path, "id", None), path)):
            yield verb, text


def _text(path):
    if isinstance(path, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in path.values]
        return "".join(parts)
    return path.value if isinstance(path, ast.Constant) else None


@ONLY_SQLITE
def test_the_reference_of_routes_is_as_written_down(app, written_part):
    text = reference.tables(spec_of(app))
    assert written_part("api.md", text) == text


@ONLY_SQLITE
def test_the_pages_of_the_api_have_every_route_and_shape(app):
    client = app.test_client()
    page = client.get("/help/api").get_data(as_text=True)
    shapes = client.get("/help/api/shapes").get_data(as_text=True)
    routes = reference.routes(spec_of(app))
    assert len(routes) > 100
    for route in routes:
        assert f'id="{route.anchor}"' in page
        assert route.path in page
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page, target
    for target in re.findall(r'href="/help/api/shapes#([^"]+)"', page):
        assert f'id="{target}"' in shapes, target
    assert max(len(page), len(shapes)) < 100_000


@ONLY_SQLITE
def test_the_description_is_whole(app):
    spec = spec_of(app)
    assert spec["openapi"].startswith("3.1")
    for name in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(spec)):
        assert name in spec["components"]["schemas"]
    described = {
        (method.upper(), path) for path, methods in spec["paths"].items() for method in methods
    }
    assert ("POST", "/api/v1/competitions/{slug}/submissions") in described
    form = spec["paths"]["/api/v1/competitions/{slug}/submissions"]["post"]["requestBody"]
    fields = form["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == {"file", "upload", "message", "kind"}


@FUZZ
@given(
    body=VALUES
    | st.fixed_dictionaries(
        {},
        optional={
            "handle": VALUES,
            "email": VALUES,
            "password": VALUES,
            "scopes": VALUES,
            "days": VALUES,
        },
    )
)
def test_no_body_makes_an_error_of_ours(api, body):
    api.app.extensions["podium"].queue.connection.flushall()  # the limit on sign-ins is not asked
    for path in ("/users", "/tokens"):
        assert api.post(path, json=body).status_code in {201, 400, 401, 409, 429}


@FUZZ
@given(name=WORDS, value=WORDS | st.integers().map(str))
def test_no_address_makes_an_error_of_ours(api, name, value):
    part, text = quote(name, safe=""), quote(value, safe="")
    for path in (
        f"/competitions/{part}",
        f"/competitions/{part}/files/{text}",
        f"/competitions?search={text}",
        f"/competitions?page={text}",
        f"/competitions/{part}/leaderboard?per_page={text}",
        f"/submissions/{text}",
    ):
        assert api.get(path).status_code < 500, path


def test_a_number_that_no_database_holds_is_not_found(api, factory):
    ada = api.as_(factory.person("ada-01"))
    assert ada.get(f"/submissions/{10**30}").status_code == 404
    assert ada.get(f"/submissions/{2**40}").status_code == 404
    assert ada.get("/competitions/a%00b").status_code in {400, 404}
    assert ada.get("/competitions?search=%00").status_code in {200, 400}
