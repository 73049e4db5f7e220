"""`podium grant, extend, retry`: what hosts allow one team, or run again."""

import click

from podium.cli import output
from podium.cli.memory import client

with_team = click.option("--team", required=True, help="The team, as the board names it.")
with_reason = click.option("--reason", default="", help="Why; it goes to the audit log.")


@click.command()
@click.argument("slug")
@with_team
@click.option("--submissions", type=click.IntRange(1, 1000), required=True, help="How many more.")
@with_reason
@output.with_format
def grant(slug: str, team: str, submissions: int, reason: str, style: str) -> None:
    """Give a team extra submissions, today and in all."""
    output.record(client().grant(slug, team, submissions, reason)["limits"], style)
    output.say(f"{team} has {submissions} more in {slug}.")


@click.command()
@click.argument("slug")
@with_team
@click.option("--until", required=True, help="With its zone, like 2026-12-01T18:00+01:00.")
@with_reason
@output.with_format
def extend(slug: str, team: str, until: str, reason: str, style: str) -> None:
    """Give a team a later deadline of its own."""
    found = client().extend(slug, team, until, reason)["limits"]
    output.record(found, style)
    output.say(f"{team} may submit to {slug} until {found['closes_at']}.")


@click.command()
@click.argument("submission_id", type=int, metavar="ID")
def retry(submission_id: int) -> None:
    """Run again a submission that ended in error."""
    client().retry(submission_id)
    output.say(f"Submission {submission_id} waits again.")
