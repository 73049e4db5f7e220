"""The how-to pages are followed, command by command, by a host with a table."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from podium import checkup, competitions, leaderboard, template
from podium.competitions import Status, find
from podium.models.record import now

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "host-a-table.md"


@pytest.fixture
def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.fixture
def follow(signed_in, factory, installation):
    """Types a command of the page as a host; what waits for a score worker is done after it."""
    shell = signed_in(factory.person("host-01", "instructor"))
    shell.write("rents.csv", template.example())

    def typed(words: list[str]) -> subprocess.CompletedProcess[str]:
        if words[0] == "podium":
            done = shell.run(*words[1:])
        else:
            assert words[0] == "python"
            done = subprocess.run(
                [sys.executable, *words[1:]],
                cwd=shell.folder,
                env={"PATH": os.environ["PATH"]},
                capture_output=True,
                text=True,
                check=False,
            )
        factory.judge_all()
        checkup.work(installation)
        return done

    return typed


@pytest.fixture
def fill(shell):
    """Replaces every mark of the folder, as the page asks."""

    def replaced() -> None:
        for name in ("README.md", "challenge.toml"):
            file = shell.folder / "flat-rents" / name
            file.write_text(re.sub("<<[^>]*>>", "Said by somebody who knows.", file.read_text()))

    return replaced


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_becomes_an_open_competition_with_a_baseline(commands, follow, fill, installation):
    init, check, *others = commands
    made = follow(init)
    assert made.returncode == 0, made.stderr
    # Nothing can be forgotten: the check names each place.
    assert follow(check).stdout.splitlines() == made.stdout.splitlines()
    fill()
    for words in (check, *others):
        done = follow(words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    with installation.database.reading() as session:
        competition = find(session, "flat-rents")
        assert competitions.status(competition, now()) is Status.OPEN
        best = leaderboard.best_baselines(session, [competition.id])
        assert 50 < best[competition.id].score < 90
