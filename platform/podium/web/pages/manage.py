"""The Manage tab, for hosts: errors, allowances, board options, reveal, disqualification, log."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from podium import (
    allowances,
    boardoptions,
    competitions,
    conduct,
    difference,
    editing,
    integrity,
    rescoring,
    reveal,
    submissions,
)
from podium.allowances import Receiver
from podium.competitions import find, need_host, need_right
from podium.errors import BadRequestError, NotFoundError
from podium.models.record import now
from podium.submissions import Upload
from podium.web import identity, installation
from podium.web.api.rescoring import wanted as wanted_of
from podium.web.pages import competition, forms
from podium.web.uploads import takes_file

blueprint = Blueprint("manage", __name__, url_prefix="/c/<slug>/manage")

ERRORS_SHOWN = 50
AUDIT_SHOWN = 30


@blueprint.get("")
def show(slug: str) -> str:
    """Submissions that ended in error, and the forms of grants and extensions."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        return competition.render(
            "manage",
            shown,
            errors=submissions.in_error(session, shown.competition.id, ERRORS_SHOWN),
            standing=reveal.standing(session, shown.competition, now()),
            options=boardoptions.of(shown.competition),
            choices=boardoptions.CHOICES,
            given=allowances.given(session, shown.competition),
            audit=competitions.audited(session, shown.competition, AUDIT_SHOWN),
            zone=ZoneInfo(shown.competition.time_zone),
        )


@blueprint.post("/competition")
def change(slug: str) -> Response:
    """Set title, opening, zone, limits and what happens after the deadline."""
    caller = identity.need_caller("host")
    form, here = request.form, installation()
    with here.database.writing() as session:
        zone = ZoneInfo(find(session, slug).time_zone)
        wanted = {
            "title": form.get("title", ""),
            "time_zone": form.get("time_zone", "").strip(),
            "season": form.get("season", ""),
            "asks_first": forms.is_on(form, "asks_first"),
            "opens_at": forms.moment(form.get("opens_at", ""), zone, "opens_at"),
            **{name: forms.number(form, name) for name in editing.MOST},
            **{name: forms.number(form, name) or 0 for name in editing.LATE},
        }
        reason = form.get("reason", "")
        editing.change(session, here.storage, caller, slug, wanted, reason)
    flash("Saved.")
    return redirect(url_for("manage.show", slug=slug), 303)


@blueprint.get("/text")
def show_text(slug: str) -> str:
    """What students read, to be written anew with a preview."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_host(shown.competition, caller)
        return competition.render(
            "text",
            shown,
            text=competitions.text(session, shown.competition),
            is_own=shown.competition.text is not None,
        )


@blueprint.post("/text")
def change_text(slug: str) -> Response:
    """Keep a text of this competition's own, or with `reset` go back to the challenge's."""
    caller, form = identity.need_caller("host"), request.form
    text = None if forms.is_on(form, "reset") else form.get("text", "")
    with installation().database.writing() as session:
        editing.set_text(session, caller, slug, text, form.get("reason", ""))
    flash("Saved. It stands on the overview.")
    return redirect(url_for("manage.show_text", slug=slug), 303)


@blueprint.post("/board")
def change_board(slug: str) -> Response:
    """Set the options of the board; an empty moment means none."""
    caller = identity.need_caller("host")
    here = installation()
    with here.database.writing() as session:
        zone = ZoneInfo(find(session, slug).time_zone)
        wanted = _options(request.form, zone)
        boardoptions.change(
            session, here.storage, caller, slug, wanted, request.form.get("reason", "")
        )
    flash("The board follows the new options.")
    return redirect(url_for("manage.show", slug=slug), 303)


def _options(form: Mapping[str, str], zone: ZoneInfo) -> dict[str, object]:
    wanted: dict[str, object] = {name: form.get(name, "") for name in boardoptions.CHOICES}
    for name in boardoptions.MOMENTS:
        wanted[name] = forms.moment(form.get(name, ""), zone, name)
    for name in boardoptions.MOST:
        wanted[name] = forms.number(form, name)
    return wanted | {
        "holds_reveal": form.get("holds_reveal") == "1",
        "final_games": forms.number(form, "final_games") or 0,
    }


@blueprint.post("/reveal")
def show_private(slug: str) -> Response:
    """Show the private board to everybody."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        reveal.by_host(session, caller, slug, request.form.get("reason", ""))
    flash("The private board is revealed.")
    return redirect(url_for("leaderboard.show", slug=slug), 303)


@blueprint.post("/disqualify")
def disqualify(slug: str) -> Response:
    """Take a team or one submission off the boards, or lift that."""
    caller = identity.need_caller("host")
    form = request.form
    lifts, reason = form.get("lift") == "1", form.get("reason", "")
    number, team = form.get("submission", type=int), form.get("team", "").strip()
    with installation().database.writing() as session:
        need_right(find(session, slug), caller, "judge")
        if number is not None:
            one = conduct.reinstate_submission if lifts else conduct.disqualify_submission
            one(session, caller, number, reason)
        else:
            act = conduct.reinstate_team if lifts else conduct.disqualify_team
            act(session, caller, slug, team, reason)
    what = f"Submission {number}" if number is not None else team
    flash(f"{what} counts again." if lifts else f"{what} is disqualified; its team reads why.")
    return redirect(url_for("manage.show", slug=slug), 303)


@blueprint.get("/integrity")
def show_evidence(slug: str) -> str:
    """What may be worth a question; never a verdict."""
    caller = identity.need_caller("host")
    here = installation()
    with here.database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        found = integrity.evidence(here.storage, session, shown.competition)
        return competition.render("integrity", shown, evidence=found)


@blueprint.get("/integrity/compare")
def compare(slug: str) -> str:
    """Two submissions side by side."""
    caller = identity.need_caller("host")
    here = installation()
    ids = [request.args.get(name, 0, type=int) for name in ("one", "other")]
    with here.database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        found = integrity.compare(here.storage, session, shown.competition, *ids)
        if found is None:
            raise NotFoundError(f"{ids[0]} and {ids[1]} are not two submissions of {slug}.")
        return competition.render("compare", shown, found=found)


@blueprint.get("/rescoring")
def show_rescoring(slug: str) -> str:
    """The trial with its difference, or the form that begins one."""
    caller = identity.need_caller("host")
    here = installation()
    with here.database.reading() as session:
        shown = competition.frame(session, slug)
        need_host(shown.competition, caller)
        trial = rescoring.of_competition(session, shown.competition.id)
        values: dict[str, object] = {"trial": trial}
        if trial is not None:
            values["progress"] = rescoring.progress(session, trial)
            values["difference"] = difference.difference(here.storage, session, trial)
        values["past"] = rescoring.applied(session, shown.competition.id)
        return competition.render("rescoring", shown, **values)


@blueprint.post("/rescoring")
@takes_file(must_have_room=False, may_lack=True)
def begin_rescoring(slug: str, upload: Upload | None) -> Response:
    """Begin a trial."""
    caller = identity.need_caller("host")
    rescoring.begin(installation(), caller, slug, wanted_of(request.form, upload))
    flash("The trial has begun. Nothing changes for teams until you apply it.")
    return redirect(url_for("manage.show_rescoring", slug=slug), 303)


@blueprint.post("/rescoring/apply")
def apply_rescoring(slug: str) -> Response:
    """Put the new scores in force."""
    caller = identity.need_caller("host")
    leaves_out = request.form.get("leaves_out") == "1"
    reason = request.form.get("reason", "")
    difference.apply(installation(), caller, slug, reason, leaves_out=leaves_out)
    flash("Applied. Every team finds it in the timeline of its submissions.")
    return redirect(url_for("manage.show_rescoring", slug=slug), 303)


@blueprint.post("/rescoring/discard")
def discard_rescoring(slug: str) -> Response:
    """Throw the trial away."""
    caller = identity.need_caller("host")
    rescoring.discard(installation(), caller, slug, request.form.get("reason", ""))
    flash("Discarded. Nothing has changed.")
    return redirect(url_for("manage.show_rescoring", slug=slug), 303)


@blueprint.post("/grant")
def grant(slug: str) -> Response:
    """Give a team extra submissions."""
    caller = identity.need_caller("host")
    number = request.form.get("submissions", type=int)
    if number is None:
        raise BadRequestError("Say how many submissions to grant.", field="submissions")
    to, reason = _receiver(request.form), request.form.get("reason", "")
    with installation().database.writing() as session:
        allowances.grant(session, caller, slug, to, number, reason)
    flash(f"{to} has {number} more submissions, today and in all.")
    return redirect(url_for("manage.show", slug=slug), 303)


@blueprint.post("/extend")
def extend(slug: str) -> Response:
    """Give a team a later deadline; a time without a zone is of the competition's zone."""
    caller = identity.need_caller("host")
    to, reason = _receiver(request.form), request.form.get("reason", "")
    with installation().database.writing() as session:
        zone = ZoneInfo(find(session, slug).time_zone)
        until = forms.moment(request.form.get("until", ""), zone, "until")
        if until is None:
            raise BadRequestError("Say until when, as a date and a time.", field="until")
        allowances.extend(session, caller, slug, to, until, reason)
    flash(f"{to} may submit until {until:%Y-%m-%d %H:%M} ({until.tzinfo}).")
    return redirect(url_for("manage.show", slug=slug), 303)


def _receiver(form: Mapping[str, str]) -> Receiver:
    """To whom a form gives something: its kind and its name."""
    kind, name = form.get("kind", "team"), form.get("to", "").strip()
    if kind not in ("team", "student", "section"):
        raise BadRequestError(f"{kind!r} is neither team, student nor section.", field="kind")
    return Receiver(**{kind: name})
