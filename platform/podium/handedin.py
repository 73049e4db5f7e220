"""All that was handed in to a competition, for its staff: filtered, paged, or whole as rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from podium import attempts
from podium.accounts import Caller
from podium.boardrules import PRIVATE, PUBLIC
from podium.competitions import audit, need_right
from podium.competitions import find as find_competition
from podium.errors import BadRequestError
from podium.installation import Installation
from podium.models import Competition, Evaluation, Submission, Team, User
from podium.models.submission import IN_ERROR
from podium.submissions import KINDS
from podium.verdicts import State, Verdict

COUNTS = ("counting", "disqualified")
MOST_WAKES = 100
LONGEST = 100  # characters of a text that is looked for


@dataclass(frozen=True)
class Filter:
    """What is looked for; what is empty fits all. `text` is of id, file name, message, reason."""

    team: str = ""
    state: str = ""
    verdict: str = ""
    kind: str = ""
    counts: str = ""  # one of COUNTS
    text: str = ""

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if (value := getattr(self, name)) and value not in known:
                raise BadRequestError(
                    f"There is no {name} {value!r}. Choose {', '.join(known)}.", field=name
                )

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filter":
        """What the fields of a form or of an address say."""
        return cls(**{name: asked.get(name, "").strip()[:LONGEST] for name in FIELDS})

    @property
    def said(self) -> dict[str, Any]:
        """What is not empty, by name."""
        return {name: value for name, value in asdict(self).items() if value}


FIELDS = tuple(Filter.__dataclass_fields__)
CHOICES: dict[str, tuple[str, ...]] = {
    "state": tuple(State),
    "verdict": tuple(Verdict),
    "kind": KINDS,
    "counts": COUNTS,
}


@dataclass(frozen=True)
class Line:
    """One submission as a row: scores are of the metric that ranks, private ones included."""

    id: int
    team: str
    is_baseline: bool
    handle: str | None  # of who sent it
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


COLUMNS = tuple(Line.__dataclass_fields__)


def find(
    session: Session, competition: Competition, wanted: Filter, *, page: int = 1, per_page: int = 50
) -> list[Line]:
    """The submissions that fit, newest first."""
    query = _lines(competition).where(*_conditions(competition, wanted))
    newest = query.order_by(Submission.received_at.desc(), Submission.id.desc())
    rows = session.execute(newest.offset((page - 1) * per_page).limit(per_page))
    return [Line(*row) for row in rows]


def count(session: Session, competition: Competition, wanted: Filter) -> int:
    """How many fit."""
    return session.scalar(fitting(competition, wanted).with_only_columns(func.count())) or 0


def fitting(competition: Competition, wanted: Filter) -> Select[int, int]:
    """Number and team of each submission that fits."""
    return (
        select(Submission.id, Submission.team_id)
        .join(Team, Team.id == Submission.team_id)
        .where(*_conditions(competition, wanted))
    )


def _lines(competition: Competition) -> Select[*tuple[Any, ...]]:
    metric = competition.challenge.spec["metric"]["name"]
    public, private = aliased(Evaluation), aliased(Evaluation)

    def fits(one: type[Evaluation], split: str) -> ColumnElement[bool]:
        return and_(
            one.submission_id == Submission.id,
            one.in_force,
            one.split == split,
            one.metric == metric,
        )

    shown = func.coalesce(public.repeats, public.value)
    return (
        select(
            Submission.id,
            Team.name,
            Team.is_baseline,
            User.handle,
            Submission.kind,
            Submission.state,
            Submission.verdict,
            Submission.reason,
            Submission.file_name,
            Submission.size_bytes,
            Submission.sha256,
            Submission.message,
            Submission.received_at,
            Submission.ended_at,
            Submission.attempt,
            shown,
            private.value,
            Submission.selected,
            Submission.disqualified,
        )
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(User, User.id == Submission.user_id)
        .outerjoin(public, fits(public, PUBLIC))
        .outerjoin(private, fits(private, PRIVATE))
    )


def _conditions(competition: Competition, wanted: Filter) -> list[ColumnElement[bool]]:
    found = [
        Submission.competition_id == competition.id,
        Submission.original_id.is_(None),  # no work of a rescoring
    ]
    if wanted.team:
        found.append(_contains(Team.name, wanted.team))
    for name in ("state", "verdict", "kind"):
        if value := getattr(wanted, name):
            found.append(getattr(Submission, name) == value)
    if wanted.counts:
        is_out = (Submission.disqualified != "") | (Team.disqualified != "")
        found.append(is_out if wanted.counts == "disqualified" else ~is_out)
    if wanted.text:
        columns = (Submission.file_name, Submission.message, Submission.reason)
        fits = [_contains(column, wanted.text) for column in columns]
        if wanted.text.isdecimal() and len(wanted.text) < 10:
            fits.append(Submission.id == int(wanted.text))
        found.append(or_(*fits))
    return found


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(text.lower(), autoescape=True)


def run_again(
    installation: Installation, caller: Caller, slug: str, wanted: Filter, reason: str = ""
) -> int:
    """Let all that ended in error and fit the filter wait again; returns how many. Audited once."""
    with installation.database.writing() as session:
        competition = find_competition(session, slug)
        need_right(competition, caller, "judge")
        rows = session.execute(
            select(Submission.id, Submission.queue)
            .join(Team, Team.id == Submission.team_id)
            .where(IN_ERROR, *_conditions(competition, wanted))
            .order_by(Submission.received_at, Submission.id)
        ).all()
        queues = [queue for id_, queue in rows if attempts.retry(session, id_, caller.handle)]
        if queues:
            audit(
                session,
                caller,
                "submission.retry",
                competition,
                reason,
                submissions=len(queues),
                wanted=wanted.said or None,
            )
    for queue in queues[:MOST_WAKES]:  # for the rest the reconciler wakes workers
        installation.queue.offer(queue)
    return len(queues)
