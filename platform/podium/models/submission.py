"""Submissions, the attempts at them and what they scored."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.models.challenge import Challenge
from podium.models.competition import Competition, Team
from podium.models.record import Record, now
from podium.models.rescoring import Rescoring

# The few rows that the queue is about, however many have ended. Queries about them say this very
# text: SQLite matches a partial index to the words of a condition, not to bound values.
OPEN = text("state IN ('uploading', 'queued', 'running', 'scoring')")
ENDED = text("state NOT IN ('uploading', 'queued', 'running', 'scoring')")
WAITING = text("state = 'queued'")
IN_ERROR = text("state = 'error'")
REHEARSED = text("rescoring_id IS NOT NULL")
# Conditions that one query alone states, so that SQLite takes such an index for no other.
JUDGED = text("original_id IS NULL AND user_id IS NOT NULL AND verdict IS NOT NULL")
COMPARED = text("original_id IS NULL AND sha256 IS NOT NULL")


class Submission(Record):
    """What a team handed in; `attempt` is the number of the current attempt and its fence."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("team_id", "idempotency_key"),
        Index("ix_submissions_team_id_received_at", "team_id", "received_at"),
        Index("ix_submissions_team_id_sha256", "team_id", "sha256"),
        Index("ix_submissions_competition_id_received_at", "competition_id", "received_at"),
        Index(  # what `podium.turns` looks up: the next of each competition
            "ix_submissions_waiting",
            *("queue", "competition_id", "lane", "round", "received_at", "id"),
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        Index(
            "ix_submissions_team_open",
            *("team_id", "state", "round"),
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index(
            "ix_submissions_error",
            *("competition_id", "received_at"),
            sqlite_where=IN_ERROR,
            postgresql_where=IN_ERROR,
        ),
        Index(  # the work of a rescoring
            "ix_submissions_rescoring",
            *("rescoring_id", "state"),
            sqlite_where=REHEARSED,
            postgresql_where=REHEARSED,
        ),
        Index(  # how a competition's submissions ended
            "ix_submissions_verdict",
            *("competition_id", "verdict"),
            sqlite_where=JUDGED,
            postgresql_where=JUDGED,
        ),
        Index(  # which teams handed in the same
            "ix_submissions_twins",
            *("competition_id", "sha256", "team_id"),
            sqlite_where=COMPARED,
            postgresql_where=COMPARED,
        ),
        Index(  # counted by state; of all rows, queries for one state would take it for selective
            "ix_submissions_ended", "state", sqlite_where=ENDED, postgresql_where=ENDED
        ),
        Index(
            "ix_submissions_open", "state", "received_at", sqlite_where=OPEN, postgresql_where=OPEN
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    competition_id: Mapped[int] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[str]
    file_name: Mapped[str]
    file_key: Mapped[str]
    output_key: Mapped[str] = mapped_column(default="", server_default="")  # what its run wrote
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    file_deleted_at: Mapped[datetime | None]  # to save room; see podium.retention
    message: Mapped[str] = mapped_column(default="")
    idempotency_key: Mapped[str | None]
    state: Mapped[str]
    verdict: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")  # one line for people
    details: Mapped[list[Any]] = mapped_column(default=list)  # line, column, expected, got
    more_details: Mapped[int] = mapped_column(default=0)  # how many were left out
    queue: Mapped[str] = mapped_column(default="score", server_default="score")
    lane: Mapped[int] = mapped_column(default=0, server_default="0")  # 0 first; see podium.turns
    round: Mapped[int] = mapped_column(default=0, server_default="0")  # of the team's turns
    attempt: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0, server_default="0")  # attempts lost by us
    not_before: Mapped[datetime | None]  # back-off after a fault of ours
    selected: Mapped[bool] = mapped_column(default=False)
    disqualified: Mapped[str] = mapped_column(default="", server_default="")  # why; empty: is not
    source: Mapped[str] = mapped_column(default="", server_default="")  # keyed hash of the address
    # Of the work of a rescoring: on whose behalf it is scored or run once more.
    rescoring_id: Mapped[int | None] = mapped_column(
        ForeignKey("rescorings.id", ondelete="CASCADE")
    )
    original_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    received_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    competition: Mapped[Competition] = relationship()
    team: Mapped[Team] = relationship()
    rescoring: Mapped[Rescoring | None] = relationship()
    attempts: Mapped[list["Attempt"]] = relationship(order_by="Attempt.number")
    transitions: Mapped[list["Transition"]] = relationship(order_by="Transition.id")
    # What counts now; all there ever was, discarded trials excepted, is in podium.rescoring.
    evaluations: Mapped[list["Evaluation"]] = relationship(
        primaryjoin="and_(Evaluation.submission_id == Submission.id, Evaluation.in_force)",
        order_by="Evaluation.id",
        viewonly=True,
    )

    @property
    def challenge(self) -> Challenge:
        """What it is run on and scored by."""
        return self.competition.challenge if self.rescoring is None else self.rescoring.challenge


class Attempt(Record):
    """One try of a worker at one stage of one submission."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("submission_id", "number"),
        Index("ix_attempts_worker_ended_at", "worker", "ended_at"),
        Index("ix_attempts_queue_ended_at", "queue", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    number: Mapped[int]
    stage: Mapped[str]  # run or score
    queue: Mapped[str] = mapped_column(default="score", server_default="score")
    worker: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    outcome: Mapped[str | None]  # a state, `lost` or `fault`
    cause: Mapped[str] = mapped_column(default="")  # for the host: may name internals
    owner: Mapped[str | None]  # whose cause it is: submitter, host or platform
    wall_s: Mapped[float | None]  # what the work itself took, without waiting
    cpu_s: Mapped[float | None]
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)  # at its peak
    output_key: Mapped[str] = mapped_column(default="", server_default="")  # what a run wrote
    replays_key: Mapped[str] = mapped_column(default="", server_default="")  # of its episodes
    log: Mapped[str] = mapped_column(default="", server_default="")  # the end of what it printed


class Transition(Record):
    """One change of a submission's state: its timeline, for its owner to read."""

    __tablename__ = "transitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
    source: Mapped[str | None]  # a state; none at reception
    target: Mapped[str]
    attempt: Mapped[int]
    note: Mapped[str] = mapped_column(default="")


class Evaluation(Record):
    """One score: a submission under one scorer, one truth, one split and one metric."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("submission_id", "scorer_version", "truth_version", "split", "metric"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    scorer_version: Mapped[str]
    truth_version: Mapped[str]
    split: Mapped[str]  # public or private
    metric: Mapped[str]
    value: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    n: Mapped[int]
    signature: Mapped[str]
    in_force: Mapped[bool] = mapped_column(default=True, server_default=true())
    # The earlier score that the Ladder shows instead; None: its own is shown.
    repeats: Mapped[float | None]
    losses_key: Mapped[str] = mapped_column(default="", server_default="")  # of what ranks
    rescoring_id: Mapped[int | None] = mapped_column(
        ForeignKey("rescorings.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def shown(self) -> float:
        """What people are told: the value, or what the Ladder repeats."""
        return self.value if self.repeats is None else self.repeats

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The ends of the interval of what is shown; None twice where an earlier one is."""
        return (self.low, self.high) if self.repeats is None else (None, None)
