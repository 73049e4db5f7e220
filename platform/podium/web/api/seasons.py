"""Seasons, and the history of a person."""

from apiflask import APIBlueprint

from podium import seasons
from podium.medals import BRONZE, GOLD, SILVER
from podium.models.record import now
from podium.web import identity, installation
from podium.web.api import seasonshapes, shapes

blueprint = APIBlueprint("api_seasons", __name__, url_prefix="/api/v1", tag="Seasons")


@blueprint.get("/seasons")
@blueprint.output(seasonshapes.SeasonNames)
def list_seasons() -> seasonshapes.SeasonNames:
    """The seasons that something counts for which the caller may know of."""
    with installation().database.reading() as session:
        return seasonshapes.SeasonNames(items=seasons.names(session, identity.caller()))


@blueprint.get("/seasons/<season>")
@blueprint.input(shapes.PageQuery, location="query", arg_name="query")
@blueprint.output(seasonshapes.Season)
@blueprint.doc(responses=[404])
def show_season(season: str, query: shapes.PageQuery) -> seasonshapes.Season:
    """The people of a season by their points of today."""
    with installation().database.reading() as session:
        found = seasons.read(session, identity.caller(), season, now())
    return seasonshapes.Season(
        page=query.page,
        per_page=query.per_page,
        total=len(found.standings),
        season=found.name,
        competitions=[one.slug for one in found.competitions],
        items=[
            seasonshapes.SeasonStanding.model_validate(one) for one in query.slice(found.standings)
        ],
    )


@blueprint.get("/people/<handle>")
@blueprint.output(seasonshapes.Profile)
@blueprint.doc(responses=[404])
def show_person(handle: str) -> seasonshapes.Profile:
    """The final boards that a person stands on, as far as the caller may see them."""
    with installation().database.reading() as session:
        found = seasons.profile(session, identity.caller(), handle, now())
    return seasonshapes.Profile(
        handle=found.handle,
        points=found.points,
        gold=found.count(GOLD),
        silver=found.count(SILVER),
        bronze=found.count(BRONZE),
        history=[
            seasonshapes.ProfileEntry(
                competition=one.competition.slug,
                title=one.competition.title,
                team=one.team,
                rank=one.rank,
                teams=one.teams,
                medal=one.medal,
                points=one.points,
                ended_at=one.competition.closes_at,
            )
            for one in found.history
        ],
    )
