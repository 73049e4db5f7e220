"""Episodes of agents: listed by submission, shown, and their replays as JSON."""

import numpy as np
from apiflask import APIBlueprint
from flask import url_for

from podium import episodes
from podium.models import Episode
from podium.web import identity, installation
from podium.web.api import shapes

blueprint = APIBlueprint("api_episodes", __name__, url_prefix="/api/v1", tag="Episodes")

DECIMALS = 4  # of the numbers of a replay, which keeps three digits


@blueprint.get("/submissions/<int(max=2147483647):submission_id>/episodes")
@blueprint.input(shapes.PageQuery, location="query", arg_name="query")
@blueprint.output(shapes.Episodes)
@blueprint.doc(security="token", responses=[401, 403])
def list_episodes(submission_id: int, query: shapes.PageQuery) -> shapes.Page:
    """What an agent has played, newest first; of the private part when private scores are shown."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        total, found = episodes.of_submission(
            session, caller, submission_id, page=query.page, per_page=query.per_page
        )
        told = episodes.faults_told(session, caller, found)
        names = episodes.names_told(session, caller, found)
    items = [_shape(one, told, names) for one in found]
    return shapes.paged(shapes.Episodes, query, total, items)


@blueprint.get("/episodes/<int(max=2147483647):episode_id>")
@blueprint.output(shapes.Episode)
@blueprint.doc(security="token", responses=[401, 403])
def show(episode_id: int) -> shapes.Episode:
    """One episode: who played, how it ended."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = episodes.get(session, caller, episode_id)
        told = episodes.faults_told(session, caller, [found])
        return _shape(found, told, episodes.names_told(session, caller, [found]))


@blueprint.get("/episodes/<int(max=2147483647):episode_id>/replay")
@blueprint.output(shapes.Replay)
@blueprint.doc(security="token", responses=[401, 403])
def replay(episode_id: int) -> shapes.Replay:
    """What was played, step by step: arrays by name, whose first axis is the step."""
    caller = identity.need_caller()
    here = installation()
    with here.database.reading() as session:
        found = episodes.get(session, caller, episode_id)
        told = episodes.faults_told(session, caller, [found])
        names = episodes.names_told(session, caller, [found])
    kept = episodes.replay(here, found)
    return shapes.Replay(
        episode=_shape(found, told, names),
        opening_moves=episodes.opening_moves(found),
        tracks={
            name: np.round(track.astype(np.float64), DECIMALS).tolist()
            if track.dtype.kind == "f"
            else track.tolist()
            for name, track in kept.tracks.items()
        },
    )


def _shape(
    episode: Episode, told: dict[tuple[int, int], str], names: dict[int, str]
) -> shapes.Episode:
    return shapes.Episode(
        id=episode.id,
        competition=episode.competition.slug,
        number=episode.number,
        split=episode.split,
        game=episode.game,
        steps=episode.steps,
        result=episode.result,
        is_trial=episode.is_trial,
        played_at=episode.played_at,
        players=[
            shapes.EpisodePlayer(
                seat=player.seat,
                team=names[player.submission.team_id],
                submission=player.submission_id,
                score=player.score,
                fault=told[episode.id, player.seat],
            )
            for player in episode.players
        ],
        replay_url=url_for("api_episodes.replay", episode_id=episode.id),
    )
