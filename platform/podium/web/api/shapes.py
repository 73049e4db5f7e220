"""The shapes of the API's answers, as pydantic models: OpenAPI describes them from here.

Names and keys are a contract with clients: extend freely, rename never. Times are UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

PER_PAGE = 50


class Shape(BaseModel):
    """Parent of the models: unknown keys are refused, records are read by attribute."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class PageQuery(Shape):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(PER_PAGE, ge=1, le=200)

    def slice(self, items: Sequence[Any]) -> Sequence[Any]:
        """The items of this page."""
        start = (self.page - 1) * self.per_page
        return items[start : start + self.per_page]


class Page(Shape):
    """Keys that every list has beside its items."""

    page: int
    per_page: int
    total: int


class Detail(Shape):
    """One fault: its line and column in a file (or the field of a request), what fits, what is."""

    line: int | None
    column: str | None
    expected: str
    got: str | None


class ErrorBody(Shape):
    """What went wrong: a stable code, words for people, places."""

    code: str
    message: str
    details: list[Detail]


class Error(Shape):
    """The one shape of errors."""

    error: ErrorBody


class SignUp(Shape):
    """A new account."""

    handle: str = Field(max_length=200)
    email: str = Field(max_length=300)
    password: str = Field(max_length=1000)


class User(Shape):
    """An account, as its owner sees it."""

    id: int
    handle: str
    email: str
    role: str
    created_at: datetime


class Me(User):
    """Who the caller is, and what the token or sign-in allows."""

    scopes: list[str]


class TokenRequest(Shape):
    """Handle (or address) and password, for a token; `scopes` of null means all."""

    handle: str = Field(max_length=300)
    password: str = Field(max_length=1000)
    name: str = Field("API", max_length=80)
    scopes: list[str] | None = None
    days: int | None = 365


class Token(Shape):
    """A token without its text."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class NewToken(Token):
    """A token with its text, which is never shown again."""

    token: str


class Tokens(Shape):
    """The caller's working tokens."""

    items: list[Token]


class CompetitionQuery(PageQuery):
    """Which competitions."""

    level: Literal["beginner", "intermediate", "advanced"] | None = None
    search: str | None = Field(None, max_length=100)
    mine: bool = False


class Metric(Shape):
    """What is measured, and where better is."""

    name: str
    title: str
    higher_is_better: bool
    options: dict[str, Any]


class Competition(Shape):
    """A competition in a list."""

    slug: str
    title: str
    summary: str
    level: str
    task: str
    kinds: list[str]
    metric: Metric
    status: str
    is_practice: bool
    opens_at: datetime | None
    closes_at: datetime | None
    time_zone: str
    daily_limit: int
    total_limit: int | None
    finals: int
    teams: int
    joined: bool


class Competitions(Page):
    """A page of competitions."""

    items: list[Competition]


class Column(Shape):
    """A column of the submission file."""

    name: str
    type: str
    low: float | None
    high: float | None
    allowed: list[str] | None


class SubmissionFormat(Shape):
    """What a submission file looks like."""

    format: str
    columns: list[Column]
    max_bytes: int


class CompetitionDetail(Competition):
    """A competition with its text and format; `state_reason` is for its host.

    `also` names metrics that are shown beside the one that ranks; `declaration` holds the tables
    of challenge.toml that podium_scoring.grading.Grading takes.
    """

    text: str
    also: list[str]
    declaration: dict[str, Any]
    edition: str
    version: int
    submission: SubmissionFormat
    team: str | None
    board_revision: int
    state_reason: str | None


class Joined(Shape):
    """The caller's place in a competition."""

    competition: str
    team: str


class File(Shape):
    """A file to download."""

    name: str
    size_bytes: int
    sha256: str
    rows: int | None
    description: str
    url: str


class Files(Shape):
    """All files of a competition."""

    items: list[File]


class Limits(Shape):
    """What the caller's team may still submit."""

    used_today: int
    daily_limit: int
    allowed_now: int
    total: int
    total_limit: int | None
    resets_at: datetime
    limited_by: str | None
    closes_at: datetime | None


class GrantRequest(Shape):
    """Extra submissions of a team, today and in all."""

    team: str = Field(max_length=200)
    submissions: int = Field(ge=1, le=1000)
    reason: str = Field("", max_length=500)


class ExtensionRequest(Shape):
    """A team's own deadline; `until` names its zone."""

    team: str = Field(max_length=200)
    until: AwareDatetime
    reason: str = Field("", max_length=500)


class TeamLimits(Shape):
    """A team's limits after a host changed them."""

    team: str
    limits: Limits


class Checked(Shape):
    """The outcome of a dry run: at most 20 errors, `more` counts the rest."""

    ok: bool
    message: str
    errors: list[Detail]
    more: int


class Verdict(Shape):
    """How a submission ended: whose it is, why, what to do, whether it counts."""

    code: str
    owner: str
    reason: str
    help: str
    counts: bool
    details: list[Detail]
    more: int


class Queue(Shape):
    """Place in the queue, 1 for next; the estimated wait (null: nobody knows); why it waits."""

    position: int
    eta_s: float | None
    reason: str


class Score(Shape):
    """A value with its 95 % interval."""

    value: float
    low: float | None
    high: float | None


class Attempt(Shape):
    """One try of a worker, and what it took; `worker` and `cause` are for the host."""

    number: int
    stage: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    owner: str | None
    wall_s: float | None
    cpu_s: float | None
    memory_bytes: int | None
    log: str
    worker: str | None
    cause: str | None


class Transition(Shape):
    """A change of state; `source` is null at reception."""

    at: datetime
    source: str | None
    target: str
    attempt: int
    note: str


class Submission(Shape):
    """A submission; `private` is null until the reveal, except for hosts."""

    id: int
    competition: str
    team: str
    kind: str
    file_name: str
    sha256: str
    size_bytes: int
    message: str
    state: str
    verdict: Verdict | None
    queue: Queue | None
    received_at: datetime
    started_at: datetime | None
    scored_at: datetime | None
    ended_at: datetime | None
    public: dict[str, Score] | None
    private: dict[str, Score] | None
    signature: str | None
    selected: bool
    attempts: list[Attempt]
    timeline: list[Transition]
    same_file_as: int | None


class Submissions(Page):
    """A page of submissions, newest first."""

    items: list[Submission]


class EpisodePlayer(Shape):
    """One agent's part: a return, or 1, ½ or 0; `fault` is told in full to its own team."""

    seat: int
    team: str
    submission: int
    score: float
    fault: str


class Episode(Shape):
    """One game; `number` names its hidden seed, a trial is an agent's game against itself."""

    id: int
    competition: str
    number: int
    split: str
    game: str
    steps: int
    result: str
    is_trial: bool
    played_at: datetime
    players: list[EpisodePlayer]
    replay_url: str


class Episodes(Page):
    """A page of episodes, newest first."""

    items: list[Episode]


class Replay(Shape):
    """An episode step by step: arrays by name (observation, action, reward)."""

    episode: Episode
    tracks: dict[str, list[Any]]


class Environment(Shape):
    """What code, models and agents run with: packages, and `[run]` of challenge.toml."""

    packages: dict[str, str]
    run: dict[str, Any]
    output: str
    columns: list[str]
    gpu_memory_mib: int


class SubmissionForm(Shape):
    """The form of an upload; described here, read in `podium.web.uploads`."""

    file: str = Field(json_schema_extra={"format": "binary"})
    message: str = ""
    kind: str = "predictions"


class CheckForm(Shape):
    """The form of a dry run."""

    file: str = Field(json_schema_extra={"format": "binary"})
    kind: str = "predictions"


class BoardQuery(PageQuery):
    """Which part of a board."""

    split: Literal["public", "private"] = "public"


class BoardRow(Shape):
    """A line of a board; `rank` is null for baselines.

    `rank_low`, `rank_high`, `tied_with_leader` and `change` are null where not computed.
    """

    rank: int | None
    tied_with_leader: bool | None
    rank_low: int | None
    rank_high: int | None
    team: str
    members: list[str]
    score: float
    low: float | None
    high: float | None
    entries: int
    last_at: datetime
    is_baseline: bool
    is_me: bool
    change: int | None


class Board(Page):
    """A page of a board with the baselines that fall on it, and the caller's own row."""

    competition: str
    split: str
    metric: Metric
    pages: int
    revision: int
    items: list[BoardRow]
    mine: BoardRow | None


class WorkerCard(Shape):
    """What a run worker says of itself; `memory_mib` is of its GPU, `trouble` why it is idle.

    `warm` sandboxes wait and hold `warm_mib`; `packages` of its environment are said on arrival.
    """

    name: str = Field(min_length=1, max_length=200)
    queue: Literal["run", "run-gpu", "match"]
    host: str = Field(max_length=200)
    pid: int = Field(ge=0, le=2**31 - 1)
    version: str = Field(max_length=50)
    device: str = Field("cpu", max_length=200)
    memory_mib: int = Field(0, ge=0, le=2**31 - 1)
    driver: str = Field("", max_length=100)
    tags: list[str] = Field([], max_length=50)
    trouble: str = Field("", max_length=2000)
    warm: int = Field(0, ge=0, le=10_000)
    warm_mib: int = Field(0, ge=0, le=2**31 - 1)
    packages: dict[str, str] = Field({}, max_length=5000)


class Input(Shape):
    """A file that a run reads."""

    name: str
    size_bytes: int
    sha256: str


class Pairing(Shape):
    """A match: the opponent's submission and file, and the hidden seed with its number."""

    opponent: int
    sha256: str
    number: int
    seed: int


class Assignment(Shape):
    """A submission for a run worker; `token` speaks for this attempt in `Podium-Attempt`."""

    token: str
    submission_id: int
    number: int
    competition: str
    kind: str
    file_name: str
    size_bytes: int
    sha256: str
    inputs: list[Input]
    run: dict[str, Any]
    output: str
    columns: list[str]
    device: str
    seeds: list[tuple[int, int]]
    matches: list[Pairing]


class Assignments(Shape):
    """At most one."""

    items: list[Assignment]


class BeatRequest(Shape):
    """A heartbeat; with the token and the log's end of what is in hand."""

    card: WorkerCard
    token: str | None = None
    log: str | None = Field(None, max_length=1 << 19)


class Beat(Shape):
    """Whether the worker is to end, and whether its attempt is still the current one."""

    is_draining: bool
    is_in_force: bool


class Side(Shape):
    """One agent's part in an episode."""

    submission_id: int
    score: float = Field(allow_inf_nan=False)
    fault: str = Field("", max_length=20_000)


class Played(Shape):
    """An episode, its sides in the order of the seats."""

    number: int
    steps: int = Field(ge=0)
    result: str = Field(max_length=20_000)
    sides: list[Side] = Field(min_length=1, max_length=2)
    replay_bytes: int = Field(ge=0)


class ReportRequest(Shape):
    """How an attempt ended, in the words of `verdicts`, or `ran`, `fault`, `returned`."""

    outcome: Literal[
        "ran",
        "invalid",
        "exception",
        "time_limit",
        "memory_limit",
        "output_limit",
        "process_limit",
        "protocol",
        "fault",
        "returned",
    ]
    reason: str = Field("", max_length=20_000)
    details: list[Detail] = Field([], max_length=20)
    log: str = Field("", max_length=1 << 19)
    wall_s: float | None = Field(None, ge=0)
    cpu_s: float | None = Field(None, ge=0)
    memory_bytes: int | None = Field(None, ge=0, le=2**62)
    episodes: list[Played] = Field([], max_length=5000)


class Reported(Shape):
    """Whether the report was taken; it is not when the attempt was over already."""

    is_taken: bool


def paged(shape: type[Page], query: PageQuery, total: int, items: Sequence[Shape]) -> Page:
    """A page in its shape."""
    return shape.model_validate(
        {"page": query.page, "per_page": query.per_page, "total": total, "items": list(items)}
    )
