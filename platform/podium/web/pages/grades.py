"""Grades: the staff's page of a competition, the gradebook of a course, the student's own."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from podium import anchors, courses, gradelists, grades
from podium.catalog import Spec
from podium.errors import BadRequestError
from podium.models import GradeScheme
from podium.web import identity, installation
from podium.web.pages import competition, forms
from podium.web.pages import courses as course_pages
from podium.web.uploads import takes_list

blueprint = Blueprint("grades", __name__)

POINTS = 6  # lines of the form


@blueprint.get("/c/<slug>/manage/grades")
def show(slug: str) -> str:
    """The rule, everybody's grade as computed now, release and export."""
    return _page(slug)


def _page(slug: str, **values: object) -> str:
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        _, book, column = grades.of_competition(session, caller, slug)
        return competition.render(
            "grades",
            shown,
            book=book,
            column=column,
            lines=POINTS,
            proposed=anchors.proposed(shown.competition, _baseline(shown.spec)),
            changed=grades.changed_since_release(book, column),
            **values,
        )


def _baseline(spec: Spec) -> str:
    """The first baseline that the challenge names."""
    return spec.baselines[0].title if spec.baselines else ""


@blueprint.post("/c/<slug>/manage/grades/rule")
def set_rule(slug: str) -> AnyResponse:
    """Publish the rule; empty lines of the form are left out."""
    caller = identity.need_caller("host")
    form = request.form
    points = [point for i in range(POINTS) if (point := _point(form, i)) is not None]
    with installation().database.writing() as session:
        grades.set_scheme(
            session,
            caller,
            slug,
            form.get("kind", ""),
            points,
            equal_in_ties=forms.is_on(form, "equal_in_ties"),
        )
    flash("The rule is published. Look at the grades below before you release them.")
    return redirect(url_for("grades.show", slug=slug), 303)


def _point(form: Mapping[str, str], line: int) -> dict[str, Any] | None:
    name, at, percent = (
        form.get(f"{what}-{line}", "").strip() for what in ("name", "at", "percent")
    )
    if not (name or at or percent):
        return None
    score = _number(at)
    return {
        "name": name,
        "percent": _need_number(percent, "percent"),
        "score": score,
        "baseline": None if score is not None else at,
    }


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _need_number(text: str, field: str) -> float:
    found = _number(text.replace(",", "."))
    if found is None:
        raise BadRequestError(f"{text!r} is no number.", field=field)
    return found


@blueprint.post("/c/<slug>/manage/grades/override")
def override(slug: str) -> AnyResponse:
    """Set a grade by hand, or take that back."""
    caller = identity.need_caller("host")
    form = request.form
    email = form.get("email", "")
    text = form.get("percent", "").strip()
    percent = _need_number(text, "percent") if text else None
    with installation().database.writing() as session:
        grades.override(session, caller, slug, email, percent, form.get("note", ""))
    flash(f"The grade of {email} is {'computed' if percent is None else 'set by hand'}.")
    return redirect(url_for("grades.show", slug=slug), 303)


@blueprint.post("/c/<slug>/manage/grades/release")
def release(slug: str) -> AnyResponse:
    """Show every student the grade."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        number = grades.release(session, caller, slug, request.form.get("reason", ""))
    flash(f"{number} students see their grade.")
    return redirect(url_for("grades.show", slug=slug), 303)


@blueprint.get("/c/<slug>/manage/grades.csv")
def download(slug: str) -> Response:
    """All grades of a competition as CSV."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        _, book, column = grades.of_competition(session, caller, slug)
        content = gradelists.export(book, column).content
    return _file(content, f"{slug}-grades.csv")


@blueprint.post("/c/<slug>/manage/grades/export")
@takes_list
def export(slug: str, content: bytes | None) -> Response | str:
    """The list of Canvas or Moodle filled in; first what does not match, then the file."""
    caller = identity.need_caller("host")
    style = request.form.get("style", "")
    if content is None:
        content = request.form.get("text", "").encode()
    with installation().database.reading() as session:
        _, book, column = grades.of_competition(session, caller, slug)
        found = gradelists.export(book, column, style, content)
    if forms.is_on(request.form, "download"):
        return _file(found.content, f"{slug}-{style}.csv")
    return _page(slug, export=found, style=style, text=content.decode("utf-8-sig"))


def _file(content: str, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get("/c/<slug>/grade")
def show_mine(slug: str) -> str:
    """The reader's own grade and how it comes about; before the release the rule alone."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        return competition.render(
            "grade",
            shown,
            grade=grades.of_student(session, caller, shown.competition),
            scheme=session.get(GradeScheme, shown.competition.id),
            points=grades.points_of(session, shown.competition),
        )


@blueprint.get("/courses/<course>/gradebook")
def show_gradebook(course: str) -> str:
    """All students of a course with all of its competitions."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, "grade")
        book = grades.gradebook(session, found)
        return course_pages.render("gradebook", session, found, caller, book=book)


@blueprint.get("/courses/<course>/gradebook.csv")
def download_gradebook(course: str) -> Response:
    """The gradebook as CSV."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, "grade")
        content = gradelists.overview(grades.gradebook(session, found))
    return _file(content, f"{course}-gradebook.csv")
