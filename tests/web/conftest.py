"""Fixtures: the app of an installation, and callers of its API."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import TestResponse

from podium import accounts, judging
from podium.accounts import Caller

API = "/api/v1"


@dataclass
class Api:
    """The API as one caller uses it; `as_` makes the same for another."""

    app: Any
    installation: Any
    headers: dict[str, str] = field(default_factory=dict)

    def as_(self, caller: Caller, *scopes: str) -> "Api":
        """The API with a token of this caller."""
        with self.installation.database.writing() as session:
            chosen = list(scopes) or None
            _, text = accounts.create_token(session, caller.id, "test", chosen)
        return Api(self.app, self.installation, {"Authorization": f"Bearer {text}"})

    def call(self, method: str, path: str, **request: Any) -> TestResponse:
        """Send a request to a path under /api/v1."""
        headers = self.headers | request.pop("headers", {})
        client = self.app.test_client(use_cookies=False)
        return client.open(API + path, method=method, headers=headers, buffered=True, **request)

    def get(self, path: str, **request: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **request)

    def post(self, path: str, **request: Any) -> TestResponse:
        """POST."""
        return self.call("POST", path, **request)

    def send(
        self,
        content: str | bytes,
        path: str = "/competitions/toy/submissions",
        name: str = "predictions.csv",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> TestResponse:
        """POST a file as multipart/form-data."""
        data = content.encode() if isinstance(content, str) else content
        form = {"file": (io.BytesIO(data), name), **fields}
        return self.post(path, data=form, headers=headers or {})

    def judge(self) -> None:
        """Do what a score worker would do now."""
        while work := judging.take(self.installation, "score", "test"):
            judging.judge(self.installation, work)


@pytest.fixture
def api(app, installation):
    """The API for nobody in particular."""
    return Api(app, installation)


def error_of(answer: TestResponse, status: int) -> dict[str, Any]:
    """The error of an answer, whose shape is checked on the way."""
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    for detail in body["error"]["details"]:
        assert set(detail) == {"line", "column", "expected", "got"}
    return body["error"]


@pytest.fixture(name="error_of")
def _error_of():
    return error_of
