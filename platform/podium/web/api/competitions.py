"""Competitions: list, show, join, and what a team may still submit."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from podium import catalog, competitions, entryrequests, limits, submissions, workers
from podium.errors import NoAccessError
from podium.models import Competition, Team
from podium.models.record import now
from podium.web import identity, installation
from podium.web.api import shapes
from podium_scoring.grading import Choice

blueprint = APIBlueprint(
    "api_competitions", __name__, url_prefix="/api/v1/competitions", tag="Competitions"
)


@blueprint.get("")
@blueprint.input(shapes.CompetitionQuery, location="query", arg_name="query")
@blueprint.output(shapes.Competitions)
def list_competitions(query: shapes.CompetitionQuery) -> shapes.Page:
    """Competitions from beginner to advanced; `mine` keeps those the caller has joined."""
    caller = identity.need_caller() if query.mine else identity.caller()
    with installation().database.reading() as session:
        found = competitions.listed(
            session,
            caller=caller,
            level=query.level,
            search=query.search,
            mine=query.mine,
        )
        items = [
            _listed(item.competition, item.status, joined=item.joined)
            for item in query.slice(found)
        ]
    return shapes.paged(shapes.Competitions, query, len(found), items)


@blueprint.get("/<slug>")
@blueprint.output(shapes.CompetitionDetail)
def show(slug: str) -> shapes.CompetitionDetail:
    """One competition with its text, the form of its files and the caller's team."""
    caller = identity.caller()
    here = installation()
    with here.database.reading() as session:
        competition = competitions.find(session, slug)
        challenge = competition.challenge
        team = _team(session, competition)
        status = competitions.status(competition, now())
        is_staff = competitions.is_staff(competition, caller)
        text = competitions.text(session, competition)
    spec = catalog.parse(challenge.spec)
    return shapes.CompetitionDetail(
        **_listed(competition, status, joined=team is not None).model_dump(),
        text=text,
        also=spec.metric.beside,
        declaration=spec.declaration,
        edition=challenge.edition,
        version=challenge.version,
        submission=_format(competition, here.config.upload_mib << 20),
        team=team.name if team else None,
        board_revision=competition.board_revision,
        state_reason=challenge.state_reason if is_staff else None,
    )


@blueprint.get("/<slug>/environment")
@blueprint.output(shapes.Environment)
def environment(slug: str) -> shapes.Environment:
    """What submitted code runs with: the packages with their versions, inputs and limits."""
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        spec = catalog.parse(competition.challenge.spec)
        queue = submissions.queue_for(session, competition.challenge, "code")
        return shapes.Environment(
            packages=workers.environment(session, queue),
            run=spec.run.model_dump(mode="json"),
            output=spec.output_file,
            columns=spec.output_columns,
            gpu_memory_mib=spec.resources.gpu_memory_mib,
        )


@blueprint.post("/<slug>/join")
@blueprint.input(shapes.EntryQuery, location="query", arg_name="query")
@blueprint.output(shapes.Joined)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403])
def join(slug: str, query: shapes.EntryQuery) -> shapes.Joined:
    """Join as a team of one; joining again changes nothing.

    Where people are let in one by one this asks, and answers 403 `asked` until staff has decided.
    """
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        competition = competitions.find(session, slug)
        team = entryrequests.enter(session, competition, caller, query.message)
        if team is not None:
            return shapes.Joined(competition=slug, team=team.name)
        title = competition.title
    raise NoAccessError(
        f"You have asked to enter {title}. Its host lets you in, or says why not.", code="asked"
    )


@blueprint.get("/<slug>/limits")
@blueprint.output(shapes.Limits)
@blueprint.doc(security="token", responses=[401, 403])
def show_limits(slug: str) -> shapes.Limits:
    """How many submissions the caller's team has made and may still make."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        team = competitions.need_team(session, competition, caller)
        found = limits.of_team(session, competition, team.id, now())
    return shapes.Limits.model_validate(found)


def metric_of(competition: Competition) -> shapes.Metric:
    """The metric that ranks a competition."""
    chosen = competition.challenge.spec["metric"]
    found = Choice.of(chosen).record
    return shapes.Metric(
        name=found.name,
        title=found.title,
        higher_is_better=found.higher_is_better,
        options=chosen.get("options", {}),
    )


def _listed(competition: Competition, status: str, *, joined: bool) -> shapes.Competition:
    spec = competition.challenge.spec
    return shapes.Competition(
        slug=competition.slug,
        title=competition.title,
        summary=spec["summary"],
        level=spec["level"],
        task=spec["task"],
        kinds=spec["kinds"],
        metric=metric_of(competition),
        status=status,
        is_practice=competition.is_practice,
        opens_at=competition.opens_at,
        closes_at=competition.closes_at,
        time_zone=competition.time_zone,
        daily_limit=competition.daily_limit,
        total_limit=competition.total_limit,
        finals=competition.finals,
        teams=competition.team_count,
        joined=joined,
        asks_first=competition.asks_first,
    )


def _team(session: Session, competition: Competition) -> Team | None:
    caller = identity.caller()
    return competitions.team_of(session, competition.id, caller.id) if caller else None


def _format(competition: Competition, installation_bytes: int) -> shapes.SubmissionFormat:
    spec = competition.challenge.spec["submission"]
    keys = shapes.Column.model_fields
    return shapes.SubmissionFormat(
        format=spec["format"],
        columns=[
            shapes.Column.model_validate({key: column.get(key) for key in keys})
            for column in (spec["id"], *spec["columns"])
        ],
        max_bytes=submissions.largest_file(competition, installation_bytes),
    )
