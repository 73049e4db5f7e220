"""What may be worth a question: evidence for hosts, side by side, and never a verdict.

Identical files, predictions that err alike far beyond the field, teams that send from one
address, code that is the same under other names. Shared starters and classrooms explain much.
"""

import difflib
import itertools
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium import fingerprints, losses
from podium.boardrules import PUBLIC, Rules
from podium.errors import FaultError
from podium.losses import Floats
from podium.models import BoardEntry, ChallengeFile, Competition, Evaluation, Submission, Team
from podium.models.record import now
from podium.models.submission import COMPARED
from podium.storage import Storage

MOST_TEAMS = 300  # from the first on, whose predictions and code are compared
MOST_SHOWN = 50
FAR = 6.0  # robust standard deviations above the field's median
FIELD = 5  # teams, below which there is none to stand out of
ALIKE = 0.5  # correlation below which errors are not worth a look, whatever the field
COPIED = 0.6  # share of the smaller program
COMMON = 0.25  # of the teams: what more than these have comes from a starter
CLASSROOM = 0.25  # of the teams at one address: a lecture hall, not one person
LINES = 400  # compared side by side
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A submission in a piece of evidence."""

    submission_id: int
    team: str


@dataclass(frozen=True)
class Twins:
    """The same file, byte for byte, from several teams; the earliest first."""

    sha256: str
    entries: list[Entry]


@dataclass(frozen=True)
class Pair:
    """Two submissions that are alike; `alike` is a correlation or a share, `far` how far above
    the field in robust standard deviations.
    """

    one: Entry
    other: Entry
    alike: float
    far: float | None = None


@dataclass(frozen=True)
class Source:
    """Teams that handed in from one address, which itself is not kept."""

    teams: list[str]
    share: float  # of all teams

    @property
    def is_classroom(self) -> bool:
        """Whether so many share it that it says nothing of one of them."""
        return self.share > CLASSROOM and len(self.teams) > 2


@dataclass(frozen=True)
class Evidence:
    """All there is of one competition."""

    twins: list[Twins]
    errors: list[Pair]
    code: list[Pair]
    sources: list[Source]


def evidence(storage: Storage, session: Session, competition: Competition) -> Evidence:
    """Look at everything; it takes seconds where there are hundreds of teams."""
    return Evidence(
        twins=twins(session, competition),
        errors=alike_in_errors(storage, session, competition),
        code=alike_in_code(storage, session, competition),
        sources=sources(session, competition),
    )


def twins(session: Session, competition: Competition) -> list[Twins]:
    """Files that several teams handed in, without those that were given to all."""
    own = (
        Submission.competition_id == competition.id,
        COMPARED,
        Team.is_baseline.is_(False),
    )
    given = select(ChallengeFile.sha256).where(
        ChallengeFile.challenge_id == competition.challenge_id
    )
    shared = (
        select(Submission.sha256)
        .join(Team, Team.id == Submission.team_id)
        .where(*own, Submission.sha256.not_in(given))
        .group_by(Submission.sha256)
        .having(func.count(Submission.team_id.distinct()) > 1)
        .limit(MOST_SHOWN)
    )
    found: dict[str, list[Entry]] = defaultdict(list)
    for sha256, submission_id, name in session.execute(
        select(Submission.sha256, Submission.id, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(*own, Submission.sha256.in_(shared))
        .order_by(Submission.received_at, Submission.id)
    ):
        if name not in {entry.team for entry in found[sha256]}:
            found[sha256].append(Entry(submission_id, name))
    return [Twins(sha256, entries) for sha256, entries in found.items()]


def alike_in_errors(storage: Storage, session: Session, competition: Competition) -> list[Pair]:
    """Pairs of teams' best submissions that err alike far more than the field does.

    What is hard for everybody is taken out first: of each unit the field's mean loss.
    """
    rules = Rules.of(competition, now())
    rows = session.execute(
        select(Submission.id, Team.name, Evaluation.losses_key)
        .join(BoardEntry, BoardEntry.submission_id == Submission.id)
        .join(Team, Team.id == BoardEntry.team_id)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .where(
            BoardEntry.competition_id == competition.id,
            BoardEntry.split == PUBLIC,
            BoardEntry.ranked,
            Evaluation.split == PUBLIC,
            Evaluation.metric == rules.metric,
            Evaluation.in_force,
            Evaluation.losses_key != "",
        )
        .order_by(BoardEntry.order_key)
        .limit(MOST_TEAMS)
    ).all()
    kept: list[tuple[Entry, Floats]] = []
    for submission_id, name, key in rows:
        parts = losses.read(storage, key)
        whole = np.concatenate([parts[split] for split in sorted(parts)])
        if np.isfinite(whole).all() and (not kept or len(whole) == len(kept[0][1])):
            kept.append((Entry(submission_id, name), whole))
    if len(kept) < FIELD:
        return []
    return _outliers([entry for entry, _ in kept], np.array([one for _, one in kept]))


def _outliers(entries: Sequence[Entry], table: Floats) -> list[Pair]:
    rest = table - np.median(table, axis=0) if len(table) > 10 else table - table.mean(axis=0)
    rest = rest - rest.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(rest, axis=1)
    rest = rest / np.where(norms > 0, norms, 1.0)[:, None]
    first, second = np.triu_indices(len(table), 1)
    alike = (rest @ rest.T)[first, second]
    z = np.arctanh(np.clip(alike, -0.999999, 0.999999))
    middle = np.median(z)
    spread = 1.4826 * np.median(np.abs(z - middle))
    # No field lies closer together than chance puts independent errors (Fisher 1915).
    far = (z - middle) / max(spread, 1 / np.sqrt(max(1, table.shape[1] - 3)))
    places = np.flatnonzero((far > FAR) & (alike > ALIKE))
    places = places[np.argsort(-alike[places])][:MOST_SHOWN]
    return [
        Pair(entries[first[at]], entries[second[at]], float(alike[at]), float(far[at]))
        for at in places.tolist()
    ]


def alike_in_code(storage: Storage, session: Session, competition: Competition) -> list[Pair]:
    """Pairs of teams whose last bundles share most of the smaller program.

    What more than a quarter of the teams have is a starter's, and left out.
    """
    last = (
        select(func.max(Submission.id))
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.competition_id == competition.id,
            Submission.kind == "code",
            Submission.original_id.is_(None),
            Team.is_baseline.is_(False),
        )
        .group_by(Submission.team_id)
        .limit(MOST_TEAMS)
    )
    prints: list[tuple[Entry, frozenset[int]]] = []
    for submission_id, name, key in session.execute(
        select(Submission.id, Team.name, Submission.file_key)
        .join(Team, Team.id == Submission.team_id)
        .where(Submission.id.in_(last))
        .order_by(Submission.id)
    ):
        files = _bundle(storage, key)
        own = frozenset().union(*map(fingerprints.fingerprint, files.values()))
        prints.append((Entry(submission_id, name), own))
    counts: dict[int, int] = defaultdict(int)
    for _, own in prints:
        for one in own:
            counts[one] += 1
    most = max(2, int(COMMON * len(prints)))
    common = {one for one, number in counts.items() if number > most}
    pairs = [
        Pair(a, b, fingerprints.overlap(one - common, other - common))
        for (a, one), (b, other) in itertools.combinations(prints, 2)
    ]
    found = [pair for pair in pairs if pair.alike >= COPIED]
    return sorted(found, key=lambda pair: -pair.alike)[:MOST_SHOWN]


def _bundle(storage: Storage, key: str) -> dict[str, str]:
    try:
        with storage.open(key) as file:
            return fingerprints.sources(file.read())
    except (zipfile.BadZipFile, FaultError):
        return {}


def sources(session: Session, competition: Competition) -> list[Source]:
    """Addresses that several teams have handed in from, those of few teams first."""
    found: dict[str, set[str]] = defaultdict(set)
    for source, name in session.execute(
        select(Submission.source, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.competition_id == competition.id,
            Submission.source != "",
            Team.is_baseline.is_(False),
        )
        .distinct()
    ):
        found[source].add(name)
    of_all = max(1, competition.team_count)
    shared = [
        Source(sorted(names), len(names) / of_all) for names in found.values() if len(names) > 1
    ]
    return sorted(shared, key=lambda one: (len(one.teams), one.teams))[:MOST_SHOWN]


@dataclass(frozen=True)
class Line:
    """A line of two files side by side."""

    one: str | None
    other: str | None
    is_same: bool


@dataclass(frozen=True)
class Comparison:
    """Two submitted files: how many lines are the same, and the first of them side by side."""

    one: Entry
    other: Entry
    same: int
    of: int
    lines: list[Line]


def compare(
    storage: Storage, session: Session, competition: Competition, one_id: int, other_id: int
) -> Comparison | None:
    """Two submissions of this competition side by side; None if they are not both of it."""
    found = {
        submission_id: (name, key)
        for submission_id, name, key in session.execute(
            select(Submission.id, Team.name, Submission.file_key)
            .join(Team, Team.id == Submission.team_id)
            .where(
                Submission.competition_id == competition.id,
                Submission.id.in_((one_id, other_id)),
            )
        )
    }
    if len(found) < 2:
        return None
    a, b = _lines(storage, found[one_id][1]), _lines(storage, found[other_id][1])
    pairs = list(_side_by_side(a, b))
    return Comparison(
        Entry(one_id, found[one_id][0]),
        Entry(other_id, found[other_id][0]),
        same=sum(line.is_same for line in pairs),
        of=len(pairs),
        lines=pairs[:LINES],
    )


def _lines(storage: Storage, key: str) -> list[str]:
    """A file in lines to compare: of tables in the order of their ids, of bundles the code."""
    if not key:
        return ["The file was deleted to save room."]
    with storage.open(key) as file:
        content = file.read(MOST_BYTES)
    if content[:2] == b"PK":
        return [
            line
            for name, text in _bundle(storage, key).items()
            for line in (f"# {name}", *text.splitlines())
        ]
    head, *rest = content.decode("utf-8", "replace").splitlines() or [""]
    return [head, *sorted(rest)]


def _side_by_side(a: list[str], b: list[str]) -> list[Line]:
    a, b = a[: 10 * LINES], b[: 10 * LINES]
    lines: list[Line] = []
    for tag, a0, a1, b0, b1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for one, other in itertools.zip_longest(a[a0:a1], b[b0:b1]):
            lines.append(Line(one, other, tag == "equal"))
    return lines
