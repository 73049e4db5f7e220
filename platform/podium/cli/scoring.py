"""`podium score`: the server's own check of a file, or its score against answers that you have."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition
from podium.cli.submissions import tell_check
from podium.paths import default_home, serves

if TYPE_CHECKING:
    from podium.client import answers

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
LISTED = ("split", "metric", "value", "low", "high", "n", "signature")


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("-f", "--file", required=True, type=FILE, help="The predictions.")
@click.option("--answers", type=FILE, help="A file of true values: yours, or as host the hidden.")
@output.with_format
def score(slug: str | None, file: Path, answers: Path | None, style: str) -> None:
    """Check a file as the server does; with --answers, score it as a score worker does.

    The answers have the columns of a submission; a column Usage (Public or Private) gives a score
    for each split. On the machine that runs Podium its operator needs no --answers. Nothing is
    submitted and nothing counts.
    """
    slug = competition(slug)
    if answers is not None:
        truth = answers.read_bytes()
    else:
        tell_check(client().check(slug, file))
        hosted = _hosted(slug, client().url)
        if hosted is None:
            return
        truth = hosted
    output.rows(against(client().competition(slug), file, truth), LISTED, style)


def _hosted(slug: str, url: str) -> bytes | None:
    """The hidden answers, for who runs this server: only its operator can read the home."""
    home = default_home()
    if not serves(home, url):
        return None
    from podium.competitions import find
    from podium.config import Config
    from podium.installation import Installation

    installation = Installation.open(Config.load(home))
    with installation.database.reading() as session:
        key = find(session, slug).challenge.answers_key
    with installation.storage.open(key) as file:
        answers = file.read()
    installation.database.close()
    output.say(f"Scored with the answers of {home}, which you operate.")
    return answers


def against(
    described: "answers.CompetitionDetail", file: Path, answers: bytes
) -> list[dict[str, Any]]:
    """The scores of a file, by split and metric, computed here by the platform's own code."""
    from podium_scoring.grading import Grading
    from podium_scoring.tables import names_usage

    grading = Grading.of(described["declaration"])
    truth = grading.read_truth(answers, usage=names_usage(answers, grading.answers))
    predictions = grading.read_predictions(file.read_bytes(), truth.form)
    return [
        {
            "split": split,
            "metric": name,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "n": found.n,
            "signature": str(found.signature),
        }
        for name, splits in grading.score(predictions, truth).items()
        for split, found in splits.items()
    ]
