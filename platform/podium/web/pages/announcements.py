"""Manage → Announcements: what the host tells everybody, with a preview of the words."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from podium import announcements
from podium.competitions import need_host
from podium.web import identity, installation
from podium.web.pages import competition, forms

blueprint = Blueprint("announcements", __name__, url_prefix="/c/<slug>/manage/announcements")


@blueprint.get("")
def show(slug: str) -> str:
    """All of them, with the forms that post and change."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_host(shown.competition, caller)
        found = announcements.of(session, shown.competition)
        return competition.render("announcements", shown, announcements=found)


@blueprint.post("")
def post(slug: str) -> Response:
    """Tell everybody something."""
    caller, form = identity.need_caller("host"), request.form
    with installation().database.writing() as session:
        pinned = forms.is_on(form, "is_pinned")
        title, text = form.get("title", ""), form.get("text", "")
        announcements.post(session, caller, slug, title, text, is_pinned=pinned)
    flash("It stands on the overview." if pinned else "It stands among the announcements.")
    return redirect(url_for("announcements.show", slug=slug), 303)


@blueprint.post("/<int(max=2147483647):announcement_id>")
def change(slug: str, announcement_id: int) -> Response:
    """Change it, or with `remove` take it back."""
    caller, form = identity.need_caller("host"), request.form
    with installation().database.writing() as session:
        if forms.is_on(form, "remove"):
            announcements.remove(session, caller, slug, announcement_id, form.get("reason", ""))
            said = "It is taken back. The log keeps what it said."
        else:
            announcements.edit(
                session,
                caller,
                slug,
                announcement_id,
                title=form.get("title", ""),
                text=form.get("text", ""),
                is_pinned=forms.is_on(form, "is_pinned"),
            )
            said = "It is changed."
    flash(said)
    return redirect(url_for("announcements.show", slug=slug), 303)
