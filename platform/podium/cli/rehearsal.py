"""`podium run`: a submission on this machine, as the server would run it."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import UNSCORED, end, output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import Client
    from podium.desk import Said

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
KINDS = ("model", "code", "agent")
EPISODES = 5
SHOWN = ("seed", "score", "steps", "result", "fault")
MOST_DIFFERENCES = 20
# Of the packages that code may import, those whose version shows in what it computes.
OURS = re.compile(r"podium|pip|setuptools|wheel")


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("-f", "--file", required=True, type=FILE, help="The bundle, model or agent.")
@click.option("--kind", type=click.Choice(KINDS), help="By default what the competition runs.")
@click.option(
    "-p",
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the competition's files are, or are fetched to.  [SLUG]",
)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Its output.")
@click.option("--episodes", type=click.IntRange(1, 1000), default=EPISODES, show_default=True)
@click.option("--against", type=FILE, help="Another agent to play against; else itself.")
@output.with_format
def run(
    slug: str | None,
    file: Path,
    kind: str | None,
    data: Path | None,
    out: Path | None,
    episodes: int,
    against: Path | None,
    style: str,
) -> None:
    """Run a bundle, model or agent here, in the sandbox that the server uses.

    Code and models read the public files; agents play on seeds 0, 1, 2, …, not on the hidden ones.
    Nothing is submitted. PODIUM_SANDBOX chooses another way of confining, as on a server.
    """
    from podium.config import Config
    from podium.confiner import confiner
    from podium.rehearsal import Piece, rehearse
    from podium.sandbox.environment import packages

    slug = competition(slug)
    here = client()
    kind = kind or _kind(here.competition(slug))
    told = here.environment(slug)
    for line in differences(told["packages"], packages()):
        output.say(line)
    with tempfile.TemporaryDirectory(prefix="podium-run-") as scratch:
        seeds = range(episodes if kind == "agent" else 0)
        piece = Piece(
            kind,
            file,
            told["run"],
            told["output"],
            told["columns"],
            inputs=_inputs(here, slug, told["run"]["inputs"], data or Path(slug)),
            seeds=[(seed, seed) for seed in seeds],
            against=against,
        )
        said = rehearse(piece, Path(scratch), confiner(Config.load()), _printed)
        if kind == "agent":
            output.rows(_played(said), SHOWN, style)
        if said.outcome != "ran":
            end(f"It ended with {said.outcome}. {said.reason}", UNSCORED)
        _keep(said, out)
    _tell(said)


def differences(published: Mapping[str, str], local: Mapping[str, str]) -> list[str]:
    """What is other here than where submissions are run, a line each."""
    here = {_plain(name): version for name, version in local.items()}
    found = []
    for name, version in published.items():
        own = here.get(_plain(name))
        if own != version and not OURS.fullmatch(_plain(name)):
            have = f"{own} here" if own else "not installed here"
            found.append(f"{name}: {version} on the server, {have}.")
    more = len(found) - MOST_DIFFERENCES
    return [*found[:MOST_DIFFERENCES], *([f"… and {more} more."] if more > 0 else [])]


def _kind(described: Mapping[str, Any]) -> str:
    """What the competition runs, where that is one kind only."""
    runs: list[str] = [kind for kind in described["kinds"] if kind in KINDS]
    if len(runs) != 1:
        has = f"It runs {' and '.join(runs)}: say --kind." if runs else "It runs nothing."
        raise click.UsageError(f"Which kind is the file? {has}")
    return runs[0]


def _inputs(here: "Client", slug: str, names: list[str], folder: Path) -> list[Path]:
    """The public files that a run reads; those that are missing are fetched."""
    offered = {one["name"]: one for one in here.files(slug)} if names else {}
    return [here.download(slug, offered[name], folder) for name in names]


def _printed(text: str) -> None:
    click.echo(output.clean(text), nl=False, err=True)


def _played(said: "Said") -> list[dict[str, Any]]:
    return [
        {
            "seed": one.number,
            "score": one.sides[0].score,
            "steps": one.steps,
            "result": one.result,
            "fault": next((side.fault for side in one.sides if side.fault), None),
        }
        for one in said.episodes
    ]


def _keep(said: "Said", out: Path | None) -> None:
    if said.output is not None and out is not None:
        out.write_bytes(said.output.read_bytes())
        output.say(f"Its output is {out}.")


def _tell(said: "Said") -> None:
    if said.ended is not None:
        output.say(
            f"It ran for {said.ended.wall_s:.1f} s, with {said.ended.peak_memory_mib:.0f} MiB of "
            "memory at most."
        )
    if said.episodes and len(said.episodes[0].sides) == 1:
        mean = sum(one.sides[0].score for one in said.episodes) / len(said.episodes)
        output.say(f"Mean return {mean:.2f} over {len(said.episodes)} episodes.")


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
