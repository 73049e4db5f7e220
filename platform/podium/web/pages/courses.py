"""Courses: the list, a course for those who learn in it, its people and settings for staff."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from podium import competitions, courses, editing, grades, joinrequests, roster
from podium.accounts import COURSE_ROLES, HOST, RIGHTS, Caller
from podium.models import Course
from podium.models.record import now
from podium.web import identity, installation
from podium.web.pages import forms, paging
from podium.web.uploads import takes_list
from podium_scoring.errors import SubmissionError

blueprint = Blueprint("courses", __name__, url_prefix="/courses")

MOST_SHOWN = 50  # of what a class list adds or changes
PEOPLE_PER_PAGE = 100


@blueprint.get("/")
def list_courses() -> str:
    """My courses, the form for a join code, and for instructors that for a new course."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = courses.of_caller(session, caller)
    return render_template(
        "courses/list.html",
        found=found,
        may_create=caller.role in ("instructor", "admin"),
        code=request.args.get("code", ""),
    )


@blueprint.post("/")
def create() -> Response:
    """Create a course."""
    caller = identity.need_caller("host")
    form = request.form
    slug = form.get("slug", "").strip().lower()
    with installation().database.writing() as session:
        courses.create(
            session, caller, slug, form.get("title", ""), form.get("time_zone", "UTC").strip()
        )
    flash("The course is there. Import a class list, or make a join code.")
    return redirect(url_for("courses.show_people", course=slug), 303)


@blueprint.get("/join/<code>")
def behind(code: str) -> str:
    """Which course a code opens; entering it takes a click."""
    identity.need_caller()
    with installation().database.reading() as session:
        course = courses.behind(session, code)
    return render_template("courses/door.html", course=course, code=code)


@blueprint.post("/join")
def join() -> Response:
    """Enter a course by its code."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        course, is_in = courses.join(session, caller, request.form.get("code", ""))
        slug, title = course.slug, course.title
    if not is_in:
        flash(f"You have asked to join {title}. Its staff lets you in, or not.")
        return redirect(url_for("courses.list_courses"), 303)
    flash(f"You are in {title}.")
    return redirect(url_for("courses.show", course=slug), 303)


@blueprint.get("/<course>/")
def show(course: str) -> str:
    """The competitions of a course with their deadlines."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        listed = courses.competitions_of(session, found)
        moment = now()
        own = editing.hosted(session, caller) if courses.may(found, caller, HOST) else []
        return render(
            "show",
            session,
            found,
            caller,
            listed=[(one, competitions.status(one, moment)) for one in listed],
            released=grades.released_of(session, caller, found),
            movable=[one for one in own if one.course_id != found.id],
        )


@blueprint.post("/<course>/competitions")
def take(course: str) -> Response:
    """Make a competition that the caller hosts the course's own."""
    caller = identity.need_caller("host")
    slug = request.form.get("competition", "")
    here = installation()
    with here.database.writing() as session:
        editing.change(session, here.storage, caller, slug, {"course": course})
    flash(f"{slug} is seen by the people of this course only.")
    return redirect(url_for("courses.show", course=course), 303)


@blueprint.get("/<course>/people")
def show_people(course: str) -> str:
    """Everybody in the course, and the forms that bring people in."""
    return _people(course)


def _people(course: str, **values: object) -> str:
    caller = identity.need_caller("host")
    search = request.args.get("search", "").strip()
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, "see")
        everybody = courses.people(session, found, search=search)
        people, page, pages = paging.cut(everybody, PEOPLE_PER_PAGE)
        return render(
            "people",
            session,
            found,
            caller,
            people=people,
            page=page,
            pages=pages,
            requests=joinrequests.of(session, found),
            handles=courses.handles(session, found),
            search=search,
            roles=COURSE_ROLES,
            most=MOST_SHOWN,
            **values,
        )


@blueprint.post("/<course>/roster")
@takes_list
def import_roster(course: str, content: bytes | None) -> Response | str | tuple[str, int]:
    """Show what a class list would change; with `apply`, change it."""
    caller = identity.need_caller("host")
    if content is None:
        content = request.form.get("text", "").encode()
    removes = forms.is_on(request.form, "remove_absent")
    try:
        with installation().database.writing() as session:
            if not forms.is_on(request.form, "apply"):
                found = roster.preview(session, caller, course, content, removes_absent=removes)
            else:
                found = roster.apply(session, caller, course, content, removes_absent=removes)
    except SubmissionError as error:
        return _people(course, faults=error), 422
    if not forms.is_on(request.form, "apply"):
        return _people(course, difference=found, text=content.decode("utf-8-sig"))
    flash(f"{len(found.added)} people were added and {len(found.changed)} changed.")
    return redirect(url_for("courses.show_people", course=course), 303)


@blueprint.post("/<course>/requests/<int(max=2147483647):request_id>")
def decide(course: str, request_id: int) -> Response:
    """Let a person in who asked to join, or decline."""
    caller = identity.need_caller("host")
    accepts = forms.is_on(request.form, "accepts")
    with installation().database.writing() as session:
        reason = request.form.get("reason", "")
        found = joinrequests.decide(
            session, caller, course, request_id, accepts=accepts, reason=reason
        )
        handle = found.user.handle
    flash(f"{handle} is in the course." if accepts else f"{handle} is not let in.")
    return redirect(url_for("courses.show_people", course=course), 303)


@blueprint.post("/<course>/people")
def enrol(course: str) -> Response:
    """Add one person by handle."""
    caller = identity.need_caller("host")
    form = request.form
    handle, role = form.get("handle", "").strip(), form.get("role", "student")
    with installation().database.writing() as session:
        courses.enrol(session, caller, course, handle, role, form.get("section", ""))
    flash(f"{handle} is {role} of this course.")
    return redirect(url_for("courses.show_people", course=course), 303)


@blueprint.post("/<course>/people/<int(max=2147483647):place_id>")
def edit(course: str, place_id: int) -> Response:
    """Change somebody's role or section, or take them out."""
    caller = identity.need_caller("host")
    form = request.form
    with installation().database.writing() as session:
        if forms.is_on(form, "remove"):
            courses.remove(session, caller, course, place_id, form.get("reason", ""))
            said = "Taken out of the course."
        else:
            role, section = form.get("role", ""), form.get("section", "")
            place = courses.edit(session, caller, course, place_id, role=role, section=section)
            said = f"{place.name or place.email} is {place.role} now."
    flash(said)
    return redirect(url_for("courses.show_people", course=course), 303)


@blueprint.get("/<course>/settings")
def show_settings(course: str) -> str:
    """Join code, mail domains, what assistants may do."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, HOST)
        return render("settings", session, found, caller, rights_said=RIGHTS)


@blueprint.post("/<course>/settings")
def change(course: str) -> Response:
    """Set the options of a course."""
    caller = identity.need_caller("host")
    form = request.form
    late_days = forms.number(form, "late_days")
    wanted = {
        "title": form.get("title", ""),
        "time_zone": form.get("time_zone", "").strip(),
        "mail_domains": form.get("mail_domains", "").replace(",", " ").split(),
        "assistants_may": form.getlist("assistants_may"),
        "asks_first": forms.is_on(form, "asks_first"),
        "late_days": 0 if late_days is None else late_days,
    }
    with installation().database.writing() as session:
        courses.change(session, caller, course, wanted, form.get("reason", ""))
    flash("Saved.")
    return redirect(url_for("courses.show_settings", course=course), 303)


@blueprint.post("/<course>/code")
def renew_code(course: str) -> Response:
    """Make a new join code, or close it."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        if forms.is_on(request.form, "close"):
            courses.close_code(session, caller, course)
            flash("Nobody joins by a code any more.")
        else:
            zone = ZoneInfo(courses.find(session, course, caller).time_zone)
            until = forms.moment(request.form.get("until", ""), zone, "until")
            courses.renew_code(session, caller, course, until=until)
            flash("The new code is in force; the old one has ended.")
    return redirect(url_for("courses.show_settings", course=course), 303)


def render(tab: str, session: Session, course: Course, caller: Caller, **values: object) -> str:
    """The page of a course's tab."""
    rights = {right for right in (*RIGHTS, HOST) if courses.may(course, caller, right)}
    return render_template(
        f"courses/{tab}.html",
        tab=tab,
        course=course,
        rights=rights,
        counts=courses.counts(session, course) if rights else None,
        waiting=len(joinrequests.of(session, course)) if rights else 0,
        zone=ZoneInfo(course.time_zone),
        **values,
    )
