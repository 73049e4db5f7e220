"""`podium season, person`: who stands where over several competitions, and what one has done."""

import click

from podium.cli import output
from podium.cli.memory import client

STANDINGS = ("rank", "handle", "points", "gold", "silver", "bronze", "competitions", "is_me")
HISTORY = ("competition", "team", "rank", "teams", "medal", "points", "ended_at")


@click.command()
@click.argument("name", required=False)
@output.with_format
def season(name: str | None, style: str) -> None:
    """Show the people of a season by their points of today; without a name the seasons."""
    if name is None:
        output.rows([{"season": one} for one in client().seasons()], ("season",), style)
        return
    output.rows(client().season(name), STANDINGS, style)


@click.command()
@click.argument("handle")
@output.with_format
def person(handle: str, style: str) -> None:
    """Show the final boards that a person stands on, with medals and points."""
    found = client().person(handle)
    output.rows(found["history"], HISTORY, style)
    won = ", ".join(f"{found[name]} {name}" for name in ("gold", "silver", "bronze"))
    output.say(f"{found['handle']}: {won}; {found['points']:.0f} points today.")
