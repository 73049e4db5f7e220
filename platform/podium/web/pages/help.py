"""What the words on the pages mean, made from the code's own tables."""

from flask import Blueprint, render_template

from podium.verdicts import Verdict

blueprint = Blueprint("help", __name__, url_prefix="/help")


@blueprint.get("/verdicts")
def verdicts() -> str:
    """Every verdict: whose it is, what to do, whether it counts."""
    return render_template("help/verdicts.html", verdicts=list(Verdict))
