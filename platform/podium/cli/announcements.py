"""`podium announcements list|post|edit|remove SLUG`: what a host tells everybody."""

from typing import IO

import click

from podium.cli import Suggesting, output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

LISTED = ("id", "title", "is_pinned", "posted_at", "edited_at", "text")
with_text = click.option(
    "-f", "--file", type=click.File(encoding="utf-8"), help="Its text in Markdown; - is stdin."
)
with_pin = click.option(
    "--pin/--no-pin", "is_pinned", default=None, help="On top of the overview.  [pinned]"
)


@click.group(cls=Suggesting)
def announcements() -> None:
    """What a host tells everybody in a competition."""


@announcements.command(name="list")
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def list_them(slug: str | None, style: str) -> None:
    """List them: the pinned first, then the newest."""
    output.rows(client().announcements(competition(slug)), LISTED, style)


@announcements.command()
@click.argument("slug", type=SLUG)
@click.argument("title")
@with_text
@with_pin
def post(slug: str, title: str, file: IO[str] | None, is_pinned: bool | None) -> None:
    """Tell everybody something: a title, and with -f a text."""
    text = file.read() if file else ""
    made = client().announce(slug, title, text, is_pinned=is_pinned is not False)
    output.say(f"Announcement {made['id']} is posted.")


@announcements.command()
@click.argument("slug", type=SLUG)
@click.argument("announcement_id", type=int, metavar="ID")
@click.option("--title")
@with_text
@with_pin
def edit(
    slug: str,
    announcement_id: int,
    title: str | None,
    file: IO[str] | None,
    is_pinned: bool | None,
) -> None:
    """Change what is given; the rest stays."""
    given = {"title": title, "text": file.read() if file else None, "is_pinned": is_pinned}
    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        raise click.UsageError("Say what to change: --title, -f, --pin or --no-pin.")
    client().edit_announcement(slug, announcement_id, wanted)
    output.say(f"Announcement {announcement_id} is changed.")


@announcements.command()
@click.argument("slug", type=SLUG)
@click.argument("announcement_id", type=int, metavar="ID")
def remove(slug: str, announcement_id: int) -> None:
    """Take one back; the audit log keeps what it said."""
    client().remove_announcement(slug, announcement_id)
    output.say(f"Announcement {announcement_id} is taken back.")
