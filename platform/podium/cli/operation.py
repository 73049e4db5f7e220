"""`podium operation …`: what admins read and do of a server, from anywhere."""

from collections.abc import Mapping
from typing import Any

import click

from podium.cli import Suggesting, output
from podium.cli.memory import client

SETTINGS = ("name", "value", "is_changed", "help")
USAGE = ("what", "of", "files", "size_bytes")


@click.group(cls=Suggesting)
def operation() -> None:
    """A server over its API: settings, storage, stuck submissions. For admins."""


@operation.command()
@click.option("--changed", is_flag=True, help="Only those that differ from their default.")
@output.with_format
def settings(changed: bool, style: str) -> None:
    """List the settings in force, without their secrets."""
    found = [one for one in client().settings() if one["is_changed"] or not changed]
    output.rows(found, SETTINGS, style)


@operation.command()
@click.option("--count", "counts", is_flag=True, help="Count again first.")
@output.with_format
def storage(counts: bool, style: str) -> None:
    """List what fills the storage: by kind, competition and challenge."""
    here = client()
    output.rows(rows_of(here.count_storage() if counts else here.storage()), USAGE, style)


def rows_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What fills a storage, a row for each kind of file of each thing."""
    rows = [("kind", name, part) for name, part in found["kinds"].items() if part["files"]]
    for slug, parts in found["competitions"].items():
        rows += [(f"competition {slug}", kind, part) for kind, part in parts.items()]
    rows += [("challenge", slug, part) for slug, part in found["challenges"].items()]
    rows += [("home", name, part) for name, part in found["home"].items()]
    rows.append(("unnamed", "files that no row names", found["unnamed"]))
    return [{"what": what, "of": of, **part} for what, of, part in rows]


@operation.command()
@click.option("--days", type=click.IntRange(min=1), required=True, help="Keep what is younger.")
@click.option("--also-scored", is_flag=True, help="Also what only a rescoring could still need.")
@click.option("--unnamed", is_flag=True, help="Also files that no row names.")
@click.option("--apply", "applies", is_flag=True, help="Delete. Without it nothing is changed.")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
@output.with_format
def prune(
    days: int, also_scored: bool, unnamed: bool, applies: bool, reason: str, style: str
) -> None:
    """Show which files of submissions a policy deletes, and with --apply delete them."""
    found = client().prune(
        days, also_scored=also_scored, unnamed=unnamed, apply=applies, reason=reason
    )
    output.record(found, style)


@operation.command()
@click.argument("submission_id", type=int, metavar="ID")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def release(submission_id: int, reason: str) -> None:
    """Take a submission from the worker that holds it: it waits again, at no cost."""
    client().release(submission_id, reason)
    output.say(f"Submission {submission_id} waits again.")
