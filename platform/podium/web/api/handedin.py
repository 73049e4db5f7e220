"""What staff reads of a competition as a whole: everybody's submissions, and who takes part."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import Field

from podium import bulkacts, entryrequests, handedin, participants
from podium.competitions import audited, find, need_right
from podium.handedin import Filter
from podium.web import identity, installation
from podium.web.api.courseshapes import Decision
from podium.web.api.shapes import Page, PageQuery, Shape, paged

blueprint = APIBlueprint(
    "api_handedin", __name__, url_prefix="/api/v1/competitions/<slug>", tag="Hosts"
)


class FilterQuery(PageQuery):
    """Which submissions, and which page of them; what is empty fits all."""

    team: str = ""
    state: str = ""
    verdict: str = ""
    kind: str = ""
    counts: str = ""
    text: str = ""


class HandedIn(Shape):
    """A submission as its host lists it: flat, private score included."""

    id: int
    team: str
    is_baseline: bool
    handle: str | None
    kind: str
    state: str
    verdict: str | None
    reason: str
    file_name: str
    size_bytes: int
    sha256: str
    message: str
    received_at: datetime
    ended_at: datetime | None
    attempts: int
    public: float | None
    private: float | None
    selected: bool
    disqualified: str


class AllHandedIn(Page):
    """A page of everybody's submissions, newest first."""

    items: list[HandedIn]


class RetryRequest(Shape):
    """Which of those that ended in error; what is empty fits all."""

    team: str = Field("", max_length=100)
    text: str = Field("", max_length=100)
    reason: str = Field("", max_length=500)


class Retried(Shape):
    """How many wait again."""

    submissions: int


class ActsRequest(Shape):
    """What to do to which submissions: `cancel`, `disqualify`, `reinstate` or `retry`."""

    verb: str = Field(max_length=20)
    submissions: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(max_length=bulkacts.MOST)
    reason: str = Field("", max_length=500)


class Refused(Shape):
    """A submission that was left as it is, and why."""

    submission: int
    reason: str


class Acts(Shape):
    """Which submissions were changed, and which not."""

    done: list[int]
    refused: list[Refused]


class EntryRequest(Shape):
    """A person who waits to be let in."""

    id: int
    handle: str
    message: str
    asked_at: datetime


class EntryRequests(Shape):
    """All who wait to be let in, the longest first."""

    items: list[EntryRequest]


class Participant(Shape):
    """One person who takes part; name, address, number and section are of the class list."""

    handle: str
    name: str
    email: str
    number: str
    section: str
    role: str
    team: str
    is_leader: bool
    joined_at: datetime
    downloaded_at: datetime | None
    submissions: int
    last_at: datetime | None
    public: float | None
    private: float | None
    disqualified: str


class Participants(Page):
    """A page of those who take part, by team."""

    items: list[Participant]


class AuditQuery(Shape):
    """How many of the latest acts."""

    most: int = Field(200, ge=1, le=5000)


class Act(Shape):
    """What somebody (null: Podium itself) did to a competition, and why."""

    id: int
    at: datetime
    by: str | None
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


class Audit(Shape):
    """The log of what was done to a competition, the latest first."""

    items: list[Act]


@blueprint.get("/audit")
@blueprint.input(AuditQuery, location="query", arg_name="query")
@blueprint.output(Audit)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def list_acts(slug: str, query: AuditQuery) -> Audit:
    """What was done to a competition: by whom, when, why."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        found = audited(session, competition, query.most)
        items = [
            Act(
                id=entry.id,
                at=entry.at,
                by=handle,
                action=entry.action,
                subject=entry.subject,
                reason=entry.reason,
                detail=entry.detail,
            )
            for entry, handle in found
        ]
    return Audit(items=items)


@blueprint.get("/submissions/all")
@blueprint.input(FilterQuery, location="query", arg_name="query")
@blueprint.output(AllHandedIn)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def list_all(slug: str, query: FilterQuery) -> Page:
    """Everybody's submissions: `state`, `verdict`, `kind`, `counts`, a part of team or text."""
    caller = identity.need_caller("host")
    wanted = Filter.of({name: getattr(query, name) for name in handedin.FIELDS})
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        found = handedin.find(
            session, competition, wanted, page=query.page, per_page=query.per_page
        )
        total = handedin.count(session, competition, wanted)
    return paged(AllHandedIn, query, total, [HandedIn(**asdict(one)) for one in found])


@blueprint.post("/submissions/retry")
@blueprint.input(RetryRequest, arg_name="asked")
@blueprint.output(Retried)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def run_again(slug: str, asked: RetryRequest) -> Retried:
    """Let all that ended in error wait again, or those of a team or with a word in them."""
    caller = identity.need_caller("host")
    wanted = Filter(team=asked.team, text=asked.text)
    number = handedin.run_again(installation(), caller, slug, wanted, asked.reason)
    return Retried(submissions=number)


@blueprint.post("/submissions/acts")
@blueprint.input(ActsRequest, arg_name="asked")
@blueprint.output(Acts)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def act(slug: str, asked: ActsRequest) -> Acts:
    """Cancel, disqualify, reinstate or run again many at once; each is audited by itself."""
    caller = identity.need_caller("host")
    done = bulkacts.act(installation(), caller, slug, asked.verb, asked.submissions, asked.reason)
    refused = [Refused(submission=id_, reason=why) for id_, why in done.refused.items()]
    return Acts(done=done.ids, refused=refused)


@blueprint.get("/requests")
@blueprint.output(EntryRequests)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def list_requests(slug: str) -> EntryRequests:
    """Who waits to be let in: for staff."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        items = [
            EntryRequest(
                id=one.id, handle=one.user.handle, message=one.message, asked_at=one.asked_at
            )
            for one in entryrequests.waiting(session, competition)
        ]
    return EntryRequests(items=items)


@blueprint.post("/requests/<int(max=2147483647):request_id>")
@blueprint.input(Decision, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403, 404])
def answer(slug: str, request_id: int, asked: Decision) -> tuple[str, int]:
    """Let a person in as a team of one, or decline with a reason that they read."""
    caller = identity.need_caller("host")
    with installation().database.writing() as session:
        entryrequests.decide(
            session, caller, slug, request_id, accepts=asked.accepts, reason=asked.reason
        )
    return "", 204


@blueprint.get("/participants")
@blueprint.input(PageQuery, location="query", arg_name="query")
@blueprint.output(Participants)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404])
def list_participants(slug: str, query: PageQuery) -> Page:
    """Who takes part, with team and how far they have come."""
    caller = identity.need_caller("host")
    with installation().database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "see")
        found = participants.of(session, competition)
    items = [Participant(**asdict(one)) for one in query.slice(found)]
    return paged(Participants, query, len(found), items)
