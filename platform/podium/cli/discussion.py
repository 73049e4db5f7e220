"""`podium discussion …`: threads and posts of a competition."""

from typing import IO, Any

import click

from podium.cli import Suggesting, output
from podium.cli.completion import SLUG
from podium.cli.memory import client

LISTED = ("id", "title", "author", "replies", "last_at", "pinned", "locked", "hidden")
POSTS = ("id", "author", "is_staff", "is_mine", "created_at", "edited_at", "hidden", "text")
with_text = click.option(
    "-f", "--file", type=click.File(encoding="utf-8"), help="The text in Markdown; - is stdin."
)
with_message = click.option("-m", "--message", help="Or the text itself.")


@click.group(cls=Suggesting)
def discussion() -> None:
    """What people write to each other in a competition."""


@discussion.command(name="list")
@click.argument("slug", type=SLUG)
@click.option("--search", default="", help="Only threads with these words.")
@output.with_format
def list_them(slug: str, search: str, style: str) -> None:
    """List the threads: pinned ones first, then those that were written in last."""
    output.rows(client().threads(slug, search=search), LISTED, style)


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("thread_id", type=int, metavar="ID")
@output.with_format
def show(slug: str, thread_id: int, style: str) -> None:
    """Show a thread with its posts."""
    found = client().thread(slug, thread_id)
    if style == "json":
        output.record(found, style)
        return
    if style == "csv":
        output.rows(found["posts"], POSTS, style)
        return
    click.echo(output.clean(found["title"]))
    for post in found["posts"]:
        badge = " (staff)" if post["is_staff"] else ""
        author = post["author"] or "deleted account"
        click.echo()
        about = f"{post['id']}  {author}{badge}  {output.shown(post['created_at'])}"
        click.echo(output.faint(output.clean(about)))
        click.echo(output.clean(post["text"] or "(taken back, or hidden by the host)"))


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("title")
@with_text
@with_message
def post(slug: str, title: str, file: IO[str] | None, message: str | None) -> None:
    """Begin a thread."""
    made = client().begin_thread(slug, title, _text(file, message))
    output.say(f"Thread {made['id']} is begun.")


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("thread_id", type=int, metavar="ID")
@with_text
@with_message
def reply(slug: str, thread_id: int, file: IO[str] | None, message: str | None) -> None:
    """Answer in a thread."""
    made = client().reply(slug, thread_id, _text(file, message))
    output.say(f"Post {made['id']} is in thread {thread_id}.")


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("post_id", type=int, metavar="POST")
@with_text
@with_message
def edit(slug: str, post_id: int, file: IO[str] | None, message: str | None) -> None:
    """Change a post of yours."""
    client().edit_post(slug, post_id, _text(file, message))
    output.say(f"Post {post_id} is changed.")


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("post_id", type=int, metavar="POST")
def remove(slug: str, post_id: int) -> None:
    """Take back a post of yours."""
    client().delete_post(slug, post_id)
    output.say(f"Post {post_id} is taken back.")


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("post_id", type=int, metavar="POST")
@click.option("--reason", required=True, help='Why; "" shows it again.')
def hide(slug: str, post_id: int, reason: str) -> None:
    """Hide a post with a reason: for staff."""
    client().hide_post(slug, post_id, reason)
    output.say(f"Post {post_id} is {'hidden' if reason else 'shown again'}.")


@discussion.command()
@click.argument("slug", type=SLUG)
@click.argument("thread_id", type=int, metavar="ID")
@click.option("--pin/--no-pin", "pinned", default=None, help="On top of the list.")
@click.option("--lock/--no-lock", "locked", default=None, help="Nobody answers any more.")
@click.option("--hide", "hidden", help='Hide it, with this reason; "" shows it again.')
def moderate(slug: str, thread_id: int, **wanted: Any) -> None:
    """Pin, lock or hide a thread: for staff."""
    if all(value is None for value in wanted.values()):
        raise click.UsageError("Say what to change: --pin, --lock or --hide REASON.")
    client().moderate(slug, thread_id, **wanted)
    output.say(f"Thread {thread_id} is changed.")


def _text(file: IO[str] | None, message: str | None) -> str:
    if (file is None) == (message is None):
        raise click.UsageError("Say the text: -m TEXT or -f FILE.")
    return file.read() if file else message or ""
