"""Shapes of what hosts do: grants, options of the board, the reveal, rescoring, evidence."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from podium.web.api.shapes import Limits, Shape


class ReceiverRequest(Shape):
    """To whom a host gives something: a team, a student by handle, or a section of the course."""

    team: str | None = Field(None, max_length=200)
    student: str | None = Field(None, max_length=200)
    section: str | None = Field(None, max_length=200)


class GrantRequest(ReceiverRequest):
    """Extra submissions, today and in all; of a section, for each of its teams."""

    submissions: int = Field(ge=1, le=1000)
    reason: str = Field("", max_length=500)


class ExtensionRequest(ReceiverRequest):
    """A deadline of its own; `until` names its zone."""

    until: AwareDatetime
    reason: str = Field("", max_length=500)


class TeamLimits(Shape):
    """To whom a host gave something; of a team (or a student who is in one) its limits now."""

    team: str | None
    student: str | None
    section: str | None
    limits: Limits | None


class BoardOptions(Shape):
    """What a host chooses for the board."""

    names: str
    order_by: str
    anti_overfit: str
    closes_at: datetime | None
    freezes_at: datetime | None
    merges_until: datetime | None
    finals: int
    team_size: int
    window_days: int | None
    holds_reveal: bool
    final_games: int


class BoardOptionsRequest(Shape):
    """The options to change; what is left out stays."""

    names: Literal["named", "pseudonymous", "hidden"] = "named"
    order_by: Literal["first", "mean_rank"] = "first"
    anti_overfit: Literal["none", "ladder"] = "none"
    closes_at: AwareDatetime | None = None
    freezes_at: AwareDatetime | None = None
    merges_until: AwareDatetime | None = None
    finals: int = Field(2, ge=1, le=20)
    team_size: int = Field(5, ge=1, le=100)
    window_days: int | None = Field(None, ge=1, le=3650)
    holds_reveal: bool = False
    final_games: int = Field(0, ge=0, le=1000)
    reason: str = Field("", max_length=500)


class EditRequest(BoardOptionsRequest):
    """What to change of a competition or of its board; what is left out stays.

    `course` is a course's short name, or null to let everybody see the competition.
    """

    title: str = Field("", max_length=200)
    opens_at: AwareDatetime | None = None
    time_zone: str = Field("UTC", max_length=100)
    season: str | None = Field("", max_length=100, coerce_numbers_to_str=True)
    daily_limit: int = Field(5, ge=1, le=1000)
    total_limit: int | None = Field(None, ge=1, le=100_000)
    grace_minutes: int = Field(0, ge=0, le=24 * 60)
    late_hours: int = Field(0, ge=0, le=60 * 24)
    late_percent: int = Field(0, ge=0, le=100)
    asks_first: bool = False
    course: str | None = Field(None, max_length=200)


class Edited(BoardOptions):
    """A competition's options after the change."""

    slug: str
    course: str | None
    title: str
    opens_at: datetime | None
    time_zone: str
    season: str
    daily_limit: int
    total_limit: int | None
    grace_minutes: int
    late_hours: int
    late_percent: int
    asks_first: bool


class Revealed(Shape):
    """When the private board was shown to everybody."""

    revealed_at: datetime


class Disqualification(Shape):
    """A team, or one submission of it; `lift` undoes it. Its members read the reason."""

    team: str | None = Field(None, max_length=200)
    submission: int | None = Field(None, ge=1, le=2**31 - 1)
    reason: str = Field("", max_length=500)
    lift: bool = False


class Disqualified(Shape):
    """Why a team or submission does not count; empty if it does."""

    team: str | None
    submission: int | None
    disqualified: str


class RescoringForm(Shape):
    """The form that begins a rescoring; described here, read in `podium.web.uploads`."""

    file: str = Field("", json_schema_extra={"format": "binary"})
    metric: str = ""
    excluded: str = ""
    version: str = ""
    runs_again: bool = False
    raise_only: bool = False
    reason: str = ""


class Rehearsal(Shape):
    """How far a trial has come; `unscored` are ids of what could not be scored again."""

    waiting: int
    at_work: int
    scored: int
    unscored: list[int]
    total: int
    is_over: bool


class RankChange(Shape):
    """One team on one board, before and after."""

    team: str
    is_baseline: bool
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None
    climb: int


class Rescoring(Shape):
    """A rescoring, its progress while it is a trial, and what it would change."""

    id: int
    state: str
    change: str
    reason: str
    runs_again: bool
    raise_only: bool
    asked_at: datetime
    decided_at: datetime | None
    progress: Rehearsal | None
    public: list[RankChange]
    private: list[RankChange]


class ApplyRequest(Shape):
    """Why; `leaves_out` accepts that what could not be scored again leaves the board."""

    reason: str = Field("", max_length=500)
    leaves_out: bool = False


class EvidenceEntry(Shape):
    """A submission in a piece of evidence."""

    submission_id: int
    team: str


class EvidenceTwins(Shape):
    """The same file from several teams, the earliest first."""

    sha256: str
    entries: list[EvidenceEntry]


class EvidencePair(Shape):
    """Two submissions that are alike."""

    one: EvidenceEntry
    other: EvidenceEntry
    alike: float
    far: float | None


class EvidenceSource(Shape):
    """Teams that hand in from one address."""

    teams: list[str]
    share: float
    is_classroom: bool


class Evidence(Shape):
    """What may be worth a question; never a verdict."""

    twins: list[EvidenceTwins]
    errors: list[EvidencePair]
    code: list[EvidencePair]
    sources: list[EvidenceSource]
