"""What those who teach look at: what needs them, how far people have come, where things fail."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import ColumnElement, TextClause, exists, func, select
from sqlalchemy.orm import Session

from podium import courses, entryrequests, publishing, reveal
from podium.accounts import STUDENT, Caller
from podium.boardrules import PUBLIC
from podium.competitions import is_host, is_staff, may, sight_of
from podium.models import (
    Attempt,
    BoardEntry,
    Competition,
    Enrolment,
    GradeScheme,
    Membership,
    Rescoring,
    Submission,
    Team,
    User,
)
from podium.models.record import now
from podium.models.submission import IN_ERROR, JUDGED
from podium.models.submission import OPEN as IS_OPEN
from podium.publishing import Stage

RECENT = timedelta(hours=24)
STUCK = timedelta(minutes=15)
SOON = timedelta(days=2)
BINS = 10
MOST_WAITS = 2000
# Of a member: whether the team has handed in anything. By the team's own index, for each of them.
HANDED_IN = exists().where(
    Submission.team_id == Membership.team_id, Submission.original_id.is_(None)
)


@dataclass(frozen=True)
class Need:
    """Something that waits for its host: what it is, and where to do it."""

    competition: Competition
    what: str
    path: str


@dataclass(frozen=True)
class Hosted:
    """A competition that the caller is staff of."""

    competition: Competition
    stage: Stage
    needs: list[Need]


def hosted(session: Session, caller: Caller) -> list[Hosted]:
    """What the caller is staff of (admins: what they host or teach), the next deadline first."""
    moment = now()
    mine = Competition.host_id == caller.id
    if caller.courses:
        mine |= Competition.course_id.in_(caller.courses)
    found = [
        one
        for one in session.scalars(select(Competition).where(sight_of(caller), mine))
        if is_staff(one, caller) and not one.is_practice
    ]
    pending = Pending.of(session, [one.id for one in found], moment)
    rows = [
        Hosted(
            one,
            publishing.stage(one, moment),
            [Need(one, what, path) for what, path in _needs(session, caller, one, moment, pending)],
        )
        for one in found
    ]
    far = datetime.max.replace(tzinfo=moment.tzinfo)
    return sorted(
        rows,
        key=lambda row: (
            row.stage in (Stage.CLOSED, Stage.REVEALED),
            row.competition.closes_at or far,
            row.competition.slug,
        ),
    )


@dataclass(frozen=True)
class Pending:
    """What waits in several competitions, counted for all at once: by the competition's id."""

    in_error: dict[int, int]
    stuck: dict[int, int]
    asking: dict[int, int]
    trials: set[int]

    @classmethod
    def of(cls, session: Session, ids: Sequence[int], moment: datetime) -> Self:
        """Count."""

        def submissions(*which: ColumnElement[bool] | TextClause) -> dict[int, int]:
            rows = session.execute(
                select(Submission.competition_id, func.count())
                .where(Submission.competition_id.in_(ids), *which)
                .group_by(Submission.competition_id)
            )
            return {competition_id: number for competition_id, number in rows}

        trials = select(Rescoring.competition_id).where(
            Rescoring.competition_id.in_(ids), Rescoring.state == "trial"
        )
        return cls(
            in_error=submissions(IN_ERROR),
            stuck=submissions(IS_OPEN, Submission.received_at < moment - STUCK),
            asking=entryrequests.counts(session, ids),
            trials=set(session.scalars(trials)),
        )


def _needs(
    session: Session,
    caller: Caller,
    competition: Competition,
    moment: datetime,
    pending: Pending,
) -> list[tuple[str, str]]:
    """What a competition needs of its staff, and where."""
    base = f"/c/{competition.slug}/manage"
    found: list[tuple[str, str]] = []
    if competition.is_draft:
        waits = publishing.blockers(competition)
        found.append(
            (f"Draft: {waits[0]}" if waits else "Checked: it may be published", f"{base}/publish")
        )
    if in_error := pending.in_error.get(competition.id):
        found.append((f"{in_error} submissions ended in error", base))
    if stuck := pending.stuck.get(competition.id):
        found.append((f"{stuck} submissions wait for more than 15 minutes", base))
    asked = pending.asking.get(competition.id)
    if asked and may(competition, caller, entryrequests.RIGHT):
        who = "1 person asks to be let in" if asked == 1 else f"{asked} people ask to be let in"
        found.append((who, f"{base}/participants"))
    if is_host(competition, caller):
        if competition.id in pending.trials:
            found.append(("A rescoring waits to be applied or discarded", f"{base}/rescoring"))
        found += _decisions(session, competition, moment, base)
    return found


def _decisions(
    session: Session, competition: Competition, moment: datetime, base: str
) -> list[tuple[str, str]]:
    """What only an instructor can do, once it is over."""
    if competition.closes_at is None or competition.closes_at > moment:
        return []
    found = []
    if competition.holds_reveal and not competition.revealed_at:
        standing = reveal.standing(session, competition, moment)
        if standing.is_over and not standing.open_submissions:
            found.append(("The private board may be revealed", base))
    if competition.course_id and competition.revealed_at:
        scheme = session.get(GradeScheme, competition.id)
        if scheme is None:
            found.append(("There is no rule of grades", f"{base}/grades"))
        elif scheme.released_at is None:
            found.append(("Grades are not released", f"{base}/grades"))
    return found


@dataclass(frozen=True)
class Bin:
    """A stretch of the scores, from the worst on."""

    low: float
    high: float
    teams: int
    baselines: list[str]  # those that score in it


@dataclass(frozen=True)
class Activity:
    """How a competition goes."""

    enrolled: int | None  # students of its course
    joined: int  # people
    downloaded: int
    submitted: int
    beat_baseline: int
    absent: list[str]  # who has not submitted: students by name, else members by handle
    bins: list[Bin]
    wait_p50_s: float | None  # from reception to the first attempt, within a day
    wait_p95_s: float | None
    ends: dict[str, int]  # submissions by verdict
    submissions_a_day: list[tuple[str, int]]  # of the last fourteen days


def activity(session: Session, competition: Competition) -> Activity:
    """Everything about one competition, for its staff."""
    own = Membership.competition_id == competition.id
    joined, downloaded = session.execute(
        select(func.count(), func.count(Membership.downloaded_at)).where(own)
    ).one()
    submitted = session.scalar(select(func.count()).where(own, HANDED_IN))
    waits = _waits(session, competition)
    course = courses.of_competition(session, competition)
    enrolled = courses.counts(session, course)[STUDENT] if course else None
    return Activity(
        enrolled=enrolled,
        joined=joined,
        # Whoever submits has the data, wherever from.
        downloaded=max(downloaded, submitted or 0),
        submitted=submitted or 0,
        beat_baseline=_ahead(session, competition),
        absent=_absent(session, competition),
        bins=_bins(session, competition),
        wait_p50_s=statistics.median(waits) if waits else None,
        wait_p95_s=sorted(waits)[int(0.95 * (len(waits) - 1))] if waits else None,
        ends=_ends(session, competition),
        submissions_a_day=_a_day(session, competition),
    )


def _ahead(session: Session, competition: Competition) -> int:
    """People whose team is ahead of the best baseline on the public board."""
    best = (
        select(func.min(BoardEntry.order_key))
        .where(
            BoardEntry.competition_id == competition.id,
            BoardEntry.split == PUBLIC,
            BoardEntry.ranked.is_(False),
        )
        .scalar_subquery()
    )
    return (
        session.scalar(
            select(func.count())
            .select_from(BoardEntry)
            .join(Membership, Membership.team_id == BoardEntry.team_id)
            .where(
                BoardEntry.competition_id == competition.id,
                BoardEntry.split == PUBLIC,
                BoardEntry.ranked,
                BoardEntry.order_key < best,
            )
        )
        or 0
    )


def _absent(session: Session, competition: Competition) -> list[str]:
    done = select(Membership.user_id).where(Membership.competition_id == competition.id, HANDED_IN)
    if competition.course_id is not None:
        students = session.scalars(
            select(Enrolment)
            .where(
                Enrolment.course_id == competition.course_id,
                Enrolment.role == STUDENT,
                Enrolment.user_id.is_(None) | Enrolment.user_id.not_in(done),
            )
            .order_by(Enrolment.section, Enrolment.name, Enrolment.email)
        )
        return [
            f"{one.name or one.email}{'' if one.user_id else ' (no account yet)'}"
            for one in students
        ]
    return list(
        session.scalars(
            select(User.handle)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.competition_id == competition.id, Membership.user_id.not_in(done))
            .order_by(User.handle)
        )
    )


def _bins(session: Session, competition: Competition) -> list[Bin]:
    """Public scores of teams in ten stretches, with the baselines that fall in each."""
    rows = session.execute(
        select(BoardEntry.score, BoardEntry.ranked, Team.name)
        .join(Team, Team.id == BoardEntry.team_id)
        .where(BoardEntry.competition_id == competition.id, BoardEntry.split == PUBLIC)
    ).all()
    if not rows:
        return []
    scores = [score for score, _, _ in rows]
    low, high = min(scores), max(scores)
    width = (high - low) / BINS or 1.0
    number = BINS if high > low else 1
    teams = [0] * number
    baselines: list[list[str]] = [[] for _ in range(number)]
    for score, is_ranked, name in rows:
        place = min(number - 1, int((score - low) / width))
        if is_ranked:
            teams[place] += 1
        else:
            baselines[place].append(name)
    return [
        Bin(low + i * width, low + (i + 1) * width if number > 1 else high, teams[i], baselines[i])
        for i in range(number)
    ]


def _waits(session: Session, competition: Competition) -> Sequence[float]:
    """Seconds from reception to the first attempt, of the last day."""
    rows = session.execute(
        select(Submission.received_at, func.min(Attempt.started_at))
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(
            Submission.competition_id == competition.id,
            Submission.original_id.is_(None),
            Submission.received_at > now() - RECENT,
        )
        .group_by(Submission.id, Submission.received_at)
        .limit(MOST_WAITS)
    )
    return [max(0.0, (started - received).total_seconds()) for received, started in rows]


def _ends(session: Session, competition: Competition) -> dict[str, int]:
    rows = session.execute(
        select(Submission.verdict, func.count())
        .where(Submission.competition_id == competition.id, JUDGED)
        .group_by(Submission.verdict)
        .order_by(func.count().desc())
    )
    return {verdict: number for verdict, number in rows if verdict is not None}


def _a_day(session: Session, competition: Competition) -> list[tuple[str, int]]:
    since = now() - timedelta(days=13)
    received = session.scalars(
        select(Submission.received_at).where(
            Submission.competition_id == competition.id,
            Submission.original_id.is_(None),
            Submission.user_id.is_not(None),
            Submission.received_at > since,
        )
    )
    found = {f"{since + timedelta(days=day):%d %b}": 0 for day in range(14)}
    for moment in received:
        day = f"{moment:%d %b}"
        found[day] = found.get(day, 0) + 1
    return list(found.items())
