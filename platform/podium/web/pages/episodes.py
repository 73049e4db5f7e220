"""One episode of an agent, with its replay to look at."""

from flask import Blueprint, render_template

from podium import competitions, episodes
from podium.models import Submission, Team
from podium.web import identity, installation

blueprint = Blueprint("episodes", __name__, url_prefix="/episodes")


@blueprint.get("/<int:episode_id>")
def show(episode_id: int) -> str:
    """Who played, how it ended, and the player."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = episodes.get(session, caller, episode_id)
        team = competitions.team_of(session, found.competition_id, caller.id)
        sides = found.players
        is_staff = competitions.is_staff(found.competition, caller)
        own = {one.submission.team_id for one in sides if is_staff or _is(team, one.submission)}
        told = episodes.faults_told(session, caller, [found])
        names = episodes.names_told(session, caller, [found])
        return render_template("episodes/show.html", episode=found, own=own, told=told, names=names)


def _is(team: Team | None, submission: Submission) -> bool:
    return team is not None and team.id == submission.team_id
