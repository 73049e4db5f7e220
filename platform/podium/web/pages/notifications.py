"""The list behind the bell, and how one wants to be told."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from podium import notifications
from podium.models import User
from podium.web import identity, installation
from podium.web.navigation import back_to
from podium.web.pages import paging

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")

PER_PAGE = 50


@blueprint.get("")
def show() -> str:
    """All of them, the latest first."""
    caller = identity.need_caller()
    page = paging.page()
    with installation().database.reading() as session:
        return render_template(
            "account/notifications.html",
            found=notifications.of_user(session, caller.id, page=page, per_page=PER_PAGE),
            page=page,
            pages=-(-notifications.count(session, caller.id) // PER_PAGE),
        )


@blueprint.get("/<int(max=2147483647):notification_id>")
def follow(notification_id: int) -> Response:
    """Go to what it is about: then it is read."""
    caller = identity.need_caller()
    with installation().database.writing() as session:
        link = notifications.open_one(session, caller.id, notification_id)
    return back_to(link)


@blueprint.post("/read")
def read() -> Response:
    """Mark all as read."""
    caller = identity.need_caller()
    with installation().database.writing() as session:
        notifications.read(session, caller.id)
    return redirect(url_for("notifications.show"), 303)


@blueprint.get("/preferences")
def preferences() -> str:
    """How one is told of each kind."""
    caller = identity.need_caller()
    here = installation()
    with here.database.reading() as session:
        return render_template(
            "account/preferences.html",
            user=session.get_one(User, caller.id),
            ways=notifications.WAYS,
            kinds=notifications.KINDS,
            chosen=notifications.preferences(session, caller.id),
            is_mailed=bool(here.config.mail_url),
        )


@blueprint.post("/preferences")
def prefer() -> Response:
    """Change it."""
    caller = identity.need_caller()
    wanted = {kind: request.form[kind] for kind in notifications.KINDS if kind in request.form}
    with installation().database.writing() as session:
        notifications.prefer(session, caller.id, wanted)
    flash("It is kept how you want to be told.")
    return redirect(url_for("notifications.preferences"), 303)
