"""What staff reads of a competition as a whole: everybody's submissions, and who takes part."""

from dataclasses import asdict
from datetime import datetime

from apiflask import APIBlueprint
from pydantic import Field

from podium import handedin, participants
from podium.competitions import find, need_right
from podium.handedin import Filter
from podium.web import identity, installation
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
