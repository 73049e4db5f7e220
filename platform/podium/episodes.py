"""What agents played: the hidden seeds, the episodes with their replays, and who may see them.

A seed never leaves for anybody but a run worker, whose referee steps the game on our side of the
pipe. Of solo episodes those of the private part are shown when private scores are.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from podium import catalog, leaderboard, submissions
from podium.accounts import Caller
from podium.attempts import Lease
from podium.boardrules import HIDDEN, PRIVATE, PUBLIC
from podium.catalog import Spec
from podium.competitions import in_sight, is_staff, sees_private, team_of
from podium.desk import Played
from podium.errors import NotFoundError
from podium.installation import Installation
from podium.leaderboard import Reader
from podium.models import Attempt, Challenge, Episode, Player, Submission
from podium.models.record import now
from podium.recent import Recent
from podium.referee import Replay
from podium_scoring import ChallengeError
from podium_scoring.tables import SPLITS, USAGE

SEED = "seed"  # the column of the hidden file
LONGEST_FAULT = 280
ERRED = "It erred; its team can read how."


@dataclass(frozen=True)
class Hidden:
    """One hidden seed, under the number that is told of it."""

    number: int
    seed: int
    split: str


def read_seeds(spec: Spec, content: bytes) -> list[Hidden]:
    """The hidden seeds of a challenge of agents: `answers.csv` with number, seed and Usage."""
    rows = csv.DictReader(io.StringIO(content.decode()))
    number = spec.submission.id.name
    try:
        found = [Hidden(int(row[number]), int(row[SEED]), SPLITS[row[USAGE]]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise ChallengeError(
            f"{spec.answers_file} is no file of seeds: {error!r}. Its columns are {number}, "
            f"{SEED} and {USAGE} (Public or Private)."
        ) from None
    if not found:
        raise ChallengeError(f"{spec.answers_file} names no seed.")
    return found


def _stored_seeds(installation: Installation, challenge: Challenge) -> list[Hidden]:
    with installation.storage.open(challenge.answers_key) as file:
        return read_seeds(catalog.parse(challenge.spec), file.read())


_seeds = Recent(_stored_seeds)


def seeds(installation: Installation, challenge: Challenge) -> list[Hidden]:
    """The hidden seeds of a prepared challenge, for run workers only."""
    return _seeds.get(installation, challenge)


def add(
    installation: Installation,
    session: Session,
    lease: Lease,
    submission: Submission,
    played: Sequence[Played],
) -> None:
    """Write the episodes of an attempt, in the transaction that takes its report."""
    challenge = submission.challenge
    spec = catalog.parse(challenge.spec)
    if spec.run.agent is None or not played:
        return
    splits = {one.number: one.split for one in seeds(installation, challenge)}
    key = session.scalars(
        select(Attempt.replays_key).where(
            Attempt.submission_id == lease.submission_id, Attempt.number == lease.number
        )
    ).one()
    start, moment = 0, now()
    for one in played:
        session.add(_row(submission, spec, one, splits, key, start, moment))
        start += one.replay_bytes
    session.flush()


def _row(
    submission: Submission,
    spec: Spec,
    played: Played,
    splits: dict[int, str],
    key: str,
    start: int,
    moment: datetime,
) -> Episode:
    assert spec.run.agent is not None
    # The twin of a final round plays in the name of the agent.
    names = {submission.id: submission.original_id} if spec.is_match else {}
    is_final = spec.is_match and submission.original_id is not None
    who = {side.submission_id for side in played.sides}
    return Episode(
        competition_id=submission.competition_id,
        number=played.number,
        split=(PRIVATE if is_final else PUBLIC) if spec.is_match else splits[played.number],
        game=spec.run.agent.game,
        steps=played.steps,
        result=played.result[:LONGEST_FAULT],
        is_trial=len(played.sides) > len(who),
        replay_key=key,
        replay_start=start,
        replay_bytes=played.replay_bytes,
        played_at=moment,
        players=[
            Player(
                seat=seat,
                submission_id=names.get(side.submission_id) or side.submission_id,
                score=side.score,
                fault=side.fault[:LONGEST_FAULT],
            )
            for seat, side in enumerate(played.sides)
        ],
    )


def of_submission(
    session: Session, caller: Caller, submission_id: int, *, page: int = 1, per_page: int = 50
) -> tuple[int, Sequence[Episode]]:
    """How many episodes of a submission the caller may see, and a page of them, newest first."""
    submission = submissions.get(session, caller, submission_id)
    return of(session, caller, submission, page=page, per_page=per_page)


def of(
    session: Session, caller: Caller | None, submission: Submission, *, page: int, per_page: int
) -> tuple[int, Sequence[Episode]]:
    """The same for a submission that the caller is known to see."""
    shown: list[ColumnElement[bool]] = [Player.submission_id == submission.id]
    if not sees_private(submission.competition, caller):
        shown.append(Episode.split == PUBLIC)
    ids = select(Episode.id).join(Player, Player.episode_id == Episode.id).where(*shown).distinct()
    total = session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    found = session.scalars(
        select(Episode)
        .where(Episode.id.in_(ids))
        .options(joinedload(Episode.competition), _players())
        .order_by(Episode.id.desc())
        .offset((page - 1) * per_page)
        .limit(per_page)
    ).all()
    return total, found


def get(session: Session, caller: Caller, episode_id: int) -> Episode:
    """An episode that the caller may see, else NotFoundError.

    Games of two agents are for everybody who is signed in, on a hidden board for both teams; a
    solo episode is for those who see the submission, and one of the private part, as of the
    final round, for those who see private scores.
    """
    episode = session.scalar(
        select(Episode)
        .where(Episode.id == episode_id)
        .options(joinedload(Episode.competition), _players())
    )
    missing = NotFoundError(f"There is no episode {episode_id} that you may see.")
    if episode is None or not in_sight(episode.competition, caller):
        raise missing
    if episode.split != PUBLIC and not sees_private(episode.competition, caller):
        raise missing
    is_solo = len(episode.players) == 1
    if (is_solo or episode.competition.names == HIDDEN) and not is_staff(
        episode.competition, caller
    ):
        own = team_of(session, episode.competition_id, caller.id)
        if own is None or all(own.id != one.submission.team_id for one in episode.players):
            raise missing
    return episode


def names_told(session: Session, caller: Caller | None, found: Sequence[Episode]) -> dict[int, str]:
    """What the caller may call each team that played, by its id: the names of the board."""
    told: dict[int, str] = {}
    for competition in {episode.competition_id: episode.competition for episode in found}.values():
        own = team_of(session, competition.id, caller.id if caller else None)
        reader = Reader(own.id if own else None, is_staff(competition, caller))
        teams = {
            player.submission.team_id
            for episode in found
            if episode.competition_id == competition.id
            for player in episode.players
        }
        names = leaderboard.names_of(session, competition, teams, reader)
        told |= {team_id: name for team_id, (name, _) in names.items()}
    return told


def faults_told(
    session: Session, caller: Caller | None, found: Sequence[Episode]
) -> dict[tuple[int, int], str]:
    """What was wrong with each side, by episode and seat: in its own words for its team only."""
    told = {}
    competition_ids = {episode.competition_id for episode in found} if caller else set()
    teams = {one: team_of(session, one, caller.id if caller else None) for one in competition_ids}
    for episode in found:
        own = teams.get(episode.competition_id)
        sees_all = is_staff(episode.competition, caller)
        for player in episode.players:
            is_own = own is not None and own.id == player.submission.team_id
            fault = player.fault if is_own or sees_all or not player.fault else ERRED
            told[episode.id, player.seat] = fault
    return told


def opening_moves(episode: Episode) -> int:
    """How many of its first moves were drawn at random; none of one player."""
    spec = catalog.parse(episode.competition.challenge.spec)
    return spec.run.agent.opening_moves if spec.is_match and spec.run.agent else 0


def replay(installation: Installation, episode: Episode) -> Replay:
    """What was played."""
    with installation.storage.open(episode.replay_key) as file:
        file.seek(episode.replay_start)
        return Replay.from_bytes(file.read(episode.replay_bytes))


def _players() -> ORMOption:
    return selectinload(Episode.players).joinedload(Player.submission).joinedload(Submission.team)
