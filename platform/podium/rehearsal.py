"""Runs a submission here and now, as a run worker would: for students who try, hosts who check.

The same code in the same sandbox, on files of this machine; nothing is sent or recorded.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podium import running
from podium.desk import Desk, Said
from podium.errors import FaultError
from podium.sandbox import Bubblewrap, SandboxError
from podium.sandbox.runner import Runner as Confiner

OWN, OPPONENT = 0, 1  # in the place of the numbers that submissions have


@dataclass(frozen=True)
class Ear:
    """Passes on what is printed."""

    hear: Callable[[str], None]
    let_go: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Piece:
    """What is rehearsed: a file of a kind, under the rules of its challenge.

    `run` is `[run]` of challenge.toml; `seeds` are those of an agent that plays alone, or the
    openings of one that plays `against` another (or itself).
    """

    kind: str
    file: Path
    run: Mapping[str, Any]
    output: str
    columns: Sequence[str]
    inputs: Sequence[Path] = ()
    seeds: Sequence[tuple[int, int]] = ()
    against: Path | None = None

    def assignment(self) -> dict[str, Any]:
        """As the web would give it to a run worker."""
        opponent = OWN if self.against is None else OPPONENT
        return {
            "kind": self.kind,
            "submission_id": OWN,
            "run": self.run,
            "output": self.output,
            "columns": list(self.columns),
            "seeds": list(self.seeds),
            "matches": [
                {"opponent": opponent, "number": number, "seed": seed}
                for number, seed in self.seeds
            ],
        }


def rehearse(
    piece: Piece,
    folder: Path,
    confiner: Confiner | None = None,
    hear: Callable[[str], None] = lambda _: None,
) -> Said:
    """Run it in the empty `folder`, where its output stays; FaultError if nothing confines here."""
    try:
        desk = Desk.make(folder, confiner or Bubblewrap.here())
        desk.file.write_bytes(piece.file.read_bytes())
        for path in piece.inputs:
            target = desk.inputs / path.name
            target.write_bytes(path.read_bytes())
            target.chmod(0o644)
        if piece.against is not None:
            (desk.inputs / str(OPPONENT)).write_bytes(piece.against.read_bytes())
        return running.run(piece.assignment(), desk, Ear(hear))
    except SandboxError as error:
        raise FaultError(f"Nothing could be run here: {error}") from None
