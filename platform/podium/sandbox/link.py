"""The trusted end of the frames: asks a sandboxed program, and never waits longer than it says."""

import contextlib
import fcntl
import os
import select
import time
from collections import deque
from collections.abc import Mapping

from podium.sandbox.inside.frames import FAILED, Field, FrameError, pack, unpack
from podium.sandbox.outcome import Cause

PIPE_BYTES = 1 << 20
PIECES = 16  # of a frame, written at once


class LinkError(Exception):
    """The program did not answer as agreed. The message is for the student."""

    cause = Cause.PROTOCOL


class LateError(LinkError):
    """No whole answer within the time."""

    cause = Cause.TIME_LIMIT


class GoneError(LinkError):
    """The program has ended, or closed its end."""


class BrokenError(LinkError):
    """What came is no frame, or not the frame that was due."""


class ToldError(LinkError):
    """The student's code raised, and our script told it; the trace is in the log."""

    cause = Cause.EXCEPTION


class Link:
    """Frames to and from one sandbox. `most_bytes` bounds what one answer takes of our memory.

    What is posted is written while we wait for answers, so two large frames that cross each other
    do not stop both sides.
    """

    def __init__(self, to_fd: int, from_fd: int, most_bytes: int = 1 << 20) -> None:
        self._to, self._from = to_fd, from_fd
        self.most_bytes = most_bytes
        self._waiting: deque[memoryview] = deque()
        for fd in (to_fd, from_fd):
            os.set_blocking(fd, False)
            with contextlib.suppress(OSError):  # over the quota of an unprivileged user
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(from_fd, select.POLLIN)
        self._both = select.poll()
        self._both.register(from_fd, select.POLLIN)
        self._both.register(to_fd, select.POLLOUT)
        self._buffer = b""

    def post(self, kind: int, fields: Mapping[str, Field]) -> None:
        """Send a frame as far as the pipe takes it; the rest goes while answers are awaited."""
        self._waiting.extend(memoryview(piece) for piece in pack(kind, fields) if len(piece))
        self._write()

    def receive(self, limit_s: float) -> tuple[int, dict[str, Field]]:
        """The next frame. Raises LateError, GoneError or BrokenError, and ToldError for FAILED."""
        end = time.monotonic() + limit_s
        while (length := self._announced()) is None:
            self._wait(end, limit_s)
            self._buffer += self._read(1 << 16)
        whole = 4 + length
        if len(self._buffer) >= whole:  # small frames come in one piece
            body: bytes | bytearray = self._buffer[4:whole]
            self._buffer = self._buffer[whole:]
        else:
            body = self._long_body(length, end, limit_s)
        try:
            kind, fields = unpack(body)
        except FrameError as error:
            raise BrokenError(str(error)) from None
        if kind == FAILED:
            raise ToldError(str(fields.get("message", "It raised an error.")))
        return kind, fields

    def _announced(self) -> int | None:
        """The length of the frame that begins the buffer, once it is known."""
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[:4], "little")
        if length > self.most_bytes:
            raise BrokenError(
                f"An answer of {length:,} bytes was announced; {self.most_bytes:,} are allowed."
            )
        return length

    def _long_body(self, length: int, end: float, limit_s: float) -> bytearray:
        body = bytearray(length)
        view = memoryview(body)
        filled = len(self._buffer) - 4
        view[:filled] = self._buffer[4:]
        self._buffer = b""
        while filled < length:
            self._wait(end, limit_s)
            filled += self._read_into(view[filled:])
        return body

    def ask(
        self, kind: int, fields: Mapping[str, Field], expected: int, limit_s: float
    ) -> dict[str, Field]:
        """Send a frame and wait for its answer, which must be of the expected kind."""
        self.post(kind, fields)
        return self.expect(expected, limit_s)

    def expect(self, expected: int, limit_s: float) -> dict[str, Field]:
        """The fields of the next frame, which must be of this kind."""
        kind, fields = self.receive(limit_s)
        if kind != expected:
            raise BrokenError(f"A frame of kind {expected} was due; one of kind {kind} came.")
        return fields

    def _wait(self, end: float, limit_s: float) -> None:
        while True:
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise LateError(f"No answer within {limit_s:g} s.")
            poll = self._both if self._waiting else self._poll
            for fd, _ in poll.poll(left_s * 1000):
                if fd == self._from:
                    return
                self._write()

    def _write(self) -> None:
        while self._waiting:
            pieces = [self._waiting[index] for index in range(min(PIECES, len(self._waiting)))]
            try:
                written = os.writev(self._to, pieces)
            except BlockingIOError:
                return
            except BrokenPipeError:  # reading will tell: an explanation may still lie in the pipe
                self._waiting.clear()
                return
            while written:
                piece = self._waiting.popleft()
                if written < len(piece):
                    self._waiting.appendleft(piece[written:])
                    break
                written -= len(piece)

    def _read(self, count: int) -> bytes:
        with contextlib.suppress(BlockingIOError):
            if block := os.read(self._from, count):
                return block
            raise GoneError("It ended without an answer.")
        return b""

    def _read_into(self, view: memoryview) -> int:
        with contextlib.suppress(BlockingIOError):
            if got := os.readv(self._from, [view]):
                return got
            raise GoneError("It ended in the middle of an answer.")
        return 0
