"""What `podium login` keeps: the server, its token, the usual competition."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from podium.errors import ConfigError

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass
class Profile:
    """The file's content. `token` belongs to `url` and is sent nowhere else."""

    url: str = ""
    token: str = ""
    token_id: int | None = None
    competition: str = ""

    @classmethod
    def load(cls) -> "Profile":
        """What was kept, or an empty profile."""
        try:
            kept = json.loads(path().read_text(encoding="utf-8"))
            return cls(**kept)
        except FileNotFoundError:
            return cls()
        except (ValueError, TypeError):
            raise ConfigError(f"{path()} is damaged. Delete it and run `podium login`.") from None

    def save(self) -> None:
        """Keep it, readable by this user only."""
        file = path()
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(asdict(self), out, indent=2)
        os.replace(new, file)

    def server(self) -> str:
        """The server in force: PODIUM_URL, else the one of the last login."""
        return (os.environ.get("PODIUM_URL") or self.url or DEFAULT_URL).rstrip("/")

    def in_force(self) -> tuple[str, str | None]:
        """The server and the token: PODIUM_TOKEN, else the one kept for this server."""
        url = self.server()
        own = self.token if url == self.url else ""
        return url, os.environ.get("PODIUM_TOKEN") or own or None


def path() -> Path:
    """Where the profile is kept."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "podium" / "client.json"
