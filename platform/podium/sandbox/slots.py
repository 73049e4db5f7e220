"""A user id for each sandbox of a root worker, never shared: the kernel counts processes by it."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from podium.sandbox.outcome import SandboxError

FIRST_UID = 60001
SLOTS = 256
LOCKS = Path("/run/podium-sandbox")  # one file a slot; the lock ends with its holder


class Slot:
    """A user id that nobody else on this machine holds until it is closed."""

    def __init__(self) -> None:
        LOCKS.mkdir(mode=0o700, exist_ok=True)
        for number in range(SLOTS):
            lock = os.open(LOCKS / str(number), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self._lock = lock
            self.uid = FIRST_UID + number
            return
        raise SandboxError(
            f"All {SLOTS} sandbox slots of this machine are taken. Run fewer workers on it."
        )

    def close(self) -> None:
        """Give the user id back."""
        os.close(self._lock)

    def __enter__(self) -> "Slot":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
