"""The board, page by page, with an ETag that changes only with the board; and what it tells."""

from apiflask import APIBlueprint
from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import ETags

from podium import competitions, history, leaderboard, shakeup
from podium.boardrules import PRIVATE
from podium.leaderboard import Page, Reader
from podium.models import Competition
from podium.web import identity, installation
from podium.web.api import shapes
from podium.web.api.competitions import metric_of

blueprint = APIBlueprint(
    "api_leaderboard",
    __name__,
    url_prefix="/api/v1/competitions/<slug>",
    tag="Leaderboard",
)


@blueprint.get("/leaderboard")
@blueprint.input(shapes.BoardQuery, location="query", arg_name="query")
@blueprint.output(shapes.Board)
@blueprint.doc(responses=[304, 403])
def show(slug: str, query: shapes.BoardQuery) -> tuple[shapes.Board, dict[str, str]] | Response:
    """A page of the board. Ask again with `If-None-Match`: 304 until something has changed."""
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        if query.split == PRIVATE:
            competitions.need_private(competition, identity.caller())
        reader = reader_of(session, competition)
        tag = leaderboard.tag(
            competition, reader, query.split, query.page, query.per_page, query.at
        )
        if request.if_none_match.contains_weak(tag):
            return Response(status=304, headers=_headers(tag))
        paging = {"page": query.page, "per_page": query.per_page}
        if query.at is None:
            board = leaderboard.read(
                session, competition, split=query.split, reader=reader, **paging
            )
        else:
            board = history.as_of(session, competition, query.at, reader=reader, **paging)
    return _board(competition, query.split, board), _headers(tag)


@blueprint.get("/history")
@blueprint.input(shapes.HistoryQuery, location="query", arg_name="query")
@blueprint.output(shapes.History)
@blueprint.doc(responses=[403])
def show_history(slug: str, query: shapes.HistoryQuery) -> shapes.History:
    """How the public scores of the first ten grew, the caller's own and the baselines'."""
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        if query.split == PRIVATE:
            competitions.need_private(competition, identity.caller())
        reader = reader_of(session, competition)
        board = leaderboard.read(
            session, competition, split=query.split, per_page=history.TOP, reader=reader
        )
        found = history.progress(session, competition, board)
    return shapes.History(items=[shapes.Progress.model_validate(one) for one in found])


@blueprint.get("/shakeup")
@blueprint.input(shapes.PageQuery, location="query", arg_name="query")
@blueprint.output(shapes.Shakeup)
@blueprint.doc(responses=[403])
def show_shakeup(slug: str, query: shapes.PageQuery) -> shapes.Shakeup:
    """Public against private rank, after the reveal."""
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        competitions.need_private(competition, identity.caller())
        found = shakeup.read(session, competition, reader_of(session, competition))
    return shapes.Shakeup(
        page=query.page,
        per_page=query.per_page,
        total=len(found.shifts),
        median_gap=found.median_gap,
        agreement=found.agreement,
        overfitted=found.overfitted,
        items=[shapes.Shift.model_validate(one) for one in query.slice(found.shifts)],
    )


def reader_of(session: Session, competition: Competition) -> Reader:
    """Who looks at the board."""
    caller = identity.caller()
    team = competitions.team_of(session, competition.id, caller.id) if caller else None
    return Reader(team.id if team else None, competitions.is_staff(competition, caller))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": ETags(weak_etags=[tag]).to_header(), "Vary": "Authorization, Cookie"}


def _board(competition: Competition, split: str, board: Page) -> shapes.Board:
    return shapes.Board(
        page=board.page,
        per_page=board.per_page,
        total=board.total,
        competition=competition.slug,
        split=split,
        names=competition.names,
        frozen_at=None if competition.revealed_at else competition.freezes_at,
        revealed_at=competition.revealed_at,
        metric=metric_of(competition),
        pages=board.pages,
        revision=board.revision,
        items=[shapes.BoardRow.model_validate(row) for row in board.rows],
        mine=shapes.BoardRow.model_validate(board.mine) if board.mine else None,
    )
