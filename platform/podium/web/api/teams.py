"""The caller's team: who is in it, invitations, merging; and its finals."""

from apiflask import APIBlueprint
from flask import url_for
from sqlalchemy.orm import Session

from podium import competitions, finals, invitations, teams
from podium.accounts import Caller
from podium.models import Competition, Team
from podium.web import identity, installation
from podium.web.api import shapes, teamshapes

blueprint = APIBlueprint(
    "api_teams", __name__, url_prefix="/api/v1/competitions/<slug>", tag="Teams"
)


@blueprint.get("/team")
@blueprint.output(teamshapes.MyTeam)
@blueprint.doc(security="token", responses=[401, 403])
def show(slug: str) -> teamshapes.MyTeam:
    """The caller's team, and the teams that invite the caller."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        return _mine(session, competitions.find(session, slug), caller)


@blueprint.post("/team")
@blueprint.input(teamshapes.TeamName, arg_name="asked")
@blueprint.output(teamshapes.MyTeam)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 409])
def create(slug: str, asked: teamshapes.TeamName) -> teamshapes.MyTeam:
    """Create a team of this name, or name the own one."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        teams.name(session, competition, caller, asked.name)
        session.flush()
        return _mine(session, competition, caller)


@blueprint.post("/team/invitations")
@blueprint.input(teamshapes.InvitationRequest, arg_name="asked")
@blueprint.output(teamshapes.NewInvitation, status_code=201)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 404, 409, 429])
def invite(slug: str, asked: teamshapes.InvitationRequest) -> teamshapes.NewInvitation:
    """Invite a person by handle, or make a link for whoever has it."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        invitation, code = invitations.invite(session, competition, caller, asked.handle)
        return teamshapes.NewInvitation(
            team=session.get_one(Team, invitation.team_id).name,
            handle=asked.handle,
            code=code,
            link=link(slug, code) if code else None,
        )


@blueprint.delete("/team/invitations")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def withdraw(slug: str) -> tuple[str, int]:
    """Close all open invitations and links of the own team."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        invitations.withdraw(session, competitions.find(session, slug), caller)
    return "", 204


@blueprint.post("/team/accept")
@blueprint.input(teamshapes.AcceptRequest, arg_name="asked")
@blueprint.output(teamshapes.MyTeam)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 404, 409, 429])
def accept(slug: str, asked: teamshapes.AcceptRequest) -> teamshapes.MyTeam:
    """Enter a team that has invited the caller."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        invitations.accept(session, competition, caller, team_name=asked.team, code=asked.code)
        return _mine(session, competition, caller)


@blueprint.post("/team/leave")
@blueprint.output(teamshapes.MyTeam)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 409])
def leave(slug: str) -> teamshapes.MyTeam:
    """Leave the team for one of one's own, while it has handed in nothing."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        teams.leave(session, competition, caller)
        session.flush()
        return _mine(session, competition, caller)


@blueprint.post("/team/merge")
@blueprint.input(teamshapes.MergeRequest, arg_name="asked")
@blueprint.output(teamshapes.Merged)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 404, 409, 429])
def merge(slug: str, asked: teamshapes.MergeRequest) -> teamshapes.Merged:
    """Ask another team to become one with the own, or agree if it has asked."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        found = teams.merge(session, competition, caller, asked.team)
        return teamshapes.Merged(team=None if found is None else _card(session, found))


@blueprint.get("/finals")
@blueprint.output(shapes.Finals)
@blueprint.doc(security="token", responses=[401, 403])
def show_finals(slug: str) -> shapes.Finals:
    """What the caller's team has selected, and what would count if it ended now."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        team = competitions.need_team(session, competition, caller)
        return shapes.Finals.model_validate(finals.of_team(session, competition, team))


@blueprint.put("/finals")
@blueprint.input(shapes.FinalsRequest, arg_name="asked")
@blueprint.output(shapes.Finals)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 429])
def choose_finals(slug: str, asked: shapes.FinalsRequest) -> shapes.Finals:
    """Let these submissions be final, and no others."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        found = finals.choose(session, competition, caller, asked.submissions)
    return shapes.Finals.model_validate(found)


def link(slug: str, code: str) -> str:
    """The address that opens a team to whoever has it."""
    return installation().config.url + url_for("teams.behind", slug=slug, code=code)


def _mine(session: Session, competition: Competition, caller: Caller) -> teamshapes.MyTeam:
    team = competitions.team_of(session, competition.id, caller.id)
    return teamshapes.MyTeam(
        team=None if team is None else _card(session, team),
        invited_by=[one.team.name for one in invitations.open_to(session, competition, caller)],
        team_size=competition.team_size,
        changes_until=competition.merges_until or competition.closes_at,
    )


def _card(session: Session, team: Team) -> teamshapes.TeamCard:
    found = teams.card(session, team)
    return teamshapes.TeamCard(
        name=team.name,
        members=[teamshapes.Member.model_validate(one) for one in found.members],
        submissions=found.submissions,
        disqualified=team.disqualified,
        invited=found.invited,
        links=found.links,
        asked=found.asked,
        asked_by=found.asked_by,
    )
