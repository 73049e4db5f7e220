"""Who takes part in a competition, for its staff: teams, their people, how far they have come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from podium.accounts import STUDENT
from podium.boardrules import PRIVATE, PUBLIC
from podium.models import BoardEntry, Competition, Enrolment, Membership, Submission, Team, User


@dataclass(frozen=True)
class Participant:
    """One person. Name, number, section and address stand in the class list of the course only.

    In a competition of no course they are empty: whoever hosts it has no claim to addresses.
    """

    handle: str
    name: str
    email: str
    number: str
    section: str
    role: str  # in the course
    team: str
    is_leader: bool
    joined_at: datetime
    downloaded_at: datetime | None  # the first file
    submissions: int  # of the team, whatever became of them
    last_at: datetime | None
    public: float | None  # of the team, as on the boards
    private: float | None
    disqualified: str  # the team: why


CHUNK = 5_000  # people asked for at once: a statement has a limit of values
COLUMNS = tuple(Participant.__dataclass_fields__)


class Key(NamedTuple):
    """One membership and its team."""

    membership_id: int
    team_id: int


def of(session: Session, competition: Competition) -> Sequence[Participant]:
    """Everybody who has joined, by team and handle."""
    keys = find(session, competition)
    parts = (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
    return [one for part in parts for one in read(session, competition, part)]


def find(session: Session, competition: Competition, search: str = "") -> Sequence[Key]:
    """Who has joined, by team and handle; with a search those whose names hold it."""
    query = (
        _joined(select(Membership.id, Membership.team_id), competition)
        .where(Membership.competition_id == competition.id)
        .order_by(func.lower(Team.name), User.handle)
    )
    if text := search.strip().lower():
        columns: list[Any] = [User.handle, Team.name, Enrolment.name, Enrolment.email]
        fits = [func.lower(column).contains(text, autoescape=True) for column in columns]
        query = query.where(or_(*fits))
    return [Key(*row) for row in session.execute(query)]


def read(session: Session, competition: Competition, keys: Sequence[Key]) -> Sequence[Participant]:
    """These participants; what their teams handed in is counted for them alone."""
    handed_in = (
        select(
            Submission.team_id,
            func.count().label("number"),
            func.max(Submission.received_at).label("last_at"),
        )
        .where(
            Submission.team_id.in_({key.team_id for key in keys}),
            Submission.original_id.is_(None),
        )
        .group_by(Submission.team_id)
        .subquery()
    )
    public, private = aliased(BoardEntry), aliased(BoardEntry)
    course = (
        *(Enrolment.name, Enrolment.email, Enrolment.number, Enrolment.section, Enrolment.role),
    )
    query = (
        _joined(
            select(
                User.handle,
                *(func.coalesce(column, "") for column in course),
                Team.name,
                func.coalesce(Team.leader_id == User.id, False),
                Membership.joined_at,
                Membership.downloaded_at,
                func.coalesce(handed_in.c.number, 0),
                handed_in.c.last_at,
                public.score,
                private.score,
                Team.disqualified,
            ),
            competition,
        )
        .outerjoin(handed_in, handed_in.c.team_id == Team.id)
        .outerjoin(public, (public.team_id == Team.id) & (public.split == PUBLIC))
        .outerjoin(private, (private.team_id == Team.id) & (private.split == PRIVATE))
        .where(Membership.id.in_([key.membership_id for key in keys]))
        .order_by(func.lower(Team.name), User.handle)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in session.execute(query)]
    return [Participant(*row) for row in rows]


def _joined(query: Select[*tuple[Any, ...]], competition: Competition) -> Select[*tuple[Any, ...]]:
    """A query of memberships with their people, teams and places in the class list."""
    in_course = (Enrolment.user_id == User.id) & (Enrolment.course_id == competition.course_id)
    return (
        query.select_from(Membership)
        .join(Team, Team.id == Membership.team_id)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Enrolment, in_course)
    )


def staff(session: Session, competition: Competition) -> list[tuple[str, str]]:
    """Who runs the competition: handle (or address, before there is an account) and role."""
    if competition.course_id is None:
        host = session.get(User, competition.host_id) if competition.host_id else None
        return [(host.handle, "host")] if host else []
    rows = session.execute(
        select(func.coalesce(User.handle, Enrolment.email), Enrolment.role)
        .outerjoin(User, User.id == Enrolment.user_id)
        .where(Enrolment.course_id == competition.course_id, Enrolment.role != STUDENT)
        .order_by(Enrolment.role.desc(), User.handle)
    )
    return [(who, role) for who, role in rows]
