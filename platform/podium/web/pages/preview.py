"""How a host's Markdown will look: while it is written, and with scripts off in a page of its own.

Nothing is kept.
"""

from flask import Blueprint, render_template, request

from podium.web import identity

blueprint = Blueprint("preview", __name__)

FIELDS = ("text",)


@blueprint.post("/teach/preview")
def show() -> str:
    """The text of the form, which the field named by `of` holds."""
    identity.need_caller("host")
    of = request.args.get("of", "")
    text = request.form.get(of, "") if of in FIELDS else ""
    name = "preview" if request.headers.get("HX-Request") else "preview_page"
    return render_template(f"teach/{name}.html", text=text)
