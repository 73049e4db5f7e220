"""`podium login, logout, whoami, config`."""

import os
import socket
import sys

import click

from podium.cli import Suggesting, output
from podium.cli.memory import client
from podium.login import Profile, path

KEYS = ("competition", "url")


@click.command()
@click.option("--url", help="The server's address. Default: the one used last.")
@click.option("--token", help="A token of your account page, instead of handle and password.")
@click.option("--handle", help="Your handle or e-mail address. Asked for if missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def login(url: str | None, token: str | None, handle: str | None, password_stdin: bool) -> None:
    """Sign in to a server and keep a token for this computer."""
    from podium.client import Client

    profile = Profile.load()
    address = (url or profile.server()).rstrip("/")
    token_id = None
    if token is None:
        handle = handle or click.prompt("Handle or e-mail", err=True)
        if password_stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = click.prompt("Password", hide_input=True, err=True)
        name = f"podium on {socket.gethostname()}"[:80]
        made = Client(address).create_token(handle, password, name=name)
        token, token_id = made["token"], made["id"]
    me = Client(address, token).me()
    profile.url, profile.token, profile.token_id = address, token, token_id
    profile.save()
    output.say(f"Signed in to {address} as {me['handle']}. The token is kept in {path()}.")


@click.command()
def logout() -> None:
    """Forget the token; one that `podium login` made is ended on the server too."""
    from podium.client import Client, ProblemError

    profile = Profile.load()
    if not profile.token:
        output.say("Nobody is signed in.")
        return
    if profile.token_id is not None:
        try:
            Client(profile.url, profile.token).revoke_token(profile.token_id)
        except ProblemError as error:
            output.say(f"The server could not end the token: {error.message}")
    profile.token, profile.token_id = "", None
    profile.save()
    output.say("Signed out.")


@click.command()
@output.with_format
def whoami(style: str) -> None:
    """Who you are, and on which server."""
    here = client()
    me = here.me()
    keys = ("handle", "email", "role", "scopes")
    output.record({"url": here.url} | output.picked(me, keys), style)


@click.group(cls=Suggesting)
def config() -> None:
    """Settings of this command line."""


@config.command(name="set")
@click.argument("key", type=click.Choice(KEYS))
@click.argument("value")
def set_value(key: str, value: str) -> None:
    """Set the usual competition or the server's address."""
    profile = Profile.load()
    if key == "url" and value.rstrip("/") != profile.url:
        profile.url, profile.token, profile.token_id = value.rstrip("/"), "", None
    elif key == "competition":
        profile.competition = client().competition(value)["slug"]
    profile.save()
    output.say(f"{key} is {value} now.")


@config.command()
@click.argument("key", type=click.Choice(KEYS))
def unset(key: str) -> None:
    """Forget a setting."""
    profile = Profile.load()
    setattr(profile, key, "")
    if key == "url":
        profile.token, profile.token_id = "", None
    profile.save()
    output.say(f"{key} is not set any more.")


@config.command()
@output.with_format
def show(style: str) -> None:
    """The settings in force."""
    profile = Profile.load()
    signed_in = bool(os.environ.get("PODIUM_TOKEN") or profile.token)
    output.record(
        {
            "url": profile.server(),
            "competition": profile.competition or None,
            "signed_in": signed_in,
            "file": str(path()),
        },
        style,
    )
