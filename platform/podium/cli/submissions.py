"""`podium submit, submissions, submission, cancel, limits`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from podium.cli import FAULT, INVALID, UNFINISHED, UNSCORED, end, output
from podium.cli.completion import SLUG
from podium.cli.memory import client, competition

if TYPE_CHECKING:
    from podium.client import answers

KINDS = ("predictions", "model", "code", "agent")
WAIT_S = 600.0
STATES_EXIT = {"invalid": INVALID, "failed": UNSCORED, "cancelled": UNSCORED, "error": FAULT}
LISTED = (
    *("id", "state", "score", "low", "high", "private_score", "kind", "file_name", "message"),
    *("selected", "received_at", "scored_at", "reason"),
)
ALL_LISTED = (
    *("id", "team", "handle", "state", "verdict", "public", "private", "kind", "file_name"),
    *("message", "received_at", "ended_at", "selected", "disqualified", "reason"),
)
with_wait = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    is_flag=False,
    flag_value=WAIT_S,
    metavar="[SECONDS]",
    help=f"Wait until it has ended, at most {WAIT_S:.0f} s or as many as you say.",
)


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option(
    "-f",
    "--file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file to hand in.",
)
@click.option("-m", "--message", default="", help="What is new in it; only your team reads it.")
@click.option("--kind", type=click.Choice(KINDS), default="predictions", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only check the file: costs nothing.")
@click.option("--final", is_flag=True, help="Select it as one of your finals.")
@with_wait
@output.with_format
def submit(
    slug: str | None,
    file: Path,
    message: str,
    kind: str,
    dry_run: bool,
    final: bool,
    wait_s: float | None,
    style: str,
) -> None:
    """Hand in a file, or check it with --dry-run."""
    slug = competition(slug)
    here = client()
    if dry_run:
        with output.bar(file.name, file.stat().st_size) as progress:
            found = here.check(slug, file, kind, progress=progress)
        tell_check(found)
        return
    with output.bar(file.name, file.stat().st_size) as progress:
        made = here.submit(slug, file, message, kind, progress=progress)
    output.say(f"Submission {made['id']} was received ({file.name}, {made['size_bytes']} bytes).")
    if twin := made["same_file_as"]:
        output.say(f"It is the same file as your submission {twin}.")
    if final:
        chosen = here.select(made["id"])
        output.say(f"Selected as final: {len(chosen['selected'])} of {chosen['most']}.")
    if wait_s is None:
        output.say(f"Its score: podium submission {made['id']} --wait")
        show_one(made, style)
        return
    _wait(made["id"], wait_s, style)


@click.command()
@click.argument("slug", type=SLUG, required=False)
@click.option("--all", "everybody", is_flag=True, help="Of all teams: for staff.")
@click.option("--team", default="", help="With --all: a part of the team's name.")
@click.option("--state", default="", help="With --all: such as error or queued.")
@click.option("--verdict", default="", help="With --all: such as time_limit.")
@click.option("--of-kind", "kind", default="", help="With --all: predictions, model, code, agent.")
@click.option("--counts", default="", help="With --all: counting or disqualified.")
@click.option("--text", default="", help="With --all: in file name, message or reason.")
@output.with_format
def submissions(slug: str | None, everybody: bool, style: str, **wanted: str) -> None:
    """List your team's submissions, newest first; with --all everybody's."""
    if not everybody and any(wanted.values()):
        raise click.UsageError("Filters are for staff, with --all.")
    if everybody:
        output.rows(client().all_submissions(competition(slug), **wanted), ALL_LISTED, style)
        return
    output.rows([flat(item) for item in client().submissions(competition(slug))], LISTED, style)


@click.command()
@click.argument("submission_id", type=int, metavar="ID")
@click.option("--logs", is_flag=True, help="Print what happened to it instead.")
@click.option(
    "--download",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Bring the file that was handed in, under this name, instead.",
)
@with_wait
@output.with_format
def submission(
    submission_id: int, logs: bool, target: Path | None, wait_s: float | None, style: str
) -> None:
    """Show one submission; with --wait, when it has ended."""
    if target is not None:
        here = client()
        size = here.submission(submission_id)["size_bytes"]
        with output.bar(target.name, size) as progress:
            click.echo(str(here.fetch_submission(submission_id, target, progress)))
    elif logs:
        if wait_s is not None:
            client().wait(submission_id, wait_s)
        click.echo(output.clean(client().log(submission_id)), nl=False)
    elif wait_s is not None:
        _wait(submission_id, wait_s, style)
    else:
        show_one(client().submission(submission_id), style)


@click.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID...")
def cancel(ids: tuple[int, ...]) -> None:
    """Stop submissions before their score is recorded; their tries are given back."""
    here = client()
    for submission_id in ids:
        here.cancel(submission_id)
        output.say(f"Submission {submission_id} is cancelled. It does not count.")


@click.command()
@click.argument("slug", type=SLUG, required=False)
@output.with_format
def limits(slug: str | None, style: str) -> None:
    """How many submissions your team has made and may still make."""
    output.record(client().limits(competition(slug)), style)


def tell_check(found: "answers.Checked") -> None:
    """Say how a dry run ended; exit if the file is invalid."""
    if not found["ok"]:
        end(f"{found['message']} Nothing was counted.", INVALID, found["errors"], found["more"])
    output.say(f"{found['message']} Nothing was counted.")


def flat(item: "answers.Submission") -> dict[str, Any]:
    """A submission as one row: the score that ranks, and the reason of its verdict."""
    score = _first(item["public"])
    return {
        **item,
        "score": score.get("value"),
        "low": score.get("low"),
        "high": score.get("high"),
        "private_score": _first(item["private"]).get("value"),
        "reason": item["verdict"]["reason"] if item["verdict"] else None,
    }


def show_one(found: "answers.Submission", style: str) -> None:
    """Print a submission: whole as JSON, else what people ask for first."""
    if style == "json":
        output.record(found, style)
        return
    keys = ("id", "competition", "team", "state", "file_name", "message", "received_at")
    shown = output.picked(found, keys)
    if found["queue"]:
        shown |= {"position": found["queue"]["position"], "eta_s": found["queue"]["eta_s"]}
    for split, scores in (("public", found["public"]), ("private", found["private"])):
        for metric, score in (scores or {}).items():
            shown[f"{split}_{metric}"] = score["value"]
            shown[f"{split}_{metric}_low"] = score["low"]
            shown[f"{split}_{metric}_high"] = score["high"]
    verdict = found["verdict"]
    if verdict and verdict["reason"]:
        shown["reason"] = verdict["reason"]
    output.record(shown, style)
    if verdict and style == "table":
        for line in output.places(verdict["details"], verdict["more"]):
            click.echo(f"  {line}")


def _wait(submission_id: int, wait_s: float, style: str) -> None:
    """Tell each new state, print the end, exit by how it ended."""
    from podium.client import OPEN_STATES

    told: list[str] = []

    def tell(found: "answers.Submission") -> None:
        place = f" ({found['queue']['position']} in the queue)" if found["queue"] else ""
        if not told or told[-1] != found["state"]:
            told.append(found["state"])
            output.say(f"{found['state'].capitalize()}{place}")

    found = client().wait(submission_id, wait_s, tell)
    show_one(found, style)
    if found["state"] in OPEN_STATES:
        _unfinished(submission_id, wait_s)
    if found["state"] in STATES_EXIT:
        verdict = found["verdict"] or {"reason": "", "help": ""}
        said = verdict["reason"] or verdict["help"]
        end(f"Submission {submission_id} is {found['state']}. {said}", STATES_EXIT[found["state"]])


def _unfinished(submission_id: int, wait_s: float) -> NoReturn:
    end(
        f"Submission {submission_id} has not ended after {wait_s:g} s. It goes on; look again "
        f"with `podium submission {submission_id} --wait`.",
        UNFINISHED,
    )


def _first(scores: "dict[str, answers.Score] | None") -> dict[str, Any]:
    """The metric that ranks comes first."""
    return {**next(iter(scores.values()))} if scores else {}
