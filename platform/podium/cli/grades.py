"""`podium grades …`: the rule, what is computed, what is set by hand, release, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from podium.cli import Suggesting, output
from podium.cli.completion import SLUG
from podium.cli.memory import client

if TYPE_CHECKING:
    from podium.client import answers

SHOWN = ("email", "name", "section", "percent", "score", "days_late", "credit", "override")
MINE = ("percent", "score", "by_score", "days_late", "days_from_bank", "credit", "words")


@click.group(cls=Suggesting)
def grades() -> None:
    """Grades of a competition of a course."""


@grades.command()
@click.argument("slug", type=SLUG)
@output.with_format
def show(slug: str, style: str) -> None:
    """Show everybody's grade as it is computed now."""
    found = client().grades(slug)
    output.rows([{**one, **(one["result"] or {})} for one in found["items"]], SHOWN, style)
    if found["trouble"]:
        output.say(f"There are no grades yet. {found['trouble']}")
    elif found["released_at"]:
        changed = found["changed_since_release"]
        output.say(f"Released at {found['released_at']}; {changed} have changed since.")
    else:
        output.say("Not released yet: only staff see them.")


@grades.command()
@click.argument("slug", type=SLUG)
@output.with_format
def mine(slug: str, style: str) -> None:
    """Show your own grade, when it is released, and how it comes about."""
    found = client().my_grade(slug)["result"]
    output.record(output.picked(found, MINE), style)


@grades.command()
@click.argument("slug", type=SLUG)
@click.option(
    "--point",
    "points",
    multiple=True,
    required=True,
    metavar="NAME=SCORE=PERCENT",
    help="From the worst score to the best; SCORE may be @ and a baseline's name. Repeatable.",
)
@click.option("--kind", type=click.Choice(["anchors", "thresholds"]), default="anchors")
@click.option("--equal-in-ties", is_flag=True, help="Who cannot be told apart is graded alike.")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def rule(
    slug: str,
    points: tuple[str, ...],
    kind: Literal["anchors", "thresholds"],
    equal_in_ties: bool,
    reason: str,
) -> None:
    """Publish how scores become percent, such as --point sample=0.1=0 --point "top=@GRU=60"."""
    asked: answers.RuleRequest = {
        "kind": kind,
        "points": [_point(text) for text in points],
        "equal_in_ties": equal_in_ties,
        "reason": reason,
    }
    client().set_grade_rule(slug, asked)
    output.say(f"The rule of {slug} is published.")


def _point(text: str) -> "answers.PointRequest":
    name, _, rest = text.partition("=")
    score, _, percent = rest.rpartition("=")
    try:
        if score.startswith("@"):
            return {"name": name, "percent": float(percent), "baseline": score[1:]}
        return {"name": name, "percent": float(percent), "score": float(score)}
    except ValueError:
        raise click.UsageError(
            f"{text!r} is no NAME=SCORE=PERCENT, such as baseline=0.85=60."
        ) from None


@grades.command()
@click.argument("slug", type=SLUG)
@click.argument("email")
@click.option("--percent", type=float, help="The grade.")
@click.option("--note", default="", help="Why; the student reads it.")
@click.option("--back", is_flag=True, help="Take back what was set by hand.")
def override(slug: str, email: str, percent: float | None, note: str, back: bool) -> None:
    """Set a student's grade by hand; no rescoring overwrites it."""
    if (percent is None) != back:
        raise click.UsageError("Say --percent or --back.")
    client().override_grade(slug, email, percent, note)
    output.say(f"The grade of {email} is {'computed again' if back else f'{percent:g} %'}.")


@grades.command()
@click.argument("slug", type=SLUG)
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def release(slug: str, reason: str) -> None:
    """Release grades: every student sees theirs as it is computed now."""
    found = client().release_grades(slug, reason)
    output.say(f"{found['students']} students see their grade of {slug}.")


@grades.command()
@click.argument("slug", type=SLUG)
@click.option("--style", type=click.Choice(["csv", "canvas", "moodle"]), default="csv")
@click.option(
    "--class-list",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The CSV that Canvas or Moodle exports; its rows are filled in.",
)
@click.option("-o", "out", type=click.Path(dir_okay=False, path_type=Path), help="Into a file.")
def export(slug: str, style: str, class_list: Path | None, out: Path | None) -> None:
    """Write grades as CSV, on stdout unless -o names a file; what does not match is told."""
    if style != "csv" and class_list is None:
        raise click.UsageError(f"For {style}, name its class list: --class-list FILE.csv")
    found = client().export_grades(slug, style, class_list)
    if out is None:
        click.echo(found["content"], nl=False)
    else:
        out.write_text(found["content"], encoding="utf-8")
    output.say(f"{found['matched']} students matched.")
    for row in found["unmatched_rows"]:
        output.say(f"Line {row['line']} of the list matches nobody: {row['who']}")
    for email in found["unmatched_students"]:
        output.say(f"Not in the list: {email}")
