"""Where things lie: the home of an installation and the files that travel with Podium."""

import os
from pathlib import Path

PACKAGE = Path(__file__).parent


def checkout() -> Path | None:
    """The root of the source checkout that runs, or None where the wheel is installed."""
    root = PACKAGE.parent.parent
    return root if (root / "pyproject.toml").is_file() and (root / "challenges").is_dir() else None


def bundled(name: str) -> Path:
    """The folder `challenges`, `baselines` or `migrations`, in a checkout as in a wheel."""
    root = checkout()
    return root / name if root else PACKAGE / "_bundled" / name


def serves(home: Path, url: str) -> bool:
    """Whether `podium up` of this home, which this user may read, is or was last at `url`."""
    try:
        return (home / "run" / "url").read_text().strip() == url
    except OSError:
        return False


def default_home() -> Path:
    """`$PODIUM_HOME`, else `./var` of a checkout, else the user's data folder."""
    if named := os.environ.get("PODIUM_HOME"):
        return Path(named).expanduser().resolve()
    root = checkout()
    if root:
        return root / "var"
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "podium"
