"""The board, page by page, with an ETag that changes only with the board."""

from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.datastructures import ETags

from podium import competitions, leaderboard
from podium.errors import NoAccessError
from podium.models import Competition
from podium.web import identity, installation
from podium.web.api import shapes
from podium.web.api.competitions import metric_of

blueprint = APIBlueprint(
    "api_leaderboard",
    __name__,
    url_prefix="/api/v1/competitions/<slug>/leaderboard",
    tag="Leaderboard",
)


@blueprint.get("")
@blueprint.input(shapes.BoardQuery, location="query", arg_name="query")
@blueprint.output(shapes.Board)
@blueprint.doc(responses=[304, 403])
def show(slug: str, query: shapes.BoardQuery) -> tuple[shapes.Board, dict[str, str]] | Response:
    """A page of the board. Ask again with `If-None-Match`: 304 until something has changed."""
    caller = identity.caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        if query.split == "private" and not competitions.sees_private(competition, caller):
            raise NoAccessError(
                f"The private board of {slug} is not revealed yet. Hosts see it; you can see the "
                "public one.",
                code="not_revealed",
            )
        team = competitions.team_of(session, competition.id, caller.id) if caller else None
        team_id = team.id if team else None
        tag = etag(competition, query.split, team_id, query.page, query.per_page)
        if tag in request.if_none_match:
            return Response(status=304, headers=_headers(tag))
        board = leaderboard.read(
            session,
            competition,
            split=query.split,
            page=query.page,
            per_page=query.per_page,
            my_team_id=team_id,
        )
    shown = shapes.Board(
        page=board.page,
        per_page=board.per_page,
        total=board.total,
        competition=slug,
        split=query.split,
        metric=metric_of(competition),
        pages=board.pages,
        revision=board.revision,
        items=[_row(row) for row in board.rows],
        mine=_row(board.mine) if board.mine else None,
    )
    return shown, _headers(tag)


def etag(
    competition: Competition, split: str, team_id: int | None, page: int, per_page: int
) -> str:
    """What decides all that a reader sees on a page of a board, without its quotes."""
    parts = (competition.id, competition.board_revision, split, team_id or 0, page, per_page)
    return "-".join(map(str, parts))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": ETags([tag]).to_header(), "Vary": "Authorization, Cookie"}


def _row(row: leaderboard.Row) -> shapes.BoardRow:
    """A row; what is not computed yet is null."""
    return shapes.BoardRow(
        rank=row.rank,
        tied_with_leader=None,
        rank_low=None,
        rank_high=None,
        team=row.team,
        members=row.members,
        score=row.score,
        low=row.low,
        high=row.high,
        entries=row.entries,
        last_at=row.last_at,
        is_baseline=row.is_baseline,
        is_me=row.is_me,
        change=None,
    )
