"""The Team tab: members, invitations, merging, leaving; and the door that a link opens."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from podium import competitions, invitations, teams
from podium.models.record import now
from podium.web import identity, installation
from podium.web.pages.competition import frame, render

blueprint = Blueprint("teams", __name__, url_prefix="/c/<slug>/team")


@blueprint.get("")
def show(slug: str) -> str:
    """Who is in the team, who is invited, and what may still change."""
    return _page(slug)


def _page(slug: str, link: str | None = None) -> str:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        shown = frame(session, slug)
        until = shown.competition.merges_until or shown.competition.closes_at
        return render(
            "team",
            shown,
            card=teams.card(session, shown.team) if shown.team else None,
            invitations=invitations.open_to(session, shown.competition, caller),
            until=until,
            is_open=until is None or now() <= until,
            link=link,
        )


@blueprint.post("/name")
def name(slug: str) -> Response:
    """Create a team, or name the own one."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        team = teams.name(session, competition, caller, request.form.get("name", ""))
        called = team.name
    flash(f"Your team is called {called}.")
    return _back(slug)


@blueprint.post("/invite")
def invite(slug: str) -> Response | str:
    """Invite a person, or make a link: the answer is the only page that shows it."""
    caller = identity.need_caller("submit")
    handle = request.form.get("handle", "").strip() or None
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        _, code = invitations.invite(session, competition, caller, handle)
    if code is not None:
        path = url_for("teams.behind", slug=slug, code=code)
        return _page(slug, link=installation().config.url + path)
    flash(f"{handle} is invited, and finds it on this tab.")
    return _back(slug)


@blueprint.post("/withdraw")
def withdraw(slug: str) -> Response:
    """Close all open invitations."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        number = invitations.withdraw(session, competitions.find(session, slug), caller)
    flash(f"{number} {'invitation is' if number == 1 else 'invitations are'} closed.")
    return _back(slug)


@blueprint.get("/join/<code>")
def behind(slug: str, code: str) -> str:
    """Which team a link opens; entering it takes a click."""
    identity.need_caller()
    with installation().database.reading() as session:
        shown = frame(session, slug)
        team = invitations.behind(session, shown.competition, code)
        return render("door", shown, team=team, members=teams.members(session, team), code=code)


@blueprint.post("/accept")
def accept(slug: str) -> Response:
    """Enter a team that has invited the caller."""
    caller = identity.need_caller("submit")
    form = request.form
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        team = invitations.accept(
            session,
            competition,
            caller,
            team_name=form.get("team") or None,
            code=form.get("code") or None,
        )
        called = team.name
    flash(f"You are in {called}.")
    return _back(slug)


@blueprint.post("/leave")
def leave(slug: str) -> Response:
    """Leave the team."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        teams.leave(session, competitions.find(session, slug), caller)
    flash("You left, and are a team of one.")
    return _back(slug)


@blueprint.post("/merge")
def merge(slug: str) -> Response:
    """Ask another team to become one, or agree."""
    caller = identity.need_caller("submit")
    other = request.form.get("team", "").strip()
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        found = teams.merge(session, competition, caller, other)
        called = found.name if found else None
    if called is None:
        flash(f"{other} is asked. You are one team when its leader agrees.")
    else:
        flash(f"You are one team now: {called}.")
    return _back(slug)


def _back(slug: str) -> Response:
    return redirect(url_for("teams.show", slug=slug), 303)
