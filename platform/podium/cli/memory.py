"""Whom a command speaks to, and about which competition, if it is not told."""

from typing import TYPE_CHECKING

import click

from podium.login import Profile

if TYPE_CHECKING:
    from podium.client import Client


def client() -> "Client":
    """The API, as whoever is signed in."""
    from podium.client import Client

    return Client(*Profile.load().in_force())


def competition(given: str | None) -> str:
    """The competition that is meant: the one named, else the usual one."""
    slug = given or Profile.load().competition
    if not slug:
        raise click.UsageError(
            "Name a competition, or set the usual one: podium config set competition SLUG"
        )
    return slug
