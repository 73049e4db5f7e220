"""Files that arrive: streamed straight into the storage, refused before their body where possible.

A body is not read before it is known who sends it, to which competition, and that it may: the
form parser then writes each chunk into the storage's `Incoming`, which counts and hashes it.
"""

import functools
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from flask import Request, request
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import RequestEntityTooLarge

from podium import competitions, submissions
from podium.errors import BadRequestError, TooLargeError
from podium.storage import Incoming
from podium.submissions import Upload
from podium.web import identity, installation, security

FORM_BYTES = 1 << 16  # room for the other fields and the frame of the form
LIST_BYTES = 4 << 20
LONGEST_KEY = 200
FIELD = "file"
PARTS = ("train", "test", "answers")  # of a competition whose split is given


class UploadRequest(Request):
    """A request that takes a file only where a view has said into what."""

    receive: Callable[[], Incoming] | None = None

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.receive is None:
            raise BadRequestError("This address takes no file.")
        return cast(IO[bytes], self.receive())


def takes_file(
    *, must_have_room: bool, may_lack: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a view of a competition's `slug` that takes one file: it gets an `upload`.

    With `must_have_room`, who may not submit now is told so before the body is read; with
    `may_lack` the upload is None where no file was sent. What the view does not keep is dropped.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def wrapper(slug: str, **values: Any) -> Any:
            key = _idempotency_key()
            limit_bytes = _need_may_send(slug, key, must_have_room=must_have_room)
            with _receiving(limit_bytes, f"The limit of {slug} is {limit_bytes:,} bytes."):
                return view(slug, upload=_read(key, limit_bytes, may_lack=may_lack), **values)

        wrapper.takes_file = True  # type: ignore[attr-defined]
        return wrapper

    return decorate


def takes_list(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view of whoever is signed in that takes a short file, as `content`.

    None where no file was sent, for its text may stand in a field of the form.
    """
    return _takes_whole(view, "A list", lambda: LIST_BYTES, may_be_field=True)


def takes_new(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view that takes what a new competition is made of, as `files` by field.

    One `file`, or those of PARTS; what was left empty is not in it.
    """

    @functools.wraps(view)
    def wrapper(**values: Any) -> Any:
        identity.need_caller("host")
        limit_bytes = installation().config.upload_mib << 20
        fields = (FIELD, *PARTS)
        with _receiving(limit_bytes, f"A file may have {limit_bytes:,} bytes.", len(fields)):
            try:
                sent = request.files
            except RequestEntityTooLarge:
                raise TooLargeError(f"A file may have {limit_bytes:,} bytes.") from None
            security.check_csrf()
            for name in sent:
                if name not in fields:
                    raise BadRequestError(
                        f"There is no file field {name!r}, only {', '.join(fields)}.", field=name
                    )
            files = {}
            for name in fields:
                if name in sent and sent[name].filename:
                    sent[name].stream.seek(0)
                    files[name] = sent[name].stream.read()
            return view(files=files, **values)

    wrapper.takes_file = True  # type: ignore[attr-defined]
    return wrapper


def _takes_whole(
    view: Callable[..., Any],
    what: str,
    limit: Callable[[], int],
    *,
    may_be_field: bool = False,
) -> Callable[..., Any]:
    @functools.wraps(view)
    def wrapper(**values: Any) -> Any:
        identity.need_caller("host")
        limit_bytes = limit()
        with _receiving(limit_bytes, f"{what} may have {limit_bytes:,} bytes."):
            if may_be_field:
                cast(UploadRequest, request).max_form_memory_size = limit_bytes + FORM_BYTES
            upload = _read(None, limit_bytes, may_lack=True)
            content = None
            if upload is not None:
                upload.file.seek(0)
                content = upload.file.read()
            return view(content=content, **values)

    wrapper.takes_file = True  # type: ignore[attr-defined]
    return wrapper


@contextmanager
def _receiving(limit_bytes: int, limit_text: str, most: int = 1) -> Iterator[None]:
    """Take so many files of this request into the storage; what nobody kept is dropped after."""
    arrived: list[Incoming] = []

    def receive() -> Incoming:
        if len(arrived) == most:
            raise BadRequestError(
                "Send one file, not several." if most == 1 else f"Send at most {most} files.",
                field=FIELD,
            )
        arrived.append(installation().storage.receive(limit_bytes, limit_text))
        return arrived[-1]

    incoming = cast(UploadRequest, request)
    incoming.receive = receive
    incoming.max_content_length = limit_bytes * most + FORM_BYTES
    try:
        yield
    finally:
        for file in arrived:
            file.close()


def _need_may_send(slug: str, key: str | None, *, must_have_room: bool) -> int:
    """Raise what forbids a file from this caller; the most bytes it may have."""
    caller = identity.need_caller("submit" if must_have_room else "read")
    here = installation()
    with here.database.reading() as session:
        if must_have_room:
            competition = submissions.need_room(session, caller, slug, key)
        else:
            competition = competitions.find(session, slug)
    return submissions.largest_file(competition, here.config.upload_mib << 20)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise BadRequestError(
            f"The idempotency key has {len(key)} characters. Use at most {LONGEST_KEY}.",
            field="Idempotency-Key",
        )
    return key or None


def _read(key: str | None, limit_bytes: int, *, may_lack: bool) -> Upload | None:
    """Parse the form, which is where the body is read."""
    try:
        sent = request.files
    except RequestEntityTooLarge:
        raise TooLargeError(
            f"The request has {request.content_length or 'too many'} bytes. "
            f"A file may have {limit_bytes:,} bytes."
        ) from None
    security.check_csrf()  # not earlier: its token may stand in the same form
    if may_lack and (FIELD not in sent or not sent[FIELD].filename):
        return None
    if FIELD not in sent:
        raise BadRequestError(
            f"There is no file in the request. Send it as multipart/form-data, in the field "
            f"{FIELD!r}.",
            field=FIELD,
        )
    file = sent[FIELD]
    return Upload(
        file=cast(Incoming, file.stream),
        file_name=file.filename or "",
        message=request.form.get("message", ""),
        kind=request.form.get("kind", "predictions"),
        idempotency_key=key or request.form.get("idempotency_key") or None,
        source=_source(),
    )


def _source() -> str:
    """The sender's address as a keyed hash: the same address is known again, none is kept."""
    secret = installation().config.secret().encode()
    return hmac.digest(secret, get_remote_address().encode(), "sha256").hex()[:16]
