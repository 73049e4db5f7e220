"""The Discussion tab: threads, and the posts in one."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from podium import competitions, discussion
from podium.accounts import Caller
from podium.errors import AskError, BadRequestError, LimitError
from podium.models import Competition
from podium.web import identity, installation
from podium.web.errors import STATUS
from podium.web.pages import paging
from podium.web.pages.competition import frame, render

blueprint = Blueprint("discussion", __name__, url_prefix="/c/<slug>/discussion")

NUMBER = "int(max=2147483647)"


@blueprint.get("")
def threads(slug: str) -> str:
    """All threads, with a search and the form for a new one."""
    return _list_page(slug)


def _list_page(slug: str, error: AskError | None = None) -> str:
    search = request.args.get("search", "")[:100]
    page = paging.page()
    caller = identity.caller()
    with installation().database.reading() as session:
        shown = frame(session, slug)
        total = discussion.count(session, shown.competition, caller, search)
        return render(
            "discussion",
            shown,
            found=discussion.threads(session, shown.competition, caller, search=search, page=page),
            search=search,
            page=page,
            pages=-(-total // discussion.PER_PAGE),
            error=error,
            form=request.form,
            longest=discussion.LONGEST_TEXT,
        )


@blueprint.post("")
def begin(slug: str) -> Response | tuple[str, int]:
    """Begin a thread."""
    caller, form = identity.need_caller("submit"), request.form
    try:
        with installation().database.writing() as session:
            competition = competitions.find(session, slug)
            thread = discussion.begin(
                session, competition, caller, form.get("title", ""), form.get("text", "")
            )
            thread_id = thread.id
    except (BadRequestError, LimitError) as error:
        return _list_page(slug, error), STATUS[type(error)]
    return redirect(url_for("discussion.show", slug=slug, thread_id=thread_id), 303)


@blueprint.get(f"/<{NUMBER}:thread_id>")
def show(slug: str, thread_id: int) -> str:
    """A thread with its posts."""
    return _thread_page(slug, thread_id)


def _thread_page(slug: str, thread_id: int, error: AskError | None = None) -> str:
    caller = identity.caller()
    with installation().database.reading() as session:
        shown = frame(session, slug)
        thread = discussion.find(session, shown.competition, caller, thread_id)
        return render(
            "thread",
            shown,
            shown_tab="discussion",
            thread=thread,
            posts=discussion.posts(session, thread, caller),
            error=error,
            form=request.form,
            longest=discussion.LONGEST_TEXT,
            edits=request.args.get("edit", type=int),
        )


@blueprint.post(f"/<{NUMBER}:thread_id>")
def reply(slug: str, thread_id: int) -> Response | tuple[str, int]:
    """Answer."""
    caller = identity.need_caller("submit")
    try:
        with installation().database.writing() as session:
            competition = competitions.find(session, slug)
            text = request.form.get("text", "")
            post = discussion.reply(session, competition, caller, thread_id, text)
            link = discussion.link_to(competition, post)
    except (BadRequestError, LimitError) as error:
        return _thread_page(slug, thread_id, error), STATUS[type(error)]
    return redirect(link, 303)


@blueprint.post(f"/<{NUMBER}:thread_id>/moderate")
def moderate(slug: str, thread_id: int) -> Response:
    """Pin, close, hide; what the form does not name stays."""
    form = request.form
    wanted: dict[str, Any] = {
        name: form[name] == "1" for name in ("pinned", "locked") if name in form
    }
    if "hidden" in form:
        reason = form.get("reason", "").strip() or "by staff"
        wanted["hidden"] = reason if form["hidden"] == "1" else ""
    _act(
        slug,
        lambda session, competition, caller: discussion.moderate(
            session, competition, caller, thread_id, **wanted
        ),
    )
    return redirect(url_for("discussion.show", slug=slug, thread_id=thread_id), 303)


@blueprint.post(f"/posts/<{NUMBER}:post_id>/edit")
def edit(slug: str, post_id: int) -> Response:
    """Change a post of one's own."""
    text = request.form.get("text", "")
    return _back(
        slug,
        lambda session, competition, caller: discussion.edit(
            session, competition, caller, post_id, text
        ),
    )


@blueprint.post(f"/posts/<{NUMBER}:post_id>/hide")
def hide(slug: str, post_id: int) -> Response:
    """Hide a post, or show it again."""
    is_shown = request.form.get("hidden") == "0"
    reason = "" if is_shown else request.form.get("reason", "").strip() or "by staff"
    return _back(
        slug,
        lambda session, competition, caller: discussion.hide(
            session, competition, caller, post_id, reason
        ),
    )


@blueprint.post(f"/posts/<{NUMBER}:post_id>/delete")
def delete(slug: str, post_id: int) -> Response:
    """Take back a post of one's own."""
    _act(
        slug,
        lambda session, competition, caller: discussion.delete(
            session, competition, caller, post_id
        ),
    )
    flash("The post is deleted.")
    return redirect(url_for("discussion.threads", slug=slug), 303)


Act = Callable[[Session, Competition, Caller], Any]


def _act(slug: str, act: Act) -> Any:
    caller = identity.need_caller()
    with installation().database.writing() as session:
        return act(session, competitions.find(session, slug), caller)


def _back(slug: str, act: Act) -> Response:
    caller = identity.need_caller()
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        link = discussion.link_to(competition, act(session, competition, caller))
    return redirect(link, 303)
