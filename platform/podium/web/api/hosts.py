"""What hosts do over the API: allowances, board options, reveal, disqualification, evidence."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from podium import (
    allowances,
    boardoptions,
    conduct,
    courses,
    editing,
    integrity,
    limits,
    reveal,
    submissions,
)
from podium.competitions import find, need_host, need_right
from podium.errors import BadRequestError
from podium.models import Team
from podium.models.record import now
from podium.web import identity, installation
from podium.web.api import hostshapes, shapes

blueprint = APIBlueprint("api_hosts", __name__, url_prefix="/api/v1", tag="Hosts")


@blueprint.post("/competitions/<slug>/grants")
@blueprint.input(hostshapes.GrantRequest, arg_name="asked")
@blueprint.output(hostshapes.TeamLimits)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def grant(slug: str, asked: hostshapes.GrantRequest) -> hostshapes.TeamLimits:
    """Give a team, a student or a section extra submissions, today and in all."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        to = allowances.Receiver(asked.team, asked.student, asked.section)
        team = allowances.grant(session, caller, slug, to, asked.submissions, asked.reason)
        session.flush()
        return _limits(session, slug, to, team)


@blueprint.post("/competitions/<slug>/extensions")
@blueprint.input(hostshapes.ExtensionRequest, arg_name="asked")
@blueprint.output(hostshapes.TeamLimits)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def extend(slug: str, asked: hostshapes.ExtensionRequest) -> hostshapes.TeamLimits:
    """Give a team, a student or a section a later deadline of its own."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        to = allowances.Receiver(asked.team, asked.student, asked.section)
        team = allowances.extend(session, caller, slug, to, asked.until, asked.reason)
        session.flush()
        return _limits(session, slug, to, team)


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/retry")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def retry(submission_id: int) -> tuple[str, int]:
    """Run a submission again that ended in error."""
    submissions.retry(installation(), identity.need_caller("host"), submission_id)
    return "", 204


@blueprint.patch("/competitions/<slug>")
@blueprint.input(hostshapes.EditRequest, arg_name="asked")
@blueprint.output(hostshapes.Edited)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def edit(slug: str, asked: hostshapes.EditRequest) -> hostshapes.Edited:
    """Change a competition or its board; what is left out stays."""
    caller = identity.need_caller("host")
    wanted = asked.model_dump(exclude_unset=True, exclude={"reason"})
    here = installation()
    with here.database.writing() as session:
        competition = editing.change(session, here.storage, caller, slug, wanted, asked.reason)
        course = courses.of_competition(session, competition)
        return hostshapes.Edited(
            slug=slug,
            course=course.slug if course else None,
            **{name: getattr(competition, name) for name in editing.OPTIONS},
            **boardoptions.of(competition),
        )


@blueprint.get("/competitions/<slug>/board")
@blueprint.output(hostshapes.BoardOptions)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def show_options(slug: str) -> hostshapes.BoardOptions:
    """What the host has chosen for the board."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        return hostshapes.BoardOptions(**boardoptions.of(competition))


@blueprint.patch("/competitions/<slug>/board")
@blueprint.input(hostshapes.BoardOptionsRequest, arg_name="asked")
@blueprint.output(hostshapes.BoardOptions)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def change_options(slug: str, asked: hostshapes.BoardOptionsRequest) -> hostshapes.BoardOptions:
    """Change some options of the board; what is left out stays."""
    caller = identity.need_caller("host")
    wanted = asked.model_dump(exclude_unset=True, exclude={"reason"})
    here = installation()
    with here.database.writing() as session:
        competition = boardoptions.change(session, here.storage, caller, slug, wanted, asked.reason)
        return hostshapes.BoardOptions(**boardoptions.of(competition))


@blueprint.post("/competitions/<slug>/reveal")
@blueprint.input(shapes.Reason, arg_name="asked")
@blueprint.output(hostshapes.Revealed)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def show_private(slug: str, asked: shapes.Reason) -> hostshapes.Revealed:
    """Show the private board to everybody, after the last deadline. There is no way back."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        competition = reveal.by_host(session, caller, slug, asked.reason)
        assert competition.revealed_at is not None
        return hostshapes.Revealed(revealed_at=competition.revealed_at)


@blueprint.post("/competitions/<slug>/disqualifications")
@blueprint.input(hostshapes.Disqualification, arg_name="asked")
@blueprint.output(hostshapes.Disqualified)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404, 409])
def disqualify(slug: str, asked: hostshapes.Disqualification) -> hostshapes.Disqualified:
    """Take a team or one of its submissions off the boards, or `lift` that."""
    caller = identity.need_caller("host")
    if (asked.team is None) == (asked.submission is None):
        raise BadRequestError("Name a team or a submission, not both.", field="team")
    with installation().database.writing() as session:
        need_right(find(session, slug), caller, "judge")
        if asked.team is not None:
            act = conduct.reinstate_team if asked.lift else conduct.disqualify_team
            why = act(session, caller, slug, asked.team, asked.reason).disqualified
        else:
            one = conduct.reinstate_submission if asked.lift else conduct.disqualify_submission
            why = one(session, caller, asked.submission or 0, asked.reason).disqualified
    return hostshapes.Disqualified(team=asked.team, submission=asked.submission, disqualified=why)


@blueprint.get("/competitions/<slug>/integrity")
@blueprint.output(hostshapes.Evidence)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def show_evidence(slug: str) -> hostshapes.Evidence:
    """Identical files, alike errors and code, shared addresses: worth a question, no verdict."""
    caller = identity.need_caller("host")
    here = installation()
    with here.database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        return hostshapes.Evidence.model_validate(
            integrity.evidence(here.storage, session, competition)
        )


def _limits(
    session: Session, slug: str, to: allowances.Receiver, team: Team | None
) -> hostshapes.TeamLimits:
    found = limits.of_team(session, find(session, slug), team.id, now()) if team else None
    return hostshapes.TeamLimits(
        team=team.name if team else None,
        student=to.student,
        section=to.section,
        limits=shapes.Limits.model_validate(found) if found else None,
    )
