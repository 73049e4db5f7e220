"""The docs say what the code does: lists are compared, commands are asked for."""

import inspect
import json
import re
import shlex
import tomllib
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import pytest
from pydantic import BaseModel

from podium import catalog, notifications
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


def test_every_key_of_challenge_toml_is_as_written_down(written_part):
    text = "\n".join(keys_of(catalog.Spec, "")).strip() + "\n"
    assert written_part("challenge.md", text) == text


def keys_of(model, table):
    """A table of the keys that a table of challenge.toml may have, then those inside it."""
    yield from ("", f"### `[{table}]`" if table else "### At the top", "")
    if table:
        yield from (" ".join((model.__doc__ or "").split()), "")
    yield from ("| key | type | default | |", "|---|---|---|---|")
    sources = [
        inspect.getsource(one) for one in model.__mro__ if one.__module__ == model.__module__
    ]
    lines = "\n".join(reversed(sources))
    notes = dict(re.findall(r"^    (\w+): .*?  # (.*)$", lines, re.MULTILINE))
    inner = []
    for name, place in model.model_fields.items():
        if notes.get(name, "").endswith("which `read` puts here"):
            continue  # not written by hand
        within = next((one for one in tables_of(place.annotation) if one is not model), None)
        kind = "table" if within else plain(place.annotation)
        default = "needed" if place.is_required() else ""
        if not within and not place.is_required() and place.default is not None:
            default = f"`{json.dumps(place.default)}`"
        yield f"| `{name}` | {kind} | {default} | {notes.get(name, '')} |"
        if within and within is not catalog.ColumnSpec:
            inner.append((within, f"{table}.{name}" if table else name))
    for within, place in inner:
        yield from keys_of(within, place)


def tables_of(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from tables_of(part)


def plain(annotation):
    """A type as one reads it."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [plain(one) for one in get_args(annotation) if one is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if get_origin(annotation) is list:
        return f"list of {plain(get_args(annotation)[0])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
    return names.get(get_origin(annotation) or annotation, "table")


def test_the_page_on_accounts_lists_every_kind_of_notification_and_every_way():
    page = (ROOT / "docs" / "reference" / "accounts.md").read_text()
    for name, kind in notifications.KINDS.items():
        assert f"| `{name}` | {kind.title} | `{kind.by_default}` |" in page
    for name, meaning in notifications.WAYS.items():
        assert f"| `{name}` | {meaning} |" in page
