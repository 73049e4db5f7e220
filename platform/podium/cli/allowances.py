"""`podium grant, extend, retry`: what hosts allow one team, or run again."""

from collections.abc import Callable
from typing import Any

import click

from podium.cli import output
from podium.cli.completion import SLUG
from podium.cli.memory import client


def with_receiver(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--team`, `--student` and `--section`, of which one is said."""
    for name, help_ in (
        ("--section", "Or a section of the course."),
        ("--student", "Or one student, by handle."),
        ("--team", "The team, as the board names it."),
    ):
        command = click.option(name, help=help_)(command)
    return command


def _receiver(**said: str | None) -> dict[str, str]:
    named = {kind: name for kind, name in said.items() if name}
    if len(named) != 1:
        raise click.UsageError("Say --team, --student or --section: one of them.")
    return named


@click.command()
@click.argument("slug", type=SLUG)
@with_receiver
@click.option("--submissions", type=click.IntRange(1, 1000), required=True, help="How many more.")
@output.with_reason
@output.with_format
def grant(slug: str, submissions: int, reason: str, style: str, **said: str | None) -> None:
    """Give a team, a student or a section extra submissions, today and in all."""
    to = _receiver(**said)
    found = client().grant(slug, to, submissions, reason)
    output.record(found["limits"] or to, style)
    output.say(f"{' '.join(to.values())} has {submissions} more in {slug}.")


@click.command()
@click.argument("slug", type=SLUG)
@with_receiver
@click.option("--until", required=True, help="With its zone, like 2026-12-01T18:00+01:00.")
@output.with_reason
@output.with_format
def extend(slug: str, until: str, reason: str, style: str, **said: str | None) -> None:
    """Give a team, a student or a section a later deadline of its own."""
    to = _receiver(**said)
    found = client().extend(slug, to, until, reason)
    output.record(found["limits"] or to, style)
    output.say(f"{' '.join(to.values())} may submit to {slug} until {until}.")


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "slug", type=SLUG, metavar="SLUG", help="All of a competition.")
@click.option("--team", default="", help="With --all: of this team only.")
@click.option("--text", default="", help="With --all: with this in file name, message or reason.")
@output.with_reason
def retry(ids: tuple[int, ...], slug: str | None, team: str, text: str, reason: str) -> None:
    """Run again what ended in error: submissions by their IDs, or --all of a competition."""
    if bool(ids) == (slug is not None):
        raise click.UsageError("Say which: IDs, or --all SLUG.")
    if ids and (team or text or reason):
        raise click.UsageError("--team, --text and --reason go with --all SLUG.")
    here = client()
    for submission_id in ids:
        here.retry(submission_id)
        output.say(f"Submission {submission_id} waits again.")
    if slug is not None:
        number = here.retry_all(slug, team=team, text=text, reason=reason)["submissions"]
        output.say(f"{number} submissions of {slug} wait again.")
