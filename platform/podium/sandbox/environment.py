"""The Python that submitted code runs with, and the packages that students may rely on."""

import functools
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the interpreter it belongs to; both are bound read-only."""

    prefix: Path
    interpreter: Path  # the installation that the environment was made from

    @property
    def python(self) -> str:
        """The path of its `python`, the same inside and outside."""
        return str(self.prefix / "bin" / "python")

    @functools.cached_property
    def folders(self) -> list[Path]:
        """What must be visible for it to run, outermost first; /usr is visible anyway."""
        found = [self.interpreter.resolve(), self.interpreter, self.prefix]
        return [
            folder
            for folder in dict.fromkeys(found)
            if Path("/usr") not in (folder, *folder.parents)
        ]

    @classmethod
    def current(cls) -> "Environment":
        """The one that this process runs in."""
        return cls(Path(sys.prefix), Path(sys.base_prefix))


@functools.cache
def packages() -> dict[str, str]:
    """Python and every package of the current environment with its version: what is published."""
    found = {item.metadata["Name"]: item.version for item in metadata.distributions()}
    ordered = sorted(found.items(), key=lambda item: item[0].lower())
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(ordered)}
