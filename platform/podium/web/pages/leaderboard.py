"""The Leaderboard tab: the board, live; as a file; as it was; and what the reveal changed."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from podium import competitions, history, leaderboard, shakeup
from podium.boardrules import LADDER, PRIVATE, SPLITS
from podium.errors import BadRequestError
from podium.web import identity, installation, sheets, words
from podium.web.pages import chart, paging
from podium.web.pages.competition import Glance, frame, glance, render

blueprint = Blueprint("leaderboard", __name__, url_prefix="/c/<slug>/leaderboard")

PER_PAGE = 50
FOUND = 50  # teams that a search shows
MOST_ROWS = 100_000  # of a file
COLUMNS = (
    *("rank", "team", "score", "low", "high", "entries", "last_at", "is_baseline", "change"),
    *("rank_low", "rank_high", "tie_group"),
)


@blueprint.get("")
def show(slug: str) -> str:
    """The board, fifty teams a page; with `search` or `at`, a part of it or an earlier one."""
    with installation().database.reading() as session:
        shown = frame(session, slug)
        split = _split(shown)
        search = request.args.get("search", "").strip()[:100]
        at = _at(shown)
        values: dict[str, Any] = {"split": split, "search": search, "at": at, "ladder": LADDER}
        if at is not None:
            board = history.as_of(
                session, shown.competition, at, page=paging.page(), reader=shown.reader
            )
        else:
            board = _board(session, shown, split)
        if search:
            values["matches"] = leaderboard.find(
                session, shown.competition, split, search, shown.reader, FOUND
            )
        if board.page == 1 and at is None:
            grown = history.progress(session, shown.competition, board)
            values["grown"] = grown
            values["chart"] = chart.progress(grown, higher_is_better=shown.metric.higher_is_better)
        return render("leaderboard", shown, board=board, **values)


@blueprint.get("/rows")
def rows(slug: str) -> Response | str:
    """The table alone, for looking again; 304 while the board has not changed."""
    with installation().database.reading() as session:
        shown = glance(session, slug)
        split = _split(shown)
        tag = leaderboard.tag(shown.competition, shown.reader, split, paging.page())
        tag += f"-{words.language()}"
        if request.if_none_match.contains_weak(tag):
            return Response(status=304)
        board = _board(session, shown, split)
        answer = Response(render_rows(shown, board, split))
    answer.set_etag(tag, weak=True)  # the bytes differ by the compression
    return answer


def render_rows(shown: Glance, board: leaderboard.Page, split: str) -> str:
    """The table with what makes it look again."""
    return render("board", shown, board=board, split=split)


@blueprint.get("/board.<style>")
def download(slug: str, style: str) -> Response:
    """The whole board as CSV or JSON, as the reader may see it."""
    with installation().database.reading() as session:
        shown = glance(session, slug)
        split = _split(shown)
        board = leaderboard.read(
            session, shown.competition, split=split, per_page=MOST_ROWS, reader=shown.reader
        )
    others = list(board.rows[0].others) if board.rows else []
    rows = ({name: getattr(row, name) for name in COLUMNS} | dict(row.others) for row in board.rows)
    return sheets.answer(rows, [*COLUMNS, *others], f"{slug}-{split}", style)


@blueprint.get("/shakeup")
def show_shakeup(slug: str) -> str:
    """Public against private rank, after the reveal."""
    with installation().database.reading() as session:
        shown = frame(session, slug)
        competitions.need_private(shown.competition, identity.caller())
        found = shakeup.read(session, shown.competition, shown.reader)
    pages = max(1, -(-len(found.shifts) // PER_PAGE))
    page = min(paging.page(), pages)
    return render(
        "shakeup",
        shown,
        shakeup=found,
        shifts=found.shifts[(page - 1) * PER_PAGE : page * PER_PAGE],
        mine=next((one for one in found.shifts if one.is_me), None),
        chart=chart.ranks(found.shifts),
        page=page,
        pages=pages,
    )


def _split(shown: Glance) -> str:
    """The board that is asked for; NoAccessError for one that is not revealed."""
    split = request.args.get("split", shown.split)
    if split not in SPLITS:
        raise BadRequestError(f"There is no board {split!r}. There are public and private.")
    if split == PRIVATE:
        competitions.need_private(shown.competition, identity.caller())
    return split


def _at(shown: Glance) -> datetime | None:
    """The moment of an earlier board; one without a zone is of the competition's."""
    text = request.args.get("at", "").strip()
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError("Say when, as a date and a time.", field="at") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(shown.competition.time_zone))


def _board(session: Session, shown: Glance, split: str) -> leaderboard.Page:
    return leaderboard.read(
        session, shown.competition, split=split, page=paging.page(), reader=shown.reader
    )
