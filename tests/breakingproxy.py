"""A line to a server that can be cut: it lets so many bytes through and then breaks."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class BreakingProxy:
    """Passes bytes on. After `cut_after` of them to the server, every connection breaks."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._target = (place.hostname, place.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._left: int | None = None
        self.breaks = 0
        self.stays_broken = False  # until it is mended, or does the next connection pass
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut_after(self, size_bytes: int, *, stays_broken: bool = False) -> None:
        """Break when so many more bytes have gone to the server."""
        self._left, self.stays_broken = size_bytes, stays_broken

    def mend(self) -> None:
        """Let everything through again."""
        self._left, self.stays_broken = None, False

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._left == 0:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                for source, target, counts in ((near, far, True), (far, near, False)):
                    threading.Thread(
                        target=self._pass, args=(source, target, counts), daemon=True
                    ).start()

    def _pass(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                target.sendall(self._allowed(content) if counts else content)
                if counts and self._left == 0:
                    self.breaks += 1
                    if not self.stays_broken:
                        self._left = None
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _allowed(self, content: bytes) -> bytes:
        with self._lock:
            if self._left is None:
                return content
            allowed = content[: self._left]
            self._left -= len(allowed)
            return allowed
