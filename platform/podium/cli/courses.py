"""`podium courses …` and `podium roster …`: courses, join codes, class lists."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from podium.cli import Suggesting, output
from podium.cli.completion import COURSE
from podium.cli.memory import client

if TYPE_CHECKING:
    from podium.client import answers

LISTED = ("slug", "title", "role", "time_zone", "competitions")
PEOPLE = ("id", "email", "name", "number", "section", "role", "handle")
ROLES = ("student", "assistant", "instructor")


@click.group(cls=Suggesting)
def courses() -> None:
    """Courses: create one, join one, say who may do what."""


@courses.command(name="list")
@output.with_format
def list_them(style: str) -> None:
    """List your courses."""
    output.rows(client().courses(), LISTED, style)


@courses.command()
@click.argument("course", type=COURSE)
@output.with_format
def show(course: str, style: str) -> None:
    """Show a course; for its staff with the join code."""
    output.record(client().course(course), style)


@courses.command()
@click.argument("course")
@click.option("--title", required=True)
@click.option("--time-zone", default="UTC", show_default=True, help="Like Europe/Berlin.")
@output.with_format
def create(course: str, title: str, time_zone: str, style: str) -> None:
    """Create a course; you are its instructor."""
    output.record(client().create_course(course, title, time_zone), style)


@courses.command()
@click.argument("course", type=COURSE)
@click.option("--title")
@click.option("--time-zone", help="Like Europe/Berlin.")
@click.option("--mail-domain", "domains", multiple=True, help="May join by the code; repeatable.")
@click.option("--assistants-may", "rights", multiple=True, help="A right; repeatable.")
@click.option("--late-days", type=click.IntRange(0, 60), help="Of each student, for the course.")
@click.option("--asks-first/--no-asks-first", default=None, help="Whether a code only asks.")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
@output.with_format
def edit(
    course: str,
    title: str | None,
    time_zone: str | None,
    domains: tuple[str, ...],
    rights: tuple[str, ...],
    late_days: int | None,
    asks_first: bool | None,
    reason: str,
    style: str,
) -> None:
    """Change a course; what is not named stays."""
    wanted: answers.CourseOptions = {"reason": reason}
    if title is not None:
        wanted["title"] = title
    if time_zone is not None:
        wanted["time_zone"] = time_zone
    if domains:
        wanted["mail_domains"] = list(domains)
    if rights:
        wanted["assistants_may"] = list(rights)
    if late_days is not None:
        wanted["late_days"] = late_days
    if asks_first is not None:
        wanted["asks_first"] = asks_first
    output.record(client().change_course(course, wanted), style)


@courses.command()
@click.argument("course", type=COURSE)
@click.option("--until", help="Its end, with its zone, like 2026-12-01T18:00+01:00.")
@click.option("--close", is_flag=True, help="Nobody joins by a code any more.")
def code(course: str, until: str | None, close: bool) -> None:
    """Make a new join code, or close it."""
    here = client()
    if close:
        here.close_course_code(course)
        output.say(f"Nobody joins {course} by a code any more.")
        return
    click.echo(here.renew_course_code(course, until)["join_code"])


@courses.command()
@click.argument("join_code", metavar="CODE")
def join(join_code: str) -> None:
    """Join a course by its code."""
    found = client().join_course(join_code)
    output.say(f"You are in {found['title']}: {found['slug']}.")


@courses.command()
@click.argument("course", type=COURSE)
@click.argument("handle")
@click.option("--role", type=click.Choice(ROLES), default="student", show_default=True)
@click.option("--section", default="")
def enrol(course: str, handle: str, role: str, section: str) -> None:
    """Give a person with an account a place, or another role."""
    client().enrol(course, handle, role, section)
    output.say(f"{handle} is {role} of {course}.")


@click.group(cls=Suggesting)
def roster() -> None:
    """Who is in a course."""


@roster.command(name="import")
@click.argument("course", type=COURSE)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--remove-absent", is_flag=True, help="Take out who is not in the list.")
@output.with_format
def import_list(course: str, file: Path, dry_run: bool, remove_absent: bool, style: str) -> None:
    """Bring a course to a class list (CSV with a column email; name, number, section, role).

    The same list twice changes nothing. People without an account get their place when they sign
    up with their address.
    """
    found = client().import_roster(course, file, dry_run=dry_run, remove_absent=remove_absent)
    if style == "json":
        output.record(found, style)
    else:
        rows = [{"change": "added", **line} for line in found["added"]]
        rows += [
            {"change": name, "email": one["email"], "before": before, "after": after}
            for one in found["changed"]
            for name, (before, after) in one["fields"].items()
        ]
        if found["removes"]:
            rows += [{"change": "removed", "email": email} for email in found["absent"]]
        columns = ("change", "email", "name", "number", "section", "role", "before", "after")
        output.rows(rows, columns, style)
    does = "would be" if dry_run else "were"
    output.say(
        f"{len(found['added'])} {does} added ({found['with_account']} with an account), "
        f"{len(found['changed'])} changed; {found['unchanged']} stay as they are, "
        f"{len(found['absent'])} are not in the list."
    )


@roster.command(name="list")
@click.argument("course", type=COURSE)
@output.with_format
def list_people(course: str, style: str) -> None:
    """Everybody in a course, with the handle of those who have an account."""
    output.rows(client().roster(course), PEOPLE, style)


@roster.command()
@click.argument("course", type=COURSE)
@output.with_format
def requests(course: str, style: str) -> None:
    """Who came by the join code and waits to be let in."""
    output.rows(client().join_requests(course), ("id", "handle", "email", "asked_at"), style)


@roster.command()
@click.argument("course", type=COURSE)
@click.argument("request_id", type=int, metavar="ID")
@click.option("--accept/--decline", "accepts", required=True)
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def decide(course: str, request_id: int, accepts: bool, reason: str) -> None:
    """Let a person in who waits, or decline."""
    client().decide_request(course, request_id, accepts=accepts, reason=reason)
    output.say("Let in." if accepts else "Declined.")


@roster.command()
@click.argument("course", type=COURSE)
@click.argument("place_id", type=int, metavar="ID")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--section", default="")
def change(
    course: str,
    place_id: int,
    role: Literal["student", "assistant", "instructor"],
    section: str,
) -> None:
    """Give a place (its ID is in the list) another role or section."""
    made = client().change_place(course, place_id, {"role": role, "section": section})
    output.say(f"{made['email']} is {made['role']} of {course}.")


@roster.command()
@click.argument("course", type=COURSE)
@click.argument("place_id", type=int, metavar="ID")
def remove(course: str, place_id: int) -> None:
    """Take a person out of a course; what they handed in stays."""
    client().remove_place(course, place_id)
    output.say(f"Place {place_id} of {course} is free.")
