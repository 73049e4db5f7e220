"""The docs say what the code does: lists are compared, commands are asked for."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from podium import catalog
from podium.cli import Main
from podium.cli.leaderboard import Board
from podium.verdicts import Verdict

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_lists_every_verdict_as_the_code_has_it():
    page = (ROOT / "docs" / "reference" / "verdicts.md").read_text()
    for verdict in Verdict:
        meaning = verdict.meaning
        counts = "yes" if meaning.counts else "no"
        row = f"| `{verdict}` | {meaning.title} | {meaning.state} | {meaning.owner} | {counts} |"
        assert f"{row} {meaning.help} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists_with_its_options(page):
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] != ["podium"]:
                continue
            command: click.Command = Main()
            words = words[1:]
            while isinstance(command, click.Group) and not words[0].startswith("-"):
                found = command.get_command(click.Context(command), words[0])
                assert found is not None, line
                command, words = found, words[1:]
                if isinstance(command, Board):
                    words = command.filled(words)
            options = {name for parameter in command.params for name in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= options, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_what_the_page_on_running_declares_is_what_the_catalogue_takes(toy_spec):
    page = (ROOT / "docs" / "reference" / "running.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    spec = catalog.parse(toy_spec | tomllib.loads(block))
    assert spec.run.model is not None
    assert spec.resources.tags == ["a100"]
    known = {*catalog.RunLimits.model_fields, *catalog.Resources.model_fields}
    assert [name for name in sorted(known) if f"{name} = " not in block] == []


def test_what_the_page_on_agents_declares_is_what_the_catalogue_takes(toy_spec):
    page = (ROOT / "docs" / "reference" / "agents.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    spec = catalog.parse(toy_spec | tomllib.loads(block))
    assert spec.run.agent is not None
    assert [name for name in catalog.AgentRun.model_fields if f"{name} = " not in block] == []
