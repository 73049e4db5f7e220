"""The Ladder of a competition: which public scores its teams are shown (podium_scoring.ladder).

A score that is not better than the team's best by more than chance explains is recorded and not
shown: everywhere its team reads the earlier one again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import boardrules, losses
from podium.boardrules import PUBLIC, Rules
from podium.losses import Floats
from podium.models import Competition, Evaluation, Submission
from podium.storage import Storage
from podium.verdicts import State
from podium_scoring.ladder import Rung


def climb(session: Session, storage: Storage, new: Sequence[Evaluation], rules: Rules) -> None:
    """Decide what the evaluations of one submission show, just recorded. The team is held."""
    submission_id = new[0].submission_id
    team_id = session.scalars(select(Submission.team_id).where(Submission.id == submission_id))
    shown = session.scalars(
        select(Evaluation)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .where(
            Submission.team_id == team_id.one(),
            Submission.id != submission_id,
            Submission.state == State.SCORED,
            Submission.disqualified == "",
            Evaluation.in_force,
            Evaluation.split == PUBLIC,
            Evaluation.metric == rules.metric,
            Evaluation.repeats.is_(None),
        )
    ).all()
    before = min(shown, key=lambda one: _key(one.value, rules), default=None)
    ranking = next((one for one in new if one.split == PUBLIC and one.metric == rules.metric), None)
    if before is None or ranking is None or _climbs(storage, _step(before), _step(ranking), rules):
        return
    repeat(session, before, new)


def repeat(session: Session, before: Evaluation, new: Sequence[Evaluation]) -> None:
    """Let the public scores of a submission say again what those of an earlier one said."""
    earlier = {
        metric: value
        for metric, value in session.execute(
            select(Evaluation.metric, Evaluation.value).where(
                Evaluation.submission_id == before.submission_id,
                Evaluation.scorer_version == before.scorer_version,
                Evaluation.truth_version == before.truth_version,
                Evaluation.split == PUBLIC,
            )
        )
    }
    for one in new:
        if one.split == PUBLIC:
            one.repeats = earlier[one.metric]


def replay(storage: Storage, steps: Sequence["Step"], rules: Rules) -> list[int]:
    """For each of a team's scores, in the order of reception, the place of the one shown."""
    shown: list[int] = []
    for index, step in enumerate(steps):
        if not shown or _climbs(storage, steps[shown[-1]], step, rules):
            shown.append(index)
        else:
            shown.append(shown[-1])
    return shown


def play(storage: Storage, session: Session, competition: Competition, rules: Rules) -> None:
    """Play the Ladder of every team from the first submission, in the order of reception."""
    rows = session.execute(
        select(Submission.team_id, Submission.id, Evaluation)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .where(
            Submission.competition_id == competition.id,
            Submission.disqualified == "",
            Evaluation.in_force,
            Evaluation.split == PUBLIC,
        )
        .order_by(Submission.team_id, Submission.received_at, Submission.id)
    )
    by_team: dict[int, dict[int, dict[str, Evaluation]]] = {}
    for team_id, submission_id, evaluation in rows:
        scores = by_team.setdefault(team_id, {}).setdefault(submission_id, {})
        scores[evaluation.metric] = evaluation
    for history in by_team.values():
        ranking = [one for one in history.values() if rules.metric in one]
        steps = [Step(one[rules.metric].value, one[rules.metric].losses_key) for one in ranking]
        for index, shown in enumerate(replay(storage, steps, rules)):
            for metric, evaluation in ranking[index].items():
                earlier = ranking[shown].get(metric)
                evaluation.repeats = None if shown == index or earlier is None else earlier.value
    session.flush()


class Step(NamedTuple):
    """A public score that ranks, and where its losses are."""

    value: float
    losses_key: str


def _step(evaluation: Evaluation) -> Step:
    return Step(evaluation.value, evaluation.losses_key)


def _climbs(storage: Storage, before: Step, new: Step, rules: Rules) -> bool:
    if not before.losses_key or not new.losses_key:  # scored before losses were kept
        return _key(new.value, rules) < _key(before.value, rules)
    rung = Rung(before.value, _public(storage, before), rules.higher_is_better)
    return rung.after(_public(storage, new)) is not rung


def _public(storage: Storage, step: Step) -> Floats:
    return losses.read(storage, step.losses_key)[PUBLIC]


def _key(value: float, rules: Rules) -> float:
    return boardrules.order_key(value, rules.higher_is_better)
