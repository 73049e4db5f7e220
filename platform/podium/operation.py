"""What admins do to work in hand: take it from a worker that does not end."""

from sqlalchemy.orm import Session

from podium import attempts
from podium.accounts import Caller
from podium.competitions import audit
from podium.errors import ConflictError, NotFoundError
from podium.installation import Installation
from podium.models import Submission

NOTE = "An admin took it from its worker. It begins anew; nothing to do."


def release(
    installation: Installation, admin: Caller, submission_id: int, reason: str = ""
) -> None:
    """Let a submission that a worker holds wait again; audited, and nobody's fault.

    What the worker reports later is dropped, since its attempt is not the current one any more.
    Raises NotFoundError, or ConflictError if no worker holds it.
    """
    with installation.database.writing() as session:
        submission = _found(session, submission_id)
        if not attempts.hand_back_by(session, submission_id, NOTE):
            raise ConflictError(
                f"No worker holds submission {submission_id} ({submission.state}). Nothing was "
                "changed."
            )
        audit(
            session,
            admin,
            "submission.release",
            submission.competition,
            reason,
            subject="submission",
            submission=submission_id,
        )
        queue = submission.queue
    installation.queue.offer(queue)


def _found(session: Session, submission_id: int) -> Submission:
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NotFoundError(f"There is no submission {submission_id}.")
    return submission
