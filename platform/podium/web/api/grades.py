"""Grades over the API: the rule, what is computed, what is set by hand, release, export."""

from dataclasses import asdict

from apiflask import APIBlueprint
from flask import request

from podium import competitions, gradelists, grades
from podium.errors import BadRequestError, NotFoundError
from podium.models import GradeScheme
from podium.web import identity, installation
from podium.web.api import gradeshapes as shapes
from podium.web.api.shapes import Reason
from podium.web.uploads import takes_list

blueprint = APIBlueprint(
    "api_grades", __name__, url_prefix="/api/v1/competitions/<slug>/grades", tag="Grades"
)

FORM = {
    "required": True,
    "content": {"multipart/form-data": {"schema": shapes.ExportForm.model_json_schema()}},
}


@blueprint.get("")
@blueprint.output(shapes.Grades)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def show(slug: str) -> shapes.Grades:
    """Everybody's grade as it is computed now: for staff that may grade."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        competition, book, column = grades.of_competition(session, caller, slug)
        scheme = column.scheme
        items = []
        for student in book.students:
            key = (student.id, competition.id)
            grade, result = book.grades.get(key), book.results.get(key)
            released = grade.released if grade else None
            items.append(
                shapes.StudentGrade(
                    email=student.email,
                    name=student.name,
                    number=student.number,
                    section=student.section,
                    result=shapes.Result.model_validate(result) if result else None,
                    released_percent=released["percent"] if released else None,
                )
            )
        return shapes.Grades(
            kind=scheme.kind if scheme else None,
            points=[shapes.Point.model_validate(point) for point in column.points],
            equal_in_ties=scheme.equal_in_ties if scheme else False,
            trouble=column.trouble,
            released_at=scheme.released_at if scheme else None,
            changed_since_release=len(grades.changed_since_release(book, column)),
            items=items,
        )


@blueprint.get("/mine")
@blueprint.output(shapes.MyGrade)
@blueprint.doc(security="token", responses=[401, 404])
def show_mine(slug: str) -> shapes.MyGrade:
    """The caller's grade, with how it comes about; not found before the release."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        grade = grades.of_student(session, caller, competition)
        scheme = session.get(GradeScheme, competition.id)
        if grade is None or grade.released_at is None or scheme is None:
            raise NotFoundError(f"No grade of {slug} is released to you yet.")
        return shapes.MyGrade(
            released_at=grade.released_at,
            result=shapes.Result.model_validate(grade.released),
            kind=scheme.kind,
            points=[
                shapes.Point.model_validate(point)
                for point in grades.points_of(session, competition)
            ],
        )


@blueprint.put("/rule")
@blueprint.input(shapes.RuleRequest, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def set_rule(slug: str, asked: shapes.RuleRequest) -> tuple[str, int]:
    """Publish how scores become percent."""
    caller = identity.need_caller("host")
    points = [point.model_dump() for point in asked.points]
    with installation().database.writing() as session:
        grades.set_scheme(
            session,
            caller,
            slug,
            asked.kind,
            points,
            equal_in_ties=asked.equal_in_ties,
            reason=asked.reason,
        )
    return "", 204


@blueprint.put("/override")
@blueprint.input(shapes.OverrideRequest, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def override(slug: str, asked: shapes.OverrideRequest) -> tuple[str, int]:
    """Set a student's grade by hand, or take that back."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        grades.override(session, caller, slug, asked.email, asked.percent, asked.note)
    return "", 204


@blueprint.post("/release")
@blueprint.input(Reason, arg_name="asked")
@blueprint.output(shapes.Released)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def release(slug: str, asked: Reason) -> shapes.Released:
    """Show every student the grade as it is computed now."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        return shapes.Released(students=grades.release(session, caller, slug, asked.reason))


@blueprint.post("/export")
@takes_list
@blueprint.output(shapes.Export)
@blueprint.doc(
    security=[{"token": ["host"]}],
    responses=[400, 401, 403, 404, 413, 422],
    extensions={"requestBody": FORM},
)
def export(slug: str, content: bytes | None) -> shapes.Export:
    """Grades as a CSV; for canvas and moodle filled into the class list that is sent."""
    caller = identity.need_caller("host")
    style = request.form.get("style", gradelists.CSV)
    if style not in gradelists.STYLES:
        raise BadRequestError(
            f"There is no style {style!r}. Styles are {', '.join(gradelists.STYLES)}.",
            field="style",
        )
    with installation().database.reading() as session:
        _, book, column = grades.of_competition(session, caller, slug)
        found = gradelists.export(book, column, style, content)
    rows = [shapes.UnmatchedRow(line=line, who=who) for line, who in found.unmatched_rows]
    return shapes.Export(**asdict(found) | {"unmatched_rows": rows})
