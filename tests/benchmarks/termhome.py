"""A home in the middle of a large term, by bulk insertion: what pages are measured on.

100 competitions, 5,000 people, 200,000 submissions with attempts, timelines, scores and boards;
c001 has 500 teams and 60,000 submissions and belongs to a course of 500, c002 is revealed.
"""

import itertools
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from podium import accounts, competitions, courses, entries, reveal
from podium.models import (
    Attempt,
    AuditEntry,
    Competition,
    Enrolment,
    Evaluation,
    Membership,
    Notification,
    Post,
    Submission,
    Team,
    Thread,
    Transition,
    User,
)
from podium.models.record import now
from podium.verdicts import State, Verdict

COMPETITIONS, PEOPLE, SUBMISSIONS = 100, 5_000, 200_000
BIG_TEAMS, BIG_SUBMISSIONS = 500, 60_000
TEAMS = 100  # of every other competition
CHUNK = 10_000
PASSWORD = "correct horse"
STUDENT, TEACHER, ADMIN = "u0001", "teacher-01", "root-01"
ENDS = {
    State.SCORED: (Verdict.SCORED, "accuracy"),
    State.INVALID: (Verdict.INVALID, "line 3: expected 0 to 9, got 12"),
    State.FAILED: (Verdict.EXCEPTION, "It ended with an error."),
    State.CANCELLED: (Verdict.CANCELLED, "Cancelled. It does not count."),
}


def fill(factory: Any) -> None:
    """Build it: a minute or two."""
    here = factory.installation
    teacher = factory.person(TEACHER, "instructor")
    factory.person(ADMIN, "admin")
    moment = now()
    for number in range(1, COMPETITIONS + 1):
        opened = moment - timedelta(days=number)
        factory.competition(
            f"c{number:03}",
            host_id=teacher.id,
            opens_at=opened,
            is_practice=number % 10 == 0,
            season="2026" if number % 3 == 2 else "",
            closes_at=moment + timedelta(days=30),
            daily_limit=500,
        )
    with here.database.writing() as session:
        course = courses.create(session, teacher, "dl", "Deep learning", "Europe/Berlin")
        first = competitions.find(session, "c001")
        first.course_id = course.id
        big, course_id = first.id, course.id
        _people(session)
        _enrolled(session, course_id)
    with here.database.writing() as session:
        _teams(session, big)
    with here.database.writing() as session:
        _submissions(session, big, moment)
    with here.database.writing() as session:
        _words(session, big, moment)
        session.execute(update(User).values(password_hash=accounts.hashed(PASSWORD)))
    for number in range(1, COMPETITIONS + 1):
        with here.database.writing() as session:
            entries.rebuild(session, competitions.find(session, f"c{number:03}"))
    with here.database.writing() as session:
        over = competitions.find(session, "c002")
        over.closes_at = now() - timedelta(seconds=1)
    with here.database.writing() as session:
        reveal.when_due(session, competitions.find(session, "c002"), now())


def in_bulk(session: Session, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows, many at once."""
    left = iter(rows)
    while batch := list(itertools.islice(left, CHUNK)):
        session.execute(insert(table), batch)


def _handle(number: int) -> str:
    return f"u{number:04}"


def _people(session: Session) -> None:
    in_bulk(
        session,
        User,
        (
            {
                "id": 100 + number,
                "handle": _handle(number),
                "email": f"{_handle(number)}@example.org",
                "password_hash": "none",
            }
            for number in range(1, PEOPLE + 1)
        ),
    )


def _enrolled(session: Session, course_id: int) -> None:
    in_bulk(
        session,
        Enrolment,
        (
            {
                "course_id": course_id,
                "user_id": 100 + number,
                "email": f"{_handle(number)}@example.org",
                "name": f"Student {number}",
                "number": str(10_000 + number),
                "section": "AB"[number % 2],
            }
            for number in range(1, BIG_TEAMS + 1)
        ),
    )


def members(competition: int) -> range:
    """The numbers of the people who are in a competition, each as a team; 1 is in every fifth."""
    if competition == 1:
        return range(1, BIG_TEAMS + 1)
    first = 1 if competition % 5 == 2 else (competition * 47) % (PEOPLE - TEAMS)
    return range(first, first + TEAMS)


def _team_id(competition: int, number: int) -> int:
    return competition * 10_000 + number


def _teams(session: Session, big: int) -> None:
    in_each = [(i, number) for i in range(1, COMPETITIONS + 1) for number in members(i)]
    in_bulk(
        session,
        Team,
        (
            {
                "id": _team_id(i, number),
                "competition_id": big + i - 1,
                "name": _handle(number),
                "leader_id": 100 + number,
            }
            for i, number in in_each
        ),
    )
    in_bulk(
        session,
        Membership,
        (
            {
                "competition_id": big + i - 1,
                "team_id": _team_id(i, number),
                "user_id": 100 + number,
            }
            for i, number in in_each
        ),
    )
    for i in range(1, COMPETITIONS + 1):
        session.execute(
            update(Competition)
            .where(Competition.id == big + i - 1)
            .values(team_count=len(members(i)))
        )


def _plan() -> Iterator[tuple[int, int]]:
    """Of each submission: competition and person."""
    for i in range(1, COMPETITIONS + 1):
        people = members(i)
        others = (SUBMISSIONS - BIG_SUBMISSIONS) // (COMPETITIONS - 1) + 1
        for k in range(BIG_SUBMISSIONS if i == 1 else others):
            yield i, people[k % len(people)]


def _submissions(session: Session, big: int, moment: datetime) -> None:
    chance = random.Random(5)
    states = chance.choices(list(ENDS), weights=(80, 10, 8, 2), k=SUBMISSIONS + COMPETITIONS)
    known = list(zip(itertools.count(1), _plan(), states))
    # The youngest were handed in a minute ago, the others before them, spread over two months.
    at = {
        n: moment - timedelta(seconds=60 + 26 * (SUBMISSIONS - n % SUBMISSIONS)) for n, *_ in known
    }
    in_bulk(
        session,
        Submission,
        (
            {
                "id": n,
                "competition_id": big + i - 1,
                "team_id": _team_id(i, number),
                "user_id": 100 + number,
                "kind": "predictions",
                "file_name": "predictions.csv",
                "file_key": f"submissions/{n % 256:02x}/{n:032x}",
                "sha256": f"{n:064x}",
                "size_bytes": 200_000,
                "message": f"try {n}",
                "state": state,
                "verdict": ENDS[state][0],
                "reason": ENDS[state][1],
                "attempt": 1,
                "received_at": at[n],
                "started_at": at[n],
                "ended_at": at[n] + timedelta(seconds=1),
            }
            for n, (i, number), state in known
        ),
    )
    in_bulk(
        session,
        Attempt,
        (
            {
                "submission_id": n,
                "number": 1,
                "stage": "score",
                "worker": "score-1",
                "started_at": at[n],
                "lease_until": at[n],
                "ended_at": at[n] + timedelta(seconds=1),
                "outcome": state,
                "wall_s": 0.3,
            }
            for n, _, state in known
        ),
    )
    steps = ((None, "queued"), ("queued", "scoring"), ("scoring", None))
    in_bulk(
        session,
        Transition,
        (
            {
                "submission_id": n,
                "at": at[n],
                "source": source,
                "target": target or state,
                "attempt": 1,
            }
            for n, _, state in known
            for source, target in steps
        ),
    )
    in_bulk(
        session,
        Evaluation,
        (
            {
                "submission_id": n,
                "scorer_version": "1",
                "truth_version": "t",
                "split": split,
                "metric": "accuracy",
                "value": round(chance.betavariate(8, 3), 4),
                "low": 0.5,
                "high": 0.9,
                "n": 10,
                "signature": "accuracy",
            }
            for n, _, state in known
            if state == State.SCORED
            for split in ("public", "private")
        ),
    )


def _words(session: Session, big: int, moment: datetime) -> None:
    """Discussions, notices and an audit log."""
    in_bulk(
        session,
        Thread,
        (
            {
                "id": n,
                "competition_id": big,
                "title": f"Question {n}",
                "replies": 9,
                "created_at": moment - timedelta(hours=n),
                "last_at": moment - timedelta(hours=n),
            }
            for n in range(1, 501)
        ),
    )
    in_bulk(
        session,
        Post,
        (
            {"thread_id": n, "user_id": 101 + (n * 10 + k) % 500, "text": f"Answer *{k}*: `x`"}
            for n in range(1, 501)
            for k in range(10)
        ),
    )
    in_bulk(
        session,
        Notification,
        (
            {
                "user_id": 100 + number,
                "kind": "scored",
                "key": f"scored {number} {k}",
                "text": f"Submission {k} was scored.",
                "link": "/submissions",
                "created_at": moment - timedelta(minutes=k),
                "read_at": moment if k > 5 else None,
            }
            for number in range(1, PEOPLE + 1)
            for k in range(20)
        ),
    )
    in_bulk(
        session,
        AuditEntry,
        (
            {
                "at": moment - timedelta(minutes=n),
                "user_id": None,
                "action": "competition.edit",
                "subject": f"competition:c{1 + n % COMPETITIONS:03}",
                "reason": "",
                "detail": {"title": "x"},
            }
            for n in range(5_000)
        ),
    )
