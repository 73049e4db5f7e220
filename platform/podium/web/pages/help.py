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
    """Every route of the API, from its description."""
    routes, _ = _described()
    nouns = list(dict.fromkeys(one.noun for one in routes))
    return render_template(
        "help/api.html",
        begin=reference.BEGIN,
        nouns={noun: [one for one in routes if one.noun == noun] for noun in nouns},
        scopes=SCOPES,
    )


@blueprint.get("/api/shapes")
def shapes() -> str:
    """Every object that the API takes or gives."""
    _, found = _described()
    return render_template("help/shapes.html", shapes=found)


def _described() -> tuple[list[reference.Route], list[reference.Shape]]:
    """What the description says; made once, for it takes a fifth of a second and never changes."""
    kept = current_app.extensions.setdefault("podium_reference", [])
    if not kept:
        spec = current_app.spec  # type: ignore[attr-defined]
        routes = reference.routes(spec)
        kept += [routes, reference.shapes(spec, routes)]
    return kept[0], kept[1]
