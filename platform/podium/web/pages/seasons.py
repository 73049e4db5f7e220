"""Seasons and people: who stands where over several competitions, and what one has done."""

from flask import Blueprint, render_template

from podium import seasons
from podium.models.record import now
from podium.web import identity, installation
from podium.web.pages import paging

blueprint = Blueprint("seasons", __name__)

PER_PAGE = 50


@blueprint.get("/seasons/")
def show_all() -> str:
    """The seasons there are."""
    with installation().database.reading() as session:
        names = seasons.names(session, identity.caller())
    return render_template("seasons/list.html", names=names)


@blueprint.get("/seasons/<name>")
def show(name: str) -> str:
    """The people of a season, fifty a page."""
    with installation().database.reading() as session:
        found = seasons.read(session, identity.caller(), name, now())
        standings, page, pages = paging.cut(found.standings, PER_PAGE)
        return render_template(
            "seasons/show.html",
            season=found,
            standings=standings,
            mine=next((one for one in found.standings if one.is_me), None),
            page=page,
            pages=pages,
        )


@blueprint.get("/people/<handle>")
def show_person(handle: str) -> str:
    """The history of a person."""
    with installation().database.reading() as session:
        found = seasons.profile(session, identity.caller(), handle, now())
        return render_template("seasons/person.html", person=found)
