"""What hosts do to their competitions: `podium competitions create|checks|edit|publish|...`."""

import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from podium.cli import declared, output
from podium.cli.completion import COURSE, SLUG
from podium.cli.memory import client

if TYPE_CHECKING:
    from podium.client import answers

CHECKS_S = 600


@click.command()
@click.argument("slug")
@click.option("--challenge", help="One that comes with Podium.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The zip of a prepared folder, or a labelled CSV.",
)
@click.option("--train", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--test", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --train and --test: three CSVs whose split is given.",
)
@click.option("--title", default="")
@click.option("--course", type=COURSE, default="", help="Only its people see the competition.")
@click.option("--opens-at", default="", help="With its zone, like 2026-12-01T18:00+01:00.")
@click.option("--closes-at", default="")
@click.option("--time-zone", default="", help="Where the day of the limit starts.")
@click.option("--target", default="", help="Of a CSV: the column that is asked for.")
@click.option("--metric", default="", help="Of a CSV, such as accuracy.")
@click.option("--options", default="", help="Of the metric, as JSON.")
@click.option("--id-column", default="", help="Of a CSV; else rows are numbered.")
@click.option("--answer-column", default="", help="Of --answers, if not called as the target.")
@click.option("--split", type=click.Choice(["fraction", "column", "group"]), default="fraction")
@click.option("--by", default="", help="The column of --split column or group.")
@click.option("--test-value", default="", help="What it says of test rows (--split column).")
@click.option("--test-fraction", default="", help="Of all rows.  [0.4]")
@click.option("--public-fraction", default="", help="Of the test rows.  [0.3]")
@click.option("--seed", default="", help="Draws the split of a CSV.  [0]")
@click.option("--licence", default="", help="Of the data.")
@output.with_format
def create(
    slug: str,
    file: Path | None,
    train: Path | None,
    test: Path | None,
    answers: Path | None,
    style: str,
    **fields: str | None,
) -> None:
    """Create a draft: --challenge digits, --file folder.zip, or --file data.csv --target y.

    A split that is given comes as --train, --test and --answers instead of --file.

    A score worker checks it; `podium competitions checks SLUG` shows what it found.
    """
    said = {name: value for name, value in fields.items() if value}
    given = {"train": train, "test": test, "answers": answers}
    parts = {name: path for name, path in given.items() if path is not None}
    if parts and (file is not None or len(parts) < len(given)):
        raise click.UsageError("Say --train, --test and --answers together, without --file.")
    made = client().create_competition({"slug": slug, **said}, file, parts)
    output.record(made, style)


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--again", is_flag=True, help="Let it be checked again.")
@click.option("--wait", is_flag=True, help=f"Until they are done, at most {CHECKS_S} s.")
@output.with_format
def checks(slug: str, again: bool, wait: bool, style: str) -> None:
    """Show how far a competition is, and what keeps it from being published."""
    found = client().ask_checks(slug) if again else client().checks(slug)
    end_s = time.monotonic() + CHECKS_S
    while wait and found["is_checking"] and time.monotonic() < end_s:
        time.sleep(0.5)
        found = client().checks(slug)
    if style == "json":
        output.record(found, style)
        return
    rows = [{"submission": name, **scores} for name, scores in found["scores"].items()]
    output.rows(rows, ("submission", "public", "private"), style)
    output.say(f"{slug}: {found['stage']}.")
    for line in found["blockers"]:
        output.say(f"Blocked: {line}")
    for line in found["warnings"]:
        output.say(f"Warning: {line}")


@click.command()
@click.argument("slug", type=SLUG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What the board calls it.")
def baseline(slug: str, file: Path, name: str) -> None:
    """Hand in a file as a baseline; a draft is checked again after its score."""
    number = client().hand_in_baseline(slug, name, file)["submission"]
    output.say(f"{name} waits as submission {number}.")


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@output.with_reason
@output.with_format
def edit(slug: str, settings: tuple[str, ...], reason: str, style: str) -> None:
    """Change a competition: title, opens_at, closes_at, daily_limit, grace_minutes, course, …

    An empty value means none. A wrong name is answered with the right ones.
    """
    if not settings:
        raise click.UsageError("Say what to change: --set NAME=VALUE.")
    from podium.client.answers import EditRequest

    wanted = declared.values(settings, EditRequest)
    wanted["reason"] = reason
    output.record(client().edit(slug, wanted), style)


@click.command()
@click.argument("slug", type=SLUG)
@output.with_reason
def publish(slug: str, reason: str) -> None:
    """Let a checked draft be seen; it opens when its dates say so."""
    _tell_stage(client().publish(slug, reason))


@click.command(name="open")
@click.argument("slug", type=SLUG)
@output.with_reason
def open_now(slug: str, reason: str) -> None:
    """Open a competition now; a checked draft is published first."""
    _tell_stage(client().open(slug, reason))


@click.command()
@click.argument("slug", type=SLUG)
@output.with_reason
def close(slug: str, reason: str) -> None:
    """End a competition now."""
    _tell_stage(client().close_competition(slug, reason))


def _tell_stage(found: "answers.Checks") -> None:
    output.say(f"{found['slug']} is {found['stage']}.")


@click.command()
@click.argument("slug", type=SLUG)
@output.with_reason
def reveal(slug: str, reason: str) -> None:
    """Reveal the private board to everybody, as `podium reveal`. There is no way back."""
    made = client().reveal(slug, reason)
    output.say(f"The private board of {slug} is revealed ({made['revealed_at']}).")


@click.command()
@click.argument("slug", type=SLUG)
@click.argument("new_slug")
@click.option("--days", type=int, default=0, help="By how many days its dates are later.")
@click.option("--course", help="The course of the new one.")
def clone(slug: str, new_slug: str, days: int, course: str | None) -> None:
    """The same competition once more as a draft, its dates shifted."""
    client().clone(slug, new_slug, days, course)
    output.say(f"{new_slug} is a draft with the dates of {slug} and {days} days more.")


@click.command()
@click.argument("slug", type=SLUG)
@click.option("-f", "--file", type=click.File(encoding="utf-8"), help="Markdown; - is stdin.")
@click.option("--reset", is_flag=True, help="Back to the challenge's words.")
@output.with_reason
def text(slug: str, file: IO[str] | None, reset: bool, reason: str) -> None:
    """Give a competition a text of its own."""
    if reset == (file is not None):
        raise click.UsageError("Say -f FILE or --reset.")
    client().set_text(slug, file.read() if file else None, reason)
    output.say(f"The overview of {slug} has the new text.")


PARTICIPANTS = (
    *("handle", "name", "email", "number", "section", "role", "team", "is_leader", "joined_at"),
    *("downloaded_at", "submissions", "last_at", "public", "private", "disqualified"),
)


@click.command()
@click.argument("slug", type=SLUG)
@output.with_format
def participants(slug: str, style: str) -> None:
    """Who takes part, with team and how far they have come: for staff."""
    output.rows(client().participants(slug), PARTICIPANTS, style)


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--most", type=click.IntRange(1, 5000), default=200, show_default=True)
@output.with_format
def audit(slug: str, most: int, style: str) -> None:
    """List what was done to a competition: by whom, when, why. For staff."""
    columns = ("at", "by", "action", "subject", "reason", "detail")
    output.rows(client().audit(slug, most=most), columns, style)


@click.command()
@click.argument("slug", type=SLUG)
@click.argument("verb", type=click.Choice(["cancel", "disqualify", "reinstate", "retry"]))
@click.argument("submissions", type=int, nargs=-1, required=True, metavar="ID...")
@output.with_reason
@output.with_format
def act(slug: str, verb: str, submissions: tuple[int, ...], reason: str, style: str) -> None:
    """Do something to many submissions at once: for staff.

    `podium competitions participants` and the Manage tab list them.
    """
    made = client().act_on(slug, verb, submissions, reason)
    rows = [{"submission": number, "done": True, "reason": ""} for number in made["done"]]
    rows += [one | {"done": False} for one in made["refused"]]
    output.rows(rows, ("submission", "done", "reason"), style)


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--accept", "accepts", type=int, metavar="ID", multiple=True, help="Let in.")
@click.option("--decline", "declines", type=int, metavar="ID", multiple=True, help="Do not.")
@output.with_reason
@output.with_format
def requests(
    slug: str, accepts: tuple[int, ...], declines: tuple[int, ...], reason: str, style: str
) -> None:
    """Who asks to be let in, and your answers: for staff."""
    for number in accepts:
        client().answer_entry(slug, number, accepts=True, reason=reason)
    for number in declines:
        client().answer_entry(slug, number, accepts=False, reason=reason)
    asked = client().entry_requests(slug)
    output.rows(asked, ("id", "handle", "message", "asked_at"), style)


@click.command()
@click.argument("slug", type=SLUG)
@click.option("-o", "out", type=click.Path(dir_okay=False, path_type=Path), help="[SLUG.zip]")
def export(slug: str, out: Path | None) -> None:
    """Write the challenge's folder as a zip, answers included."""
    target = out or Path(f"{slug}.zip")
    client().export_competition(slug, target)
    output.say(f"{target} holds the folder. It has the answers: keep it to yourself.")


COMMANDS = (
    *(create, checks, baseline, edit, publish, open_now),
    *(close, reveal, clone, text, participants, audit, act, requests, export),
)
