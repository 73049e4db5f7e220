"""Files on their way to the server, as multipart/form-data that never lies in memory as a whole."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from podium.client.transport import CHUNK, Progress


class Form:
    """Fields and files; open while it is sent, iterated over once."""

    def __init__(
        self,
        fields: Mapping[str, str],
        files: Mapping[str, Path],
        progress: Progress = lambda _: None,
    ) -> None:
        self._boundary = uuid.uuid4().hex
        self._progress = progress
        self._said = "".join(self._head(key) + f"\r\n{value}\r\n" for key, value in fields.items())
        self._files = files
        self._opened: list[tuple[bytes, BinaryIO]] = []
        self._stack = ExitStack()

    @property
    def headers(self) -> dict[str, str]:
        """Its type and its length."""
        size = sum(
            len(head) + os.fstat(file.fileno()).st_size + len(b"\r\n")
            for head, file in self._opened
        )
        length = len(self._said.encode()) + size + len(self._tail)
        content_type = f"multipart/form-data; boundary={self._boundary}"
        return {"Content-Type": content_type, "Content-Length": str(length)}

    def __enter__(self) -> "Form":
        for key, path in self._files.items():
            file = self._stack.enter_context(path.open("rb"))
            shown = path.name.replace("\\", "_").replace('"', "%22")
            shown = shown.replace("\r", " ").replace("\n", " ")
            head = f'{self._head(key)[:-2]}; filename="{shown}"\r\n'
            head += "Content-Type: application/octet-stream\r\n\r\n"
            self._opened.append((head.encode(), file))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[bytes]:
        yield self._said.encode()
        for head, file in self._opened:
            yield head
            while chunk := file.read(CHUNK):
                self._progress(len(chunk))
                yield chunk
            yield b"\r\n"
        yield self._tail

    @property
    def _tail(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode()

    def _head(self, key: str) -> str:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n'
