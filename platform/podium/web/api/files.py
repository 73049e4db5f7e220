"""The files of a competition: listed for everyone, downloaded by whoever is signed in."""

from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response, url_for

from podium import competitions
from podium.models import ChallengeFile
from podium.web import downloads, identity, installation
from podium.web.api import shapes

blueprint = APIBlueprint(
    "api_files", __name__, url_prefix="/api/v1/competitions/<slug>/files", tag="Files"
)


@blueprint.get("")
@blueprint.output(shapes.Files)
def list_files(slug: str) -> shapes.Files:
    """Names, sizes and SHA-256 of all files."""
    with installation().database.reading() as session:
        found = competitions.files(session, competitions.find(session, slug))
    return shapes.Files(items=[_file(slug, file) for file in found])


@blueprint.get("/<name>")
@blueprint.output(FileSchema(type="string", format="binary"), content_type=downloads.TYPE)
@blueprint.doc(security="token", responses=[206, 304, 401, 403, 416])
def download(slug: str, name: str) -> Response:
    """The file itself. `Range` asks for a part, the ETag is the SHA-256."""
    identity.need_caller()
    file = downloads.offered(slug, name)
    return downloads.send(
        installation().storage, file.file_key, file.name, file.size_bytes, file.sha256
    )


def _file(slug: str, file: ChallengeFile) -> shapes.File:
    return shapes.File(
        name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        rows=file.rows,
        description=file.description,
        url=url_for("api_files.download", slug=slug, name=file.name),
    )
