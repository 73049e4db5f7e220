"""`podium team show|create|invite|withdraw|accept|leave|merge` and `podium select`."""

from typing import TYPE_CHECKING, Any

import click

from podium.cli import Suggesting, output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import answers

with_slug = click.option("-c", "--competition", "slug", type=SLUG, help="Default: the usual one.")


@click.group(cls=Suggesting)
def team() -> None:
    """Your team: who is in it, invite, accept, leave, merge."""


@team.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def show(slug: str | None, style: str) -> None:
    """Show your team, and the teams that invite you."""
    _tell(client().team(competition(slug)), style)


@team.command()
@click.argument("name")
@with_slug
@output.with_format
def create(name: str, slug: str | None, style: str) -> None:
    """Create a team called NAME, or give your team this name."""
    _tell(client().create_team(competition(slug), name), style)


@team.command()
@click.argument("handle", required=False)
@with_slug
def invite(handle: str | None, slug: str | None) -> None:
    """Invite a person by HANDLE; without one, print a link for whoever has it."""
    made = client().invite(competition(slug), handle)
    if made["link"]:
        click.echo(made["link"])
        output.say(f"Whoever opens it may enter {made['team']}. It is shown only now.")
    else:
        output.say(f"{handle} is invited to {made['team']}.")


@team.command()
@click.argument("handle", required=False)
@with_slug
def withdraw(handle: str | None, slug: str | None) -> None:
    """Take back the invitation of HANDLE; without one, all links."""
    client().withdraw_invitation(competition(slug), handle)
    output.say(f"{handle} is not invited any more." if handle else "No link opens any more.")


@team.command()
@click.argument("name", required=False)
@click.option("--code", help="Of a link: its last part.")
@with_slug
@output.with_format
def accept(name: str | None, code: str | None, slug: str | None, style: str) -> None:
    """Enter the team that has invited you (NAME, if there are several)."""
    _tell(client().accept_invitation(competition(slug), name, code), style)


@team.command()
@with_slug
@output.with_format
def leave(slug: str | None, style: str) -> None:
    """Leave your team, while it has handed in nothing."""
    _tell(client().leave_team(competition(slug)), style)


@team.command()
@click.argument("other")
@with_slug
def merge(other: str, slug: str | None) -> None:
    """Ask the team OTHER to become one with yours, or agree if it has asked."""
    made = client().merge_team(competition(slug), other)["team"]
    if made is None:
        output.say(f"{other} is asked. You are one team when its leader says the same.")
    else:
        output.say(f"You are one team now: {made['name']}.")


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@with_slug
@output.with_format
def select(ids: tuple[int, ...], slug: str | None, style: str) -> None:
    """Let these submissions be your finals, and no others; without an ID, show them."""
    here = client()
    if ids and slug is None:
        slug = here.submission(ids[0])["competition"]
    slug = competition(slug)
    found = here.choose_finals(slug, list(ids)) if ids else here.finals(slug)
    output.record(found, style)
    if not found["selected"]:
        counting = ", ".join(map(str, found["counting"])) or "none yet"
        output.say(f"Nothing is selected. What would count: {counting}.")


def _tell(found: "answers.MyTeam", style: str) -> None:
    """Print a team in one record."""
    card = found["team"]
    shown: dict[str, Any] = {"team": card["name"] if card else None}
    if card:
        shown |= {
            "members": [one["handle"] for one in card["members"]],
            "leader": next((one["handle"] for one in card["members"] if one["is_leader"]), None),
            "submissions": card["submissions"],
            "invited": card["invited"],
            "links": card["links"],
            "asked": card["asked"],
            "asked_by": card["asked_by"],
            "disqualified": card["disqualified"],
        }
    shown |= output.picked(found, ("invited_by", "team_size", "changes_until"))
    output.record(shown, style)
