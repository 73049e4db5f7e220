"""`podium backup` and `podium restore`: everything into one file, and back."""

import fcntl
import os
import sys
import tempfile
from pathlib import Path
from typing import IO

import click

from podium import backup as backups
from podium.cli import output
from podium.config import Config
from podium.errors import ConfigError
from podium.installation import Installation

WITH_MISSING = 8


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all state.")
@click.pass_context
def backup(context: click.Context, file: Path, home: Path | None) -> None:
    """Write every row and file into one tar, while everything runs; - is stdout.

    It holds answers, password hashes and the signing key: keep it as safe as the home.
    """
    installation = Installation.open(Config.load(home))
    if str(file) == "-":
        report = backups.write(installation, sys.stdout.buffer)
    else:
        report = _write(installation, file)
    output.say(_said(report, "were written"))
    if report.missing:
        for key in report.missing[:20]:
            output.say(f"Not in the storage, though a row names it: {key}")
        context.exit(WITH_MISSING)


def _write(installation: Installation, file: Path) -> backups.Report:
    """Into the file, which appears whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=file.absolute().parent, delete=False) as out:
        part = Path(out.name)
        try:
            report = backups.write(installation, out)
            out.flush()
            os.fsync(out.fileno())
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
    return report


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all state, empty.")
def restore(file: IO[bytes], home: Path | None) -> None:
    """Read a backup into an empty home (and the empty database that its settings name)."""
    config = Config.load(home)
    (config.home / "run").mkdir(parents=True, exist_ok=True)
    config.home.chmod(0o700)
    with (config.home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"{config.home} is in use by `podium up`. Restore into another folder: --home DIR"
            ) from None
        installation = Installation.open(config)
        report = backups.restore(installation, file)
        installation.database.close()
    output.say(_said(report, "are there again"))


def _said(report: backups.Report, does: str) -> str:
    return f"{report.rows} rows and {report.files} files ({report.size_bytes:,} bytes) {does}."
