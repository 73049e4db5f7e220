"""A new competition, and its way from draft to closed."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from podium import competitions, courses, plaincsv, publishing
from podium.accounts import HOST
from podium.competitions import need_host
from podium.errors import AskError, BadRequestError, NoAccessError
from podium.models.record import now
from podium.submissions import Upload
from podium.web import identity, installation
from podium.web.api import publishing as api
from podium.web.errors import STATUS
from podium.web.pages import competition, forms
from podium.web.uploads import takes_file, takes_new
from podium_scoring import METRICS

blueprint = Blueprint("publishing", __name__)

ACTS = {
    "publish": (publishing.publish, "It is published, and opens when its dates say so."),
    "open": (publishing.open_now, "It is open."),
    "close": (publishing.close_now, "It is closed: its deadline is now."),
}
# What a table of two columns can be scored by.
CSV_FAMILIES = ("classification", "regression", "probability")


@blueprint.get("/teach/new")
def new() -> str:
    """The three ways to a competition."""
    return _form()


def _form(**values: object) -> str:
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        mine = [
            course
            for course, _ in courses.of_caller(session, caller)
            if courses.may(course, caller, HOST)
        ]
        if not mine and caller.role not in ("instructor", "admin"):
            raise NoAccessError("Only instructors host competitions.")
        practice = [
            one.competition
            for one in competitions.listed(session, caller=caller)
            if one.competition.is_practice
        ]
    metrics = sorted(
        (one for one in METRICS.values() if one.family in CSV_FAMILIES), key=lambda one: one.name
    )
    return render_template(
        "teach/new.html",
        courses=mine,
        practice=practice,
        metrics=metrics,
        form=request.form,
        course=request.args.get("course", request.form.get("course", "")),
        **values,
    )


@blueprint.post("/teach/new")
@takes_new
def create(files: dict[str, bytes]) -> AnyResponse | str | tuple[str, int]:
    """Make the draft, or with `preview` say what the split of a CSV gives."""
    caller = identity.need_caller("host")
    try:
        if forms.is_on(request.form, "preview"):
            if not files:
                raise BadRequestError("Choose the CSV first.", field="file")
            wish = api.wish_of(request.form)
            found = plaincsv.counts(wish, api.made_of(wish, files))
            if request.headers.get("HX-Request"):
                return render_template("teach/counts.html", counts=found)
            return _form(counts=found)
        slug = api.make(caller, request.form, files)
    except AskError as error:
        if request.headers.get("HX-Request"):
            return render_template("teach/counts.html", error=error)
        return _form(error=error), STATUS[type(error)]
    flash("The draft is there. Only its staff sees it; it is being checked.")
    return redirect(url_for("publishing.show", slug=slug), 303)


@blueprint.get("/c/<slug>/manage/publish")
def show(slug: str) -> str:
    """The stage, the checklist, and what may be done next."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_host(shown.competition, caller)
        own = shown.competition
        return competition.render(
            "publish",
            shown,
            stage=publishing.stage(own, now()),
            stages=list(publishing.Stage),
            blockers=publishing.blockers(own) if own.is_draft else [],
            checks=own.checks or {},
            is_checking=own.checks_wanted_at is not None,
            zone=ZoneInfo(own.time_zone),
        )


@blueprint.post("/c/<slug>/manage/checks")
def ask_checks(slug: str) -> AnyResponse:
    """Let it be checked again."""
    publishing.ask_checks(installation(), identity.need_caller("host"), slug)
    flash("It will be checked as soon as a score worker has time.")
    return redirect(url_for("publishing.show", slug=slug), 303)


@blueprint.post("/c/<slug>/manage/baseline")
@takes_file(must_have_room=False)
def hand_in_baseline(slug: str, upload: Upload) -> AnyResponse:
    """Hand in a file as a baseline."""
    caller = identity.need_caller("host")
    name = request.form.get("name", "")
    publishing.hand_in_baseline(installation(), caller, slug, name, upload)
    flash(f"{name} waits for its score.")
    return redirect(url_for("publishing.show", slug=slug), 303)


@blueprint.post("/c/<slug>/manage/stage")
def advance(slug: str) -> AnyResponse:
    """Publish, open or close."""
    caller = identity.need_caller("host")
    verb = request.form.get("verb", "")
    if verb not in ACTS:
        raise BadRequestError(f"There is nothing called {verb!r} to do.", field="verb")
    act, said = ACTS[verb]
    with installation().database.writing() as session:
        act(session, caller, slug, request.form.get("reason", ""))
    flash(said)
    return redirect(url_for("publishing.show", slug=slug), 303)


@blueprint.post("/c/<slug>/manage/clone")
def clone(slug: str) -> AnyResponse:
    """The same competition once more, its dates shifted."""
    caller = identity.need_caller("host")
    form = request.form
    new_slug = form.get("new_slug", "").strip().lower()
    days = form.get("days", 0, type=int)
    course = form.get("course", "").strip() or None
    publishing.clone(installation(), caller, slug, new_slug, days=days, course=course)
    flash("The copy is a draft.")
    return redirect(url_for("publishing.show", slug=new_slug), 303)


@blueprint.get("/c/<slug>/manage/export.zip")
def export(slug: str) -> Response:
    """The challenge's folder as a zip."""
    return api.zipped(slug)
