"""Fixtures: a real server on a free port with a score worker, and the command line as a process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from apiflask import APIFlask
from tests.servers import hired, scoring, serving

from podium import accounts
from podium.accounts import Caller
from podium.installation import Installation


@dataclass
class Shell:
    """Runs `podium` as somebody would: in a folder, with an own configuration."""

    folder: Path
    url: str
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"XDG_CONFIG_HOME": "config", "PODIUM_HOME": "home"}
        own = {name: str(self.folder / folder) for name, folder in own.items()}
        environment = kept | own | self.variables
        return subprocess.run(
            [sys.executable, "-P", "-m", "podium.cli", *arguments],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def write(self, name: str, content: str | bytes) -> str:
        """A file in the folder."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return name


@pytest.fixture
def url(app: APIFlask) -> Iterator[str]:
    """The address of a server of this installation."""
    with serving(app) as address:
        yield address


@pytest.fixture
def scorer(installation: Installation) -> Iterator[None]:
    """A score worker."""
    with scoring(installation):
        yield


@pytest.fixture
def shell(tmp_path: Path, url: str) -> Shell:
    """The command line of nobody."""
    folder = tmp_path / "shell"
    folder.mkdir()
    return Shell(folder, url, {"PODIUM_URL": url})


@pytest.fixture
def signed_in(installation: Installation, shell: Shell):
    """Turns a shell into that of a caller."""

    def sign_in(caller: Caller) -> Shell:
        with installation.database.writing() as session:
            _, text = accounts.create_token(session, caller.id, "test")
        return Shell(shell.folder, shell.url, shell.variables | {"PODIUM_TOKEN": text})

    return sign_in


@pytest.fixture
def operator(shell, config):
    """The shell of somebody whose settings are those of the installation."""
    shell.variables |= {
        "PODIUM_DATABASE_URL": config.database_url,
        "PODIUM_REDIS_URL": config.redis_url,
        "PODIUM_STORAGE_URL": config.storage_url,
        "PODIUM_SECRET_KEY": config.secret_key,
        "PODIUM_HEARTBEAT_S": "0.3",
    }
    return shell


@pytest.fixture
def run_worker(installation, operator, factory):
    """Starts `podium worker --queue run` (or `match`) on a host that knows web and Redis only."""
    factory.person("admin-01", "admin")
    with hired(installation, operator.url, operator.folder / "elsewhere") as start:
        yield start


def until(is_met: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not is_met():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(name="until")
def _until():
    """Waits until something is so."""
    return until
