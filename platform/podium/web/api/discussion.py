"""Discussions of a competition: threads and posts."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from podium import competitions, discussion
from podium.discussion import Listed, Shown
from podium.models import Competition, Thread
from podium.web import identity, installation
from podium.web.api import discussionshapes as shapes
from podium.web.pages import markup

blueprint = APIBlueprint(
    "api_discussion",
    __name__,
    url_prefix="/api/v1/competitions/<slug>/threads",
    tag="Discussion",
)

NUMBER = "int(max=2147483647)"


@blueprint.get("")
@blueprint.input(shapes.ThreadQuery, location="query", arg_name="query")
@blueprint.output(shapes.Threads)
@blueprint.doc(responses=[404])
def threads(slug: str, query: shapes.ThreadQuery) -> shapes.Threads:
    """The threads, pinned ones first, then those that were written in last."""
    caller = identity.caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        found = discussion.threads(
            session,
            competition,
            caller,
            search=query.search,
            page=query.page,
            per_page=query.per_page,
        )
        return shapes.Threads(
            items=[shapes.Thread(**_thread(one)) for one in found],
            page=query.page,
            per_page=query.per_page,
            total=discussion.count(session, competition, caller, query.search),
        )


@blueprint.post("")
@blueprint.input(shapes.NewThread, arg_name="asked")
@blueprint.output(shapes.ThreadWithPosts, status_code=201)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404, 429])
def begin(slug: str, asked: shapes.NewThread) -> shapes.ThreadWithPosts:
    """Begin a thread. The same one sent twice within minutes is one."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        thread = discussion.begin(session, competition, caller, asked.title, asked.text)
        return _whole(session, competition, thread.id)


@blueprint.get(f"/<{NUMBER}:thread_id>")
@blueprint.output(shapes.ThreadWithPosts)
@blueprint.doc(responses=[404])
def show(slug: str, thread_id: int) -> shapes.ThreadWithPosts:
    """A thread with its posts."""
    with installation().database.reading() as session:
        return _whole(session, competitions.find(session, slug), thread_id)


@blueprint.post(f"/<{NUMBER}:thread_id>/posts")
@blueprint.input(shapes.Text, arg_name="asked")
@blueprint.output(shapes.Post, status_code=201)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404, 429])
def reply(slug: str, thread_id: int, asked: shapes.Text) -> shapes.Post:
    """Answer in a thread."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        post = discussion.reply(session, competition, caller, thread_id, asked.text)
        return _one(session, competition, thread_id, post.id)


@blueprint.patch(f"/<{NUMBER}:thread_id>")
@blueprint.input(shapes.Moderation, arg_name="asked")
@blueprint.output(shapes.ThreadWithPosts)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def moderate(slug: str, thread_id: int, asked: shapes.Moderation) -> shapes.ThreadWithPosts:
    """Pin, close or hide a thread; for staff."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        discussion.moderate(session, competition, caller, thread_id, **asked.model_dump())
        session.flush()
        return _whole(session, competition, thread_id)


@blueprint.patch(f"/posts/<{NUMBER}:post_id>")
@blueprint.input(shapes.Text, arg_name="asked")
@blueprint.output(shapes.Post)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404])
def edit(slug: str, post_id: int, asked: shapes.Text) -> shapes.Post:
    """Change a post of one's own."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        post = discussion.edit(session, competition, caller, post_id, asked.text)
        return _one(session, competition, post.thread_id, post.id)


@blueprint.delete(f"/posts/<{NUMBER}:post_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def delete(slug: str, post_id: int) -> tuple[str, int]:
    """Take back a post of one's own."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        discussion.delete(session, competitions.find(session, slug), caller, post_id)
    return "", 204


@blueprint.post(f"/posts/<{NUMBER}:post_id>/hide")
@blueprint.input(shapes.Reason, arg_name="asked")
@blueprint.output(shapes.Post)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def hide(slug: str, post_id: int, asked: shapes.Reason) -> shapes.Post:
    """Hide a post with a reason, or show it again; for staff."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        post = discussion.hide(session, competition, caller, post_id, asked.reason)
        return _one(session, competition, post.thread_id, post.id)


def _whole(session: Session, competition: Competition, thread_id: int) -> shapes.ThreadWithPosts:
    caller = identity.caller()
    thread = discussion.find(session, competition, caller, thread_id)
    shown = discussion.posts(session, thread, caller)
    first = Listed(thread, shown[0].author, shown[0].is_staff)
    return shapes.ThreadWithPosts(**_thread(first), posts=[_post(one) for one in shown])


def _one(session: Session, competition: Competition, thread_id: int, post_id: int) -> shapes.Post:
    session.flush()
    thread = discussion.find(session, competition, identity.caller(), thread_id)
    shown = discussion.posts(session, thread, identity.caller())
    return next(_post(one) for one in shown if one.post.id == post_id)


def _thread(one: Listed) -> dict[str, Any]:
    thread: Thread = one.thread
    names = "id title pinned locked hidden replies created_at last_at"
    said = {name: getattr(thread, name) for name in names.split()}
    return said | {"author": one.author, "is_staff": one.is_staff}


def _post(one: Shown) -> shapes.Post:
    post = one.post
    return shapes.Post(
        id=post.id,
        author=one.author,
        is_staff=one.is_staff,
        is_mine=one.is_own,
        text=one.text,
        html=None if one.text is None else str(markup.render(one.text)),
        hidden=post.hidden,
        created_at=post.created_at,
        edited_at=post.edited_at,
        deleted_at=post.deleted_at,
    )
