"""The Matches tab of agents that play each other: the matrix of wins and the games."""

from flask import Blueprint, request

from podium import encounters, finalround
from podium.web import identity, installation
from podium.web.pages import paging
from podium.web.pages.competition import frame, render

blueprint = Blueprint("matches", __name__, url_prefix="/c/<slug>/matches")

PER_PAGE = 50


@blueprint.get("")
def show(slug: str) -> str:
    """The matrix of the first by rating, then the games, fifty a page."""
    identity.need_caller()
    team = request.args.get("team", "").strip()[:100]
    page = paging.page()
    only_final = request.args.get("only_final") == "1"
    with installation().database.reading() as session:
        shown = frame(session, slug)
        asked = {"sees_private": shown.sees_private, "only_final": only_final}
        agents = encounters.matrix(session, shown.competition, shown.reader, **asked)
        total, games = encounters.games(
            session,
            shown.competition,
            shown.reader,
            **asked,
            team=team,
            page=page,
            per_page=PER_PAGE,
        )
        return render(
            "matches",
            shown,
            final=finalround.progress(session, shown.competition),
            agents=agents,
            games=games,
            total=total,
            team=team,
            only_final=only_final,
            page=page,
            pages=max(1, -(-total // PER_PAGE)),
        )


@blueprint.get("/final")
def show_final(slug: str) -> str:
    """How far the final round is, for looking again."""
    with installation().database.reading() as session:
        shown = frame(session, slug)
        return render("final", shown, final=finalround.progress(session, shown.competition))
