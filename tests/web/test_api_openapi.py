"""The description of the API, and what it may never do."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
def test_the_description_is_whole(app):
    spec = spec_of(app)
    assert spec["openapi"].startswith("3.1")
    for reference in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(spec)):
        assert reference in spec["components"]["schemas"]
    described = {
        (method.upper(), path) for path, methods in spec["paths"].items() for method in methods
    }
    assert ("POST", "/api/v1/competitions/{slug}/submissions") in described
    form = spec["paths"]["/api/v1/competitions/{slug}/submissions"]["post"]["requestBody"]
    fields = form["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == {"file", "message", "kind"}


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
