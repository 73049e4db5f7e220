"""`podium notifications list|read|preferences|prefer`: what you were told."""

import click

from podium.cli import Suggesting, output
from podium.cli.memory import client

LISTED = ("id", "kind", "text", "created_at", "read_at", "link")
WAYS = ("none", "page", "digest", "mail")


@click.group(cls=Suggesting)
def notifications() -> None:
    """What you were told: scores, invitations, replies, deadlines."""


@notifications.command(name="list")
@click.option("--unread", is_flag=True, help="Only what you have not read.")
@output.with_format
def list_them(unread: bool, style: str) -> None:
    """List them, the latest first."""
    output.rows(client().notifications(unread=unread), LISTED, style)


@notifications.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All of them.")
def read(ids: tuple[int, ...], everything: bool) -> None:
    """Mark these as read, or --all."""
    if bool(ids) == everything:
        raise click.UsageError("Say which: the IDs of `podium notifications list`, or --all.")
    left = client().read_notifications(None if everything else list(ids))["unread"]
    output.say(f"{left} unread.")


@notifications.command()
@output.with_format
def preferences(style: str) -> None:
    """Show how you are told of each kind: none, page, digest or mail."""
    _tell(client().preferences(), style)


@notifications.command()
@click.argument("settings", nargs=-1, required=True, metavar="KIND=WAY...")
@output.with_format
def prefer(settings: tuple[str, ...], style: str) -> None:
    """Change how you are told, such as scored=mail reply=none."""
    wanted = {}
    for setting in settings:
        kind, _, way = setting.partition("=")
        if way not in WAYS:
            ways = f"{', '.join(WAYS[:-1])} or {WAYS[-1]}"
            raise click.UsageError(f"{setting!r} is no KIND=WAY. A way is {ways}.")
        wanted[kind] = way
    _tell(client().prefer(wanted), style)


def _tell(kinds: dict[str, str], style: str) -> None:
    rows = [{"kind": kind, "way": way} for kind, way in kinds.items()]
    output.rows(rows, ("kind", "way"), style)
