"""What a rescoring would change, told before it is decided, and the change itself."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from podium import boardrules, climbing, entries, notifications, rescoring
from podium.accounts import Caller
from podium.boardrules import LADDER, PUBLIC, SPLITS, Mark, Placed, Rules, Scored
from podium.climbing import Step
from podium.competitions import audit, find, need_host
from podium.errors import ConflictError
from podium.installation import Installation
from podium.models import Competition, Evaluation, Rescoring, Submission, Team, Transition
from podium.models.record import now
from podium.storage import Storage
from podium.verdicts import State

CHUNK = 10_000


@dataclass(frozen=True)
class Change:
    """One team on one board, before and after; None where it is not on it."""

    team: str
    is_baseline: bool
    rank_before: int | None
    rank_after: int | None
    score_before: float | None
    score_after: float | None

    @property
    def climb(self) -> int:
        """By how many ranks it rises; negative: falls."""
        if self.rank_before is None or self.rank_after is None:
            return 0
        return self.rank_before - self.rank_after


@dataclass(frozen=True)
class Difference:
    """Both boards before and after, by split; the teams that move most come first."""

    boards: Mapping[str, Sequence[Change]]

    def moved(self, split: str) -> int:
        """How many teams change their rank, come or go."""
        return sum(
            one.rank_before != one.rank_after for one in self.boards[split] if not one.is_baseline
        )

    def rescored(self, split: str) -> int:
        """Of how many teams the score changes."""
        return sum(one.score_before != one.score_after for one in self.boards[split])


def difference(storage: Storage, session: Session, trial: Rescoring) -> Difference:
    """Compare the boards as they are with what they would be, by what has been scored so far."""
    moment = now()
    competition = session.get_one(Competition, trial.competition_id)
    before, after = Rules.of(competition, moment), rescoring.rules_after(session, trial, moment)
    old = dict(entries.all_scored(session, competition, before))
    new = _after(storage, session, competition, trial, old, after)
    baselines = entries.baselines(session, competition.id)
    names = {
        team_id: name
        for team_id, name in session.execute(
            select(Team.id, Team.name).where(Team.competition_id == competition.id)
        )
    }
    boards = {}
    for split in SPLITS:
        was = _by_team(boardrules.ranking(old.items(), baselines, split, before))
        will = _by_team(boardrules.ranking(new.items(), baselines, split, after))
        changes = [
            Change(
                team=names[team_id],
                is_baseline=team_id in baselines,
                rank_before=was[team_id].rank if team_id in was else None,
                rank_after=will[team_id].rank if team_id in will else None,
                score_before=_score(was.get(team_id), split),
                score_after=_score(will.get(team_id), split),
            )
            for team_id in was.keys() | will.keys()
        ]
        boards[split] = sorted(
            changes, key=lambda one: (-abs(one.climb), one.rank_after or len(names) + 1, one.team)
        )
    return Difference(boards)


def _by_team(board: Sequence[Placed]) -> dict[int, Placed]:
    return {one.team_id: one for one in board}


def _score(placed: Placed | None, split: str) -> float | None:
    return None if placed is None else placed.chosen.marks[split].value


def _after(
    storage: Storage,
    session: Session,
    competition: Competition,
    trial: Rescoring,
    old: Mapping[int, Sequence[Scored]],
    rules: Rules,
) -> dict[int, list[Scored]]:
    """What each team would have."""
    which = Evaluation.rescoring_id == trial.id
    new = dict(entries.all_scored(session, competition, rules, which))
    if trial.raise_only:
        for team_id, scored in new.items():
            earlier = {one.id: one for one in old.get(team_id, ())}
            new[team_id] = [_raised(one, earlier.get(one.id), rules) for one in scored]
    if competition.anti_overfit == LADDER:
        keys = _losses_keys(session, competition.id, rules)
        for team_id, scored in new.items():
            new[team_id] = _climbed(storage, scored, keys, rules)
    return new


def _raised(new: Scored, old: Scored | None, rules: Rules) -> Scored:
    """Of each split the better of both scores."""
    if old is None:
        return new
    marks = dict(new.marks)
    for split, mark in old.marks.items():
        if split not in marks or _is_better(mark.value, marks[split].value, rules):
            marks[split] = mark
    return replace(new, marks=marks)


def _is_better(value: float, than: float, rules: Rules) -> bool:
    key = boardrules.order_key
    return key(value, rules.higher_is_better) < key(than, rules.higher_is_better)


Keys = Mapping[tuple[int, float], str]


def _losses_keys(session: Session, competition_id: int, rules: Rules) -> Keys:
    """Where the losses of a submission's public score of a value are."""
    rows = session.execute(
        select(Evaluation.submission_id, Evaluation.value, Evaluation.losses_key)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .where(
            Submission.competition_id == competition_id,
            Evaluation.split == PUBLIC,
            Evaluation.metric == rules.metric,
        )
        .order_by(Evaluation.id)
    )
    return {(submission_id, value): key for submission_id, value, key in rows}


def _climbed(storage: Storage, scored: Sequence[Scored], keys: Keys, rules: Rules) -> list[Scored]:
    """The same scores with what the Ladder shows of them, played again from the first."""
    public = sorted(
        (one for one in scored if PUBLIC in one.marks), key=lambda one: (one.received_at, one.id)
    )
    values = [one.marks[PUBLIC].value for one in public]
    steps = [
        Step(value, keys.get((one.id, value), ""))
        for one, value in zip(public, values, strict=True)
    ]
    found = {one.id: one for one in scored}
    for index, shown in enumerate(climbing.replay(storage, steps, rules)):
        one = public[index]
        repeats = None if shown == index else values[shown]
        mark = one.marks[PUBLIC]
        marks = one.marks | {PUBLIC: Mark(mark.value, mark.low, mark.high, repeats)}
        found[one.id] = replace(one, marks=marks)
    return list(found.values())


def apply(
    installation: Installation,
    caller: Caller,
    slug: str,
    reason: str = "",
    *,
    leaves_out: bool = False,
) -> Rescoring:
    """Put the scores of a trial in force, and both boards with them.

    Raises ConflictError while something waits, if something was scored since (it is rescored at
    once), or if something could not be scored and `leaves_out` does not say that this is known:
    what has no new score then leaves the board.
    """
    with installation.database.writing() as session:
        trial = _need_trial(session, caller, slug)
        late = rescoring.catch_up(installation, session, trial)
    if late:
        raise ConflictError(
            f"{late} submissions were scored since the trial began. They are being rescored; apply "
            "it in a moment."
        )
    with installation.database.writing() as session:
        trial = _need_trial(session, caller, slug)
        competition = session.get_one(Competition, trial.competition_id)
        entries.hold_all(session, competition.id)
        _need_whole(session, trial, leaves_out=leaves_out)
        before = _shown(session, competition, Rules.of(competition, now()))
        _put_in_force(installation.storage, session, competition, trial)
        rescoring.decide(session, caller, trial, rescoring.APPLIED)
        competition.challenge_id = trial.challenge_id
        session.flush()
        session.refresh(competition, ["challenge_id", "challenge"])
        entries.rebuild(session, competition)
        after = _shown(session, competition, Rules.of(competition, now()))
        _tell(session, trial, before, after)
        notifications.tell(
            session,
            notifications.RESCORING,
            notifications.competitors(session, competition.id),
            f"{competition.title} was scored again: {trial.change}.",
            f"/c/{competition.slug}/leaderboard",
            key=f"rescoring:{trial.id}",
        )
        audit(
            session,
            caller,
            "rescoring.apply",
            competition,
            reason,
            change=trial.change,
            rescoring=trial.id,
        )
        return trial


def _need_trial(session: Session, caller: Caller, slug: str) -> Rescoring:
    competition = find(session, slug)
    need_host(competition, caller)
    return rescoring.need_trial(session, competition)


def _need_whole(session: Session, trial: Rescoring, *, leaves_out: bool) -> None:
    stands = rescoring.progress(session, trial)
    if not stands.is_over or rescoring.lacking(session, trial):
        raise ConflictError(
            f"{stands.waiting + stands.at_work} of {stands.total} submissions are not rescored "
            "yet. Apply it when they are."
        )
    if stands.unscored and not leaves_out:
        named = ", ".join(map(str, stands.unscored[:5]))
        raise ConflictError(
            f"{len(stands.unscored)} of {stands.total} submissions could not be scored again (see "
            f"{named}). Mend the cause and run them again, or say that they shall leave the board."
        )


def _put_in_force(
    storage: Storage, session: Session, competition: Competition, trial: Rescoring
) -> None:
    rules = rescoring.rules_after(session, trial, now())
    quick = {"synchronize_session": False}
    own = select(Submission.id).where(Submission.competition_id == competition.id)
    old = select(Evaluation.id).where(Evaluation.in_force, Evaluation.submission_id.in_(own))
    kept: set[tuple[int, str]] = set()
    if trial.raise_only:
        kept = _kept(session, competition, trial, rules)
    were = set(session.scalars(old))
    session.execute(
        update(Evaluation)
        .where(Evaluation.in_force, Evaluation.submission_id.in_(own))
        .values(in_force=False),
        execution_options=quick,
    )
    session.execute(
        update(Evaluation).where(Evaluation.rescoring_id == trial.id).values(in_force=True),
        execution_options=quick,
    )
    for submission_id, split in kept:
        _swap_back(session, trial, submission_id, split, were)
    session.expire_all()
    if competition.anti_overfit == LADDER:
        climbing.play(storage, session, competition, rules)


def _kept(
    session: Session, competition: Competition, trial: Rescoring, rules: Rules
) -> set[tuple[int, str]]:
    """Submissions and splits whose old score is the better one."""
    old = dict(entries.all_scored(session, competition, rules))
    which = Evaluation.rescoring_id == trial.id
    kept = set()
    for team_id, scored in entries.all_scored(session, competition, rules, which):
        earlier = {one.id: one for one in old.get(team_id, ())}
        for one in scored:
            for split, mark in one.marks.items():
                had = earlier[one.id].marks.get(split) if one.id in earlier else None
                if had is not None and _is_better(had.value, mark.value, rules):
                    kept.add((one.id, split))
    return kept


def _swap_back(
    session: Session, trial: Rescoring, submission_id: int, split: str, were: Set[int]
) -> None:
    for row in session.scalars(
        select(Evaluation).where(
            Evaluation.submission_id == submission_id, Evaluation.split == split
        )
    ):
        row.in_force = row.id in were
    session.flush()


def _shown(session: Session, competition: Competition, rules: Rules) -> dict[int, float]:
    """What the team of each submission is told as its public score."""
    return {
        one.id: one.marks[PUBLIC].shown
        for _, scored in entries.all_scored(session, competition, rules)
        for one in scored
        if PUBLIC in one.marks
    }


def _tell(
    session: Session, trial: Rescoring, before: Mapping[int, float], after: Mapping[int, float]
) -> None:
    """Write into the timeline of each submission what has become of its public score."""
    why = f" {trial.reason}" if trial.reason else ""
    rows = []
    for submission_id in before.keys() | after.keys():
        old, new = before.get(submission_id), after.get(submission_id)
        if old != new:
            said = f"{_number(old)} became {_number(new)}"
        else:
            said = "the public score is the same"
        rows.append(
            {
                "submission_id": submission_id,
                "at": now(),
                "source": State.SCORED,
                "target": State.SCORED,
                "attempt": 0,
                "note": f"Rescored ({trial.change}): {said}.{why}",
            }
        )
    for start in range(0, len(rows), CHUNK):
        session.execute(insert(Transition), rows[start : start + CHUNK])


def _number(value: float | None) -> str:
    return "no score" if value is None else f"{value:.6g}"
