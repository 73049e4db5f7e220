"""`podium account …`: what is yours on the server, and the way out."""

import sys
from pathlib import Path

import click

from podium.cli import Suggesting, output
from podium.cli.memory import client
from podium.login import Profile

SIGN_INS = ("id", "browser", "created_at", "seen_at")
TOKENS = ("id", "name", "hint", "scopes", "created_at", "last_used_at", "expires_at")
with_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read passwords from standard input, a line each."
)


@click.group(cls=Suggesting)
def account() -> None:
    """Your account: sign-ins, tokens, password, address, your data."""


@account.command()
@click.argument("handle")
@click.argument("email")
@click.option("--url", help="The server's address. Default: the one used last.")
@with_stdin
def create(handle: str, email: str, url: str | None, password_stdin: bool) -> None:
    """Sign up on a server."""
    from podium.client import Client

    here = Client(url or Profile.load().server())
    made = here.sign_up(handle, email, password("Password", password_stdin, confirm=True))
    own = f"--url {here.url} --handle {made['handle']}"
    output.say(f"{made['handle']} has an account on {here.url}. Next: podium login {own}")


@account.command(name="sign-ins")
@output.with_format
def sign_ins(style: str) -> None:
    """List the browsers that you are signed in with."""
    output.rows(client().sign_ins(), SIGN_INS, style)


@account.command(name="sign-out")
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--everywhere", is_flag=True, help="Of every browser; tokens stay.")
def sign_out(ids: tuple[int, ...], everywhere: bool) -> None:
    """Sign out of browsers: by their IDs, or --everywhere."""
    if bool(ids) == everywhere:
        raise click.UsageError("Say which: the IDs of `podium account sign-ins`, or --everywhere.")
    here = client()
    if everywhere:
        here.end_sign_ins()
    for sign_in_id in ids:
        here.end_sign_in(sign_in_id)
    output.say("Signed out. `podium logout` ends the token of this computer.")


@account.command()
@output.with_format
def tokens(style: str) -> None:
    """List your tokens, the newest first."""
    output.rows(client().tokens(), TOKENS, style)


@account.command()
@click.option("--name", default="script", show_default=True, help="What the list calls it.")
@click.option("--scope", "scopes", multiple=True, help="What it may do; repeatable.  [all]")
@click.option("--days", type=click.IntRange(min=1), default=365, show_default=True)
@with_stdin
def token(name: str, scopes: tuple[str, ...], days: int, password_stdin: bool) -> None:
    """Make a token, such as for a script; it is printed this once."""
    here = client()
    handle = here.me()["handle"]
    said = password("Password", password_stdin)
    made = here.create_token(handle, said, name=name, scopes=list(scopes) or None, days=days)
    click.echo(made["token"])
    output.say(f"It may: {' '.join(made['scopes'])}. It ends {output.shown(made['expires_at'])}.")


@account.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID...")
def revoke(ids: tuple[int, ...]) -> None:
    """End tokens."""
    here = client()
    for token_id in ids:
        here.revoke_token(token_id)
        output.say(f"Token {token_id} is ended.")


@account.command()
@click.argument("language", metavar="LANGUAGE")
def language(language: str) -> None:
    """Read pages and mails in a language: en, de, or auto for what the browser prefers."""
    client().speak(None if language == "auto" else language)
    output.say("Pages and mails are in it from now on.")


@account.command(name="password")
@with_stdin
def change_password(password_stdin: bool) -> None:
    """Change your password; sign-ins by browser end, tokens stay."""
    here = client()
    old = password("Password as it is", password_stdin)
    here.change_password(old, password("New password", password_stdin, confirm=True))
    output.say("Changed.")


@account.command()
@click.argument("email")
@with_stdin
def address(email: str, password_stdin: bool) -> None:
    """Use another e-mail address."""
    made = client().change_address(email, password("Password", password_stdin))
    if made["email"] == email:
        output.say(f"Your address is {email}.")
    else:
        output.say(f"A link was sent to {email}. Until you open it, {made['email']} stays.")


@account.command()
@click.argument("secret", required=False)
def confirm(secret: str | None) -> None:
    """Confirm your address by the end of the mailed link; without it, mail the link again."""
    here = client()
    if secret is None:
        here.ask_address_again()
        output.say("The link is on its way.")
        return
    output.say(f"{here.confirm_address(secret)['email']} is confirmed.")


@account.command(name="forgot-password")
@click.argument("email")
def forgot_password(email: str) -> None:
    """Let a link to a new password be mailed."""
    client().forgot_password(email)
    output.say(f"If {email} has an account here, a link is on its way.")


@account.command(name="reset-password")
@click.argument("secret")
@with_stdin
def reset_password(secret: str, password_stdin: bool) -> None:
    """Set a new password by the end of the mailed link; every sign-in ends."""
    client().reset_password(secret, password("New password", password_stdin, confirm=True))
    output.say("Set. Next: podium login")


@account.command()
@click.option(
    "-o", "out", type=click.Path(dir_okay=False, path_type=Path), default=Path("podium-data.zip")
)
def export(out: Path) -> None:
    """Write all that the server knows of you, with your files, as a zip."""
    click.echo(str(client().export_me(out)))


@account.command()
@click.option("--yes", is_flag=True, help="Do not ask again.")
@with_stdin
def delete(yes: bool, password_stdin: bool) -> None:
    """Delete your account. The scores of your teams stay under "deleted account"."""
    here = client()
    handle = here.me()["handle"]
    if not yes:
        question = f"Delete {handle} on {here.url}? There is no way back."
        click.confirm(question, abort=True, err=True)
    here.delete_me(password("Password", password_stdin))
    profile = Profile.load()
    if profile.url == here.url:
        profile.token, profile.token_id = "", None
        profile.save()
    output.say(f"{handle} is deleted.")


def password(label: str, from_stdin: bool, *, confirm: bool = False) -> str:
    """A password: the next line of standard input, or asked for."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    said: str = click.prompt(label, hide_input=True, err=True, confirmation_prompt=confirm)
    return said
