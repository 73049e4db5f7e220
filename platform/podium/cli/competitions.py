"""`podium competitions list|show|join`, `podium files`, `podium download`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import NOT_FOUND, Suggesting, end, hosting, output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import answers

LEVELS = ("beginner", "intermediate", "advanced")
LISTED = ("slug", "title", "level", "task", "metric", "status", "closes_at", "teams", "joined")


@click.group(cls=Suggesting)
def competitions() -> None:
    """Competitions: list them, show one, join."""


@competitions.command(name="list")
@click.option("--level", type=click.Choice(LEVELS), help="Only of this level.")
@click.option("--search", help="Only with this text in title or slug.")
@click.option("--mine", is_flag=True, help="Only those you have joined.")
@output.with_format
def list_them(level: str | None, search: str | None, mine: bool, style: str) -> None:
    """List competitions from beginner to advanced."""
    found = client().competitions(level=level, search=search, mine=mine)
    output.rows([_flat(item) for item in found], LISTED, style)


@competitions.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def show(slug: str | None, style: str) -> None:
    """Show one competition: what is asked, how it is measured, what a file looks like."""
    found = client().competition(competition(slug))
    if style == "json":
        output.record(found, style)
        return
    columns = [column["name"] for column in found["submission"]["columns"]]
    direction = "higher" if found["metric"]["higher_is_better"] else "lower"
    keys = ("slug", "title", "level", "task", "status", "opens_at", "closes_at", "teams", "team")
    output.record(
        output.picked(found, keys)
        | {
            "metric": found["metric"]["name"],
            "better": direction,
            "file_columns": ",".join(columns),
            "max_bytes": found["submission"]["max_bytes"],
            "daily_limit": found["daily_limit"],
            "total_limit": found["total_limit"],
        },
        style,
    )
    if style == "table":
        click.echo(f"\n{output.clean(found['text']).strip()}")


@competitions.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("-m", "--message", default="", help="To a host who lets people in one by one.")
def join(slug: str | None, message: str) -> None:
    """Join a competition as a team of one, or ask its host to be let in."""
    joined = client().join(competition(slug), message)
    slug = joined["competition"]
    output.say(f"You are in {slug} as {joined['team']}. Next: podium download {slug}")


@click.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def files(slug: str | None, style: str) -> None:
    """List the files of a competition."""
    found = client().files(competition(slug))
    output.rows(found, ("name", "size_bytes", "rows", "sha256", "description"), style)


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("-f", "--file", "name", help="Only this file.")
@click.option(
    "-p",
    "--path",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Into this folder. Default: a folder named as the competition.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def download(slug: str | None, name: str | None, folder: Path | None, quiet: bool) -> None:
    """Download the files of a competition; run again, it goes on where it stopped."""
    slug = competition(slug)
    here = client()
    offered = here.files(slug)
    wanted = [file for file in offered if name is None or file["name"] == name]
    if not wanted:
        names = ", ".join(file["name"] for file in offered) or "none yet: it is being prepared"
        named = f" {name!r}" if name else "s"
        end(f"{slug} has no file{named}. Its files: {names}.", NOT_FOUND)
    target = folder or Path(slug)
    for file in wanted:
        with output.bar(file["name"], file["size_bytes"], quiet) as progress:
            path = here.download(slug, file, target, progress)
        click.echo(str(path))


def _flat(item: "answers.Competition") -> dict[str, Any]:
    return {**item, "metric": item["metric"]["name"]}


@competitions.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def environment(slug: str | None, style: str) -> None:
    """Show what submitted code runs with: packages, and with --format json the limits."""
    found = client().environment(competition(slug))
    if style == "json":
        output.record(found, style)
        return
    rows = [{"package": name, "version": version} for name, version in found["packages"].items()]
    output.rows(rows, ("package", "version"), style)


for command in hosting.COMMANDS:
    competitions.add_command(command)
