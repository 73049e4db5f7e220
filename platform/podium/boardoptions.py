"""What a host chooses for a board: names, order, freeze, window, Ladder, finals and teams."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium import catalog, climbing, entries, finalround
from podium.accounts import Caller
from podium.boardrules import ANTI_OVERFIT, LADDER, MEAN_RANK, NAMED, NAMES, ORDERS, Rules
from podium.competitions import audit, find, need_host, need_moment
from podium.errors import BadRequestError, ConflictError
from podium.models import Competition, Evaluation, Submission
from podium.models.record import now
from podium.storage import Storage

MOST = {"finals": 20, "team_size": 100, "window_days": 3650}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "names": NAMES,
    "order_by": ORDERS,
    "anti_overfit": ANTI_OVERFIT,
}
MOMENTS = ("closes_at", "freezes_at", "merges_until")
MOST_FINAL_GAMES = 1000
FIXED = ("closes_at", "final_games")  # once the final round has begun
OPTIONS = (*CHOICES, *MOMENTS, *MOST, "holds_reveal", "final_games")


def of(competition: Competition) -> dict[str, Any]:
    """The options as they are."""
    return {name: getattr(competition, name) for name in OPTIONS}


def change(
    session: Session,
    storage: Storage,
    caller: Caller,
    slug: str,
    wanted: Mapping[str, Any],
    reason: str = "",
) -> Competition:
    """Set some options, and bring the boards to what they mean; audited.

    Raises NoAccessError, BadRequestError for a value that does not fit, and ConflictError after
    the reveal.
    """
    competition = find(session, slug)
    need_host(competition, caller)
    entries.hold_all(session, competition.id)
    session.refresh(competition)
    if competition.revealed_at is not None:
        raise ConflictError(f"{slug} is revealed. Its board stays as it is.")
    if competition.final_began_at is not None and {"closes_at", "final_games"} & set(wanted):
        same = all(wanted.get(n, v) == v for n, v in of(competition).items() if n in FIXED)
        if not same:
            raise ConflictError(
                f"The final round of {slug} has begun: its deadline and games stay as they are."
            )
    before = of(competition)
    for name, value in wanted.items():
        _check(competition, name, value)
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return competition
    for name, value in changed.items():
        setattr(competition, name, value)
    session.flush()
    if "anti_overfit" in changed:
        _show_again(session, storage, competition)
    entries.rebuild(session, competition)
    audit(
        session,
        caller,
        "competition.options",
        competition,
        reason,
        changes={name: [_plain(before[name]), _plain(value)] for name, value in changed.items()},
    )
    return competition


def _check(competition: Competition, name: str, value: Any) -> None:
    if name in CHOICES and value not in CHOICES[name]:
        raise BadRequestError(
            f"{name} cannot be {value!r}. Choose {' or '.join(CHOICES[name])}.", field=name
        )
    if name == "names" and value != NAMED and competition.season:
        raise BadRequestError(
            f"{competition.slug} counts for the season {competition.season}, which shows names.",
            field=name,
        )
    if name in MOMENTS:
        need_moment(value, name)
    is_number = name in MOST and not (value is None and name == "window_days")
    if is_number and not (isinstance(value, int) and 1 <= value <= MOST[name]):
        raise BadRequestError(f"{name} is 1 to {MOST[name]}, not {value!r}.", field=name)
    if name == "final_games":
        _check_final(competition, value)
    if (
        name == "order_by"
        and value == MEAN_RANK
        and not competition.challenge.spec["metric"].get("also")
    ):
        raise BadRequestError(
            f"{competition.slug} has one metric. Ranks are averaged over several.", field=name
        )


def _check_final(competition: Competition, games: Any) -> None:
    is_even = isinstance(games, int) and games % finalround.GAMES_OF_A_MATCH == 0
    if not is_even or not 0 <= games <= MOST_FINAL_GAMES:
        raise BadRequestError(
            f"final_games is an even number from 0 to {MOST_FINAL_GAMES}, not {games!r}: every "
            "opening is played from both seats.",
            field="final_games",
        )
    if games and not catalog.parse(competition.challenge.spec).is_match:
        raise BadRequestError(
            f"In {competition.slug} nobody plays against anybody, so it has no final round.",
            field="final_games",
        )


def _show_again(session: Session, storage: Storage, competition: Competition) -> None:
    """Decide anew what every earlier submission shows."""
    own = select(Submission.id).where(Submission.competition_id == competition.id)
    session.execute(
        update(Evaluation)
        .where(Evaluation.submission_id.in_(own), Evaluation.repeats.is_not(None))
        .values(repeats=None)
        .execution_options(synchronize_session=False)
    )
    if competition.anti_overfit == LADDER:
        session.expire_all()
        climbing.play(storage, session, competition, Rules.of(competition, now()))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
