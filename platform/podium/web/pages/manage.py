"""The Manage tab, for hosts: what ended in error, and what one team is allowed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from podium import allowances, submissions
from podium.competitions import find, need_host
from podium.errors import BadRequestError
from podium.web import identity, installation
from podium.web.pages import competition

blueprint = Blueprint("manage", __name__, url_prefix="/c/<slug>/manage")

ERRORS_SHOWN = 50


@blueprint.get("")
def show(slug: str) -> str:
    """Submissions that ended in error, and the forms of grants and extensions."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_host(shown.competition, caller)
        errors = submissions.in_error(session, shown.competition.id, ERRORS_SHOWN)
        return competition.render("manage", shown, errors=errors)


@blueprint.post("/grant")
def grant(slug: str) -> Response:
    """Give a team extra submissions."""
    caller = identity.need_caller("host")
    number = request.form.get("submissions", type=int)
    if number is None:
        raise BadRequestError("Say how many submissions to grant.", field="submissions")
    team, reason = request.form.get("team", "").strip(), request.form.get("reason", "")
    with installation().database.writing() as session:
        allowances.grant(session, caller, slug, team, number, reason)
    flash(f"{team} has {number} more submissions, today and in all.")
    return redirect(url_for("manage.show", slug=slug), 303)


@blueprint.post("/extend")
def extend(slug: str) -> Response:
    """Give a team a later deadline; a time without a zone is of the competition's zone."""
    caller = identity.need_caller("host")
    team, reason = request.form.get("team", "").strip(), request.form.get("reason", "")
    with installation().database.writing() as session:
        zone = ZoneInfo(find(session, slug).time_zone)
        try:
            until = datetime.fromisoformat(request.form.get("until", ""))
        except ValueError:
            raise BadRequestError("Say until when, as a date and a time.", field="until") from None
        until = until if until.tzinfo else until.replace(tzinfo=zone)
        allowances.extend(session, caller, slug, team, until, reason)
    flash(f"{team} may submit until {until:%Y-%m-%d %H:%M} ({until.tzinfo}).")
    return redirect(url_for("manage.show", slug=slug), 303)
