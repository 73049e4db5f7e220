"""What a process has read of the challenges it was last busy with."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from podium.installation import Installation
from podium.models import Challenge

KEPT = 8  # challenges

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps what was made last for each challenge; each revision and preparation has its own."""

    def __init__(self, make: Callable[[Installation, Challenge], T], size: int = KEPT) -> None:
        self._make = make
        self._size = size
        self._kept: OrderedDict[tuple[object, ...], T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, installation: Installation, challenge: Challenge) -> T:
        """What belongs to this challenge, made at its first use."""
        version = (challenge.revision, challenge.truth_version, challenge.prepared_at)
        key = (challenge.id, *version)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(installation, challenge)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
