"""What was played, small enough to keep of every episode: moves always, observations rounded.

Seeds are not in it: they stay hidden, and observations suffice to show an episode.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.sandbox.inside.frames import READY, Field, pack, unpack

LARGEST = 64 << 20  # of a replay, unpacked


@dataclass(frozen=True)
class Replay:
    """One episode. `tracks` holds arrays whose first axis is the step."""

    game: str
    result: str
    tracks: Mapping[str, NDArray[Any]] = field(repr=False)

    def to_bytes(self) -> bytes:
        """As it is stored: a compressed frame; floats keep three digits."""
        fields: dict[str, Field] = {"game": self.game, "result": self.result}
        for name, track in self.tracks.items():
            fields[f"track:{name}"] = track.astype(np.float16) if track.dtype.kind == "f" else track
        return zlib.compress(b"".join(pack(READY, fields)), 9)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Replay":
        """What was stored. Raises ValueError for other bytes."""
        inflater = zlib.decompressobj()
        try:
            frame = inflater.decompress(content, LARGEST)
        except zlib.error as error:
            raise ValueError(f"This is no replay: {error}.") from None
        _, fields = unpack(memoryview(frame)[4:])
        tracks = {
            name.removeprefix("track:"): value
            for name, value in fields.items()
            if isinstance(value, np.ndarray)
        }
        return cls(str(fields["game"]), str(fields["result"]), tracks)
