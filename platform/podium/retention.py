"""How long files of submissions are kept: what counts for nothing may go, its row stays for ever.

Kept whatever the policy says: what waits or is worked on, what ended in error (it may be run
again), baselines, finals, and whatever stands on a board. Of a competition that is revealed, what
was scored but stands on no board is needed for one thing only, to be scored once more by a
rescoring; it goes when the policy says so in as many words.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from podium import usage
from podium.accounts import Caller
from podium.competitions import audit
from podium.config import Config
from podium.errors import BadRequestError, NotFoundError
from podium.installation import Installation
from podium.models import Attempt, AuditEntry, BoardEntry, Competition, Submission, Team
from podium.models.record import now
from podium.models.rescoring import UNDECIDED, Rescoring
from podium.usage import Part
from podium.verdicts import State

LEAST_DAYS, MOST_DAYS = 1, 3650
UNCOUNTED = (State.INVALID, State.FAILED, State.CANCELLED)
AT_ONCE = 200  # submissions of one transaction
EVERY = timedelta(days=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Policy:
    """After how many days, and whether what only a rescoring could still need goes too."""

    days: int
    also_scored: bool = False
    unnamed: bool = False  # files that no row names, as a crash may leave them

    def __post_init__(self) -> None:
        if not LEAST_DAYS <= self.days <= MOST_DAYS:
            raise BadRequestError(
                f"Files are kept for {LEAST_DAYS} to {MOST_DAYS} days, not {self.days}.",
                field="days",
            )


@dataclass
class Plan:
    """What a policy deletes, in files of submissions and their bytes, and what it leaves."""

    policy: Policy
    uncounted: Part = field(default_factory=Part)  # invalid, failed, cancelled
    scored: Part = field(default_factory=Part)  # needed by a rescoring only
    kept_for_rescoring: Part = field(default_factory=Part)  # such, where the policy leaves them
    unnamed: Part = field(default_factory=Part)
    by_competition: dict[str, Part] = field(default_factory=dict)  # by slug

    @property
    def total(self) -> Part:
        """All that is deleted."""
        parts = (self.uncounted, self.scored, self.unnamed)
        return Part(sum(p.files for p in parts), sum(p.size_bytes for p in parts))


def plan(installation: Installation, policy: Policy) -> Plan:
    """What the policy would delete now; nothing is changed."""
    found, moment = Plan(policy), now()
    with installation.database.reading() as session:
        for state, slug, number, size_bytes in session.execute(
            select(
                Submission.state,
                Competition.slug,
                func.count(),
                func.coalesce(func.sum(Submission.size_bytes), 0),
            )
            .join(Competition, Competition.id == Submission.competition_id)
            .join(Team, Team.id == Submission.team_id)
            .where(*_may_go(moment, policy, also_scored=True))
            .group_by(Submission.state, Competition.slug)
            .order_by(Competition.slug)
        ):
            is_scored = state == State.SCORED
            part = found.uncounted
            if is_scored:
                part = found.scored if policy.also_scored else found.kept_for_rescoring
            part.files += number
            part.size_bytes += int(size_bytes)
            if policy.also_scored or not is_scored:
                of = found.by_competition.setdefault(slug, Part())
                of.files += number
                of.size_bytes += int(size_bytes)
    if policy.unnamed:
        for _, size_bytes in usage.unnamed(installation, moment):
            found.unnamed.add(size_bytes)
    return found


def _may_go(moment: datetime, policy: Policy, *, also_scored: bool) -> list[ColumnElement[bool]]:
    """Of submissions with their team and competition: those whose file may be deleted."""
    ended = func.coalesce(Submission.ended_at, Submission.received_at)
    on_board = select(BoardEntry.id).where(BoardEntry.submission_id == Submission.id).exists()
    tried_again = (
        select(Rescoring.id)
        .where(UNDECIDED, Rescoring.competition_id == Submission.competition_id)
        .exists()
    )
    uncounted = Submission.state.in_(UNCOUNTED)
    scored = (Submission.state == State.SCORED) & Competition.revealed_at.is_not(None)
    return [
        Submission.file_key != "",
        Submission.original_id.is_(None),
        Team.is_baseline.is_(False),
        Submission.selected.is_(False),
        ended < moment - timedelta(days=policy.days),
        uncounted | scored if also_scored else uncounted,
        ~on_board,
        ~tried_again,
    ]


def apply(
    installation: Installation, policy: Policy, caller: Caller | None, reason: str = ""
) -> Plan:
    """Delete what the policy says, and tell what that was. Audited for each competition.

    Rows change first: no row names a file that is gone. What a crash leaves between is named by
    nobody and goes with `unnamed`.
    """
    done, moment = Plan(policy), now()
    with installation.database.reading() as session:
        competitions = session.scalars(select(Competition.id).order_by(Competition.id)).all()
    for competition_id in competitions:
        while _apply_some(installation, policy, moment, competition_id, done, caller, reason):
            pass
    if policy.unnamed:
        for key, size_bytes in usage.unnamed(installation, moment):
            installation.storage.delete(key)
            done.unnamed.add(size_bytes)
    with installation.database.writing() as session:
        session.add(
            AuditEntry(
                user_id=caller.id if caller else None,
                action="storage.prune",
                subject="storage",
                reason=reason[:500],
                detail={
                    "days": policy.days,
                    "also_scored": policy.also_scored,
                    "files": done.total.files,
                    "bytes": done.total.size_bytes,
                    "unnamed": done.unnamed.files,
                },
            )
        )
    return done


def _apply_some(
    installation: Installation,
    policy: Policy,
    moment: datetime,
    competition_id: int,
    done: Plan,
    caller: Caller | None,
    reason: str,
) -> bool:
    """Delete the files of some submissions of a competition; False when none is left."""
    with installation.database.writing() as session:
        # A rescoring begins under the same lock: it finds all files that it counts on.
        competition = session.scalars(
            select(Competition)
            .where(Competition.id == competition_id)
            .with_for_update(of=Competition)
        ).one()
        found = session.scalars(
            select(Submission)
            .join(Competition, Competition.id == Submission.competition_id)
            .join(Team, Team.id == Submission.team_id)
            .where(
                Submission.competition_id == competition_id,
                *_may_go(moment, policy, also_scored=policy.also_scored),
            )
            .order_by(Submission.id)
            .limit(AT_ONCE)
        ).all()
        if not found:
            return False
        freed = sum(one.size_bytes for one in found)
        for one in found:
            part = done.scored if one.state == State.SCORED else done.uncounted
            part.add(one.size_bytes)
            done.by_competition.setdefault(competition.slug, Part()).add(one.size_bytes)
        keys = _forget(session, found, moment)
        audit(
            session,
            caller,
            "storage.prune",
            competition,
            reason,
            days=policy.days,
            also_scored=policy.also_scored,
            submissions=len(found),
            bytes=freed,
        )
    for key in keys:
        installation.storage.delete(key)
    return True


def _forget(session: Session, found: Sequence[Submission], moment: datetime) -> set[str]:
    """Let rows name their files no more, those of rescorings too; returns the files."""
    ids = [one.id for one in found]
    outputs = session.scalars(
        select(Attempt.output_key).where(Attempt.submission_id.in_(ids), Attempt.output_key != "")
    ).all()
    keys = {key for one in found for key in (one.file_key, one.output_key) if key} | set(outputs)
    quiet = {"synchronize_session": False}
    session.execute(
        update(Submission)
        .where(Submission.id.in_(ids) | Submission.original_id.in_(ids))
        .values(file_key="", output_key="", file_deleted_at=moment)
        .execution_options(**quiet)
    )
    session.execute(
        update(Attempt)
        .where(Attempt.submission_id.in_(ids))
        .values(output_key="")
        .execution_options(**quiet)
    )
    return keys


def need_file(submission: Submission) -> Submission:
    """The submission, whose file is there; NotFoundError that says when it was deleted."""
    if submission.file_deleted_at is not None:
        raise NotFoundError(
            f"The file of submission {submission.id} was deleted on "
            f"{submission.file_deleted_at:%d %b %Y} to save room. Its score and its log are kept."
        )
    return submission


def due(session: Session, config: Config, moment: datetime) -> Policy | None:
    """The policy of the settings, if it was not applied within the last day; else None."""
    if not config.retention_days:
        return None
    lately = select(AuditEntry.id).where(
        AuditEntry.at > moment - EVERY,
        AuditEntry.action == "storage.prune",
        AuditEntry.subject == "storage",
    )
    if session.scalar(lately.limit(1)) is not None:
        return None
    return Policy(config.retention_days, also_scored=config.retention_scored, unnamed=True)


def work(installation: Installation) -> bool:
    """Apply the policy of the settings if it is due; False if it is not."""
    with installation.database.reading() as session:
        policy = due(session, installation.config, now())
    if policy is None:
        return False
    done = apply(installation, policy, None, "the settings say so")
    log.warning("%s files were deleted (%s bytes)", done.total.files, done.total.size_bytes)
    return True
