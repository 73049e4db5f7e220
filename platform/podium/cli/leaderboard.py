"""`podium leaderboard`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import output
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import Client

TOP = 20
LISTED = (
    *("rank", "team", "score", "low", "high", "entries", "last_at", "is_baseline", "is_me"),
    *("members", "change", "rank_low", "rank_high", "tied_with_leader"),
)
IN_TABLE = ("rank", "team", "score", "low", "high", "entries", "last_at", "note")


@click.command()
@click.argument("slug", required=False)
@click.option("--top", type=click.IntRange(min=1), help=f"So many ranks. Default {TOP}.")
@click.option("--private", is_flag=True, help="The private board (after the reveal, or as host).")
@click.option("--download", is_flag=True, help="Write the whole board to SLUG-leaderboard.csv.")
@click.option(
    "-p", "--path", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path()
)
@output.with_format
def leaderboard(
    slug: str | None, top: int | None, private: bool, download: bool, folder: Path, style: str
) -> None:
    """Show the board: baselines between the ranks, your own row marked."""
    slug = competition(slug)
    split = "private" if private else "public"
    found, mine = read(client(), slug, split, top or (None if download else TOP))
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
    output.rows([row | {"note": _note(row)} for row in found], IN_TABLE, style)


def read(
    here: "Client", slug: str, split: str, top: int | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The rows down to rank `top` (None: all) with the baselines among them, and the own row."""
    from podium.client import MOST_PER_PAGE

    per_page = min(top or MOST_PER_PAGE, MOST_PER_PAGE)
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = here.leaderboard(slug, split=split, page=page, per_page=per_page)
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


def _note(row: dict[str, Any]) -> str:
    if row["is_baseline"]:
        return "baseline"
    return "you" if row["is_me"] else ""
