"""Agents against each other: whom one plays next, and what all games together say.

An agent plays in rounds, each of which is an attempt: what a killed worker had not reported has
not happened. After each round all ratings are fitted anew, and the agent waits for the next one
until it has played as many games as the challenge asks for; then it is scored. From then on it
plays when others choose it.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload

from podium import attempts, catalog, entries, episodes, turns
from podium.attempts import Ending, Lease, Spent
from podium.boardrules import PRIVATE, PUBLIC, SPLITS
from podium.installation import Installation
from podium.models import Competition, Episode, Evaluation, Finalist, Player, Submission, Team
from podium.verdicts import State, Verdict
from podium_scoring import SCORING_VERSION
from podium_scoring.games import RIDGE, SCALE, START, Ratings, ratings
from podium_scoring.score import version
from podium_scoring.signature import Signature
from podium_scoring.units import Z

MATCHES = 4  # of a round, each of two games
ACTIVE = 2  # agents of a team, the latest
METRIC = "bradley_terry"
UNKNOWN = SCALE / math.sqrt(RIDGE)  # the error of a rating without a game

Game = tuple[int, int, float]  # two submissions, and what the first one scored


@dataclass(frozen=True)
class Pairing:
    """A match to be played: the opponent with its file, and the hidden seed of the opening."""

    opponent: int
    sha256: str
    number: int
    seed: int


def pairings(installation: Installation, session: Session, submission: Submission) -> list[Pairing]:
    """The next matches of an agent: at first one with itself, to see whether it plays."""
    spec = catalog.parse(submission.competition.challenge.spec)
    assert spec.run.agent is not None
    hidden = episodes.seeds(installation, submission.competition.challenge)
    found = []
    if not _has_played(session, submission.id):
        first = hidden[0]
        found.append(Pairing(submission.id, submission.sha256, first.number, first.seed))
    agents = pool(session, submission.competition)
    games = _games(session, agents)
    met = Counter(_other(game, submission.id) for game in games if submission.id in game[:2])
    left = math.ceil((spec.run.agent.games - met.total()) / 2)
    matches = Counter({other: count // 2 for other, count in met.items()})
    for opponent in _opponents(submission, agents, games, min(MATCHES, left)):
        opening = hidden[matches[opponent.id] % len(hidden)]  # the same for every pair
        matches[opponent.id] += 1
        found.append(Pairing(opponent.id, opponent.sha256, opening.number, opening.seed))
    return found


def _opponents(
    submission: Submission, agents: Sequence[Submission], games: Sequence[Game], count: int
) -> list[Submission]:
    """Whom to play: those of whom a game tells most, and first of all a baseline, the anchor.

    A game between agents of chance p tells p (1 - p) of their difference, most between equals,
    and is worth the more the less is known of either; one more against the same tells less. What
    is not known draws the chance towards a half (Glickman 1999), so that a new agent meets all.
    """
    others = [one for one in agents if one.team_id != submission.team_id]
    if not others:
        return []
    table = _table(games)
    own_rating, own_error = _known(table, submission.id)
    met = Counter(_other(game, submission.id) for game in games if submission.id in game[:2])

    def told(other: Submission) -> tuple[bool, float, int]:
        rating, error = _known(table, other.id)
        variance = own_error**2 + error**2
        doubt = math.sqrt(1 + 3 * variance / (math.pi * SCALE) ** 2)
        chance = 1 / (1 + 10 ** ((rating - own_rating) / 400 / doubt))
        worth = chance * (1 - chance) * variance / (1 + met[other.id])
        is_anchor = not met and other.team.is_baseline
        return is_anchor, worth, -other.id

    chosen = []
    for _ in range(count):
        best = max(others, key=told)
        met[best.id] += 2
        chosen.append(best)
    return chosen


def settle(
    session: Session, lease: Lease, submission: Submission, spent: Spent | None
) -> tuple[bool, bool]:
    """After a round: rate everybody, and let the agent play on or be scored.

    Returns whether the attempt was still the current one, and whether the agent waits again.
    """
    competition = submission.competition
    # Rounds of one pool are settled one after the other, each with all games before it.
    session.scalars(
        select(Competition.id).where(Competition.id == competition.id).with_for_update()
    ).one()
    spec = catalog.parse(competition.challenge.spec)
    assert spec.run.agent is not None
    agents = pool(session, competition)
    games = _games(session, agents)
    played = sum(submission.id in game[:2] for game in games)
    has_others = any(one.team_id != submission.team_id for one in agents)
    goes_on = has_others and played < spec.run.agent.games
    if goes_on:
        turns.enter_next(session, submission, submission.queue)
        note = f"{played} of {spec.run.agent.games} games are played. It waits for the next ones."
        taken = attempts.play_on(session, lease, note, spent)
    else:
        taken = attempts.end(session, lease, Ending(Verdict.SCORED, spent=spent))
    if taken:
        session.flush()
        rate(session, competition)
    return taken, goes_on and taken


def rate(session: Session, competition: Competition) -> None:
    """Fit all games anew; every scored agent's rating and the board follow.

    The public rating is by the games of the season, the private one by those of the final round
    as well.
    """
    agents = pool(session, competition)  # those in the middle of their rounds as well
    known = {
        (row.submission_id, row.split): row
        for row in session.scalars(
            select(Evaluation)
            .join(Submission, Submission.id == Evaluation.submission_id)
            .where(Submission.competition_id == competition.id, Evaluation.metric == METRIC)
        )
    }
    of_season = _games(session, agents)
    is_locked = competition.final_began_at is not None
    everything = _games(session, agents, with_final=True) if is_locked else of_season
    season = _table(of_season)
    table_of = {PUBLIC: season, PRIVATE: _table(everything) if is_locked else season}
    for split, games in ((PUBLIC, of_season), (PRIVATE, everything)):
        table = table_of[split]
        played = Counter(one for game in games for one in game[:2])
        digest = hashlib.sha256(repr(sorted(games)).encode()).hexdigest()[:12]
        signature = str(Signature(METRIC, digest, made_with={"numpy": version("numpy")}))
        for agent in (one for one in agents if one.state == State.SCORED):
            rating, error = _known(table, agent.id)
            row = known.pop((agent.id, split), None)
            if row is None:
                row = Evaluation(
                    submission_id=agent.id,
                    scorer_version=SCORING_VERSION,
                    truth_version=competition.challenge.truth_version,
                    split=split,
                    metric=METRIC,
                )
                session.add(row)
            row.value, row.low, row.high = rating, None, None
            if played[agent.id]:
                row.low, row.high = rating - Z * error, rating + Z * error
            row.n = played[agent.id]
            row.signature = signature
    for row in known.values():  # of agents whose place newer ones have taken
        retired = session.get_one(Submission, row.submission_id)
        if retired.disqualified or retired.team.disqualified:
            continue  # it is on no board, and has its rating if it is reinstated
        retired.reason = f"Its rating was {row.value:.0f} when newer agents of its team came."
        session.delete(row)
    session.flush()
    entries.rebuild(session, competition)


def pool(session: Session, competition: Competition) -> list[Submission]:
    """The agents that play: of each team the latest that have got through their trial.

    Once the final round has begun it is those of that moment, without who was disqualified.
    """
    is_locked = competition.final_began_at is not None
    entered = (
        select(Finalist.place).where(Finalist.submission_id == Submission.id)
        if is_locked
        else select(Player.episode_id).where(Player.submission_id == Submission.id)
    )
    found = session.scalars(
        select(Submission)
        .where(
            Submission.competition_id == competition.id,
            Submission.kind == "agent",
            Submission.original_id.is_(None),
            Submission.state.in_((State.SCORED, State.RUNNING, State.QUEUED)),
            Submission.disqualified == "",
            Team.disqualified == "",
            entered.exists(),
        )
        .join(Team, Team.id == Submission.team_id)
        .options(joinedload(Submission.team))
        .order_by(Submission.received_at.desc(), Submission.id.desc())
        .execution_options(populate_existing=True)  # states change by statements, not by objects
    )
    of_team: Counter[int] = Counter()
    agents = []
    for one in found:
        of_team[one.team_id] += 1
        if is_locked or of_team[one.team_id] <= ACTIVE:
            agents.append(one)
    return agents


def _games(
    session: Session, agents: Sequence[Submission], *, with_final: bool = False
) -> list[Game]:
    """All games between agents of the pool; those of the final round where they are wanted."""
    ids = [one.id for one in agents]
    first, second = aliased(Player), aliased(Player)
    rows = session.execute(
        select(first.submission_id, second.submission_id, first.score)
        .join(second, second.episode_id == first.episode_id)
        .join(Episode, Episode.id == first.episode_id)
        .where(
            first.seat == 0,
            second.seat == 1,
            Episode.is_trial.is_(False),
            Episode.split.in_(SPLITS if with_final else (PUBLIC,)),
            first.submission_id.in_(ids),
            second.submission_id.in_(ids),
        )
    )
    return [(one, other, score) for one, other, score in rows]


def _has_played(session: Session, submission_id: int) -> bool:
    query = select(Player.episode_id).where(Player.submission_id == submission_id).limit(1)
    return session.scalar(query) is not None


def _table(games: Sequence[Game]) -> Ratings | None:
    """The ratings that the games say; None without a game."""
    if not games:
        return None
    return ratings([score for *_, score in games], [[str(a), str(b)] for a, b, _ in games])


def _known(table: Ratings | None, submission_id: int) -> tuple[float, float]:
    """An agent's rating and its error; without a game the mean and what chance may do."""
    if table is None or str(submission_id) not in table.names:
        return START, UNKNOWN
    place = table.names.index(str(submission_id))
    return float(table.values[place]), float(table.errors[place])


def _other(game: Game, submission_id: int) -> int:
    return game[1] if game[0] == submission_id else game[0]
