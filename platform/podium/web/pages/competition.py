"""The tabs of a competition: overview, data, submit, my submissions, rules."""

import csv
import io
import secrets
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from podium import (
    announcements,
    attempts,
    catalog,
    checking,
    competitions,
    courses,
    entryrequests,
    finals,
    leaderboard,
    limits,
    rescoring,
    submissions,
    waiting,
    workers,
)
from podium.accounts import HOST, RIGHTS
from podium.boardrules import PRIVATE, PUBLIC
from podium.catalog import Spec
from podium.competitions import Status
from podium.errors import AskError, BadRequestError, ConflictError
from podium.leaderboard import Reader
from podium.limits import Limits
from podium.models import Competition, EntryRequest, Submission, Team
from podium.models.record import now
from podium.submissions import Upload
from podium.verdicts import OPEN
from podium.web import downloads, identity, installation, words
from podium.web.pages import paging
from podium.web.uploads import PIECE_BYTES, largest_file, takes_file
from podium_scoring import Metric

blueprint = Blueprint("competition", __name__, url_prefix="/c/<slug>")

TOP = 5
PREVIEW_ROWS = 5
PER_PAGE = 50
PLACES_S = 10
SOONEST_S, LATEST_S = 1, 15  # between two looks at submissions that are not ended


@dataclass(frozen=True)
class Glance:
    """A competition and who looks at it: what parts of pages need that are asked for often."""

    competition: Competition
    spec: Spec
    team: Team | None
    rights: frozenset[str]  # of the reader: accounts.RIGHTS and accounts.HOST
    sees_private: bool

    @property
    def is_staff(self) -> bool:
        """Whether the reader has a Manage tab."""
        return "see" in self.rights

    @property
    def is_host(self) -> bool:
        """Whether the reader may do everything here."""
        return HOST in self.rights

    @property
    def reader(self) -> Reader:
        """Who looks at the board."""
        return Reader(self.team.id if self.team else None, self.is_staff)

    @property
    def split(self) -> str:
        """The board that counts now: the private one once it is revealed."""
        return PRIVATE if self.competition.revealed_at else PUBLIC

    @property
    def metric(self) -> Metric:
        """The metric that ranks."""
        return self.spec.metric.record


@dataclass(frozen=True)
class Frame(Glance):
    """What every tab shows besides: the status, and the reader's part in it."""

    status: Status
    asked: EntryRequest | None  # to be let in, where that is not done yet
    limits: Limits | None
    in_error: int  # submissions that its staff should look at


def glance(session: Session, slug: str) -> Glance:
    """Read who looks at what; NotFoundError for an unknown slug."""
    caller = identity.caller()
    competition = competitions.find(session, slug)
    return Glance(
        competition=competition,
        spec=catalog.parse(competition.challenge.spec),
        team=competitions.team_of(session, competition.id, caller.id) if caller else None,
        rights=frozenset(r for r in (*RIGHTS, HOST) if competitions.may(competition, caller, r)),
        sees_private=competitions.sees_private(competition, caller),
    )


def frame(session: Session, slug: str) -> Frame:
    """Read what every tab shows; NotFoundError for an unknown slug."""
    caller, moment = identity.caller(), now()
    seen = glance(session, slug)
    competition, team = seen.competition, seen.team
    return Frame(
        **vars(seen),
        status=limits.status_for(session, competition, team, moment),
        asked=entryrequests.of_person(session, competition, caller.id)
        if caller and competition.asks_first and team is None
        else None,
        limits=limits.of_team(session, competition, team.id, moment) if team else None,
        in_error=submissions.count_in_error(session, competition.id) if seen.is_staff else 0,
    )


def render(tab: str, shown: Glance, **values: Any) -> str:
    """The page of a tab."""
    return render_template(f"competition/{tab}.html", tab=tab, here=shown, **values)


@blueprint.get("/")
def overview(slug: str) -> str:
    """What it is about, three steps to a first score, the top of the board."""
    with installation().database.reading() as session:
        shown = frame(session, slug)
        board = leaderboard.read(
            session, shown.competition, split=shown.split, per_page=TOP, reader=shown.reader
        )
        text = competitions.text(session, shown.competition)
        rescored = rescoring.applied(session, shown.competition.id)
        told = announcements.of(session, shown.competition)
    return render("overview", shown, board=board, text=text, rescored=rescored, told=told)


@blueprint.post("/join")
def join(slug: str) -> AnyResponse:
    """Join as a team of one."""
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        team = entryrequests.enter(session, competition, caller, request.form.get("message", ""))
        title = competition.title
    if team is None:
        flash(f"You have asked to enter {title}. You are told when its host has answered.")
        return redirect(url_for("competition.overview", slug=slug), 303)
    flash(f"You are in {title}. Download the data, or hand in the sample to see how it works.")
    return redirect(url_for("competition.data", slug=slug), 303)


@blueprint.get("/data")
def data(slug: str) -> str:
    """Files with their digests, where they come from, a look at the first rows."""
    here = installation()
    with here.database.reading() as session:
        shown = frame(session, slug)
        files = competitions.files(session, shown.competition)
        preview: list[list[str]] = []
        for file in files:
            if file.name.endswith(".csv"):
                with here.storage.open(file.file_key) as stored:
                    lines = [stored.readline().decode() for _ in range(PREVIEW_ROWS + 1)]
                preview = list(csv.reader(io.StringIO("".join(lines))))
    return render("data", shown, files=files, preview=preview)


@blueprint.get("/files/<name>")
def download(slug: str, name: str) -> Response:
    """One file of the data."""
    file = downloads.offered(slug, name)
    return downloads.send(
        installation().storage, file.file_key, file.name, file.size_bytes, file.sha256
    )


@blueprint.get("/submit")
def submit_form(slug: str) -> str:
    """The form; where nothing can be submitted now, the reason and when that ends."""
    identity.need_caller()
    with installation().database.reading() as session:
        return _submit_page(session, frame(session, slug))


def _submit_page(session: Session, shown: Frame, error: AskError | None = None) -> str:
    return render("submit", shown, error=error, **_form(session, shown))


def _form(session: Session, shown: Frame) -> dict[str, Any]:
    """What the form of a submission says and carries."""
    kinds = submissions.kinds_of(shown.competition)
    queue = submissions.queue_for(session, shown.competition.challenge, kinds[-1])
    return {
        "key": secrets.token_urlsafe(12),
        "kinds": kinds,
        "most_bytes": largest_file(shown.competition),
        "piece_bytes": PIECE_BYTES,
        "output_name": shown.spec.output_file,
        "packages": workers.environment(session, queue) if {*kinds} - {"predictions"} else {},
    }


@blueprint.post("/submit")
@takes_file(must_have_room=True)
def submit(slug: str, upload: Upload) -> AnyResponse | tuple[str, int]:
    """Hand in a file, then show it waiting."""
    caller = identity.need_caller("submit")
    if upload.idempotency_key:
        # A page that was gone back to sends its key again: with another file it is another try.
        key = f"{upload.idempotency_key}:{upload.file.sha256[:16]}"
        upload = replace(upload, idempotency_key=key)
    try:
        submission_id = submissions.accept(installation(), caller, slug, upload)
    except (BadRequestError, ConflictError) as error:
        with installation().database.reading() as session:
            return _submit_page(session, frame(session, slug), error), 400
    place = url_for("competition.my_submissions", slug=slug, _anchor=f"s-{submission_id}")
    return redirect(place, 303)


@blueprint.post("/check")
@takes_file(must_have_room=False)
def check(slug: str, upload: Upload) -> str:
    """The dry run: a fragment for the page's script, a page without it."""
    identity.need_caller()
    if not upload.file.size_bytes:
        raise BadRequestError("Choose a file first.", field="file")
    checked = checking.check(installation(), slug, cast(Any, upload.file), upload.kind)
    if request.headers.get("HX-Request"):
        return render_template("competition/checked.html", checked=checked, name=upload.file_name)
    with installation().database.reading() as session:
        shown = frame(session, slug)
        form = _form(session, shown)
    return render("submit", shown, checked=checked, name=upload.file_name, **form)


@blueprint.get("/submissions")
def my_submissions(slug: str) -> str:
    """The team's submissions; those that are not ended are looked at again and again."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        shown = frame(session, slug)
        competitions.need_team(session, shown.competition, caller)
        return render("submissions", shown, **_rows(session, shown))


@blueprint.get("/submissions/rows")
def submission_rows(slug: str) -> Response | str:
    """The table alone, for looking again; 304 while nothing has changed.

    What others do moves places in the queue: for them it is made anew every ten seconds.
    """
    caller = identity.need_caller()
    with installation().database.reading() as session:
        shown = glance(session, slug)
        team = competitions.need_team(session, shown.competition, caller)
        latest = attempts.latest_transition(session, team.id)
        turn = int(time.time() + team.id) // PLACES_S  # not that of all teams at one moment
        tag = f"{team.id}-{latest}-{paging.page()}-{turn}-{words.language()}"
        if request.if_none_match.contains_weak(tag):
            return Response(status=304)
        answer = Response(
            render_template("competition/rows.html", here=shown, **_rows(session, shown))
        )
    answer.set_etag(tag, weak=True)
    return answer


def _rows(session: Session, shown: Glance) -> dict[str, Any]:
    assert shown.team is not None
    page = paging.page()
    found = submissions.of_team(session, shown.team.id, page=page, per_page=PER_PAGE)
    lease_s = installation().config.lease_s
    return {
        "found": found,
        "finals": finals.of_team(session, shown.competition, shown.team),
        "page": page,
        "pages": -(-submissions.count(session, team_id=shown.team.id) // PER_PAGE),
        "places": {row.id: waiting.place(session, row, lease_s) for row in found},
        "twins": submissions.earlier_twins(session, found),
        "again_s": look_again_s(found),
    }


@blueprint.post("/finals")
def select(slug: str) -> AnyResponse:
    """Add a submission to the finals of the own team, or take it out."""
    caller = identity.need_caller("submit")
    form = request.form
    with installation().database.writing() as session:
        submission = submissions.get(session, caller, form.get("submission", 0, type=int))
        finals.select_one(session, caller, submission, selected=form.get("selected") == "1")
    return redirect(url_for("competition.my_submissions", slug=slug), 303)


def look_again_s(found: list[Submission] | Any) -> int | None:
    """Seconds until the next look: soon after a submission, rarer with time; None at rest."""
    unfinished = [row for row in found if row.state in OPEN]
    if not unfinished:
        return None
    youngest = now() - max(row.received_at for row in unfinished)
    return int(min(LATEST_S, max(SOONEST_S, youngest / timedelta(seconds=10))))


@blueprint.get("/rules")
def rules(slug: str) -> str:
    """Dates, limits, what counts, how ties are decided."""
    with installation().database.reading() as session:
        shown = frame(session, slug)
        course = courses.of_competition(session, shown.competition)
        return render("rules", shown, late_days=course.late_days if course else 0)
