"""The final round: after the deadline every pair of agents plays the same number of games.

When everything that came in time is played and rated, the pool is locked. Each agent has a twin
that waits in the queue of matches, as the work of a rescoring does, and hosts its share of the
pairs: leases, fences and retries are those of every attempt, and a game is counted exactly if
its report was taken. What is owed is asked of the episodes whenever it is needed, so a second
start, a lost worker or a reinstated team neither loses nor doubles a game. Until the reveal the
games are private, and so are the ratings that they make.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload

from podium import attempts, catalog, episodes, matches, turns
from podium.attempts import Ending, Lease, Spent
from podium.boardrules import PRIVATE
from podium.installation import Installation
from podium.matches import MATCHES, Pairing
from podium.models import Competition, Episode, Finalist, Player, Submission, Team
from podium.models.record import now
from podium.verdicts import State, Verdict

GAMES_OF_A_MATCH = 2  # one opening, both seats
NOBODY = "Final round"  # the team of nobody that its work belongs to, with a number
AT_WORK = (State.QUEUED, State.RUNNING)
STOPPED = (State.ERROR, State.FAILED, State.INVALID)  # it waits for its host
NOT_IDLE = (*AT_WORK, *STOPPED)


@dataclass(frozen=True)
class Progress:
    """How far the final round is; `planned` is 0 where there is none or it has not begun."""

    games_of_a_pair: int
    began_at: datetime | None
    ended_at: datetime | None
    agents: int
    played: int
    planned: int
    in_error: int  # agents whose share stands still until a host runs it again
    at_work: int  # agents whose share waits or is being played

    @property
    def is_due(self) -> bool:
        """Whether the reveal has to wait for it."""
        return self.games_of_a_pair > 0 and self.ended_at is None

    @property
    def is_stuck(self) -> bool:
        """Whether nothing goes on by itself: what is left ended in error."""
        return self.is_due and self.in_error > 0 and not self.at_work


def is_wanted(competition: Competition) -> bool:
    """Whether a competition has a final round at all."""
    return competition.final_games > 0 and catalog.parse(competition.challenge.spec).is_match


def progress(session: Session, competition: Competition) -> Progress:
    """How many games are played of how many."""
    wanted = competition.final_games if is_wanted(competition) else 0
    played = planned = agents = in_error = at_work = 0
    if wanted and competition.final_began_at is not None:
        table = _Table.of(session, competition)
        agents = len(table.seated)
        pairs = table.pairs()
        planned = len(pairs) * wanted
        played = sum(min(table.played[_pair(*pair)], wanted) for pair in pairs)
        states = _twins(session, competition.id)
        in_error = sum(states.get(one) in STOPPED for one in table.owed)
        at_work = sum(states.get(one) in AT_WORK for one in table.owed)
    return Progress(
        games_of_a_pair=wanted,
        began_at=competition.final_began_at,
        ended_at=competition.final_ended_at,
        agents=agents,
        played=played,
        planned=planned,
        in_error=in_error,
        at_work=at_work,
    )


def advance(session: Session, competition: Competition, moment: datetime) -> int:
    """Lock the pool if that has not been done, and let wait what is owed and nobody plays.

    Returns how many twins wait anew. Whoever calls knows that the competition is over and that
    all that was handed in is scored. Called again it changes nothing, whoever called before.
    """
    if not is_wanted(competition) or competition.revealed_at is not None:
        return 0
    # Two reconcilers, or one and a report, come one after the other.
    session.scalars(
        select(Competition.id).where(Competition.id == competition.id).with_for_update()
    ).one()
    session.refresh(competition)
    if competition.final_began_at is None:
        _lock(session, competition, moment)
    table = _Table.of(session, competition)
    if not table.owed:
        if competition.final_ended_at is None:
            _end(session, competition)
        return 0
    competition.final_ended_at = None  # a team was reinstated
    states = _twins(session, competition.id)
    idle = [
        one.submission
        for one in table.seated
        if one.submission_id in table.owed and states.get(one.submission_id) not in NOT_IDLE
    ]
    if idle:
        _let_wait(session, competition, idle)
    return len(idle)


def stands_still(session: Session, competition: Competition) -> bool:
    """Whether `advance` has something to do: to begin, to end, or to make good what is owed."""
    if not is_wanted(competition) or competition.revealed_at is not None:
        return False
    if competition.final_began_at is None:
        return True
    table = _Table.of(session, competition)
    if not table.owed:
        return competition.final_ended_at is None
    states = _twins(session, competition.id)
    return any(states.get(one) not in NOT_IDLE for one in table.owed)


def close(session: Session, competition: Competition) -> None:
    """End a final that is stuck, with the games that were played: for hosts, who say why."""
    _end(session, competition)


def pairings(installation: Installation, session: Session, twin: Submission) -> list[Pairing]:
    """The next matches of an agent's share. Its openings come from the far end of the hidden
    list: what the season has shown of openings helps nobody."""
    assert twin.original_id is not None
    hidden = episodes.seeds(installation, twin.competition.challenge)
    table = _Table.of(session, twin.competition)
    by_id = {one.submission_id: one.submission for one in table.seated}
    found: list[Pairing] = []
    for opponent, games in table.owed.get(twin.original_id, ()):
        first = table.played[_pair(twin.original_id, opponent)] // GAMES_OF_A_MATCH
        for number in range(first, first + games // GAMES_OF_A_MATCH):
            opening = hidden[-1 - number % len(hidden)]  # the same for every pair
            sha256 = by_id[opponent].sha256
            found.append(Pairing(opponent, sha256, opening.number, opening.seed))
            if len(found) == MATCHES:
                return found
    return found


def settle(
    session: Session, lease: Lease, twin: Submission, spent: Spent | None
) -> tuple[bool, bool]:
    """After a round of a twin: it plays on, or its share is done; the last one rates everybody.

    Returns whether the attempt was still the current one, and whether the twin waits again.
    """
    assert twin.original_id is not None
    competition = twin.competition
    session.scalars(
        select(Competition.id).where(Competition.id == competition.id).with_for_update()
    ).one()
    table = _Table.of(session, competition)
    goes_on = twin.original_id in table.owed
    if goes_on:
        turns.enter_next(session, twin, twin.queue)
        taken = attempts.play_on(session, lease, "Its share of the final goes on.", spent)
    else:
        taken = attempts.end(session, lease, Ending(Verdict.SCORED, spent=spent))
    if taken and not table.owed and competition.final_ended_at is None:
        session.flush()
        _end(session, competition)
    return taken, goes_on and taken


@dataclass(frozen=True)
class _Table:
    """Who sits where, and how many games of the final each pair has played."""

    seated: Sequence[Finalist]  # without the disqualified
    seats: int  # with them
    games_of_a_pair: int
    played: Counter[tuple[int, int]]

    @classmethod
    def of(cls, session: Session, competition: Competition) -> "_Table":
        """As the database has it now."""
        own = Finalist.competition_id == competition.id
        seated = session.scalars(
            select(Finalist)
            .join(Submission, Submission.id == Finalist.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .where(own, Submission.disqualified == "", Team.disqualified == "")
            .options(joinedload(Finalist.submission))
            .order_by(Finalist.place)
        ).all()
        seats = session.scalar(select(func.count()).select_from(Finalist).where(own)) or 0
        first, second = aliased(Player), aliased(Player)
        played: Counter[tuple[int, int]] = Counter()
        for one, other, games in session.execute(
            select(first.submission_id, second.submission_id, func.count())
            .join(second, second.episode_id == first.episode_id)
            .join(Episode, Episode.id == first.episode_id)
            .where(
                Episode.competition_id == competition.id,
                Episode.split == PRIVATE,
                first.seat == 0,
                second.seat == 1,
            )
            .group_by(first.submission_id, second.submission_id)
        ):
            played[_pair(one, other)] += games
        return cls(seated, seats, competition.final_games, played)

    def pairs(self) -> list[tuple[int, int]]:
        """All pairs that play, each once, the host first. Teams do not play themselves."""
        return [
            (one.submission_id, other.submission_id)
            if self._hosts(one.place, other.place)
            else (other.submission_id, one.submission_id)
            for index, one in enumerate(self.seated)
            for other in self.seated[index + 1 :]
            if one.submission.team_id != other.submission.team_id
        ]

    @cached_property
    def owed(self) -> dict[int, list[tuple[int, int]]]:
        """Of each host that has not done: the opponents, and how many games are left."""
        found: dict[int, list[tuple[int, int]]] = {}
        for host, other in self.pairs():
            left = self.games_of_a_pair - self.played[_pair(host, other)]
            if left > 0:
                found.setdefault(host, []).append((other, left))
        return found

    def _hosts(self, place: int, other: int) -> bool:
        """Whether the first of two places hosts their pair: each hosts the half to its right."""
        ahead = (other - place) % self.seats
        return ahead * 2 < self.seats or (ahead * 2 == self.seats and place < other)


def _lock(session: Session, competition: Competition, moment: datetime) -> None:
    pool = matches.pool(session, competition)
    for place, agent in enumerate(sorted(pool, key=lambda one: one.id)):
        session.add(Finalist(competition_id=competition.id, submission_id=agent.id, place=place))
    competition.final_began_at = moment
    session.flush()


def _end(session: Session, competition: Competition) -> None:
    competition.final_ended_at = now()
    matches.rate(session, competition)


def _let_wait(session: Session, competition: Competition, agents: Sequence[Submission]) -> None:
    team_id = session.scalar(
        select(Submission.team_id)
        .where(Submission.competition_id == competition.id, Submission.original_id.is_not(None))
        .limit(1)
    )
    if team_id is None:
        taken = set(session.scalars(select(Team.name).where(Team.competition_id == competition.id)))
        name = next(one for n in count(1) if (one := f"{NOBODY} {n}") not in taken)
        team = Team(competition_id=competition.id, name=name, is_baseline=True)
        session.add(team)
        session.flush()
        team_id = team.id
    for agent in agents:
        twin = Submission(
            competition_id=competition.id,
            team_id=team_id,
            original_id=agent.id,
            kind=agent.kind,
            file_name=agent.file_name,
            file_key=agent.file_key,
            sha256=agent.sha256,
            size_bytes=agent.size_bytes,
            message=f"Final round of submission {agent.id}",
            state=State.QUEUED,
            queue=agent.queue,
            received_at=now(),
        )
        session.add(twin)
        session.flush()
        turns.enter_next(session, twin, twin.queue)
        attempts.note_transition(session, twin.id, None, State.QUEUED, 0)


def _twins(session: Session, competition_id: int) -> dict[int, str]:
    """The state of each agent's latest twin, by the agent."""
    rows = session.execute(
        select(Submission.original_id, Submission.state)
        .where(Submission.competition_id == competition_id, Submission.original_id.is_not(None))
        .order_by(Submission.id)
    )
    return {original_id: state for original_id, state in rows if original_id is not None}


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
