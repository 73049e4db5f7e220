"""`podium storage`: what fills it, and deleting what counts for nothing."""

from dataclasses import asdict
from pathlib import Path

import click

from podium import retention, usage
from podium.cli import Suggesting, output
from podium.cli.operation import USAGE as LISTED
from podium.cli.operation import rows_of
from podium.config import Config
from podium.installation import Installation

with_home = click.option("--home", type=click.Path(path_type=Path), help="Folder of all state.")


@click.group(cls=Suggesting)
def storage() -> None:
    """What fills the storage of this installation, and what may go."""


@storage.command()
@with_home
@output.with_format
def show(home: Path | None, style: str) -> None:
    """Bytes by kind, by competition and by challenge, and what no row names."""
    found = usage.read(Installation.open(Config.load(home)))
    output.rows(rows_of(asdict(found)), LISTED, style)
    if found.free_bytes is not None:
        output.say(f"{found.free_bytes:,} bytes are free on its disk.")


@storage.command()
@click.option("--days", type=int, help="Keep what is younger.  [the setting retention_days]")
@click.option("--also-scored", is_flag=True, help="Also what only a rescoring could still need.")
@click.option("--unnamed", is_flag=True, help="Also files that no row names.")
@click.option("--apply", "applies", is_flag=True, help="Delete. Without it nothing is changed.")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
@with_home
@output.with_format
def prune(
    days: int | None,
    also_scored: bool,
    unnamed: bool,
    applies: bool,
    reason: str,
    home: Path | None,
    style: str,
) -> None:
    """Say which files of submissions may go, and with --apply delete them.

    Kept in any case: what waits, what ended in error, baselines, finals, and what is on a board.
    Rows, scores and logs stay for ever.
    """
    here = Installation.open(Config.load(home))
    days = here.config.retention_days if days is None else days
    if not days:
        raise click.UsageError("After how many days? Say --days, or set retention_days.")
    policy = retention.Policy(days, also_scored=also_scored, unnamed=unnamed)
    found = retention.apply(here, policy, None, reason) if applies else retention.plan(here, policy)
    rows = [
        ("counts for nothing", found.uncounted),
        ("scored, for a rescoring only", found.scored),
        ("named by no row", found.unnamed),
        *((f"competition {slug}", part) for slug, part in found.by_competition.items()),
    ]
    output.rows(
        [
            {"what": what, "files": part.files, "size_bytes": part.size_bytes}
            for what, part in rows
            if part.files
        ],
        ("what", "files", "size_bytes"),
        style,
    )
    total = found.total
    does = "were deleted" if applies else "would be deleted. Add --apply to do it"
    output.say(f"{total.files} files ({total.size_bytes:,} bytes) {does}.")
    if found.kept_for_rescoring.files:
        output.say(
            f"{found.kept_for_rescoring.files} files ({found.kept_for_rescoring.size_bytes:,} "
            "bytes) are scored and on no board. They are kept for a rescoring: --also-scored."
        )
