"""`podium rescore`, `reveal`, `board` and `disqualify`: what hosts decide about a board."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.cli import UNFINISHED, declared, end, output
from podium.cli.completion import SLUG
from podium.cli.memory import client

if TYPE_CHECKING:
    from podium.client import answers

CHANGES = ("team", "rank_before", "rank_after", "climb", "score_before", "score_after")
WAIT_S = 3600.0
PAUSE_S = 1.0


@click.command()
@click.argument("slug", type=SLUG)
@click.option(
    "--preview",
    "act",
    flag_value="preview",
    default="preview",
    type=str,
    help="Begin a trial, or show it. The default.",
)
@click.option(
    "--apply", "act", flag_value="apply", type=str, help="Put the trial's scores in force."
)
@click.option("--discard", "act", flag_value="discard", type=str, help="Throw the trial away.")
@click.option("--metric", default="", help="Another metric: a name, or its table as JSON.")
@click.option(
    "--answers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The answers, mended.",
)
@click.option("--exclude", multiple=True, help="Id of a row that shall not count; repeatable.")
@click.option("--version", default="", help="Another prepared version: a new hidden set.")
@click.option("--run-again", is_flag=True, help="Run models and code again first.")
@click.option("--raise-only", is_flag=True, help="Whose score would fall keeps the old one.")
@click.option("--leave-out", is_flag=True, help="What cannot be scored again leaves the board.")
@click.option("--private", is_flag=True, help="Show the difference of the private board.")
@output.with_reason
@output.with_format
def rescore(slug: str, act: str, private: bool, style: str, **options: Any) -> None:
    """Score everything again: a trial, its difference, then apply or discard it."""
    here = client()
    if act == "discard":
        here.discard_rescoring(slug, options["reason"])
        output.say("Discarded. Nothing has changed.")
        return
    if act == "apply":
        made = here.apply_rescoring(slug, options["reason"], leaves_out=options["leave_out"])
        _tell(made, private=private, style=style)
        output.say(f"Applied: {made['change']}.")
        return
    if any(options[name] for name in ("metric", "answers", "exclude", "run_again", "version")):
        here.begin_rescoring(
            slug,
            options["answers"],
            {
                "metric": options["metric"],
                "excluded": " ".join(options["exclude"]),
                "version": options["version"],
                "runs_again": "true" if options["run_again"] else "",
                "raise_only": "true" if options["raise_only"] else "",
                "reason": options["reason"],
            },
        )
    _tell(_wait(slug), private=private, style=style)
    output.say(f"Nothing has changed yet. Next: podium rescore {slug} --apply, or --discard")


def _wait(slug: str) -> "answers.Rescoring":
    """The trial when everything is scored again."""
    here, until, told = client(), time.monotonic() + WAIT_S, ""
    while True:
        found = here.rescoring(slug)
        if (stands := found["progress"]) is None:
            return found
        said = f"{stands['scored'] + len(stands['unscored'])} of {stands['total']} rescored"
        if said != told:
            output.say(said)
            told = said
        if stands["is_over"]:
            return found
        if time.monotonic() > until:
            end(f"{said}. It goes on; look again with the same command.", UNFINISHED)
        time.sleep(PAUSE_S)


def _tell(found: "answers.Rescoring", *, private: bool, style: str) -> None:
    rows = found["private" if private else "public"]
    output.rows(rows, CHANGES, style)


@click.command()
@click.argument("slug", type=SLUG)
@output.with_reason
def reveal(slug: str, reason: str) -> None:
    """Reveal the private board to everybody. There is no way back."""
    made = client().reveal(slug, reason)
    output.say(f"The private board of {slug} is revealed ({made['revealed_at']}).")


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@output.with_reason
@output.with_format
def board(slug: str, settings: tuple[str, ...], reason: str, style: str) -> None:
    """Show the options of a board, or set some: names=pseudonymous, anti_overfit=ladder, …

    An empty value means none. A wrong name is answered with the right ones.
    """
    here = client()
    if not settings:
        output.record(here.board_options(slug), style)
        return
    from podium.client.answers import BoardOptionsRequest

    wanted = declared.values(settings, BoardOptionsRequest)
    wanted["reason"] = reason
    output.record(here.change_board(slug, wanted), style)


@click.command()
@click.argument("slug", type=SLUG)
@click.option("--team", help="The team, as the board names it.")
@click.option("--submission", type=int, help="Or one submission, by its id.")
@click.option("--lift", is_flag=True, help="Let it count again.")
@output.with_reason
def disqualify(
    slug: str, team: str | None, submission: int | None, lift: bool, reason: str
) -> None:
    """Take a team, or one submission, off the boards; the team reads the reason."""
    if (team is None) == (submission is None):
        raise click.UsageError("Say --team or --submission.")
    client().disqualify(slug, team=team, submission=submission, reason=reason, lift=lift)
    what = team or f"Submission {submission}"
    output.say(f"{what} {'counts again' if lift else 'is disqualified'} in {slug}.")


@click.command()
@click.argument("slug", type=SLUG)
def integrity(slug: str) -> None:
    """What may be worth a question, as JSON: same files, errors, code, addresses."""
    output.record(client().integrity(slug), "json")
