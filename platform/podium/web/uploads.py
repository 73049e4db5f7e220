"""Files that arrive: streamed straight into the storage, refused before their body where possible.

A body is not read before it is known who sends it, to which competition, and that it may: the
form parser then writes each chunk into the storage's `Incoming`, which counts and hashes it.
"""

import contextlib
import functools
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from flask import Request, request
from flask_limiter.util import get_remote_address
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from podium import arrivals, competitions, submissions
from podium.errors import BadRequestError, TooLargeError
from podium.models import Competition
from podium.storage import CHUNK, Incoming
from podium.submissions import Upload
from podium.web import identity, installation, security

PIECE_BYTES = 4 << 20  # pages send larger files in pieces of it
FORM_BYTES = 1 << 16  # room for the other fields and the frame of the form
LIST_BYTES = 4 << 20
LONGEST_KEY = 200
FIELD = "file"
ARRIVED = "upload"  # the field that names a file which came in pieces
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
        return cast(IO[bytes], self.place())

    def place(self) -> Incoming:
        """Where the next file goes; BadRequestError where none is taken."""
        if self.receive is None:
            raise BadRequestError("This address takes no file.")
        return self.receive()


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
                upload = _read(slug, key, limit_bytes, may_lack=may_lack)
                return view(slug, upload=upload, **values)

        return security.checks_csrf_itself(wrapper)

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

    return security.checks_csrf_itself(wrapper)


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
            sent = _sent(limit_bytes)
            content = None
            if sent is not None:
                sent.stream.seek(0)
                content = sent.stream.read()
            return view(content=content, **values)

    return security.checks_csrf_itself(wrapper)


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
    return largest_file(competition)


def largest_file(competition: Competition) -> int:
    """The most bytes that one file of a competition may have here."""
    return submissions.largest_file(competition, installation().config.upload_mib << 20)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise BadRequestError(
            f"The idempotency key has {len(key)} characters. Use at most {LONGEST_KEY}.",
            field="Idempotency-Key",
        )
    return key or None


def _sent(limit_bytes: int) -> FileStorage | None:
    """The file of the form, which is parsed here: where the body is read. None: without one."""
    try:
        sent = request.files
    except RequestEntityTooLarge:
        raise TooLargeError(
            f"The request has {request.content_length or 'too many'} bytes. "
            f"A file may have {limit_bytes:,} bytes."
        ) from None
    security.check_csrf()  # not earlier: its token may stand in the same form
    return sent[FIELD] if FIELD in sent and sent[FIELD].filename else None


def _read(slug: str, key: str | None, limit_bytes: int, *, may_lack: bool) -> Upload | None:
    """The file, from the form or in pieces before it, and what is said with it."""
    sent = _sent(limit_bytes)
    arrival_id = request.form.get(ARRIVED) or None
    if sent is not None:
        file, name, arrival_id = cast(Incoming, sent.stream), sent.filename or "", None
    elif arrival_id is not None:
        file = cast(UploadRequest, request).place()
        caller = identity.need_caller()
        name = arrivals.join(installation(), caller, slug, arrival_id, file).file_name
    elif may_lack:
        return None
    else:
        raise BadRequestError(
            "There is no file in the request. Choose one; a program sends it as "
            f"multipart/form-data, in the field {FIELD!r}.",
            field=FIELD,
        )
    return Upload(
        file=file,
        file_name=name,
        message=request.form.get("message", ""),
        kind=request.form.get("kind", "predictions"),
        idempotency_key=key or request.form.get("idempotency_key") or arrival_id,
        source=_source(),
        arrival_id=arrival_id,
    )


@contextmanager
def receiving_body(
    limit_bytes: int, limit_text: str, *, keeps_part: bool = False
) -> Iterator[Incoming]:
    """The body of this request as a file of the storage; dropped after unless it was kept.

    With `keeps_part` a body that breaks off is no error: what has come of it is the file.
    """
    request.max_content_length = limit_bytes + 1  # werkzeug refuses a read at the limit itself
    broken = (ClientDisconnected, OSError) if keeps_part else ()
    with contextlib.closing(installation().storage.receive(limit_bytes, limit_text)) as incoming:
        security.check_csrf()
        try:
            while chunk := request.stream.read(CHUNK):
                incoming.write(chunk)
        except RequestEntityTooLarge:
            raise TooLargeError(f"The body is larger than what is taken. {limit_text}") from None
        except broken:
            pass
        yield incoming


def _source() -> str:
    """The sender's address as a keyed hash: the same address is known again, none is kept."""
    secret = installation().config.secret().encode()
    return hmac.digest(secret, get_remote_address().encode(), "sha256").hex()[:16]
