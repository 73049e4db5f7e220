"""The entries of a board: of each team what stands for it, kept up to date or made anew.

`refresh` looks at one team, `rebuild` at all; both let `boardrules` choose, so that they agree.
Whoever changes what counts of a team holds its lock (`hold`) and calls `refresh` in the same
transaction. Locks are taken in one order: people, teams by id, submissions, the competition.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy import Row as Found
from sqlalchemy.orm import Session

from podium import boardrules, medals, positions
from podium.boardrules import MEAN_RANK, PRIVATE, PUBLIC, SPLITS, Mark, Rules, Scored
from podium.models import BoardEntry, Competition, Evaluation, Submission, Team
from podium.models.record import now
from podium.verdicts import State

CHUNK = 10_000  # rows sent at once
IN_FORCE = Evaluation.in_force.is_(True)
SURE = ("rank_low", "rank_high", "tie_group")  # computed later, of what stands now
KEPT = ("rank_before", "submission_id", *SURE)  # what a rebuild does not know


def hold(session: Session, *team_ids: int) -> list[Team]:
    """Lock teams until the transaction ends; in the order of their ids."""
    query = select(Team).where(Team.id.in_(team_ids)).order_by(Team.id)
    return list(
        session.scalars(query.with_for_update(), execution_options={"populate_existing": True})
    )


def hold_all(session: Session, competition_id: int) -> None:
    """Lock all teams of a competition: nobody records or changes what counts meanwhile."""
    query = select(Team.id).where(Team.competition_id == competition_id).order_by(Team.id)
    session.execute(query.with_for_update()).all()


def hold_of(session: Session, submission_id: int) -> Team:
    """Lock the team that a submission belongs to, whichever it has been merged into meanwhile."""
    owner = select(Submission.team_id).where(Submission.id == submission_id)
    while True:
        team_id = session.scalars(owner).one()
        (team,) = hold(session, team_id)
        if session.scalars(owner).one() == team_id:
            return team


def touch(session: Session, competition_id: int) -> None:
    """Tell everybody who looks at a board that it has changed; locks it."""
    session.execute(
        update(Competition)
        .where(Competition.id == competition_id)
        .values(board_revision=Competition.board_revision + 1)
        .execution_options(synchronize_session=False)
    )


def refresh(
    session: Session,
    competition: Competition,
    team_ids: Iterable[int],
    moment: datetime | None = None,
) -> None:
    """Bring the entries of some teams up to date. The caller holds them."""
    session.flush()
    touch(session, competition.id)
    rules = Rules.of(competition, moment or now())
    for team_id in team_ids:
        scored = _of_team(session, competition.id, rules, team_id)
        team = session.get_one(Team, team_id)
        for split in SPLITS:
            _enter(session, competition.id, team, split, scored, rules)
    if rules.order_by == MEAN_RANK:
        session.flush()
        for split in SPLITS:
            _order_by_mean_rank(session, competition.id, split, rules)
    medals.follow(session, competition)


def rebuild(session: Session, competition: Competition, moment: datetime | None = None) -> int:
    """Make both boards anew from the evaluations; returns how many submissions were looked at."""
    session.flush()
    touch(session, competition.id)
    rules = Rules.of(competition, moment or now())
    on_board = BoardEntry.competition_id == competition.id
    kept = {
        (row.split, row.team_id): {name: getattr(row, name) for name in KEPT}
        for row in session.execute(
            select(BoardEntry.split, BoardEntry.team_id, *map(_column, KEPT)).where(on_board)
        )
    }
    unranked = baselines(session, competition.id)
    session.execute(delete(BoardEntry).where(on_board))
    nothing = dict.fromkeys(KEPT)
    unsure = dict.fromkeys(SURE)
    made: list[dict[str, Any]] = []
    looked_at = 0
    for team_id, scored in _by_team(session, competition.id, rules):
        looked_at += len(scored)
        for split in SPLITS:
            values = _values(scored, split, rules)
            if values is not None:
                key = {"competition_id": competition.id, "team_id": team_id}
                about = kept.get((split, team_id), nothing)
                if about["submission_id"] != values["submission_id"]:
                    about = about | unsure
                made.append(about | key | values | {"ranked": team_id not in unranked})
    _add_others(session, made, rules)
    for start in range(0, len(made), CHUNK):
        session.execute(insert(BoardEntry), made[start : start + CHUNK])
    for split in SPLITS:
        if rules.order_by == MEAN_RANK:
            _order_by_mean_rank(session, competition.id, split, rules)
        else:
            places = sorted(
                (row["order_key"], row["received_at"])
                for row in made
                if row["split"] == split and row["ranked"]
            )
            positions.fill(session, competition.id, split, places)
    medals.refresh(session, competition)
    return looked_at


def scored_of(
    session: Session,
    competition: Competition,
    team_ids: Iterable[int],
    splits: Sequence[str] = (PUBLIC, PRIVATE),
) -> dict[int, list[Scored]]:
    """All that counts of each of some teams, as the rules look at it, with these marks."""
    rules = Rules.of(competition, now())
    rows = session.execute(_rows(Submission.team_id.in_(team_ids), rules, splits=splits))
    return {one: _scored(of) for one, of in groupby(rows, key=lambda row: row.team_id)}


def all_scored(
    session: Session,
    competition: Competition,
    rules: Rules,
    which: ColumnElement[bool] = IN_FORCE,
) -> Iterator[tuple[int, list[Scored]]]:
    """Team after team with all that counts of it; `which` names other evaluations."""
    return _by_team(session, competition.id, rules, which)


def baselines(session: Session, competition_id: int) -> set[int]:
    """The teams that are listed and not ranked."""
    query = select(Team.id).where(Team.competition_id == competition_id, Team.is_baseline)
    return set(session.scalars(query))


def _column(name: str) -> Any:
    return getattr(BoardEntry, name)


def _enter(
    session: Session,
    competition_id: int,
    team: Team,
    split: str,
    scored: Sequence[Scored],
    rules: Rules,
) -> None:
    """Make one entry what it should be."""
    entry = session.scalar(
        select(BoardEntry).where(
            BoardEntry.competition_id == competition_id,
            BoardEntry.split == split,
            BoardEntry.team_id == team.id,
        )
    )
    values = _values(scored, split, rules)
    has_places = rules.order_by != MEAN_RANK and not team.is_baseline
    if values is None:
        if entry is not None:
            if has_places:
                positions.remove(session, entry)
            session.delete(entry)
            session.flush()
        return
    if entry is None:
        entry = BoardEntry(
            competition_id=competition_id,
            split=split,
            team_id=team.id,
            ranked=not team.is_baseline,
        )
        moves = True
    else:
        stands = (entry.submission_id, entry.score, entry.received_at)
        moves = stands != (values["submission_id"], values["score"], values["received_at"])
        if moves and has_places:
            positions.remove(session, entry)
    if rules.order_by == MEAN_RANK and entry.id is not None:
        del values["order_key"]  # which is given to all together
    _add_others(session, [values], rules)
    if moves:
        values |= dict.fromkeys(SURE)
    for name, value in values.items():
        setattr(entry, name, value)
    session.add(entry)
    session.flush()
    if moves and has_places:
        positions.add(session, entry)


def _values(scored: Sequence[Scored], split: str, rules: Rules) -> dict[str, Any] | None:
    """The columns of a team's entry; None if nothing of it is on this board."""
    entries = boardrules.counted(scored, split, rules)
    chosen = boardrules.best(entries, split, rules)
    if chosen is None:
        return None
    mark = chosen.marks[split]
    return {
        "split": split,
        "submission_id": chosen.id,
        "score": mark.value,
        "low": mark.low,
        "high": mark.high,
        "order_key": boardrules.order_key(mark.value, rules.higher_is_better),
        "received_at": chosen.received_at,
        "entries": len(entries),
        "last_at": max(one.received_at for one in entries),
        "others": {},
    }


def _add_others(session: Session, rows: Sequence[dict[str, Any]], rules: Rules) -> None:
    """The scores of the other metrics of each row's submission, on its split."""
    if not rules.others:
        return
    names = [name for name, _ in rules.others]
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        found: dict[tuple[int, str], dict[str, float]] = {}
        for submission_id, split, metric, value in session.execute(
            select(
                Evaluation.submission_id, Evaluation.split, Evaluation.metric, Evaluation.value
            ).where(
                Evaluation.submission_id.in_({row["submission_id"] for row in part}),
                Evaluation.metric.in_(names),
                Evaluation.in_force,
            )
        ):
            found.setdefault((submission_id, split), {})[metric] = value
        for row in part:
            row["others"] = found.get((row["submission_id"], row["split"]), {})


def _order_by_mean_rank(session: Session, competition_id: int, split: str, rules: Rules) -> None:
    """Give all entries the mean of their ranks; a baseline gets the rank that it would have."""
    entries = session.scalars(
        select(BoardEntry).where(
            BoardEntry.competition_id == competition_id, BoardEntry.split == split
        )
    ).all()
    ranked = [entry for entry in entries if entry.ranked]
    for entry, key in zip(ranked, _mean_ranks(ranked, rules), strict=True):
        entry.order_key = key
    for entry in entries:
        if not entry.ranked:
            entry.order_key = _mean_ranks([*ranked, entry], rules)[-1]
    session.flush()
    places = sorted((entry.order_key, entry.received_at) for entry in ranked)
    positions.fill(session, competition_id, split, places)


def _mean_ranks(entries: Sequence[BoardEntry], rules: Rules) -> list[float]:
    if not entries:
        return []
    columns: list[list[float | None]] = [
        [boardrules.order_key(entry.score, rules.higher_is_better) for entry in entries]
    ]
    for name, higher in rules.others:
        values = [entry.others.get(name) for entry in entries]
        columns.append(
            [None if one is None else boardrules.order_key(one, higher) for one in values]
        )
    return boardrules.mean_ranks(columns)


def _of_team(session: Session, competition_id: int, rules: Rules, team_id: int) -> list[Scored]:
    rows = session.execute(_rows(Submission.team_id == team_id, rules))
    return _scored(rows)


def _by_team(
    session: Session, competition_id: int, rules: Rules, which: ColumnElement[bool] = IN_FORCE
) -> Iterator[tuple[int, list[Scored]]]:
    of_all = Submission.competition_id == competition_id
    query = _rows(of_all, rules, which).execution_options(yield_per=CHUNK)
    for team_id, rows in groupby(session.execute(query), key=lambda row: row.team_id):
        yield team_id, _scored(rows)


def _rows(
    of: ColumnElement[bool],
    rules: Rules,
    which: ColumnElement[bool] = IN_FORCE,
    splits: Sequence[str] = (PUBLIC, PRIVATE),
) -> Select[*tuple[Any, ...]]:
    """A row for each split of each submission that counts, a team's after one another.

    `of` names a competition or teams, not both: SQLite would take the wider index.
    """
    return (
        select(
            Submission.team_id,
            Submission.id,
            Submission.received_at,
            Submission.selected,
            Evaluation.split,
            Evaluation.value,
            Evaluation.low,
            Evaluation.high,
            Evaluation.repeats,
        )
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .join(Team, Team.id == Submission.team_id)
        .where(
            of,
            Submission.state == State.SCORED,
            Submission.disqualified == "",
            Team.disqualified == "",
            which,
            Evaluation.metric == rules.metric,
            Evaluation.split.in_(splits),
        )
        .order_by(Submission.team_id, Submission.id)
    )


def _scored(rows: Iterable[Found[*tuple[Any, ...]]]) -> list[Scored]:
    found: list[Scored] = []
    for _, submission_id, received_at, selected, split, value, low, high, repeats in rows:
        if not found or found[-1].id != submission_id:
            found.append(Scored(submission_id, received_at, selected, {}))
        found[-1].marks[split] = Mark(value, low, high, repeats)
    return found
