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


class SubmissionQuery(PageQuery):
    """Which submissions of a list; with `sha256` those of this very file."""

    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")


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
    language: str | None


class Language(Shape):
    """The language of pages and mails, as `en`."""

    language: str | None = Field(max_length=10)


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
    asks_first: bool


class Competitions(Page):
    """A page of competitions."""

    items: list[Competition]


class EntryQuery(Shape):
    """What a host who lets people in one by one reads of whoever asks."""

    message: str = Field("", max_length=500)


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
    accepted_until: datetime | None
    days_late: int


class Checked(Shape):
    """The outcome of a dry run: at most 20 errors, `more` counts the rest."""

    ok: bool
    message: str
    errors: list[Detail]
    more: int


class FileColumn(Shape):
    """A column of a file: its type, what may stand in it, and that in words."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    name: str
    type: str
    low: float | None
    high: float | None
    allowed: list[str] | None
    shape: list[int]
    optional: bool
    longest: int
    expected: str


class FileRules(Shape):
    """What a file of predictions must be: what `check` finds can be found by these before."""

    format: str
    suffix: str
    max_bytes: int
    header: list[str]
    id: FileColumn
    columns: list[FileColumn]
    probabilities: list[str]
    sum_tolerance: float
    repeated: bool
    distinct: bool
    most_lines: int
    ids: list[str]
    magic: dict[str, str]


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
    """A value with its 95 % interval; `repeated`: the Ladder shows the team's earlier one."""

    value: float
    low: float | None
    high: float | None
    repeated: bool = False


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
    disqualified: str
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
    """An episode step by step: arrays by name (observation, action, reward).

    Of two players the first `opening_moves` were drawn at random, by neither agent.
    """

    episode: Episode
    opening_moves: int
    tracks: dict[str, list[Any]]


class Environment(Shape):
    """What code, models and agents run with: packages, and `[run]` of challenge.toml."""

    packages: dict[str, str]
    run: dict[str, Any]
    output: str
    columns: list[str]
    gpu_memory_mib: int


class Arrival(Shape):
    """An upload in pieces: how many of its bytes are here."""

    id: str
    file_name: str
    size_bytes: int
    offset_bytes: int
    sha256: str | None
    created_at: datetime
    moved_at: datetime
    expires_at: datetime


class Arrivals(Shape):
    """One's uploads in pieces to a competition."""

    items: list[Arrival]


class SubmissionForm(Shape):
    """The form of an upload; described here, read in `podium.web.uploads`.

    In place of the file it may name an `upload` whose pieces have all come.
    """

    file: str | None = Field(None, json_schema_extra={"format": "binary"})
    upload: str | None = None
    message: str = ""
    kind: str = "predictions"


class CheckForm(Shape):
    """The form of a dry run: a file, or an `upload` whose pieces have all come."""

    file: str | None = Field(None, json_schema_extra={"format": "binary"})
    upload: str | None = None
    kind: str = "predictions"


class BoardQuery(PageQuery):
    """Which part of a board; `at` asks how the public one stood then."""

    split: Literal["public", "private"] = "public"
    at: AwareDatetime | None = None


class BoardRow(Shape):
    """A line of a board; `rank` is null for baselines, and where the board is hidden.

    From `rank_low` to `rank_high` reaches the 95 % interval of the rank; teams of one `tie_group`
    are not separable from its first. These, `tied_with_leader` and `change` (ranks gained since
    the day began) are null where not computed. `others` are scores of the other metrics.
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
    tie_group: int | None
    medal: str
    others: dict[str, float]


class Board(Page):
    """A page of a board with the baselines that fall on it, and the caller's own row.

    `names` is named, pseudonymous or hidden; `frozen_at` the moment from which nothing more is
    shown before the reveal.
    """

    competition: str
    split: str
    names: str
    frozen_at: datetime | None
    revealed_at: datetime | None
    metric: Metric
    pages: int
    revision: int
    items: list[BoardRow]
    mine: BoardRow | None


class HistoryQuery(Shape):
    """Whose progress: of the first on which board."""

    split: Literal["public", "private"] = "public"


class Step(Shape):
    """A moment, and the public score from then on."""

    at: datetime
    score: float


class Progress(Shape):
    """How one team's, or one baseline's, public score grew."""

    team: str
    rank: int | None
    is_me: bool
    is_baseline: bool
    steps: list[Step]


class History(Shape):
    """The first ten, the caller's own team, the baselines."""

    items: list[Progress]


class Shift(Shape):
    """One team on both boards; see podium.shakeup for what the numbers say."""

    team: str
    is_me: bool
    public_rank: int | None
    private_rank: int
    climb: int | None
    public_score: float | None
    private_score: float
    gap: float | None
    surprise: float | None
    rank_low: int | None
    rank_high: int | None
    by_chance: bool | None
    is_overfitted: bool


class Shakeup(Page):
    """A page of what the reveal changed, from the first on the private board on."""

    median_gap: float | None
    agreement: float | None
    overfitted: int
    items: list[Shift]


class FinalsRequest(Shape):
    """The ids that shall be final, and no others."""

    submissions: list[int] = Field(max_length=100)


class Finals(Shape):
    """What is selected, and what would count if it ended now (the best on public if nothing is)."""

    most: int
    selected: list[int]
    counting: list[int]
    closes_at: datetime | None
    is_open: bool


class Reason(Shape):
    """Why; it goes to the audit log."""

    reason: str = Field("", max_length=500)


def paged(shape: type[Page], query: PageQuery, total: int, items: Sequence[Shape]) -> Page:
    """A page in its shape."""
    return shape.model_validate(
        {"page": query.page, "per_page": query.per_page, "total": total, "items": list(items)}
    )
