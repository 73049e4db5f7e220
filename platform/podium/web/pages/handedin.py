"""Manage → Submissions and Participants: everybody's, with what staff may do, and as files."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from podium import (
    bulkacts,
    courses,
    entryrequests,
    handedin,
    participants,
    submissions,
    waiting,
)
from podium.competitions import find, need_right
from podium.errors import ConflictError, NotFoundError
from podium.handedin import Filter
from podium.models import Submission
from podium.verdicts import OPEN, State
from podium.web import identity, installation, sheets
from podium.web.pages import competition, forms, paging

blueprint = Blueprint("handedin", __name__, url_prefix="/c/<slug>/manage")

PER_PAGE = 50
PEOPLE_PER_PAGE = 100
REFUSED_SHOWN = 5
# What is told of one, and of many.
PAST = {
    bulkacts.RETRY: ("Submission {number} waits again.", "{number} submissions wait again."),
    bulkacts.CANCEL: (
        "Submission {number} is cancelled. It does not count.",
        "{number} submissions are cancelled. They do not count.",
    ),
    bulkacts.DISQUALIFY: (
        "Submission {number} is disqualified; its team reads why.",
        "{number} submissions are disqualified; their teams read why.",
    ),
    bulkacts.REINSTATE: (
        "Submission {number} counts again.",
        "{number} submissions count again.",
    ),
}
MOST_ROWS = 1_000_000  # of a file


@blueprint.get("/submissions")
def show(slug: str) -> str:
    """Everybody's submissions, filtered, fifty a page."""
    caller = identity.need_caller("host")
    here, wanted = installation(), Filter.of(request.args)
    with here.database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        total = handedin.count(session, shown.competition, wanted)
        pages = max(1, -(-total // PER_PAGE))
        page = min(paging.page(), pages)
        found = handedin.find(session, shown.competition, wanted, page=page, per_page=PER_PAGE)
        places = {
            one.id: waiting.place(session, session.get_one(Submission, one.id), here.config.lease_s)
            for one in found
            if one.state == State.QUEUED
        }
        return competition.render(
            "handedin",
            shown,
            found=found,
            places=places,
            wanted=wanted,
            choices=handedin.CHOICES,
            open_states=OPEN,
            total=total,
            page=page,
            pages=pages,
        )


@blueprint.post("/submissions")
def act(slug: str) -> AnyResponse:
    """Run again, cancel, disqualify or reinstate one of them; back to the same list."""
    caller, form, here = identity.need_caller("host"), request.form, installation()
    number = form.get("submission", 0, type=int)
    verb, reason = form.get("verb", ""), form.get("reason", "")
    with here.database.reading() as session:
        need_right(find(session, slug), caller, "judge")
        found = submissions.get(session, caller, number)
        if found.competition.slug != slug:
            raise NotFoundError(f"{slug} has no submission {number}.")
    done = bulkacts.act(here, caller, slug, verb, [number], reason)
    if done.refused:
        raise ConflictError(done.refused[number])
    flash(PAST[verb][0].format(number=number))
    back: dict[str, Any] = dict(Filter.of(request.args).said)
    back["page"] = request.args.get("page", "1")
    return redirect(url_for("handedin.show", slug=slug, **back), 303)


@blueprint.post("/submissions/retry")
def run_again(slug: str) -> AnyResponse:
    """Let all that ended in error and fit the filter wait again."""
    caller = identity.need_caller("host")
    wanted = Filter.of(request.args)
    reason = request.form.get("reason", "")
    number = handedin.run_again(installation(), caller, slug, wanted, reason)
    flash(f"{number} {'submission waits' if number == 1 else 'submissions wait'} again.")
    return redirect(url_for("handedin.show", slug=slug), 303)


@blueprint.post("/submissions/acts")
def act_on_many(slug: str) -> AnyResponse | str:
    """Run again, cancel, disqualify or reinstate many: first told how many, then done."""
    caller, form, here = identity.need_caller("host"), request.form, installation()
    verb, reason = form.get("verb", ""), form.get("reason", "").strip()
    wanted = Filter.of(request.args)
    back = redirect(url_for("handedin.show", slug=slug, **wanted.said), 303)
    ids = [int(each) for each in form.getlist("submission") if each.isdecimal() and len(each) < 10]
    if not forms.is_on(form, "sure"):
        meant = wanted if form.get("which") == "all" else None
        with here.database.reading() as session:
            shown = competition.frame(session, slug)
            need_right(shown.competition, caller, "judge")
            chosen = bulkacts.choose(session, shown.competition, verb, ids=ids, wanted=meant)
        if not chosen.ids:
            flash("Nothing was changed: none was chosen that this can be done to.")
            return redirect(
                url_for("handedin.show", slug=slug, **Filter.of(request.args).said), 303
            )
        return competition.render(
            "bulkacts",
            shown,
            verb=verb,
            chosen=chosen,
            reason=reason,
            needs_reason=verb in bulkacts.NEEDS_REASON,
        )
    done = bulkacts.act(here, caller, slug, verb, ids, reason)
    one, many = PAST[verb]
    number = len(done.ids)
    flash(one.format(number=done.ids[0]) if number == 1 else many.format(number=number))
    for why in list(done.refused.values())[:REFUSED_SHOWN]:
        flash(why)
    if (more := len(done.refused) - REFUSED_SHOWN) > 0:
        flash(f"{more} more were left as they are.")
    return back


@blueprint.get("/submissions.<style>")
def download(slug: str, style: str) -> Response:
    """All that fit the filter as a file."""
    caller = identity.need_caller("host")
    wanted = Filter.of(request.args)
    with installation().database.reading() as session:
        found = competition.frame(session, slug).competition
        need_right(found, caller, "see")
        rows = handedin.find(session, found, wanted, per_page=MOST_ROWS)
    return sheets.answer(map(asdict, rows), handedin.COLUMNS, f"{slug}-submissions", style)


@blueprint.get("/participants")
def show_participants(slug: str) -> str:
    """Who takes part, and who runs it."""
    caller = identity.need_caller("host")
    search = request.args.get("search", "").strip()[:100]
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        course = courses.of_competition(session, shown.competition)
        found = participants.find(session, shown.competition, search)
        keys, page, pages = paging.cut(found, PEOPLE_PER_PAGE)
        return competition.render(
            "participants",
            shown,
            asking=entryrequests.waiting(session, shown.competition),
            people=participants.read(session, shown.competition, keys),
            number=len(found),
            teams=len({one.team_id for one in found}),
            page=page,
            pages=pages,
            staff=participants.staff(session, shown.competition),
            course=course,
            search=search,
        )


@blueprint.post("/participants/<int(max=2147483647):request_id>")
def answer(slug: str, request_id: int) -> AnyResponse:
    """Let in who asks, or decline with a reason."""
    caller, form = identity.need_caller("host"), request.form
    accepts, reason = form.get("accepts") == "1", form.get("reason", "")
    with installation().database.writing() as session:
        handle = entryrequests.decide(
            session, caller, slug, request_id, accepts=accepts, reason=reason
        )
    flash(f"{handle} is in." if accepts else f"{handle} is told that the answer is no.")
    return redirect(url_for("handedin.show_participants", slug=slug), 303)


@blueprint.get("/participants.<style>")
def download_participants(slug: str, style: str) -> Response:
    """All of them as a file."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = competition.frame(session, slug).competition
        need_right(found, caller, "see")
        rows = participants.of(session, found)
    return sheets.answer(map(asdict, rows), participants.COLUMNS, f"{slug}-participants", style)
