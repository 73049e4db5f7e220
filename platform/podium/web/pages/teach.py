"""The Teach page: what needs whoever teaches, what they host; and how one competition goes."""

from flask import Blueprint, render_template

from podium import courses, dashboard
from podium.competitions import need_right
from podium.errors import NoAccessError
from podium.web import identity, installation
from podium.web.pages import competition

blueprint = Blueprint("teach", __name__)


@blueprint.get("/teach/")
def show() -> str:
    """What needs the reader, and all that they are staff of."""
    caller = identity.need_caller("host")
    if not caller.teaches:
        raise NoAccessError(
            "This page is for those who teach. An admin makes instructors: "
            f"podium user role {caller.handle} instructor"
        )
    with installation().database.reading() as session:
        return render_template(
            "teach/show.html",
            hosted=dashboard.hosted(session, caller),
            courses=[
                (course, role)
                for course, role in courses.of_caller(session, caller)
                if role != "student"
            ],
            may_host=caller.role in ("instructor", "admin"),
        )


@blueprint.get("/c/<slug>/manage/activity")
def show_activity(slug: str) -> str:
    """How far people have come, who has not submitted, where things fail."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        shown = competition.frame(session, slug)
        need_right(shown.competition, caller, "see")
        found = dashboard.activity(session, shown.competition)
        return competition.render("activity", shown, activity=found)
