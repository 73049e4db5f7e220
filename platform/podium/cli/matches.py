"""`podium matches`: who met whom, and the matrix of wins."""

from typing import TYPE_CHECKING, Any

import click

from podium.cli import output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import answers

LISTED = (
    *("id", "number", "first", "second", "first_score", "second_score", "erred"),
    *("steps", "is_final", "played_at", "first_submission", "second_submission"),
)
AGAINST = ("team", "submission", "rating", "opponent", "opponent_submission", "games", "points")
MOST = 50  # agents of a matrix


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("--team", default="", help="Games of teams whose name has this text.")
@click.option("--final", "only_final", is_flag=True, help="The final round only.")
@click.option("--matrix", is_flag=True, help="Points of each agent against each other one.")
@click.option("--top", type=click.IntRange(2, MOST), default=12, help="So many agents of it.")
@output.with_format
def matches(
    slug: str | None, team: str, only_final: bool, matrix: bool, top: int, style: str
) -> None:
    """List the games of agents that play each other, the latest first."""
    slug = competition(slug)
    if not matrix:
        found = client().matches(slug, team=team, only_final=only_final)
        output.rows([flat(one) for one in found], LISTED, style)
        final = client().final_round(slug)
        if final["began_at"]:
            output.say(f"Final round: {final['played']} of {final['planned']} games.")
        return
    rows = client().matrix(slug, top=top, only_final=only_final)
    if style == "table":
        output.rows(*_square(rows), style)
    else:
        output.rows(_pairs(rows), (*AGAINST, "share"), style)


def flat(game: "answers.Match") -> dict[str, Any]:
    """A game as one row."""
    first, second = game["players"]
    erred = [one["team"] for one in game["players"] if one["erred"]]
    return {
        **game,
        "first": first["team"],
        "second": second["team"],
        "first_score": first["score"],
        "second_score": second["score"],
        "first_submission": first["submission"],
        "second_submission": second["submission"],
        "erred": " and ".join(erred) or None,
    }


def _square(rows: "list[answers.MatrixRow]") -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The matrix as a table: a column for each agent, points of how many games."""
    places = [str(place) for place, _ in enumerate(rows, 1)]
    found = []
    for place, row in zip(places, rows, strict=True):
        cells = [
            "" if cell is None else f"{cell['points']:g}/{cell['games']}" for cell in row["cells"]
        ]
        about = {"place": place, "agent": f"{row['team']} {row['submission']}"}
        found.append(
            about | {"rating": round(row["rating"])} | dict(zip(places, cells, strict=True))
        )
    return found, ("place", "agent", "rating", *places)


def _pairs(rows: "list[answers.MatrixRow]") -> list[dict[str, Any]]:
    """The matrix with a row for each pair that has met."""
    return [
        {
            "team": row["team"],
            "submission": row["submission"],
            "rating": row["rating"],
            "opponent": other["team"],
            "opponent_submission": other["submission"],
            **cell,
        }
        for row in rows
        for other, cell in zip(rows, row["cells"], strict=True)
        if cell and cell["games"]
    ]
