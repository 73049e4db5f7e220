"""`podium episodes, replay`: what an agent has played."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import output
from podium.cli.memory import client
from podium.paths import PACKAGE

if TYPE_CHECKING:
    from podium.client import answers

LISTED = ("id", "number", "split", "score", "steps", "opponent", "result", "fault", "played_at")
STATIC = PACKAGE / "web" / "static"
SCRIPTS = ("speech.js", "player.js")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 44rem; padding: 0 1rem;
  color: #12161c; background: #fff; }}
[data-player] {{ --ink: #12161c; --quiet: #55606e; --paper: #fff; --line: #e1e5ea;
  --accent: #1f5eff; --bad: #b42318; }}
canvas {{ width: 100%; border: 1px solid #e1e5ea; border-radius: 6px; }}
.player-controls {{ display: flex; flex-wrap: wrap; gap: 8px; }}
input[type=range] {{ flex: 1 1 100%; }}
.player-rows {{ max-height: 20rem; overflow: auto; position: relative; }}
.player-rows table {{ border-collapse: collapse; font-size: 14px; }}
.player-rows td, th {{ padding: 2px 12px 2px 0; text-align: left; }}
.player-rows [aria-current] td {{ background: #edf2ff; }}
.erred td {{ color: #b42318; }} .small {{ font-size: 14px; color: #55606e; }}
</style>
<h1>{title}</h1>
<p>{players}</p>
<div data-player><script type="application/json">{replay}</script></div>
<script>{script}</script>
</html>
"""


@click.command()
@click.argument("submission_id", type=int, metavar="ID")
@output.with_format
def episodes(submission_id: int, style: str) -> None:
    """List the episodes of a submitted agent, newest first."""
    found = client().episodes(submission_id)
    output.rows([flat(episode, submission_id) for episode in found], LISTED, style)


@click.command()
@click.argument("episode_id", type=int, metavar="EPISODE")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write.  [episode-EPISODE.html]",
)
def replay(episode_id: int, out: Path | None) -> None:
    """Write an episode as a page that plays it, in any browser, without a server."""
    target = out or Path(f"episode-{episode_id}.html")
    target.write_text(page(client().replay(episode_id)), encoding="utf-8")
    click.echo(target)


def flat(episode: "answers.Episode", submission_id: int) -> dict[str, Any]:
    """An episode as one row, from the side of a submission."""
    own = next(one for one in episode["players"] if one["submission"] == submission_id)
    others = [one["team"] for one in episode["players"] if one is not own]
    return {
        **episode,
        "score": own["score"],
        "fault": own["fault"] or None,
        "opponent": others[0] if others else None,
    }


def page(found: "answers.Replay") -> str:
    """A page with the replay and the script that plays it in itself."""
    import html

    episode = found["episode"]
    players = " against ".join(
        f"{one['team']} (submission {one['submission']})" for one in episode["players"]
    )
    return PAGE.format(
        title=html.escape(f"Episode {episode['id']}: {episode['game']}, {episode['result']}"),
        players=html.escape(players),
        replay=json.dumps(found).replace("<", "\\u003c"),  # no tag may end the script
        script="".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )
