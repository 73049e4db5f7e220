"""Courses over the API: create, join, people, class lists."""

from apiflask import APIBlueprint
from flask import request
from sqlalchemy.orm import Session

from podium import courses, joinrequests, roster
from podium.accounts import HOST, RIGHTS, Caller
from podium.errors import BadRequestError, NoAccessError
from podium.models import Course, Enrolment
from podium.web import identity, installation
from podium.web.api import courseshapes as shapes
from podium.web.uploads import takes_list

blueprint = APIBlueprint("api_courses", __name__, url_prefix="/api/v1/courses", tag="Courses")

FORM = {
    "required": True,
    "content": {"multipart/form-data": {"schema": shapes.RosterForm.model_json_schema()}},
}


@blueprint.get("")
@blueprint.output(shapes.Courses)
@blueprint.doc(security="token", responses=[401])
def list_courses() -> shapes.Courses:
    """The caller's courses, the newest first."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = courses.of_caller(session, caller)
        return shapes.Courses(items=[_shape(session, one, caller, role) for one, role in found])


@blueprint.post("")
@blueprint.input(shapes.CourseRequest, arg_name="asked")
@blueprint.output(shapes.Course, status_code=201)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 409])
def create(asked: shapes.CourseRequest) -> tuple[shapes.Course, int]:
    """Create a course; the caller is its instructor."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        courses.create(session, caller, asked.slug, asked.title, asked.time_zone)
    identity.identify()  # who is in a course now was not when the request came
    return _show(asked.slug), 201


@blueprint.get("/<course>")
@blueprint.output(shapes.Course)
@blueprint.doc(security="token", responses=[401, 404])
def show(course: str) -> shapes.Course:
    """A course of the caller's."""
    identity.need_caller()
    return _show(course)


@blueprint.patch("/<course>")
@blueprint.input(shapes.CourseOptions, arg_name="asked")
@blueprint.output(shapes.Course)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def change(course: str, asked: shapes.CourseOptions) -> shapes.Course:
    """Change options of a course."""
    caller = identity.need_caller("host")
    wanted = asked.model_dump(exclude_none=True, exclude={"reason"})
    with installation().database.writing() as session:
        courses.change(session, caller, course, wanted, asked.reason)
    return _show(course)


@blueprint.post("/<course>/code")
@blueprint.input(shapes.CodeRequest, arg_name="asked")
@blueprint.output(shapes.Course)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def renew_code(course: str, asked: shapes.CodeRequest) -> shapes.Course:
    """Make a new join code; the old one ends."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        courses.renew_code(session, caller, course, until=asked.until)
    return _show(course)


@blueprint.delete("/<course>/code")
@blueprint.output(shapes.Course)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def close_code(course: str) -> shapes.Course:
    """Close the join code."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        courses.close_code(session, caller, course)
    return _show(course)


@blueprint.post("/join")
@blueprint.input(shapes.JoinRequest, arg_name="asked")
@blueprint.output(shapes.Course)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404])
def join(asked: shapes.JoinRequest) -> shapes.Course:
    """Join a course by its code."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        course, is_in = courses.join(session, caller, asked.code)
        slug, title = course.slug, course.title
    if not is_in:
        raise NoAccessError(
            f"You have asked to join {title}. Its staff lets you in, or not.", code="asked"
        )
    identity.identify()
    return _show(slug)


@blueprint.get("/<course>/requests")
@blueprint.output(shapes.Requests)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def list_requests(course: str) -> shapes.Requests:
    """Who came by the code and waits: for staff."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, "see")
        items = [
            shapes.Request(
                id=one.id, handle=one.user.handle, email=one.user.email, asked_at=one.asked_at
            )
            for one in joinrequests.of(session, found)
        ]
    return shapes.Requests(items=items)


@blueprint.post("/<course>/requests/<int(max=2147483647):request_id>")
@blueprint.input(shapes.Decision, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def decide(course: str, request_id: int, asked: shapes.Decision) -> tuple[str, int]:
    """Let a person in as a student, or decline."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        joinrequests.decide(
            session, caller, course, request_id, accepts=asked.accepts, reason=asked.reason
        )
    return "", 204


@blueprint.get("/<course>/roster")
@blueprint.output(shapes.Roster)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def list_people(course: str) -> shapes.Roster:
    """Everybody in a course: for staff that may see it."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, "see")
        handles = courses.handles(session, found)
        places = courses.people(session, found)
        return shapes.Roster(items=[_place(one, handles.get(one.id)) for one in places])


@blueprint.post("/<course>/roster")
@takes_list
@blueprint.output(shapes.RosterDifference)
@blueprint.doc(
    security=[{"token": ["host"]}],
    responses=[400, 401, 403, 404, 413, 422],
    extensions={"requestBody": FORM},
)
def import_roster(course: str, content: bytes | None) -> shapes.RosterDifference:
    """Bring the course to a class list, or with `dry_run` say what it would change."""
    caller = identity.need_caller("host")
    if content is None:
        raise BadRequestError("Send the class list as the field 'file'.", field="file")
    dry_run, removes = (
        request.form.get(name, "") in ("1", "true", "on") for name in ("dry_run", "remove_absent")
    )
    with installation().database.writing() as session:
        act = roster.preview if dry_run else roster.apply
        found = act(session, caller, course, content, removes_absent=removes)
    return shapes.RosterDifference(
        applied=not dry_run,
        added=[shapes.RosterLine.model_validate(one) for one in found.added],
        with_account=found.with_account,
        changed=[shapes.RosterChange(email=one.email, fields=one.fields) for one in found.changed],
        unchanged=found.unchanged,
        absent=found.absent,
        removes=found.removes,
        not_read=found.not_read,
    )


@blueprint.post("/<course>/people")
@blueprint.input(shapes.EnrolRequest, arg_name="asked")
@blueprint.output(shapes.Place, status_code=201)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def enrol(course: str, asked: shapes.EnrolRequest) -> tuple[shapes.Place, int]:
    """Give a person with an account a place in the course."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        place = courses.enrol(session, caller, course, asked.handle, asked.role, asked.section)
        session.flush()
        return _place(place, asked.handle), 201


@blueprint.patch("/<course>/people/<int(max=2147483647):place_id>")
@blueprint.input(shapes.PlaceRequest, arg_name="asked")
@blueprint.output(shapes.Place)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def edit(course: str, place_id: int, asked: shapes.PlaceRequest) -> shapes.Place:
    """Change somebody's role or section."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        place = courses.edit(
            session, caller, course, place_id, role=asked.role, section=asked.section
        )
        return _place(place, place.user.handle if place.user else None)


@blueprint.delete("/<course>/people/<int(max=2147483647):place_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def remove(course: str, place_id: int) -> tuple[str, int]:
    """Take somebody out of the course."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        courses.remove(session, caller, course, place_id, "")
    return "", 204


def _show(slug: str) -> shapes.Course:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        course = courses.find(session, slug, caller)
        role = dict((one.id, role) for one, role in courses.of_caller(session, caller))[course.id]
        return _shape(session, course, caller, role)


def _shape(session: Session, course: Course, caller: Caller, role: str) -> shapes.Course:
    rights = [right for right in (*RIGHTS, HOST) if courses.may(course, caller, right)]
    return shapes.Course(
        slug=course.slug,
        title=course.title,
        time_zone=course.time_zone,
        role=role,
        rights=rights,
        competitions=[one.slug for one in courses.competitions_of(session, course)],
        people=courses.counts(session, course) if rights else None,
        join_code=course.join_code if rights else None,
        join_until=course.join_until if rights else None,
        asks_first=course.asks_first,
        mail_domains=course.mail_domains if rights else [],
        assistants_may=course.assistants_may if rights else [],
        late_days=course.late_days,
    )


def _place(place: Enrolment, handle: str | None) -> shapes.Place:
    return shapes.Place(
        id=place.id,
        email=place.email,
        name=place.name,
        number=place.number,
        section=place.section,
        role=place.role,
        handle=handle,
    )
