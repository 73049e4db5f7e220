"""What the storage is used by: kinds of files, competitions, challenges, and what nobody names."""

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.errors import FaultError
from podium.installation import Installation
from podium.models import Arrival, Attempt, Competition, Evaluation, Piece, Submission
from podium.models.record import now
from podium.storage import FolderStorage

# The first part of a key, and what lies there.
KINDS = {
    "submissions": "Files of submissions",
    "uploads": "Files on their way",
    "outputs": "What runs wrote",
    "replays": "Replays of episodes",
    "losses": "Losses of rows, for intervals",
    "challenges": "Data and answers of challenges",
    "usage": "This count",
    "other": "Anything else",
}
KEPT = "usage/latest.json"
OF_ROWS = ("submissions", "uploads", "outputs", "replays", "losses")  # each file is named by a row
HOME = {
    "podium.db": "Database",
    "podium.db-wal": "Database, not yet merged",
    "valkey": "Queue",
    "sources": "Fetched data sets",
    "backups": "Backups",
}
ARRIVING = timedelta(days=1)  # a file that is younger may be about to be named
NAMED_AT_ONCE = 2000
MOST_BYTES = 1 << 26  # of a kept count


@dataclass
class Part:
    """A number of files and their bytes."""

    files: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        """One file more."""
        self.files += 1
        self.size_bytes += size_bytes


@dataclass
class Usage:
    """All of it at one moment."""

    counted_at: datetime
    kinds: dict[str, Part] = field(default_factory=lambda: {name: Part() for name in KINDS})
    competitions: dict[str, dict[str, Part]] = field(default_factory=dict)  # by slug and kind
    challenges: dict[str, Part] = field(default_factory=dict)  # by slug
    unnamed: Part = field(default_factory=Part)  # by no row, and old enough to be sure
    home: dict[str, Part] = field(default_factory=dict)
    free_bytes: int | None = None  # of the disk; None in a store that has no end

    @property
    def total(self) -> Part:
        """All files of the storage."""
        return Part(
            sum(part.files for part in self.kinds.values()),
            sum(part.size_bytes for part in self.kinds.values()),
        )


KEEPER = TypeAdapter(Usage)


def latest(installation: Installation) -> Usage:
    """What was counted last; the first time it is counted now."""
    try:
        with installation.storage.open(KEPT) as kept:
            return KEEPER.validate_json(kept.read())
    except (FaultError, ValidationError):  # never yet, or by another release
        return count(installation)


def count(installation: Installation) -> Usage:
    """Look at every file, and keep what was found for those who ask later."""
    found = read(installation)
    with contextlib.closing(installation.storage.receive(MOST_BYTES)) as incoming:
        incoming.write(KEEPER.dump_json(found))
        installation.storage.keep(incoming, KEPT)
    return found


def read(installation: Installation) -> Usage:
    """Look at every file of the storage; seconds for a hundred thousand."""
    found = Usage(counted_at=now())
    with installation.database.reading() as session:
        slugs = {
            id_: slug for id_, slug in session.execute(select(Competition.id, Competition.slug))
        }
        named = _named(session)
    by_competition: dict[int, dict[str, Part]] = defaultdict(lambda: defaultdict(Part))
    challenges: dict[str, Part] = defaultdict(Part)
    oldest = now() - ARRIVING
    for key, size_bytes, modified in installation.storage.listed():
        kind, _, rest = key.partition("/")
        kind = kind if kind in KINDS else "other"
        found.kinds[kind].add(size_bytes)
        if kind == "challenges":
            challenges[rest.partition("/")[0]].add(size_bytes)
        elif kind in OF_ROWS:
            owner = named.get(hash(key))
            if owner is not None:
                by_competition[owner][kind].add(size_bytes)
            elif modified < oldest:
                found.unnamed.add(size_bytes)
    found.competitions = {
        slugs[id_]: dict(parts)
        for id_, parts in sorted(
            by_competition.items(),
            key=lambda item: -sum(part.size_bytes for part in item[1].values()),
        )
        if id_ in slugs
    }
    found.challenges = dict(sorted(challenges.items(), key=lambda item: -item[1].size_bytes))
    found.home = _home(installation.config.home)
    if isinstance(installation.storage, FolderStorage):
        found.free_bytes = shutil.disk_usage(installation.storage.root).free
    return found


def unnamed(installation: Installation, moment: datetime) -> Iterator[tuple[str, int]]:
    """Files that no row names and that came before a day ago: key and bytes."""
    # What a row is about to name is younger than a day: it does not matter which is read first.
    files = (
        (key, size_bytes)
        for key, size_bytes, modified in installation.storage.listed()
        if key.partition("/")[0] in OF_ROWS and modified < moment - ARRIVING
    )
    with installation.database.reading() as session:
        named = _named(session)
    return ((key, size_bytes) for key, size_bytes in files if hash(key) not in named)


def _named(session: Session) -> dict[int, int]:
    """The competition of each key that a row names, by the key's hash: keys are many."""
    of_submission = select(Submission.competition_id)
    queries = (
        of_submission.add_columns(Submission.file_key).where(Submission.file_key != ""),
        of_submission.add_columns(Submission.output_key).where(Submission.output_key != ""),
        select(Arrival.competition_id, Piece.file_key).join(Arrival.pieces),
        *(
            of_submission.add_columns(column)
            .join(table, table.submission_id == Submission.id)
            .where(column != "")
            for table, column in (
                (Attempt, Attempt.output_key),
                (Attempt, Attempt.replays_key),
                (Evaluation, Evaluation.losses_key),
            )
        ),
    )
    return {
        hash(key): competition_id
        for query in queries
        for competition_id, key in session.execute(query.execution_options(yield_per=NAMED_AT_ONCE))
    }


def _home(home: Path) -> dict[str, Part]:
    """What lies in the home beside the storage."""
    found: dict[str, Part] = {}
    for name in HOME:
        path = home / name
        files = path.rglob("*") if path.is_dir() else [path]
        part = Part()
        for one in files:
            if one.is_file():
                part.add(one.stat().st_size)
        if part.files:
            found[name] = part
    return found
