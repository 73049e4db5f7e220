"""Requests to a Podium server: what is sent, what is tried again, what an error becomes.

It rests on urllib3 alone: `requests` on top of it would take a fifth of the start of a command.
"""

import contextlib
import hashlib
import json
import os
import random
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import urllib3

from podium import __version__
from podium.client.problem import ProblemError
from podium.client.proxies import pool

API = "/api/v1"
CONNECT_S = 10.0
READ_S = 120.0  # between two bytes of an answer
TRIES = 4
PAUSE_S = 0.5  # before the second try, doubled for each further one
LONGEST_PAUSE_S = 60.0  # a server that asks for more is not waited for
CHUNK = 1 << 18
MOST_PER_PAGE = 200
KEPT_ANSWERS = 64

# What a later try may mend; whether it may be tried depends on the request.
BUSY = frozenset({"rate_limited", "unavailable", "maintenance"})
GONE = frozenset({"no_answer"})
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})

T = TypeVar("T")
Answer = dict[str, Any]
Progress = Callable[[int], object]  # told the bytes that have just passed
Body = Iterable[bytes] | bytes


class Transport:
    """One server and, unless it is None, the token of who calls it.

    What the server refuses because it is busy (429, 503) is asked again after the time that it
    names, at most `patience_s`, if asking twice cannot do a thing twice. Answers with an ETag are
    kept: asked again, the server says whether they still hold.
    """

    def __init__(
        self, url: str, token: str | None = None, *, patience_s: float = LONGEST_PAUSE_S
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ProblemError(
                0, "bad_request", f"{url!r} is no address. It begins with http:// or https://."
            )
        self.url = url.rstrip("/")
        self._patience_s = patience_s
        connect_s, read_s = min(CONNECT_S, patience_s), min(READ_S, 2 * patience_s)
        self._timeout = urllib3.Timeout(connect=connect_s, read=read_s)
        self._http = pool(self.url)
        self._headers = {"User-Agent": f"podium/{__version__}", "Accept": "application/json, */*"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._kept: dict[str, tuple[str, bytes]] = {}  # address: ETag and answer

    def close(self) -> None:
        """End its connections."""
        self._http.clear()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _json(self, method: str, path: str, **request: Any) -> Any:
        """An answer in JSON."""
        answer = self._call(method, path, **request)
        try:
            return json.loads(answer.data)
        except ValueError:
            raise not_podium(self.url, answer.status) from None

    def _do(self, method: str, path: str, **request: Any) -> None:
        """A request whose answer says nothing more."""
        self._call(method, path, **request)

    def _items(self, path: str) -> Any:
        """The items of a list that comes whole."""
        return self._json("GET", path)["items"]

    def _pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The items of a list, fetched page by page while they are asked for."""
        page, seen = 1, 0
        while True:
            paging = {"page": page, "per_page": MOST_PER_PAGE}
            answer = self._json("GET", path, query={**(query or {}), **paging})
            yield from answer["items"]
            seen += len(answer["items"])
            if seen >= answer["total"] or not answer["items"]:
                return
            page += 1

    def _call(self, method: str, path: str, **request: Any) -> urllib3.BaseHTTPResponse:
        """The answer, read to its end; asked again while the server is busy."""
        codes = BUSY if method in REPEATABLE else frozenset({"rate_limited"})
        if not isinstance(request.get("data", b""), bytes):
            codes = frozenset()  # a stream is read once: who opened it opens it again

        def ask() -> urllib3.BaseHTTPResponse:
            answer = self._once(method, path, **request)
            with broken_off():
                _ = answer.data  # read and kept, and the connection is free again
            return answer

        return persist(ask, codes, self._patience_s)

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        data: Body | None = None,
        send: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One try: the answer, its body unread, or ProblemError."""
        address = f"{self.url}{API}{path}{_query(query)}"
        said = self._headers | dict(headers or {})
        if send is not None:
            data, said["Content-Type"] = json.dumps(send).encode(), "application/json"
        kept = self._kept.get(address) if method == "GET" and not headers else None
        if kept:
            said["If-None-Match"] = kept[0]
        try:
            answer = self._http.request(
                method,
                address,
                body=data,
                headers=said,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ProblemError(
                0,
                "no_answer",
                f"{self.url} does not answer ({reason(error)}). Is the address right, and does "
                "the server run? `podium login --url URL` sets another address.",
            ) from error
        if answer.status == 304 and kept:
            answer.drain_conn()
            return urllib3.HTTPResponse(kept[1], headers=answer.headers, status=200)
        if answer.status >= 300:
            raise self._problem(answer)
        if method == "GET" and not headers and (etag := answer.headers.get("ETag")):
            with broken_off():
                self._keep(address, etag, answer.data)
        return answer

    def _keep(self, address: str, etag: str, content: bytes) -> None:
        """Remember an answer in place of the oldest."""
        self._kept.pop(address, None)
        if len(self._kept) >= KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[address] = etag, content

    def _problem(self, answer: urllib3.BaseHTTPResponse) -> ProblemError:
        """What an answer says that is no success."""
        if answer.status < 400:
            answer.drain_conn()
            return moved(self.url, answer)
        with broken_off():
            content = answer.data
        try:
            said = json.loads(content)["error"]
            return ProblemError(
                answer.status,
                said["code"],
                said["message"],
                said["details"],
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
            )
        except (ValueError, KeyError, TypeError):
            return not_podium(self.url, answer.status)

    def _stream(
        self, path: str, out: Path, progress: Progress, headers: Mapping[str, str] | None = None
    ) -> None:
        """Append what is missing of a file; `headers` ask for the part that is."""
        answer = self._once("GET", path, headers={"Accept": "*/*", **(headers or {})})
        have = out.stat().st_size if answer.status == 206 else 0
        with broken_off(), out.open("ab" if have else "wb") as file:
            progress(have)
            for chunk in answer.stream(CHUNK):
                file.write(chunk)
                progress(len(chunk))
            answer.release_conn()


def persist(
    act: Callable[[], T],
    codes: Iterable[str] = BUSY | GONE,
    patience_s: float = LONGEST_PAUSE_S,
) -> T:
    """Do what may safely be done twice until it works: a few tries, pauses as the server asks."""
    attempt = 1
    while True:
        try:
            return act()
        except ProblemError as error:
            pause_s = error.retry_after_s or PAUSE_S * 2 ** (attempt - 1)
            if error.code not in codes or attempt == TRIES or pause_s > patience_s:
                raise
        time.sleep(pause_s * random.uniform(1.0, 1.2))
        attempt += 1


@contextlib.contextmanager
def broken_off() -> Iterator[None]:
    """A connection that breaks while a body is read is a problem like others."""
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        message = f"The connection broke off ({reason(error)}). Run the command again."
        raise ProblemError(0, "no_answer", message) from error


def not_podium(url: str, status: int) -> ProblemError:
    """An answer that no Podium gives."""
    return ProblemError(
        status,
        "internal" if status >= 500 else "no_podium",
        f"{url} answered {status} in a form that Podium does not use. Is this the address of a "
        "Podium server?",
    )


def moved(url: str, answer: urllib3.BaseHTTPResponse) -> ProblemError:
    """A server that sends its callers elsewhere: files and tokens do not follow unasked."""
    target = answer.headers.get("Location", "")
    place = target.split(API)[0] if API in target else target
    return ProblemError(
        answer.status,
        "moved",
        f"{url} sends its callers to {place or 'another address'}. If you trust it, sign in "
        f"there: podium login --url {place or 'URL'}",
    )


def reason(error: Exception) -> str:
    """Why there was no answer, in three words."""
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "it took too long"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate is not trusted"
    return "no connection"


def part(text: str) -> str:
    """A text as one part of a path."""
    return urllib.parse.quote(text, safe="")


def sha256_of(path: Path) -> str:
    """The digest of a file, as listings give it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file be written beside its place and put there when it is whole."""
    unfinished = path.with_name(f"{path.name}.part")
    write(unfinished)
    os.replace(unfinished, path)


def _query(query: Mapping[str, Any] | None) -> str:
    """The asked as the end of an address; None is left out."""
    said = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (query or {}).items()
        if value is not None
    }
    return f"?{urllib.parse.urlencode(said)}" if said else ""


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None
