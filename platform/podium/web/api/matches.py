"""Games between agents: the list and the matrix of wins."""

from apiflask import APIBlueprint
from flask import url_for

from podium import competitions, encounters, finalround
from podium.encounters import Game
from podium.web import identity, installation
from podium.web.api import matchshapes, shapes
from podium.web.api.leaderboard import reader_of

blueprint = APIBlueprint(
    "api_matches", __name__, url_prefix="/api/v1/competitions/<slug>", tag="Matches"
)


@blueprint.get("/matches")
@blueprint.input(matchshapes.MatchQuery, location="query", arg_name="query")
@blueprint.output(matchshapes.Matches)
@blueprint.doc(security="token", responses=[401])
def list_matches(slug: str, query: matchshapes.MatchQuery) -> shapes.Page:
    """Who met whom, seats, result, length and when; those of the final round when revealed."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        total, found = encounters.games(
            session,
            competition,
            reader_of(session, competition),
            sees_private=competitions.sees_private(competition, caller),
            team=query.team,
            only_final=query.only_final,
            page=query.page,
            per_page=query.per_page,
        )
    return shapes.paged(matchshapes.Matches, query, total, [_shape(one) for one in found])


@blueprint.get("/matrix")
@blueprint.input(matchshapes.MatrixQuery, location="query", arg_name="query")
@blueprint.output(matchshapes.Matrix)
@blueprint.doc(security="token", responses=[401])
def show_matrix(slug: str, query: matchshapes.MatrixQuery) -> matchshapes.Matrix:
    """The agents of the highest ratings against each other: games, points, share."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        found = encounters.matrix(
            session,
            competition,
            reader_of(session, competition),
            sees_private=competitions.sees_private(competition, caller),
            only_final=query.only_final,
            top=query.top,
        )
    rows = [matchshapes.MatrixRow.model_validate(one) for one in found]
    return matchshapes.Matrix(competition=slug, items=rows)


@blueprint.get("/final")
@blueprint.output(matchshapes.FinalRound)
def show_final(slug: str) -> matchshapes.FinalRound:
    """How far the final round is, which every pair of agents plays after the deadline."""
    with installation().database.reading() as session:
        found = finalround.progress(session, competitions.find(session, slug))
    return matchshapes.FinalRound.model_validate(found)


def _shape(game: Game) -> matchshapes.Match:
    return matchshapes.Match(
        id=game.id,
        number=game.number,
        steps=game.steps,
        is_final=game.is_final,
        played_at=game.played_at,
        players=[matchshapes.MatchPart.model_validate(one) for one in game.players],
        replay_url=url_for("api_episodes.replay", episode_id=game.id),
    )
