"""The client against servers that are busy, gone, moved, or no Podium."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from podium.cli import exit_code
from podium.client import Client, ProblemError
from podium.client.form import Form


class Server(ThreadingHTTPServer):
    """Gives its answers one after the other, the last one for ever, and keeps what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def then(self, status, body=None, **headers):
        self.answers.append((status, json.dumps(body or {}).encode(), headers))
        return self

    def fails(self, status, code, **headers):
        said = {"code": code, "message": f"said {code}", "details": []}
        return self.then(status, {"error": said}, **headers)


class Handler(BaseHTTPRequestHandler):
    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        left = self.server.answers
        status, content, headers = left.pop(0) if len(left) > 1 else left[0]
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(0 if status == 304 else len(content)))
        self.end_headers()
        if status != 304:
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def client(server):
    with Client(server.url, "secret") as made:
        yield made


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (503, "unavailable"), (503, "maintenance")]
)
def test_a_busy_server_is_asked_again_when_it_says(server, client, status, code):
    server.fails(status, code, Retry_After="1").then(200, {"handle": "ada-01"})
    begin = time.monotonic()
    assert client.me()["handle"] == "ada-01"
    assert 1.0 <= time.monotonic() - begin < 5.0
    assert len(server.asked) == 2


def test_without_a_time_it_is_asked_again_with_growing_pauses(server, client):
    server.fails(503, "unavailable").fails(503, "unavailable").then(200, {"handle": "ada-01"})
    begin = time.monotonic()
    client.me()
    assert 1.5 <= time.monotonic() - begin < 5.0


def test_it_gives_up_after_a_few_tries(server, client):
    server.fails(503, "unavailable", Retry_After="0")
    with pytest.raises(ProblemError, match="said unavailable"):
        client.me()
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "code", "after"), [(429, "limit_reached", "1"), (503, "unavailable", "3600")]
)
def test_a_limit_or_a_long_wait_is_said_at_once(server, client, status, code, after):
    server.fails(status, code, Retry_After=after)
    with pytest.raises(ProblemError) as caught:
        client.me()
    assert caught.value.retry_after_s == float(after)
    assert len(server.asked) == 1


def test_what_might_be_done_twice_is_asked_once(server, client):
    server.fails(503, "unavailable", Retry_After="0")
    with pytest.raises(ProblemError):
        client.begin_thread("toy", "A question", "to all")
    assert len(server.asked) == 1


def test_a_file_is_sent_again_whole_and_under_the_same_key(server, client, tmp_path):
    file = tmp_path / "preds.csv"
    file.write_text("id,label\n1,2\n")
    server.fails(503, "unavailable", Retry_After="0").then(201, {"id": 7})
    told = []
    assert client.submit("toy", file, "first", progress=told.append)["id"] == 7
    (_, _, first, body), (_, _, second, again) = server.asked
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    assert [b"1,2" in sent and b"first" in sent for sent in (body, again)] == [True, True]
    assert told == [13, 13]


def test_a_form_says_its_length(tmp_path):
    file = tmp_path / 'a "b".csv'
    file.write_bytes(b"x" * 1000)
    with Form({"message": "grün"}, {"file": file, "other": file}) as form:
        said = int(form.headers["Content-Length"])
        assert len(b"".join(form)) == said


def test_an_answer_with_an_etag_is_fetched_once(server, client):
    board = {"items": [], "pages": 1, "page": 1, "revision": 3}
    server.then(200, board, ETag='"r3"').then(304, ETag='"r3"')
    assert client.leaderboard("toy") == board
    assert client.leaderboard("toy") == board
    assert [headers.get("If-None-Match") for _, _, headers, _ in server.asked] == [None, '"r3"']


def test_a_list_is_fetched_page_by_page_while_it_is_read(server, client):
    pages = [
        {"items": [{"id": 2 * n}, {"id": 2 * n + 1}], "page": n, "per_page": 2, "total": 5}
        for n in range(2)
    ]
    server.then(200, pages[0]).then(200, pages[1])
    found = client.submissions("toy")
    assert server.asked == []
    assert [next(found)["id"] for _ in range(2)] == [0, 1]
    assert len(server.asked) == 1
    assert next(found)["id"] == 2
    assert [path.split("?")[1] for _, path, _, _ in server.asked] == [
        "page=1&per_page=200",
        "page=2&per_page=200",
    ]


def test_a_token_does_not_follow_to_another_address(server, client):
    server.then(301, Location="https://elsewhere.example/api/v1/me")
    with pytest.raises(ProblemError, match=r"podium login --url https://elsewhere\.example$"):
        client.me()
    assert len(server.asked) == 1


def test_an_address_of_another_kind_of_server_is_said(server, client):
    server.then(200, "not what Podium says").answers[0] = (200, b"<html>", {})
    with pytest.raises(ProblemError, match="in a form that Podium does not use"):
        client.me()


def test_a_wrong_address_is_said_before_anything_is_asked():
    with pytest.raises(ProblemError, match="begins with http"):
        Client("podium.example.org")


@pytest.mark.parametrize(
    ("status", "code", "exits"),
    [
        (400, "bad_request", 2),
        (401, "not_signed_in", 3),
        (403, "no_access", 3),
        (403, "unconfirmed", 3),
        (403, "closed", 6),
        (404, "not_found", 4),
        (409, "conflict", 2),
        (413, "too_large", 5),
        (416, "bad_range", 2),
        (422, "invalid_submission", 5),
        (429, "limit_reached", 6),
        (429, "rate_limited", 8),
        (500, "internal", 8),
        (503, "unavailable", 8),
        (503, "maintenance", 8),
    ],
)
def test_every_answer_of_a_server_has_its_exit_code(server, client, status, code, exits):
    server.fails(status, code, Retry_After="120")
    with pytest.raises(ProblemError) as caught:
        client.me()
    assert exit_code(caught.value) == exits
