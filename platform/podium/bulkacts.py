"""What staff does to many submissions at once: run again, cancel, disqualify, reinstate.

Each is done as it is alone, in a transaction of its own: what fits no more is left out and told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.orm import Session

from podium import conduct, handedin, submissions
from podium.accounts import Caller
from podium.competitions import find, need_right
from podium.errors import BadRequestError, ConflictError, LimitError
from podium.handedin import Filter
from podium.installation import Installation
from podium.models import Competition, Submission, Team
from podium.verdicts import OPEN, State

MOST = 500  # at once
RETRY, CANCEL, DISQUALIFY, REINSTATE = "retry", "cancel", "disqualify", "reinstate"
NEEDS_REASON = (DISQUALIFY,)  # the team reads it


@dataclass(frozen=True)
class Chosen:
    """Submissions that an act fits, and how many of those that were meant it does not fit."""

    ids: list[int]
    teams: int
    left_out: int


@dataclass(frozen=True)
class Done:
    """What became of it: those that were changed, and of each other one why not."""

    ids: list[int]
    refused: dict[int, str]


def choose(
    session: Session,
    competition: Competition,
    verb: str,
    *,
    ids: Sequence[int] = (),
    wanted: Filter | None = None,
) -> Chosen:
    """Of these numbers, or of all that a filter keeps, those that an act fits, the oldest first.

    Raises BadRequestError for an unknown verb, LimitError for more than `MOST`.
    """
    need_verb(verb)
    meant = handedin.fitting(competition, wanted or Filter())
    if wanted is None:
        meant = meant.where(Submission.id.in_(ids[: MOST + 1]))
    total = session.scalar(meant.with_only_columns(func.count())) or 0
    if total > MOST:
        raise LimitError(
            f"These are {total} submissions. At most {MOST} are changed at once: narrow the filter."
        )
    fits = meant.where(_fits(verb)).order_by(Submission.received_at, Submission.id)
    rows = session.execute(fits).all()
    found = [id_ for id_, _ in rows]
    return Chosen(found, len({team_id for _, team_id in rows}), total - len(found))


def need_verb(verb: str) -> str:
    """The verb as it came; BadRequestError if there is none of it."""
    if verb not in ACTS:
        raise BadRequestError(
            f"There is nothing called {verb!r} to do. Choose {', '.join(ACTS)}.", field="verb"
        )
    return verb


def _fits(verb: str) -> ColumnElement[bool]:
    is_out = Submission.disqualified != ""
    match verb:
        case "retry":
            return Submission.state == State.ERROR
        case "cancel":
            return Submission.state.in_(OPEN)
        case "reinstate":
            return is_out
        case _:
            return ~is_out & (Submission.state == State.SCORED) & Team.is_baseline.is_(False)


def act(
    installation: Installation,
    caller: Caller,
    slug: str,
    verb: str,
    ids: Sequence[int],
    reason: str = "",
) -> Done:
    """Do it to each of these; audited one by one. Raises NoAccessError, or LimitError before any.

    BadRequestError if a reason is due and none is given.
    """
    need_verb(verb)
    if len(ids) > MOST:
        raise LimitError(f"{len(ids)} submissions are more than {MOST} at once.")
    if verb in NEEDS_REASON and not reason.strip():
        raise BadRequestError("Say why: the teams read it.", field="reason")
    with installation.database.reading() as session:
        competition = find(session, slug)
        need_right(competition, caller, "judge")
        known = set(session.scalars(_own(competition, ids)))
    done: list[int] = []
    refused = {id_: f"{slug} has no submission {id_}." for id_ in ids if id_ not in known}
    for id_ in [id_ for id_ in dict.fromkeys(ids) if id_ in known]:
        try:
            ACTS[verb](installation, caller, id_, reason)
        except ConflictError as error:
            refused[id_] = error.message
        else:
            done.append(id_)
    return Done(done, refused)


def _own(competition: Competition, ids: Sequence[int]) -> Select[int]:
    fitting = handedin.fitting(competition, Filter())
    return fitting.where(Submission.id.in_(ids)).with_only_columns(Submission.id)


def _disqualify(installation: Installation, caller: Caller, id_: int, reason: str) -> None:
    with installation.database.writing() as session:
        conduct.disqualify_submission(session, caller, id_, reason)


def _reinstate(installation: Installation, caller: Caller, id_: int, reason: str) -> None:
    with installation.database.writing() as session:
        conduct.reinstate_submission(session, caller, id_, reason)


ACTS: dict[str, Callable[[Installation, Caller, int, str], None]] = {
    RETRY: submissions.retry,
    CANCEL: submissions.cancel,
    DISQUALIFY: _disqualify,
    REINSTATE: _reinstate,
}
