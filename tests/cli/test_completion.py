"""What real shells complete, and how long a key press waits."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from podium.cli.completion import FRESH_S

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BIN = Path(sys.executable).parent

BASH = """
source <(podium completion bash)
COMP_WORDS=({words}) COMP_CWORD={last}
{function}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def complete(shell):
    """Words that a shell offers at the end of a line."""
    variables = shell.variables | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(shell.folder),
        "XDG_CONFIG_HOME": str(shell.folder / "config"),
        "XDG_CACHE_HOME": str(shell.folder / "cache"),
    }

    def run(command, *options):
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stderr == ""
        return done.stdout.split("\n")

    def ask(kind, *words):
        if kind == "bash":
            line = " ".join(repr(word) if word == "" else word for word in words)
            script = BASH.format(
                words=line, last=len(words) - 1, function="_podium_completion podium"
            )
            return [one for one in run(["bash", "--norc", "-c", script]) if one]
        line = " ".join(words)
        script = f"podium completion fish | source; complete -C '{line}'"
        found = run(["fish", "--no-config", "-c", script])
        return [one.split("\t")[0] for one in found if one]

    return ask


@pytest.mark.parametrize("kind", ["bash", "fish"])
def test_a_shell_completes_commands_options_and_slugs(complete, factory, kind):
    factory.competition()
    subm = {"submit", "submissions", "submission"}
    assert set(complete(kind, "podium", "subm")) == subm
    assert "--dry-run" in complete(kind, "podium", "submit", "--d")
    assert complete(kind, "podium", "competitions", "jo") == ["join"]
    assert complete(kind, "podium", "competitions", "join", "to") == ["toy"]
    assert complete(kind, "podium", "leaderboard", "show", "t") == ["toy"]


def test_names_are_asked_for_once_a_minute(complete, shell, factory):
    factory.competition()
    assert complete("bash", "podium", "files", "") == ["toy"]
    kept = shell.folder / "cache" / "podium" / "names.json"
    factory.competition("later")
    assert complete("bash", "podium", "files", "") == ["toy"]
    known = json.loads(kept.read_text())
    kept.write_text(json.dumps({key: [at - FRESH_S, of] for key, (at, of) in known.items()}))
    assert sorted(complete("bash", "podium", "files", "")) == ["later", "toy"]


def test_a_server_that_is_not_there_holds_nobody_up(complete, shell):
    shell.variables["PODIUM_URL"] = "http://127.0.0.1:9"
    begin = time.monotonic()
    assert [one for one in complete("bash", "podium", "files", "") if one] == []
    assert time.monotonic() - begin < 10


def test_completing_the_first_word_imports_no_command(database_url):
    code = (
        "import sys, click; from click.shell_completion import BashComplete;"
        "from podium.cli import main;"
        "found = BashComplete(main, {}, 'podium', '_PODIUM_COMPLETE').get_completions([], '');"
        "assert len(found) > 20; import podium.cli;"
        "heavy = {'sqlalchemy', 'urllib3', 'numpy', 'flask'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


ZSH = """
zmodload zsh/zpty
zpty inner 'zsh -f -i'
zpty -w inner 'autoload -U compinit; compinit -u -D; eval "$(podium completion zsh)"; print RE""ADY'
zpty -r -m inner said '*READY*'
zpty -w -n inner $'podium submission --lo\\t'
zpty -r -m inner said '*--logs*'
print -r -- "$said"
"""


def test_a_zsh_completes_what_is_typed(shell):
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    environment = shell.variables | {"PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "xterm"}
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "podium submission --logs" in done.stdout
