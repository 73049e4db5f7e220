"""The answers of the API as typed dictionaries.

Written from the API's description by `make references`; not by hand.
"""

from typing import Any, Literal, TypedDict

Moment = str  # ISO 8601 in UTC


class Act(TypedDict):
    """What somebody (null: Podium itself) did to a competition, and why."""

    id: int
    at: Moment
    by: str | None
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


class Acts(TypedDict):
    """Which submissions were changed, and which not."""

    done: list[int]
    refused: list["Refused"]


class AllHandedIn(TypedDict):
    """A page of everybody's submissions, newest first."""

    page: int
    per_page: int
    total: int
    items: list["HandedIn"]


class Announcement(TypedDict):
    """What a host told everybody; `text` is Markdown."""

    id: int
    title: str
    text: str
    is_pinned: bool
    posted_at: Moment
    edited_at: Moment | None


class AnnouncementEdit(TypedDict, total=False):
    """What is to be another; what is left out stays."""

    title: str | None
    text: str | None
    is_pinned: bool | None


class Announcements(TypedDict):
    """All of a competition: the pinned first, then the newest."""

    items: list["Announcement"]


class Arrival(TypedDict):
    """An upload in pieces: how many of its bytes are here."""

    id: str
    file_name: str
    size_bytes: int
    offset_bytes: int
    sha256: str | None
    created_at: Moment
    moved_at: Moment
    expires_at: Moment


class Arrivals(TypedDict):
    """One's uploads in pieces to a competition."""

    items: list["Arrival"]


class Attempt(TypedDict):
    """One try of a worker, and what it took; `worker` and `cause` are for the host."""

    number: int
    stage: str
    started_at: Moment
    ended_at: Moment | None
    outcome: str | None
    owner: str | None
    wall_s: float | None
    cpu_s: float | None
    memory_bytes: int | None
    log: str
    worker: str | None
    cause: str | None


class Audit(TypedDict):
    """The log of what was done to a competition, the latest first."""

    items: list["Act"]


class Board(TypedDict):
    """A page of a board with the baselines that fall on it, and the caller's own row.

    `names` is named, pseudonymous or hidden; `frozen_at` the moment from which nothing more is
    shown before the reveal.
    """

    page: int
    per_page: int
    total: int
    competition: str
    split: str
    names: str
    frozen_at: Moment | None
    revealed_at: Moment | None
    metric: "Metric"
    pages: int
    revision: int
    items: list["BoardRow"]
    mine: "BoardRow | None"


class BoardOptions(TypedDict):
    """What a host chooses for the board."""

    names: str
    order_by: str
    anti_overfit: str
    closes_at: Moment | None
    freezes_at: Moment | None
    merges_until: Moment | None
    finals: int
    team_size: int
    window_days: int | None
    holds_reveal: bool
    final_games: int


class BoardOptionsRequest(TypedDict, total=False):
    """The options to change; what is left out stays."""

    names: Literal["named", "pseudonymous", "hidden"]
    order_by: Literal["first", "mean_rank"]
    anti_overfit: Literal["none", "ladder"]
    closes_at: Moment | None
    freezes_at: Moment | None
    merges_until: Moment | None
    finals: int
    team_size: int
    window_days: int | None
    holds_reveal: bool
    final_games: int
    reason: str


class BoardRow(TypedDict):
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
    last_at: Moment
    is_baseline: bool
    is_me: bool
    change: int | None
    tie_group: int | None
    medal: str
    others: dict[str, float]


class Checked(TypedDict):
    """The outcome of a dry run: at most 20 errors, `more` counts the rest."""

    ok: bool
    message: str
    errors: list["Detail"]
    more: int


class Checks(TypedDict):
    """How far a competition is, and what its checks have found."""

    slug: str
    stage: str
    is_checking: bool
    blockers: list[str]
    warnings: list[str]
    scores: dict[str, dict[str, float]]


class Column(TypedDict):
    """A column of the submission file."""

    name: str
    type: str
    low: float | None
    high: float | None
    allowed: list[str] | None


class Competition(TypedDict):
    """A competition in a list."""

    slug: str
    title: str
    summary: str
    level: str
    task: str
    kinds: list[str]
    metric: "Metric"
    status: str
    is_practice: bool
    opens_at: Moment | None
    closes_at: Moment | None
    time_zone: str
    daily_limit: int
    total_limit: int | None
    finals: int
    teams: int
    joined: bool
    asks_first: bool


class CompetitionDetail(TypedDict):
    """A competition with its text and format; `state_reason` is for its host.

    `also` names metrics that are shown beside the one that ranks; `declaration` holds the tables
    of challenge.toml that podium_scoring.grading.Grading takes.
    """

    slug: str
    title: str
    summary: str
    level: str
    task: str
    kinds: list[str]
    metric: "Metric"
    status: str
    is_practice: bool
    opens_at: Moment | None
    closes_at: Moment | None
    time_zone: str
    daily_limit: int
    total_limit: int | None
    finals: int
    teams: int
    joined: bool
    asks_first: bool
    text: str
    also: list[str]
    declaration: dict[str, Any]
    edition: str
    version: int
    submission: "SubmissionFormat"
    team: str | None
    board_revision: int
    state_reason: str | None


class Competitions(TypedDict):
    """A page of competitions."""

    page: int
    per_page: int
    total: int
    items: list["Competition"]


class Course(TypedDict):
    """A course as somebody in it sees it; the code and the rules are told to staff."""

    slug: str
    title: str
    time_zone: str
    role: str
    rights: list[str]
    competitions: list[str]
    people: dict[str, int] | None
    join_code: str | None
    join_until: Moment | None
    asks_first: bool
    mail_domains: list[str]
    assistants_may: list[str]
    late_days: int


class CourseOptions(TypedDict, total=False):
    """What its instructors choose; what is left out stays."""

    title: str | None
    time_zone: str | None
    asks_first: bool | None
    mail_domains: list[str] | None
    assistants_may: list[str] | None
    late_days: int | None
    reason: str


class Courses(TypedDict):
    """The caller's courses."""

    items: list["Course"]


class Detail(TypedDict):
    """One fault: its line and column in a file (or the field of a request), what fits, what is."""

    line: int | None
    column: str | None
    expected: str
    got: str | None


class Disqualified(TypedDict):
    """Why a team or submission does not count; empty if it does."""

    team: str | None
    submission: int | None
    disqualified: str


class EditRequest(TypedDict, total=False):
    """What to change of a competition or of its board; what is left out stays.

    `course` is a course's short name, or null to let everybody see the competition.
    """

    names: Literal["named", "pseudonymous", "hidden"]
    order_by: Literal["first", "mean_rank"]
    anti_overfit: Literal["none", "ladder"]
    closes_at: Moment | None
    freezes_at: Moment | None
    merges_until: Moment | None
    finals: int
    team_size: int
    window_days: int | None
    holds_reveal: bool
    final_games: int
    reason: str
    title: str
    opens_at: Moment | None
    time_zone: str
    season: str | None
    daily_limit: int
    total_limit: int | None
    grace_minutes: int
    late_hours: int
    late_percent: int
    asks_first: bool
    course: str | None


class Edited(TypedDict):
    """A competition's options after the change."""

    names: str
    order_by: str
    anti_overfit: str
    closes_at: Moment | None
    freezes_at: Moment | None
    merges_until: Moment | None
    finals: int
    team_size: int
    window_days: int | None
    holds_reveal: bool
    final_games: int
    slug: str
    course: str | None
    title: str
    opens_at: Moment | None
    time_zone: str
    season: str
    daily_limit: int
    total_limit: int | None
    grace_minutes: int
    late_hours: int
    late_percent: int
    asks_first: bool


class EntryRequest(TypedDict):
    """A person who waits to be let in."""

    id: int
    handle: str
    message: str
    asked_at: Moment


class EntryRequests(TypedDict):
    """All who wait to be let in, the longest first."""

    items: list["EntryRequest"]


class Environment(TypedDict):
    """What code, models and agents run with: packages, and `[run]` of challenge.toml."""

    packages: dict[str, str]
    run: dict[str, Any]
    output: str
    columns: list[str]
    gpu_memory_mib: int


class Episode(TypedDict):
    """One game; `number` names its hidden seed, a trial is an agent's game against itself."""

    id: int
    competition: str
    number: int
    split: str
    game: str
    steps: int
    result: str
    is_trial: bool
    played_at: Moment
    players: list["EpisodePlayer"]
    replay_url: str


class EpisodePlayer(TypedDict):
    """One agent's part: a return, or 1, ½ or 0; `fault` is told in full to its own team."""

    seat: int
    team: str
    submission: int
    score: float
    fault: str


class Episodes(TypedDict):
    """A page of episodes, newest first."""

    page: int
    per_page: int
    total: int
    items: list["Episode"]


class Evidence(TypedDict):
    """What may be worth a question; never a verdict."""

    twins: list["EvidenceTwins"]
    errors: list["EvidencePair"]
    code: list["EvidencePair"]
    sources: list["EvidenceSource"]


class EvidenceEntry(TypedDict):
    """A submission in a piece of evidence."""

    submission_id: int
    team: str


class EvidencePair(TypedDict):
    """Two submissions that are alike."""

    one: "EvidenceEntry"
    other: "EvidenceEntry"
    alike: float
    far: float | None


class EvidenceSource(TypedDict):
    """Teams that hand in from one address."""

    teams: list[str]
    share: float
    is_classroom: bool


class EvidenceTwins(TypedDict):
    """The same file from several teams, the earliest first."""

    sha256: str
    entries: list["EvidenceEntry"]


class Export(TypedDict):
    """The file's content, and what could not be matched."""

    content: str
    matched: int
    unmatched_rows: list["UnmatchedRow"]
    unmatched_students: list[str]


class File(TypedDict):
    """A file to download."""

    name: str
    size_bytes: int
    sha256: str
    rows: int | None
    description: str
    url: str


class FileColumn(TypedDict):
    """A column of a file: its type, what may stand in it, and that in words."""

    name: str
    type: str
    low: float | None
    high: float | None
    allowed: list[str] | None
    shape: list[int]
    optional: bool
    longest: int
    expected: str


class FileRules(TypedDict):
    """What a file of predictions must be: what `check` finds can be found by these before."""

    format: str
    suffix: str
    max_bytes: int
    header: list[str]
    id: "FileColumn"
    columns: list["FileColumn"]
    probabilities: list[str]
    sum_tolerance: float
    repeated: bool
    distinct: bool
    most_lines: int
    ids: list[str]
    magic: dict[str, str]


class Files(TypedDict):
    """All files of a competition."""

    items: list["File"]


class FinalRound(TypedDict):
    """How far the final round is: games that are played, of those that are planned.

    `games_of_a_pair` is 0 where there is none; `in_error` agents wait for the host.
    """

    games_of_a_pair: int
    began_at: Moment | None
    ended_at: Moment | None
    agents: int
    played: int
    planned: int
    in_error: int
    at_work: int


class Finals(TypedDict):
    """What is selected, and what would count if it ended now (the best on public if nothing is)."""

    most: int
    selected: list[int]
    counting: list[int]
    closes_at: Moment | None
    is_open: bool


class FinalsRequest(TypedDict, total=False):
    """The ids that shall be final, and no others."""

    submissions: list[int]


class Grades(TypedDict):
    """The rule of a competition and all of its grades."""

    kind: str | None
    points: list["Point"]
    equal_in_ties: bool
    trouble: str
    released_at: Moment | None
    changed_since_release: int
    items: list["StudentGrade"]


class HandedIn(TypedDict):
    """The submission that a baseline became."""

    submission: int


class History(TypedDict):
    """The first ten, the caller's own team, the baselines."""

    items: list["Progress"]


class Joined(TypedDict):
    """The caller's place in a competition."""

    competition: str
    team: str


class Language(TypedDict, total=False):
    """The language of pages and mails, as `en`."""

    language: str | None


class Limits(TypedDict):
    """What the caller's team may still submit."""

    used_today: int
    daily_limit: int
    allowed_now: int
    total: int
    total_limit: int | None
    resets_at: Moment
    limited_by: str | None
    closes_at: Moment | None
    accepted_until: Moment | None
    days_late: int


class Match(TypedDict):
    """One game; `number` names the opening, which both seats of a pair have played."""

    id: int
    number: int
    steps: int
    is_final: bool
    played_at: Moment
    players: list["MatchPart"]
    replay_url: str


class MatchPart(TypedDict):
    """One seat of a game: 1 for a win, ½ for a draw, 0 for a loss. The first seat begins."""

    team: str
    submission: int
    score: float
    erred: bool
    is_me: bool


class Matches(TypedDict):
    """A page of games, the latest first."""

    page: int
    per_page: int
    total: int
    items: list["Match"]


class Matrix(TypedDict):
    """The agents of the highest ratings against each other."""

    competition: str
    items: list["MatrixRow"]


class MatrixCell(TypedDict):
    """Games of one agent against another, the points they brought, and points of a game."""

    games: int
    points: float
    share: float | None


class MatrixRow(TypedDict):
    """An agent with its rating; `cells` are against the agents of all rows, in their order."""

    team: str
    submission: int
    rating: float
    low: float | None
    high: float | None
    is_baseline: bool
    is_me: bool
    cells: list["MatrixCell | None"]


class Me(TypedDict):
    """Who the caller is, and what the token or sign-in allows."""

    id: int
    handle: str
    email: str
    role: str
    created_at: Moment
    scopes: list[str]
    language: str | None


class Member(TypedDict):
    """A person in a team."""

    handle: str
    is_leader: bool
    joined_at: Moment


class Merged(TypedDict):
    """The team that two have become; null while the other one has not agreed."""

    team: "TeamCard | None"


class Metric(TypedDict):
    """What is measured, and where better is."""

    name: str
    title: str
    higher_is_better: bool
    options: dict[str, Any]


class Moderation(TypedDict, total=False):
    """What staff changes of a thread; `hidden` is a reason, or empty to show it again."""

    pinned: bool | None
    locked: bool | None
    hidden: str | None


class MyGrade(TypedDict):
    """The caller's own released grade."""

    released_at: Moment
    result: "Result"
    kind: str
    points: list["Point"]


class MyTeam(TypedDict):
    """The caller's team (null before joining), the teams that invite, the rules."""

    team: "TeamCard | None"
    invited_by: list[str]
    team_size: int
    changes_until: Moment | None


class NewInvitation(TypedDict):
    """An open invitation; `code` and `link` are told once, for links only."""

    team: str
    handle: str | None
    code: str | None
    link: str | None


class NewToken(TypedDict):
    """A token with its text, which is never shown again."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None
    token: str


class Notification(TypedDict):
    """One event that the caller was told of; `link` is a path of this site."""

    id: int
    kind: str
    text: str
    link: str
    created_at: Moment
    read_at: Moment | None


class Notifications(TypedDict):
    """They, the latest first, and how many are unread."""

    page: int
    per_page: int
    total: int
    items: list["Notification"]
    unread: int


class OverrideRequest(TypedDict, total=False):
    """A grade set by hand; `percent` of null takes it back."""

    email: str
    percent: float | None
    note: str


class Part(TypedDict):
    """A number of files and their bytes."""

    files: int
    size_bytes: int


class Participant(TypedDict):
    """One person who takes part; name, address, number and section are of the class list."""

    handle: str
    name: str
    email: str
    number: str
    section: str
    role: str
    team: str
    is_leader: bool
    joined_at: Moment
    downloaded_at: Moment | None
    submissions: int
    last_at: Moment | None
    public: float | None
    private: float | None
    disqualified: str


class Participants(TypedDict):
    """A page of those who take part, by team."""

    page: int
    per_page: int
    total: int
    items: list["Participant"]


class Place(TypedDict):
    """A person's place in a course; `handle` is null until somebody signs up with the address."""

    id: int
    email: str
    name: str
    number: str
    section: str
    role: str
    handle: str | None


class PlaceRequest(TypedDict, total=False):
    """Another role or section."""

    role: Literal["instructor", "assistant", "student"]
    section: str


class Point(TypedDict):
    """A point of the rule, with the score that its baseline has now."""

    name: str
    percent: float
    score: float | None
    baseline: str | None


class PointRequest(TypedDict, total=False):
    """A score, or a baseline whose private score it is, with its percent."""

    name: str
    percent: float
    score: float | None
    baseline: str | None


class Post(TypedDict):
    """A post; `text` is Markdown, or null where it is deleted or hidden from the caller."""

    id: int
    author: str | None
    is_staff: bool
    is_mine: bool
    text: str | None
    html: str | None
    hidden: str
    created_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None


class Preferences(TypedDict):
    """How the caller is told of each kind: none, page, digest or mail."""

    kinds: dict[str, str]


class Profile(TypedDict):
    """What may be known of a person."""

    handle: str
    points: float
    gold: int
    silver: int
    bronze: int
    history: list["ProfileEntry"]


class ProfileEntry(TypedDict):
    """One final board that a person stands on; `points` is null where it counts for no season."""

    competition: str
    title: str
    team: str
    rank: int
    teams: int
    medal: str
    points: float | None
    ended_at: Moment | None


class Progress(TypedDict):
    """How one team's, or one baseline's, public score grew."""

    team: str
    rank: int | None
    is_me: bool
    is_baseline: bool
    steps: list["Step"]


class Pruned(TypedDict):
    """What is (or would be) deleted, and what is kept for a rescoring alone."""

    applied: bool
    total: "Part"
    uncounted: "Part"
    scored: "Part"
    unnamed: "Part"
    kept_for_rescoring: "Part"
    by_competition: dict[str, "Part"]


class Queue(TypedDict):
    """Place in the queue, 1 for next; the estimated wait (null: nobody knows); why it waits."""

    position: int
    eta_s: float | None
    reason: str


class RankChange(TypedDict):
    """One team on one board, before and after."""

    team: str
    is_baseline: bool
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None
    climb: int


class Refused(TypedDict):
    """A submission that was left as it is, and why."""

    submission: int
    reason: str


class Rehearsal(TypedDict):
    """How far a trial has come; `unscored` are ids of what could not be scored again."""

    waiting: int
    at_work: int
    scored: int
    unscored: list[int]
    total: int
    is_over: bool


class Released(TypedDict):
    """How many students were shown their grade."""

    students: int


class Replay(TypedDict):
    """An episode step by step: arrays by name (observation, action, reward).

    Of two players the first `opening_moves` were drawn at random, by neither agent.
    """

    episode: "Episode"
    opening_moves: int
    tracks: dict[str, list[Any]]


class Request(TypedDict):
    """Somebody who came by the code and waits."""

    id: int
    handle: str
    email: str
    asked_at: Moment


class Requests(TypedDict):
    """All who wait, the longest first."""

    items: list["Request"]


class Rescoring(TypedDict):
    """A rescoring, its progress while it is a trial, and what it would change."""

    id: int
    state: str
    change: str
    reason: str
    runs_again: bool
    raise_only: bool
    asked_at: Moment
    decided_at: Moment | None
    progress: "Rehearsal | None"
    public: list["RankChange"]
    private: list["RankChange"]


class Result(TypedDict):
    """How a grade comes about."""

    percent: float
    computed: float
    score: float | None
    submission_id: int | None
    by_score: float
    in_ties: float
    days_late: int
    days_from_bank: int
    credit: float
    override: float | None
    note: str
    words: str


class Retried(TypedDict):
    """How many wait again."""

    submissions: int


class Revealed(TypedDict):
    """When the private board was shown to everybody."""

    revealed_at: Moment


class Roster(TypedDict):
    """Everybody in a course."""

    items: list["Place"]


class RosterChange(TypedDict):
    """A place that the list changes: each field before and after."""

    email: str
    fields: dict[str, list[str]]


class RosterDifference(TypedDict):
    """What a list changes, or in a dry run would."""

    applied: bool
    added: list["RosterLine"]
    with_account: int
    changed: list["RosterChange"]
    unchanged: int
    absent: list[str]
    removes: bool
    not_read: list[str]


class RosterLine(TypedDict):
    """Somebody whom the list adds."""

    email: str
    name: str | None
    number: str | None
    section: str | None
    role: str | None


class RuleRequest(TypedDict, total=False):
    """How scores become percent; points from the worst score to the best."""

    kind: Literal["anchors", "thresholds"]
    points: list["PointRequest"]
    equal_in_ties: bool
    reason: str


class Score(TypedDict):
    """A value with its 95 % interval; `repeated`: the Ladder shows the team's earlier one."""

    value: float
    low: float | None
    high: float | None
    repeated: bool


class Season(TypedDict):
    """A page of a season's ranking; `competitions` count for it."""

    page: int
    per_page: int
    total: int
    season: str
    competitions: list[str]
    items: list["SeasonStanding"]


class SeasonNames(TypedDict):
    """The seasons that something in sight counts for, the latest first."""

    items: list[str]


class SeasonStanding(TypedDict):
    """A person's place in a season; points fade, those of today are told."""

    rank: int
    handle: str
    points: float
    gold: int
    silver: int
    bronze: int
    competitions: int
    is_me: bool


class Setting(TypedDict):
    """A setting; whatever is secret in it is hidden."""

    name: str
    value: str
    help: str
    is_changed: bool


class Settings(TypedDict):
    """All of them."""

    items: list["Setting"]


class Shakeup(TypedDict):
    """A page of what the reveal changed, from the first on the private board on."""

    page: int
    per_page: int
    total: int
    median_gap: float | None
    agreement: float | None
    overfitted: int
    items: list["Shift"]


class Shift(TypedDict):
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


class SignIn(TypedDict):
    """A browser that the caller is signed in with."""

    id: int
    browser: str
    created_at: Moment
    seen_at: Moment


class SignIns(TypedDict):
    """All of them, the latest used first."""

    items: list["SignIn"]


class Step(TypedDict):
    """A moment, and the public score from then on."""

    at: Moment
    score: float


class StudentGrade(TypedDict):
    """A student's grade as computed now, and as released last."""

    email: str
    name: str
    number: str
    section: str
    result: "Result | None"
    released_percent: float | None


class Submission(TypedDict):
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
    verdict: "Verdict | None"
    queue: "Queue | None"
    received_at: Moment
    started_at: Moment | None
    scored_at: Moment | None
    ended_at: Moment | None
    public: "dict[str, Score] | None"
    private: "dict[str, Score] | None"
    signature: str | None
    selected: bool
    disqualified: str
    attempts: list["Attempt"]
    timeline: list["Transition"]
    same_file_as: int | None


class SubmissionFormat(TypedDict):
    """What a submission file looks like."""

    format: str
    columns: list["Column"]
    max_bytes: int


class Submissions(TypedDict):
    """A page of submissions, newest first."""

    page: int
    per_page: int
    total: int
    items: list["Submission"]


class TeamCard(TypedDict):
    """A team, as its members see it."""

    name: str
    members: list["Member"]
    submissions: int
    disqualified: str
    invited: list[str]
    links: int
    asked: list[str]
    asked_by: list[str]


class TeamLimits(TypedDict):
    """To whom a host gave something; of a team (or a student who is in one) its limits now."""

    team: str | None
    student: str | None
    section: str | None
    limits: "Limits | None"


class Text(TypedDict, total=False):
    """What is written."""

    text: str


class TextRequest(TypedDict, total=False):
    """What students are to read."""

    text: str | None
    reason: str


class Thread(TypedDict):
    """A thread in a list; `hidden` is the reason, and only staff sees hidden ones."""

    id: int
    title: str
    author: str | None
    is_staff: bool
    pinned: bool
    locked: bool
    hidden: str
    replies: int
    created_at: Moment
    last_at: Moment


class ThreadWithPosts(TypedDict):
    """A thread with its posts in their order."""

    id: int
    title: str
    author: str | None
    is_staff: bool
    pinned: bool
    locked: bool
    hidden: str
    replies: int
    created_at: Moment
    last_at: Moment
    posts: list["Post"]


class Threads(TypedDict):
    """Pinned ones, then those that were written in last."""

    page: int
    per_page: int
    total: int
    items: list["Thread"]


class Token(TypedDict):
    """A token without its text."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None


class Tokens(TypedDict):
    """The caller's working tokens."""

    items: list["Token"]


class Transition(TypedDict):
    """A change of state; `source` is null at reception."""

    at: Moment
    source: str | None
    target: str
    attempt: int
    note: str


class UnmatchedRow(TypedDict):
    """A row of the class list that names no student of the course."""

    line: int
    who: str


class Unread(TypedDict):
    """How many are unread now."""

    unread: int


class Usage(TypedDict):
    """What fills the storage: by kind, by competition and kind, by challenge; and the home."""

    total: "Part"
    kinds: dict[str, "Part"]
    competitions: dict[str, dict[str, "Part"]]
    challenges: dict[str, "Part"]
    unnamed: "Part"
    home: dict[str, "Part"]
    free_bytes: int | None
    counted_at: Moment


class User(TypedDict):
    """An account, as its owner sees it."""

    id: int
    handle: str
    email: str
    role: str
    created_at: Moment


class Verdict(TypedDict):
    """How a submission ended: whose it is, why, what to do, whether it counts."""

    code: str
    owner: str
    reason: str
    help: str
    counts: bool
    details: list["Detail"]
    more: int
