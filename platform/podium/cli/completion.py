"""`podium completion SHELL`, and what the shell is told: commands, options, slugs."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from podium.errors import PodiumError
from podium.login import Profile

if TYPE_CHECKING:
    from podium.client import Client

SHELLS = ("bash", "zsh", "fish")
FRESH_S = 60.0  # so long a list of names is not asked for again
PATIENCE_S = 1.5  # a key press waits no longer for a server


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that lets SHELL complete commands, options and slugs.

    \b
    bash: podium completion bash > ~/.local/share/bash-completion/completions/podium
    zsh:  podium completion zsh > ~/.zfunc/_podium     with ~/.zfunc in fpath
    fish: podium completion fish > ~/.config/fish/completions/podium.fish
    """
    from podium.cli import main

    kind = get_completion_class(shell)
    assert kind is not None  # click brings these three
    script = kind(main, {}, "podium", "_PODIUM_COMPLETE").source_vars()
    click.echo(kind.source_template % script)


class Name(click.types.StringParamType):
    """The name of something on the server, completed from what is there."""

    def __init__(self, kind: str, list_them: Callable[["Client"], list[str]]) -> None:
        self._kind = kind
        self._list_them = list_them

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so; none where no server answers in time."""
        return [CompletionItem(one) for one in self._known() if one.startswith(incomplete)]

    def _known(self) -> list[str]:
        """The names: those of a moment ago, else asked for."""
        url, token = Profile.load().in_force()
        mark = f"{self._kind} {url} {hash_of(token)}"
        kept = _read()
        at, names = kept.get(mark, (0.0, []))
        if time.time() - at < FRESH_S:
            return names
        from podium.client import Client

        try:
            names = self._list_them(Client(url, token, patience_s=PATIENCE_S))
        except PodiumError:
            names = []
        fresh = {key: old for key, old in kept.items() if time.time() - old[0] < FRESH_S}
        _write(fresh | {mark: (time.time(), names)})
        return names


SLUG = Name("competitions", lambda here: [one["slug"] for one in here.competitions()])
COURSE = Name("courses", lambda here: [one["slug"] for one in here.courses()])


def hash_of(token: str | None) -> str:
    """Tells callers apart without keeping their token."""
    import hashlib

    return hashlib.sha256((token or "").encode()).hexdigest()[:16]


def path() -> Path:
    """Where the names are kept."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "podium" / "names.json"


def _read() -> dict[str, tuple[float, list[str]]]:
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        return {str(key): (float(at), [*map(str, names)]) for key, (at, names) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(kept: dict[str, tuple[float, list[str]]]) -> None:
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        unfinished = path().with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(unfinished, path())
    except OSError:
        return  # a cache that cannot be kept is asked for again
