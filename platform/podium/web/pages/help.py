"""What the words on the pages mean, made from the code's own tables."""

from flask import Blueprint, current_app, render_template

from podium.accounts import SCOPES
from podium.verdicts import Verdict
from podium.web.api import reference

blueprint = Blueprint("help", __name__, url_prefix="/help")


@blueprint.get("/verdicts")
def verdicts() -> str:
    """Every verdict: whose it is, what to do, whether it counts."""
    return render_template("help/verdicts.html", verdicts=list(Verdict))


@blueprint.get("/api")
def api() -> str:
    """Every route of the API and every shape, from its description."""
    spec = current_app.spec  # type: ignore[attr-defined]
    routes = reference.routes(spec)
    nouns = list(dict.fromkeys(one.noun for one in routes))
    return render_template(
        "help/api.html",
        begin=reference.BEGIN,
        nouns={noun: [one for one in routes if one.noun == noun] for noun in nouns},
        shapes=reference.shapes(spec, routes),
        scopes=SCOPES,
    )
