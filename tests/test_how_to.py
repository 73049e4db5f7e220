"""The how-to pages are followed, command by command, by somebody with an empty home."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from podium import judging, leaderboard, template
from podium.competitions import find
from podium.config import Config
from podium.installation import Installation

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "host-a-table.md"


@pytest.fixture
def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.fixture
def follow(tmp_path, valkey_url):
    """Types a command of the page, in a folder with a table."""
    (tmp_path / "rents.csv").write_bytes(template.example())
    home = {"PODIUM_HOME": str(tmp_path / "home"), "PODIUM_REDIS_URL": valkey_url}

    def typed(words: list[str]) -> subprocess.CompletedProcess[str]:
        assert words[0] == "podium"
        return subprocess.run(
            [sys.executable, "-P", "-m", "podium.cli", *words[1:]],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]} | home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return typed


def fill(folder: Path) -> None:
    for name in ("README.md", "challenge.toml"):
        file = folder / name
        file.write_text(re.sub("<<[^>]*>>", "Said by somebody who knows.", file.read_text()))


def test_a_table_becomes_a_hosted_competition_with_a_baseline(
    commands, follow, tmp_path, valkey_url
):
    init, *others = commands
    made = follow(init)
    assert made.returncode == 0, made.stderr
    # Nothing can be forgotten: the check names each place, and such a folder is not published.
    unfinished = follow(others[-1])
    assert unfinished.returncode == 2
    assert unfinished.stdout.splitlines() == made.stdout.splitlines()
    fill(tmp_path / "flat-rents")
    for words in others:
        done = follow(words)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    home = tmp_path / "home"
    installation = Installation.open(Config.load(home=home, redis_url=valkey_url))
    work = judging.take(installation, "score", "w1")
    judging.judge(installation, work)
    with installation.database.reading() as session:
        competition = find(session, "flat-rents")
        best = leaderboard.best_baselines(session, [competition.id])
        assert 50 < best[competition.id].score < 90
    installation.database.close()
