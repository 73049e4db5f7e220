"""What hosts do over the API: grants, extensions, and running again what ended in error."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from podium import allowances, limits, submissions
from podium.competitions import find
from podium.models import Team
from podium.models.record import now
from podium.web import identity, installation
from podium.web.api import shapes

blueprint = APIBlueprint("api_hosts", __name__, url_prefix="/api/v1", tag="Hosts")


@blueprint.post("/competitions/<slug>/grants")
@blueprint.input(shapes.GrantRequest, arg_name="asked")
@blueprint.output(shapes.TeamLimits)
@blueprint.doc(security="token", responses=[400, 401, 403, 404])
def grant(slug: str, asked: shapes.GrantRequest) -> shapes.TeamLimits:
    """Give a team extra submissions, today and in all."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        team = allowances.grant(session, caller, slug, asked.team, asked.submissions, asked.reason)
        session.flush()
        return _limits(session, slug, team)


@blueprint.post("/competitions/<slug>/extensions")
@blueprint.input(shapes.ExtensionRequest, arg_name="asked")
@blueprint.output(shapes.TeamLimits)
@blueprint.doc(security="token", responses=[400, 401, 403, 404])
def extend(slug: str, asked: shapes.ExtensionRequest) -> shapes.TeamLimits:
    """Give a team a later deadline of its own."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        team = allowances.extend(session, caller, slug, asked.team, asked.until, asked.reason)
        session.flush()
        return _limits(session, slug, team)


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/retry")
@blueprint.output({}, status_code=204)
@blueprint.doc(security="token", responses=[401, 403, 404, 409])
def retry(submission_id: int) -> tuple[str, int]:
    """Run a submission again that ended in error."""
    submissions.retry(installation(), identity.need_caller("host"), submission_id)
    return "", 204


def _limits(session: Session, slug: str, team: Team) -> shapes.TeamLimits:
    found = limits.of_team(session, find(session, slug), team.id, now())
    return shapes.TeamLimits(team=team.name, limits=shapes.Limits.model_validate(found))
