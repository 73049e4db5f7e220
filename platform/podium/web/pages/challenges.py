"""The list of challenges, and the small fragment that says what the queue does."""

from flask import Blueprint, jsonify, render_template, request
from werkzeug.wrappers import Response

from podium import accounts, competitions, leaderboard, sayings
from podium.errors import NotFoundError
from podium.languages import LANGUAGES
from podium.web import identity, installation, words
from podium.web.navigation import back_to
from podium.web.pages import display
from podium_scoring.grading import Choice

blueprint = Blueprint("challenges", __name__)


@blueprint.get("/")
def list_challenges() -> str:
    """Cards by level, with filters and search."""
    caller = identity.caller()
    level = request.args.get("level")
    level = level if level in competitions.LEVELS else None
    search = request.args.get("search", "").strip()
    mine = caller is not None and request.args.get("mine") == "1"
    with installation().database.reading() as session:
        found = competitions.listed(
            session,
            caller=caller,
            level=level,
            search=search or None,
            mine=mine,
        )
        ids = [item.competition.id for item in found]
        baselines = leaderboard.best_baselines(session, ids)
        standings = leaderboard.standings(session, ids, caller.id) if caller else {}
    return render_template(
        "challenges/list.html",
        levels=competitions.LEVELS,
        found=found,
        metrics={
            item.competition.id: Choice.of(item.competition.challenge.spec["metric"]).record
            for item in found
        },
        baselines=baselines,
        standings=standings,
        level=level,
        search=search,
        mine=mine,
    )


@blueprint.get("/queue")
def show_queue() -> str:
    """The queue chip, which asks for itself again and again."""
    return render_template("queue.html", queue=display.queue())


@blueprint.post("/language")
def choose_language() -> Response:
    """Remember the language in this browser, and for the account of who is signed in."""
    response = back_to(request.form.get("next"))
    chosen, caller = request.form.get("language", ""), identity.caller()
    if chosen in LANGUAGES:
        if caller:
            with installation().database.writing() as session:
                accounts.speak(session, caller.id, chosen)
        response.set_cookie(
            words.COOKIE, chosen, max_age=365 * 86400, samesite="Lax", httponly=True
        )
    return response


@blueprint.get("/words/<language>.json")
def script_words(language: str) -> Response:
    """What scripts say in a language, for them to look up; its address changes with it."""
    if language not in LANGUAGES:
        raise NotFoundError(f"There is no language {language!r}.")
    response = jsonify(sayings.for_scripts(language))
    response.cache_control.public, response.cache_control.max_age = True, 365 * 86400
    return response


@blueprint.post("/theme")
def choose_theme() -> Response:
    """Remember light, dark or auto in a cookie."""
    response = back_to(request.form.get("next"))
    theme = request.form.get("theme", "auto")
    if theme in display.THEMES:
        response.set_cookie("theme", theme, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response
