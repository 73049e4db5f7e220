"""`podium leaderboard [show|progress|rebuild] [SLUG]` and `podium shakeup`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.cli import output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import Client, answers

TOP = 20
LISTED = (
    *("rank", "team", "score", "low", "high", "entries", "last_at", "is_baseline", "is_me"),
    *("members", "change", "rank_low", "rank_high", "tied_with_leader"),
)
IN_TABLE = (
    *("rank", "change", "team", "score", "low", "high", "rank_low", "rank_high"),
    *("entries", "last_at", "note"),
)
SHIFTS = (
    *("private_rank", "team", "public_rank", "climb", "public_score", "private_score"),
    *("by_chance", "is_overfitted", "surprise"),
)


class Board(click.Group):
    """A group whose usual command is to show: `podium leaderboard SLUG` needs no word for it."""

    def filled(self, args: list[str]) -> list[str]:
        """The arguments with the word that was left out."""
        is_said = bool(args) and (args[0] in self.commands or args[0] in ("-h", "--help"))
        return args if is_said else ["show", *args]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in where it is left out."""
        return super().parse_args(ctx, self.filled(args))


@click.group(cls=Board)
def leaderboard() -> None:
    """The board: SLUG shows it, `progress SLUG` how it grew."""


@leaderboard.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("--top", type=click.IntRange(min=1), help=f"So many ranks. Default {TOP}.")
@click.option("--private", is_flag=True, help="The private board (after the reveal, or as host).")
@click.option("--download", is_flag=True, help="Write the whole board to SLUG-leaderboard.csv.")
@click.option(
    "-p", "--path", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path()
)
@click.option("--at", help="The public board as it stood then, like 2026-12-01T18:00+01:00.")
@output.with_format
def show(
    slug: str | None,
    top: int | None,
    private: bool,
    download: bool,
    folder: Path,
    at: str | None,
    style: str,
) -> None:
    """Show the board: baselines between the ranks, your own row marked."""
    slug = competition(slug)
    split = "private" if private else "public"
    found, mine = read(client(), slug, split, top or (None if download else TOP), at)
    if download:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{slug}-leaderboard{'-private' if private else ''}.csv"
        file.write_text(output.as_csv(found, LISTED), encoding="utf-8")
        click.echo(str(file))
        return
    if style != "table":
        output.rows(found, LISTED, style)
        return
    if mine is not None and not any(row["is_me"] for row in found):
        found.append(mine)
    output.rows([{**row, "note": _note(row)} for row in found], IN_TABLE, style)


def read(
    here: "Client", slug: str, split: str, top: int | None, at: str | None = None
) -> "tuple[list[answers.BoardRow], answers.BoardRow | None]":
    """The rows down to rank `top` (None: all) with the baselines among them, and the own row."""
    from podium.client import MOST_PER_PAGE

    per_page = min(top or MOST_PER_PAGE, MOST_PER_PAGE)
    found: list[answers.BoardRow] = []
    page = 1
    while True:
        answer = here.leaderboard(slug, split=split, page=page, per_page=per_page, at=at)
        found += answer["items"]
        ranked = sum(not row["is_baseline"] for row in found)
        if page >= answer["pages"] or (top is not None and ranked >= top):
            break
        page += 1
    if top is not None:
        places = [index for index, row in enumerate(found) if not row["is_baseline"]]
        if len(places) > top:
            found = found[: places[top]]
    return found, answer["mine"]


def _note(row: "answers.BoardRow") -> str:
    if row["is_baseline"]:
        return "baseline"
    said = ["you"] if row["is_me"] else []
    return ", ".join([*said, "≈ 1st"] if row["tied_with_leader"] else said)


@leaderboard.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("--private", is_flag=True, help="Of the first on the private board.")
@output.with_format
def progress(slug: str | None, private: bool, style: str) -> None:
    """How the public scores of the first ten grew, yours and the baselines' too."""
    found = client().history(competition(slug), split="private" if private else "public")
    steps = [{**line, **step} for line in found for step in line["steps"]]
    output.rows(steps, ("rank", "team", "at", "score", "is_baseline", "is_me"), style)


@leaderboard.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@click.option("--all", "everyone", is_flag=True, help="Every competition's.")
def rebuild(slugs: tuple[str, ...], everyone: bool) -> None:
    """Make boards anew from the evaluations, on the machine that runs Podium."""
    from sqlalchemy import select

    from podium import competitions, entries, schema
    from podium.config import Config
    from podium.models import Competition

    if not slugs and not everyone:
        raise click.UsageError("Which boards? Name competitions, or say --all.")
    database = schema.opened(Config.load())
    with database.reading() as session:
        wanted = slugs or tuple(session.scalars(select(Competition.slug)))
    for slug in wanted:
        with database.writing() as session:
            number = entries.rebuild(session, competitions.find(session, slug))
        output.say(f"{slug}: both boards made anew from {number} scored submissions.")


@click.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def shakeup(slug: str | None, style: str) -> None:
    """Show what the reveal changed: public against private rank."""
    slug = competition(slug)
    output.rows(client().shakeup(slug), SHIFTS, style)
