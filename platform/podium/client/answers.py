"""The answers of the API as typed dictionaries.

Written from the API's description by `make references`; not by hand.
"""

from typing import Any, Literal, TypedDict

Moment = str  # ISO 8601 in UTC


class AllHandedIn(TypedDict):
    """A page of everybody's submissions, newest first."""

    items: list["HandedIn"]
    page: int
    per_page: int
    total: int


class Announcement(TypedDict):
    """What a host told everybody; `text` is Markdown."""

    edited_at: Moment | None
    id: int
    is_pinned: bool
    posted_at: Moment
    text: str
    title: str


class Announcements(TypedDict):
    """All of a competition: the pinned first, then the newest."""

    items: list["Announcement"]


class Attempt(TypedDict):
    """One try of a worker, and what it took; `worker` and `cause` are for the host."""

    cause: str | None
    cpu_s: float | None
    ended_at: Moment | None
    log: str
    memory_bytes: int | None
    number: int
    outcome: str | None
    owner: str | None
    stage: str
    started_at: Moment
    wall_s: float | None
    worker: str | None


class Board(TypedDict):
    """A page of a board with the baselines that fall on it, and the caller's own row.

    `names` is named, pseudonymous or hidden; `frozen_at` the moment from which nothing more is
    shown before the reveal.
    """

    competition: str
    frozen_at: Moment | None
    items: list["BoardRow"]
    metric: "Metric"
    mine: "BoardRow | None"
    names: str
    page: int
    pages: int
    per_page: int
    revealed_at: Moment | None
    revision: int
    split: str
    total: int


class BoardOptions(TypedDict):
    """What a host chooses for the board."""

    anti_overfit: str
    closes_at: Moment | None
    final_games: int
    finals: int
    freezes_at: Moment | None
    holds_reveal: bool
    merges_until: Moment | None
    names: str
    order_by: str
    team_size: int
    window_days: int | None


class BoardRow(TypedDict):
    """A line of a board; `rank` is null for baselines, and where the board is hidden.

    From `rank_low` to `rank_high` reaches the 95 % interval of the rank; teams of one `tie_group`
    are not separable from its first. These, `tied_with_leader` and `change` (ranks gained since
    the day began) are null where not computed. `others` are scores of the other metrics.
    """

    change: int | None
    entries: int
    high: float | None
    is_baseline: bool
    is_me: bool
    last_at: Moment
    low: float | None
    medal: str
    members: list[str]
    others: dict[str, float]
    rank: int | None
    rank_high: int | None
    rank_low: int | None
    score: float
    team: str
    tie_group: int | None
    tied_with_leader: bool | None


class Checked(TypedDict):
    """The outcome of a dry run: at most 20 errors, `more` counts the rest."""

    errors: list["Detail"]
    message: str
    more: int
    ok: bool


class Checks(TypedDict):
    """How far a competition is, and what its checks have found."""

    blockers: list[str]
    is_checking: bool
    scores: dict[str, dict[str, float]]
    slug: str
    stage: str
    warnings: list[str]


class Column(TypedDict):
    """A column of the submission file."""

    allowed: list[str] | None
    high: float | None
    low: float | None
    name: str
    type: str


class Competition(TypedDict):
    """A competition in a list."""

    closes_at: Moment | None
    daily_limit: int
    finals: int
    is_practice: bool
    joined: bool
    kinds: list[str]
    level: str
    metric: "Metric"
    opens_at: Moment | None
    slug: str
    status: str
    summary: str
    task: str
    teams: int
    time_zone: str
    title: str
    total_limit: int | None


class CompetitionDetail(TypedDict):
    """A competition with its text and format; `state_reason` is for its host.

    `also` names metrics that are shown beside the one that ranks; `declaration` holds the tables
    of challenge.toml that podium_scoring.grading.Grading takes.
    """

    also: list[str]
    board_revision: int
    closes_at: Moment | None
    daily_limit: int
    declaration: dict[str, Any]
    edition: str
    finals: int
    is_practice: bool
    joined: bool
    kinds: list[str]
    level: str
    metric: "Metric"
    opens_at: Moment | None
    slug: str
    state_reason: str | None
    status: str
    submission: "SubmissionFormat"
    summary: str
    task: str
    team: str | None
    teams: int
    text: str
    time_zone: str
    title: str
    total_limit: int | None
    version: int


class Competitions(TypedDict):
    """A page of competitions."""

    items: list["Competition"]
    page: int
    per_page: int
    total: int


class Course(TypedDict):
    """A course as somebody in it sees it; the code and the rules are told to staff."""

    asks_first: bool
    assistants_may: list[str]
    competitions: list[str]
    join_code: str | None
    join_until: Moment | None
    late_days: int
    mail_domains: list[str]
    people: dict[str, int] | None
    rights: list[str]
    role: str
    slug: str
    time_zone: str
    title: str


class Courses(TypedDict):
    """The caller's courses."""

    items: list["Course"]


class Detail(TypedDict):
    """One fault: its line and column in a file (or the field of a request), what fits, what is."""

    column: str | None
    expected: str
    got: str | None
    line: int | None


class Disqualified(TypedDict):
    """Why a team or submission does not count; empty if it does."""

    disqualified: str
    submission: int | None
    team: str | None


class Edited(TypedDict):
    """A competition's options after the change."""

    anti_overfit: str
    closes_at: Moment | None
    course: str | None
    daily_limit: int
    final_games: int
    finals: int
    freezes_at: Moment | None
    grace_minutes: int
    holds_reveal: bool
    late_hours: int
    late_percent: int
    merges_until: Moment | None
    names: str
    opens_at: Moment | None
    order_by: str
    season: str
    slug: str
    team_size: int
    time_zone: str
    title: str
    total_limit: int | None
    window_days: int | None


class Environment(TypedDict):
    """What code, models and agents run with: packages, and `[run]` of challenge.toml."""

    columns: list[str]
    gpu_memory_mib: int
    output: str
    packages: dict[str, str]
    run: dict[str, Any]


class Episode(TypedDict):
    """One game; `number` names its hidden seed, a trial is an agent's game against itself."""

    competition: str
    game: str
    id: int
    is_trial: bool
    number: int
    played_at: Moment
    players: list["EpisodePlayer"]
    replay_url: str
    result: str
    split: str
    steps: int


class EpisodePlayer(TypedDict):
    """One agent's part: a return, or 1, ½ or 0; `fault` is told in full to its own team."""

    fault: str
    score: float
    seat: int
    submission: int
    team: str


class Episodes(TypedDict):
    """A page of episodes, newest first."""

    items: list["Episode"]
    page: int
    per_page: int
    total: int


class Evidence(TypedDict):
    """What may be worth a question; never a verdict."""

    code: list["EvidencePair"]
    errors: list["EvidencePair"]
    sources: list["EvidenceSource"]
    twins: list["EvidenceTwins"]


class EvidenceEntry(TypedDict):
    """A submission in a piece of evidence."""

    submission_id: int
    team: str


class EvidencePair(TypedDict):
    """Two submissions that are alike."""

    alike: float
    far: float | None
    one: "EvidenceEntry"
    other: "EvidenceEntry"


class EvidenceSource(TypedDict):
    """Teams that hand in from one address."""

    is_classroom: bool
    share: float
    teams: list[str]


class EvidenceTwins(TypedDict):
    """The same file from several teams, the earliest first."""

    entries: list["EvidenceEntry"]
    sha256: str


class Export(TypedDict):
    """The file's content, and what could not be matched."""

    content: str
    matched: int
    unmatched_rows: list["UnmatchedRow"]
    unmatched_students: list[str]


class File(TypedDict):
    """A file to download."""

    description: str
    name: str
    rows: int | None
    sha256: str
    size_bytes: int
    url: str


class Files(TypedDict):
    """All files of a competition."""

    items: list["File"]


class FinalRound(TypedDict):
    """How far the final round is: games that are played, of those that are planned.

    `games_of_a_pair` is 0 where there is none; `in_error` agents wait for the host.
    """

    agents: int
    at_work: int
    began_at: Moment | None
    ended_at: Moment | None
    games_of_a_pair: int
    in_error: int
    planned: int
    played: int


class Finals(TypedDict):
    """What is selected, and what would count if it ended now (the best on public if nothing is)."""

    closes_at: Moment | None
    counting: list[int]
    is_open: bool
    most: int
    selected: list[int]


class Grades(TypedDict):
    """The rule of a competition and all of its grades."""

    changed_since_release: int
    equal_in_ties: bool
    items: list["StudentGrade"]
    kind: str | None
    points: list["Point"]
    released_at: Moment | None
    trouble: str


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


class Limits(TypedDict):
    """What the caller's team may still submit."""

    accepted_until: Moment | None
    allowed_now: int
    closes_at: Moment | None
    daily_limit: int
    days_late: int
    limited_by: str | None
    resets_at: Moment
    total: int
    total_limit: int | None
    used_today: int


class Match(TypedDict):
    """One game; `number` names the opening, which both seats of a pair have played."""

    id: int
    is_final: bool
    number: int
    played_at: Moment
    players: list["MatchPart"]
    replay_url: str
    steps: int


class MatchPart(TypedDict):
    """One seat of a game: 1 for a win, ½ for a draw, 0 for a loss. The first seat begins."""

    erred: bool
    is_me: bool
    score: float
    submission: int
    team: str


class Matches(TypedDict):
    """A page of games, the latest first."""

    items: list["Match"]
    page: int
    per_page: int
    total: int


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

    cells: list["MatrixCell | None"]
    high: float | None
    is_baseline: bool
    is_me: bool
    low: float | None
    rating: float
    submission: int
    team: str


class Me(TypedDict):
    """Who the caller is, and what the token or sign-in allows."""

    created_at: Moment
    email: str
    handle: str
    id: int
    role: str
    scopes: list[str]


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

    higher_is_better: bool
    name: str
    options: dict[str, Any]
    title: str


class MyGrade(TypedDict):
    """The caller's own released grade."""

    kind: str
    points: list["Point"]
    released_at: Moment
    result: "Result"


class MyTeam(TypedDict):
    """The caller's team (null before joining), the teams that invite, the rules."""

    changes_until: Moment | None
    invited_by: list[str]
    team: "TeamCard | None"
    team_size: int


class NewInvitation(TypedDict):
    """An open invitation; `code` and `link` are told once, for links only."""

    code: str | None
    handle: str | None
    link: str | None
    team: str


class NewToken(TypedDict):
    """A token with its text, which is never shown again."""

    created_at: Moment
    expires_at: Moment | None
    hint: str
    id: int
    last_used_at: Moment | None
    name: str
    scopes: list[str]
    token: str


class Notification(TypedDict):
    """One event that the caller was told of; `link` is a path of this site."""

    created_at: Moment
    id: int
    kind: str
    link: str
    read_at: Moment | None
    text: str


class Notifications(TypedDict):
    """They, the latest first, and how many are unread."""

    items: list["Notification"]
    page: int
    per_page: int
    total: int
    unread: int


class Part(TypedDict):
    """A number of files and their bytes."""

    files: int
    size_bytes: int


class Participant(TypedDict):
    """One person who takes part; name, address, number and section are of the class list."""

    disqualified: str
    downloaded_at: Moment | None
    email: str
    handle: str
    is_leader: bool
    joined_at: Moment
    last_at: Moment | None
    name: str
    number: str
    private: float | None
    public: float | None
    role: str
    section: str
    submissions: int
    team: str


class Participants(TypedDict):
    """A page of those who take part, by team."""

    items: list["Participant"]
    page: int
    per_page: int
    total: int


class Place(TypedDict):
    """A person's place in a course; `handle` is null until somebody signs up with the address."""

    email: str
    handle: str | None
    id: int
    name: str
    number: str
    role: str
    section: str


class Point(TypedDict):
    """A point of the rule, with the score that its baseline has now."""

    baseline: str | None
    name: str
    percent: float
    score: float | None


class Post(TypedDict):
    """A post; `text` is Markdown, or null where it is deleted or hidden from the caller."""

    author: str | None
    created_at: Moment
    deleted_at: Moment | None
    edited_at: Moment | None
    hidden: str
    html: str | None
    id: int
    is_mine: bool
    is_staff: bool
    text: str | None


class Preferences(TypedDict):
    """How the caller is told of each kind: none, page, digest or mail."""

    kinds: dict[str, str]


class Profile(TypedDict):
    """What may be known of a person."""

    bronze: int
    gold: int
    handle: str
    history: list["ProfileEntry"]
    points: float
    silver: int


class ProfileEntry(TypedDict):
    """One final board that a person stands on; `points` is null where it counts for no season."""

    competition: str
    ended_at: Moment | None
    medal: str
    points: float | None
    rank: int
    team: str
    teams: int
    title: str


class Progress(TypedDict):
    """How one team's, or one baseline's, public score grew."""

    is_baseline: bool
    is_me: bool
    rank: int | None
    steps: list["Step"]
    team: str


class Pruned(TypedDict):
    """What is (or would be) deleted, and what is kept for a rescoring alone."""

    applied: bool
    by_competition: dict[str, "Part"]
    kept_for_rescoring: "Part"
    scored: "Part"
    total: "Part"
    uncounted: "Part"
    unnamed: "Part"


class Queue(TypedDict):
    """Place in the queue, 1 for next; the estimated wait (null: nobody knows); why it waits."""

    eta_s: float | None
    position: int
    reason: str


class RankChange(TypedDict):
    """One team on one board, before and after."""

    climb: int
    is_baseline: bool
    rank_after: int | None
    rank_before: int | None
    score_after: float | None
    score_before: float | None
    team: str


class Rehearsal(TypedDict):
    """How far a trial has come; `unscored` are ids of what could not be scored again."""

    at_work: int
    is_over: bool
    scored: int
    total: int
    unscored: list[int]
    waiting: int


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

    asked_at: Moment
    email: str
    handle: str
    id: int


class Requests(TypedDict):
    """All who wait, the longest first."""

    items: list["Request"]


class Rescoring(TypedDict):
    """A rescoring, its progress while it is a trial, and what it would change."""

    asked_at: Moment
    change: str
    decided_at: Moment | None
    id: int
    private: list["RankChange"]
    progress: "Rehearsal | None"
    public: list["RankChange"]
    raise_only: bool
    reason: str
    runs_again: bool
    state: str


class Result(TypedDict):
    """How a grade comes about."""

    by_score: float
    computed: float
    credit: float
    days_from_bank: int
    days_late: int
    in_ties: float
    note: str
    override: float | None
    percent: float
    score: float | None
    submission_id: int | None
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

    absent: list[str]
    added: list["RosterLine"]
    applied: bool
    changed: list["RosterChange"]
    not_read: list[str]
    removes: bool
    unchanged: int
    with_account: int


class RosterLine(TypedDict):
    """Somebody whom the list adds."""

    email: str
    name: str | None
    number: str | None
    role: str | None
    section: str | None


class Score(TypedDict):
    """A value with its 95 % interval; `repeated`: the Ladder shows the team's earlier one."""

    high: float | None
    low: float | None
    repeated: bool
    value: float


class Season(TypedDict):
    """A page of a season's ranking; `competitions` count for it."""

    competitions: list[str]
    items: list["SeasonStanding"]
    page: int
    per_page: int
    season: str
    total: int


class SeasonNames(TypedDict):
    """The seasons that something in sight counts for, the latest first."""

    items: list[str]


class SeasonStanding(TypedDict):
    """A person's place in a season; points fade, those of today are told."""

    bronze: int
    competitions: int
    gold: int
    handle: str
    is_me: bool
    points: float
    rank: int
    silver: int


class Setting(TypedDict):
    """A setting; whatever is secret in it is hidden."""

    help: str
    is_changed: bool
    name: str
    value: str


class Settings(TypedDict):
    """All of them."""

    items: list["Setting"]


class Shakeup(TypedDict):
    """A page of what the reveal changed, from the first on the private board on."""

    agreement: float | None
    items: list["Shift"]
    median_gap: float | None
    overfitted: int
    page: int
    per_page: int
    total: int


class Shift(TypedDict):
    """One team on both boards; see podium.shakeup for what the numbers say."""

    by_chance: bool | None
    climb: int | None
    gap: float | None
    is_me: bool
    is_overfitted: bool
    private_rank: int
    private_score: float
    public_rank: int | None
    public_score: float | None
    rank_high: int | None
    rank_low: int | None
    surprise: float | None
    team: str


class SignIn(TypedDict):
    """A browser that the caller is signed in with."""

    browser: str
    created_at: Moment
    id: int
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
    released_percent: float | None
    result: "Result | None"
    section: str


class Submission(TypedDict):
    """A submission; `private` is null until the reveal, except for hosts."""

    attempts: list["Attempt"]
    competition: str
    disqualified: str
    ended_at: Moment | None
    file_name: str
    id: int
    kind: str
    message: str
    private: "dict[str, Score] | None"
    public: "dict[str, Score] | None"
    queue: "Queue | None"
    received_at: Moment
    same_file_as: int | None
    scored_at: Moment | None
    selected: bool
    sha256: str
    signature: str | None
    size_bytes: int
    started_at: Moment | None
    state: str
    team: str
    timeline: list["Transition"]
    verdict: "Verdict | None"


class SubmissionFormat(TypedDict):
    """What a submission file looks like."""

    columns: list["Column"]
    format: str
    max_bytes: int


class Submissions(TypedDict):
    """A page of submissions, newest first."""

    items: list["Submission"]
    page: int
    per_page: int
    total: int


class TeamCard(TypedDict):
    """A team, as its members see it."""

    asked: list[str]
    asked_by: list[str]
    disqualified: str
    invited: list[str]
    links: int
    members: list["Member"]
    name: str
    submissions: int


class TeamLimits(TypedDict):
    """To whom a host gave something; of a team (or a student who is in one) its limits now."""

    limits: "Limits | None"
    section: str | None
    student: str | None
    team: str | None


class Thread(TypedDict):
    """A thread in a list; `hidden` is the reason, and only staff sees hidden ones."""

    author: str | None
    created_at: Moment
    hidden: str
    id: int
    is_staff: bool
    last_at: Moment
    locked: bool
    pinned: bool
    replies: int
    title: str


class ThreadWithPosts(TypedDict):
    """A thread with its posts in their order."""

    author: str | None
    created_at: Moment
    hidden: str
    id: int
    is_staff: bool
    last_at: Moment
    locked: bool
    pinned: bool
    posts: list["Post"]
    replies: int
    title: str


class Threads(TypedDict):
    """Pinned ones, then those that were written in last."""

    items: list["Thread"]
    page: int
    per_page: int
    total: int


class Token(TypedDict):
    """A token without its text."""

    created_at: Moment
    expires_at: Moment | None
    hint: str
    id: int
    last_used_at: Moment | None
    name: str
    scopes: list[str]


class Tokens(TypedDict):
    """The caller's working tokens."""

    items: list["Token"]


class Transition(TypedDict):
    """A change of state; `source` is null at reception."""

    at: Moment
    attempt: int
    note: str
    source: str | None
    target: str


class UnmatchedRow(TypedDict):
    """A row of the class list that names no student of the course."""

    line: int
    who: str


class Unread(TypedDict):
    """How many are unread now."""

    unread: int


class Usage(TypedDict):
    """What fills the storage: by kind, by competition and kind, by challenge; and the home."""

    challenges: dict[str, "Part"]
    competitions: dict[str, dict[str, "Part"]]
    free_bytes: int | None
    home: dict[str, "Part"]
    kinds: dict[str, "Part"]
    total: "Part"
    unnamed: "Part"


class User(TypedDict):
    """An account, as its owner sees it."""

    created_at: Moment
    email: str
    handle: str
    id: int
    role: str


class Verdict(TypedDict):
    """How a submission ended: whose it is, why, what to do, whether it counts."""

    code: str
    counts: bool
    details: list["Detail"]
    help: str
    more: int
    owner: str
    reason: str
