"""When time ends for whom: the competition's deadline, what hosts gave, grace and lateness.

A student's own deadline goes before the section's, the section's before everybody's; none takes
time away. A team has the latest of its own, its members' and everybody's. All is judged by
reception. What a competition takes after a deadline is late, and costs credit by the day.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from podium.models import Competition, Enrolment, Extension, Grant, Membership, Team

DAY = timedelta(days=1)


def accepted_until(competition: Competition, due_at: datetime | None) -> datetime | None:
    """The last moment at which something is taken from whoever is due then."""
    if due_at is None:
        return None
    return due_at + max(
        timedelta(minutes=competition.grace_minutes), timedelta(hours=competition.late_hours)
    )


def days_late(competition: Competition, due_at: datetime | None, received_at: datetime) -> int:
    """Started days after a deadline; 0 within the grace."""
    if due_at is None or received_at <= due_at + timedelta(minutes=competition.grace_minutes):
        return 0
    return math.ceil((received_at - due_at) / DAY)


def credit(competition: Competition, days: int) -> float:
    """What part of a grade is left after so many late days that no bank paid for, 0 to 1."""
    return max(0.0, 1 - days * competition.late_percent / 100)


def of_team(session: Session, competition: Competition, team_id: int) -> datetime | None:
    """When a team is due; None where there is no deadline."""
    if competition.closes_at is None:
        return None
    given = _given(session, competition)
    if not given:
        return competition.closes_at
    members = select(Membership.user_id).where(Membership.team_id == team_id)
    user_ids = session.scalars(members).all()
    sections = _sections(session, competition, user_ids)
    return _latest(competition.closes_at, given, team_id, user_ids, sections)


def of_person(session: Session, competition: Competition, user_id: int) -> datetime | None:
    """When a person who is in no team yet would be due."""
    if competition.closes_at is None:
        return None
    given = _given(session, competition)
    sections = _sections(session, competition, [user_id]) if given else {}
    return _latest(competition.closes_at, given, None, [user_id], sections)


def of_teams(session: Session, competition: Competition) -> dict[int, datetime]:
    """When each team is due that has another deadline than everybody."""
    given = _given(session, competition)
    if not given or competition.closes_at is None:
        return {}
    members = defaultdict(list)
    for team_id, user_id in session.execute(
        select(Membership.team_id, Membership.user_id).where(
            Membership.competition_id == competition.id
        )
    ):
        members[team_id].append(user_id)
    sections = _sections(session, competition, None)
    return {
        team_id: _latest(competition.closes_at, given, team_id, user_ids, sections)
        for team_id, user_ids in members.items()
    }


def last(session: Session, competition: Competition) -> datetime | None:
    """The last moment at which anybody may hand something in; None where there is no deadline."""
    if competition.closes_at is None:
        return None
    return accepted_until(
        competition, max([competition.closes_at, *_given(session, competition).values()])
    )


Given = dict[tuple[str, int | str], datetime]  # the last given to each team, student, section


def given_in(table: type[Extension] | type[Grant], competition: Competition) -> ColumnElement[bool]:
    """What was given in a competition, as a condition of a query that joins the team if any."""
    return or_(Team.competition_id == competition.id, table.competition_id == competition.id)


def _given(session: Session, competition: Competition) -> Given:
    """Of each to whom a host gave a deadline, the last one given."""
    rows = session.execute(
        select(Extension.team_id, Extension.user_id, Extension.section, Extension.closes_at)
        .outerjoin(Team, Team.id == Extension.team_id)
        .where(given_in(Extension, competition))
        .order_by(Extension.id)
    )
    return {
        _target(team_id, user_id, section): closes_at
        for team_id, user_id, section, closes_at in rows
    }


def _target(team_id: int | None, user_id: int | None, section: str | None) -> tuple[str, int | str]:
    if team_id is not None:
        return "team", team_id
    return ("student", user_id) if user_id is not None else ("section", section or "")


def _sections(
    session: Session, competition: Competition, user_ids: Sequence[int] | None
) -> dict[int, str]:
    """The section of people in the competition's course."""
    query = select(Enrolment.user_id, Enrolment.section).where(
        Enrolment.course_id == competition.course_id, Enrolment.user_id.is_not(None)
    )
    if user_ids is not None:
        query = query.where(Enrolment.user_id.in_(user_ids))
    return {user_id: section for user_id, section in session.execute(query) if user_id is not None}


def _latest(
    closes_at: datetime,
    given: Given,
    team_id: int | None,
    user_ids: Sequence[int],
    sections: dict[int, str],
) -> datetime:
    found = [closes_at]
    if team_id is not None and ("team", team_id) in given:
        found.append(given["team", team_id])
    for user_id in user_ids:
        own = given.get(("student", user_id))
        section = given.get(("section", sections.get(user_id, "")))
        found += [one for one in [own or section] if one is not None]
    return max(found)


def granted(session: Session, competition: Competition, team_id: int) -> dict[str, int]:
    """Extra submissions of a team, in all and by the ISO day they were given for.

    To its own come those of the member who has most; a student's go before the section's.
    """
    rows = session.execute(
        select(Grant.team_id, Grant.user_id, Grant.section, Grant.day, Grant.submissions).where(
            or_(Grant.team_id == team_id, Grant.competition_id == competition.id),
        )
    ).all()
    by_target: dict[tuple[str, int | str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for to_team, user_id, section, day, number in rows:
        by_target[_target(to_team, user_id, section)][day.isoformat()] += number
    if not by_target:
        return {}
    user_ids = session.scalars(
        select(Membership.user_id).where(Membership.team_id == team_id)
    ).all()
    sections = _sections(session, competition, user_ids)
    of_members = [
        by_target.get(("student", user_id))
        or by_target.get(("section", sections.get(user_id, "")))
        or {}
        for user_id in user_ids
    ]
    total = dict(by_target.get(("team", team_id), {}))
    most = max(of_members, key=lambda days: sum(days.values()), default={})
    for iso_day, number in most.items():
        total[iso_day] = total.get(iso_day, 0) + number
    return total
