"""Commands of those who write and host challenges."""

import secrets
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import click

from podium import catalog, datasets, headroom, hosting, inspection, schema, template
from podium.cli import output
from podium.cli.completion import COURSE
from podium.cli.memory import client
from podium.config import Config
from podium.errors import ConfigError
from podium.installation import Installation
from podium_scoring import ChallengeError

COLUMNS = ("slug", "version", "level", "title", "metric", "kinds", "editions")


@click.group()
def challenges() -> None:
    """Challenges that come with Podium, and folders of your own."""


@challenges.command(name="list")
@output.with_format
def list_challenges(style: str) -> None:
    """The challenges that come with Podium."""
    specs = [catalog.read(folder) for folder in catalog.bundled()]
    found = [
        {
            "slug": spec.slug,
            "version": spec.version,
            "level": spec.level,
            "title": spec.title,
            "metric": spec.metric.name,
            "kinds": spec.kinds,
            "editions": sorted({source.edition for source in spec.data.sources}),
        }
        for spec in specs
    ]
    output.rows(found, COLUMNS, style)


@challenges.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your table, with a header.  [a made-up one]",
)
@click.option("--target", help="With --csv: the column that is asked for.")
def init(folder: Path, table: Path | None, target: str | None) -> None:
    """Make the folder of a challenge from a table; its name becomes the slug."""
    if (table is None) != (target is None):
        raise click.UsageError("--csv and --target go together: a table, and the column asked for.")
    template.write(folder, table, target or "")
    for place in inspection.unfilled(folder):
        click.echo(place)
    output.say(
        f"{folder} is made. Fill in the places above, then: podium challenges check {folder}"
    )


@challenges.command()
@click.argument("folder", metavar="DIR_OR_SLUG")
@click.option("--edition", type=click.Choice(["small", "full"]), default="small")
@click.option("--train", is_flag=True, help="Train the baselines too: minutes, not seconds.")
@click.pass_context
def check(context: click.Context, folder: str, edition: str, train: bool) -> None:
    """Find everything that is wrong with a challenge folder."""
    place = (Path(folder) if Path(folder).is_dir() else _bundled(folder)).resolve()
    cache = Config.load().home / "sources"
    faults = inspection.inspect(place, edition, cache)
    if train and not faults:
        faults = headroom.trial(place, edition, cache)
    for fault in faults:
        click.echo(fault)
    if faults:
        output.say(f"{place.name} has {len(faults)} fault(s).")
        context.exit(5)
    output.say(f"{place.name} is fit to be hosted.")


@challenges.command()
@click.argument("slug")
@click.option("--edition", type=click.Choice(["small", "full"]), default="full", show_default=True)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Only write the files, answers too, into this new folder: nothing is hosted.",
)
@click.option("--seed", type=click.IntRange(min=0), help="With --into: draws the split.  [0]")
def prepare(slug: str, edition: str, into: Path | None, seed: int | None) -> None:
    """Fetch an edition of the data, and let the practice competition run on it."""
    folder = _bundled(slug)
    if into is None and seed is not None:
        raise click.UsageError(
            "The seed of a hosted challenge is drawn once and kept private. "
            "To prepare files with a seed of yours, name a folder too: --into DIR."
        )
    if into is not None:
        _write(folder, edition, into, seed or 0)
        return
    installation = Installation.open(Config.load())
    schema.upgrade(installation.database)
    started = time.monotonic()
    try:
        hosting.host_edition(installation, folder, edition, ProgressBar())
    except ChallengeError as error:
        raise ConfigError(error.message) from None
    took = time.monotonic() - started
    output.say(f"{slug} runs on its {edition} edition ({took:.0f} s).")


def _write(folder: Path, edition: str, into: Path, seed: int) -> None:
    cache = Config.load().home / "sources"
    spec = catalog.read(folder)
    try:
        prepared = datasets.prepare(
            spec, folder, edition, seed, into.absolute(), cache=cache, progress=ProgressBar()
        )
    except ChallengeError as error:
        raise ConfigError(error.message) from None
    for file in prepared.files:
        click.echo(into / "public" / file.name)
    output.say(f"The answers ({prepared.truth_version}) are in {into / 'private'}.")


@challenges.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--slug", help="Of the competition; else the challenge's.")
@click.option("--title", default="")
@click.option("--course", type=COURSE, default="", help="Only its people see the competition.")
@click.option("--opens-at", default="", help="With its zone, like 2026-12-01T18:00+01:00.")
@click.option("--closes-at", default="")
@click.option("--edition", type=click.Choice(["small", "full"]), default="small")
@click.option("--seed", type=click.IntRange(min=0), help="Draws the split; else one is drawn.")
@output.with_format
def publish(
    folder: str,
    slug: str | None,
    edition: str,
    seed: int | None,
    style: str,
    **fields: str,
) -> None:
    """Prepare a folder here and host it on the server, as a draft that is checked there.

    The recipe (prepare.py) runs on this machine; the server gets what it made. A folder that holds
    public/ and private/ already is sent as it is.
    """
    place = Path(folder).resolve()
    try:
        with tempfile.TemporaryDirectory(prefix="podium-publish-") as scratch:
            packed = Path(scratch) / f"{place.name}.zip"
            own = _packed(place, edition, secrets.randbits(32) if seed is None else seed, packed)
            said = {"slug": slug or own} | {name: value for name, value in fields.items() if value}
            found = client().create_competition(said, packed)
    except ChallengeError as error:
        raise ConfigError(error.message) from None
    output.record(found, style)
    output.say(
        f"{found['slug']} is a draft. Its checks: podium competitions checks {found['slug']}"
    )


def _packed(place: Path, edition: str, seed: int, packed: Path) -> str:
    """Zip a folder in its prepared form; returns the challenge's slug."""
    spec = catalog.read(place)
    made = place
    if not (place / "private" / spec.answers_file).is_file():
        made = packed.parent / "prepared"
        cache = Config.load().home / "sources"
        datasets.prepare(spec, place, edition, seed, made, cache=cache, progress=ProgressBar())
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("challenge.toml", "README.md", "metric.py"):
            if (place / name).is_file():
                archive.write(place / name, name)
        for file in sorted((made / "public").iterdir()):
            archive.write(file, f"public/{file.name}")
        archive.write(made / "private" / spec.answers_file, f"private/{spec.answers_file}")
    return spec.slug


def _bundled(slug: str) -> Path:
    try:
        return catalog.folder_of(slug)
    except ChallengeError as error:
        raise ConfigError(error.message) from None


class ProgressBar:
    """A bar on a terminal, a line at the end elsewhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()

    def __call__(self, name: str, there: int, total: int) -> None:
        """Show how much of a file is there."""
        if self._on_terminal:
            filled = round(30 * min(1, there / total))
            bar = "#" * filled + "." * (30 - filled)
            end = "\n" if there >= total else ""
            click.echo(
                f"\r{name} [{bar}] {there / 1e6:.1f} of {total / 1e6:.1f} MB{end}",
                err=True,
                nl=False,
            )
        elif there >= total:
            click.echo(f"{name}: {there / 1e6:.1f} MB", err=True)
