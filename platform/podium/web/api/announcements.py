"""Words of a host: announcements, and the text of a competition; everybody reads them."""

from datetime import datetime

from apiflask import APIBlueprint
from pydantic import Field

from podium import announcements, editing, models
from podium.competitions import find
from podium.web import identity, installation
from podium.web.api.shapes import Shape

blueprint = APIBlueprint(
    "api_announcements",
    __name__,
    url_prefix="/api/v1/competitions/<slug>",
    tag="Hosts",
)


class Announcement(Shape):
    """What a host told everybody; `text` is Markdown."""

    id: int
    title: str
    text: str
    is_pinned: bool
    posted_at: datetime
    edited_at: datetime | None


class Announcements(Shape):
    """All of a competition: the pinned first, then the newest."""

    items: list[Announcement]


class AnnouncementRequest(Shape):
    """What is to be told."""

    title: str = Field(max_length=1000)
    text: str = ""
    is_pinned: bool = True


class AnnouncementEdit(Shape):
    """What is to be another; what is left out stays."""

    title: str | None = Field(None, max_length=1000)
    text: str | None = None
    is_pinned: bool | None = None


class TextRequest(Shape):
    """What students are to read."""

    text: str | None
    reason: str = ""


@blueprint.get("/announcements")
@blueprint.output(Announcements)
@blueprint.doc(responses=[404])
def list_announcements(slug: str) -> Announcements:
    """What the host has told everybody."""
    with installation().database.reading() as session:
        found = announcements.of(session, find(session, slug))
        return Announcements(items=[_shape(one) for one in found])


@blueprint.post("/announcements")
@blueprint.input(AnnouncementRequest, arg_name="asked")
@blueprint.output(Announcement, status_code=201)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def post(slug: str, asked: AnnouncementRequest) -> tuple[Announcement, int]:
    """Tell everybody something."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        made = announcements.post(
            session, caller, slug, asked.title, asked.text, is_pinned=asked.is_pinned
        )
        return _shape(made), 201


@blueprint.patch("/announcements/<int(max=2147483647):announcement_id>")
@blueprint.input(AnnouncementEdit, arg_name="asked")
@blueprint.output(Announcement)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def edit(slug: str, announcement_id: int, asked: AnnouncementEdit) -> Announcement:
    """Change its words, or whether it is pinned."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        given = asked.model_dump(exclude_unset=True)
        return _shape(announcements.edit(session, caller, slug, announcement_id, **given))


@blueprint.delete("/announcements/<int(max=2147483647):announcement_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def remove(slug: str, announcement_id: int) -> tuple[str, int]:
    """Take it back; the audit log keeps what it said."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        announcements.remove(session, caller, slug, announcement_id)
    return "", 204


@blueprint.put("/text")
@blueprint.input(TextRequest, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def set_text(slug: str, asked: TextRequest) -> tuple[str, int]:
    """Give the competition a text of its own, in Markdown; null: the challenge's again."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        editing.set_text(session, caller, slug, asked.text, asked.reason)
    return "", 204


def _shape(found: models.Announcement) -> Announcement:
    return Announcement(**{name: getattr(found, name) for name in Announcement.model_fields})
