"""One submission in full, and a person's submissions in all competitions."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from podium import catalog, competitions, episodes, rescoring, retention, submissions, waiting
from podium.verdicts import OPEN, Verdict
from podium.web import downloads, identity, installation
from podium.web.pages import paging
from podium.web.pages.competition import look_again_s

blueprint = Blueprint("submissions", __name__, url_prefix="/submissions")

PER_PAGE = 50
EPISODES_SHOWN = 50


@blueprint.get("")
def mine() -> str:
    """What the caller's teams handed in, newest first."""
    caller = identity.need_caller()
    page = paging.page()
    here = installation()
    lease_s = here.config.lease_s
    with here.database.reading() as session:
        found = submissions.of_person(session, caller, page=page, per_page=PER_PAGE)
        places = {row.id: waiting.place(session, row, lease_s) for row in found}
    return render_template("submissions/mine.html", found=found, places=places, page=page)


@blueprint.get("/<int:submission_id>")
def show(submission_id: int) -> str:
    """Everything about one submission: timeline, verdict, places, scores, signature."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        submission = submissions.get(session, caller, submission_id)
        total, played = episodes.of(session, caller, submission, page=1, per_page=EPISODES_SHOWN)
        return render_template(
            "submissions/show.html",
            submission=submission,
            episodes=played,
            episodes_in_all=total,
            told=episodes.faults_told(session, caller, played),
            names=episodes.names_told(session, caller, played),
            spec=catalog.parse(submission.competition.challenge.spec),
            place=waiting.place(session, submission, installation().config.lease_s),
            twin=submissions.earlier_twin(session, submission),
            meaning=Verdict(submission.verdict).meaning if submission.verdict else None,
            is_staff=competitions.is_staff(submission.competition, caller),
            may_judge=competitions.may(submission.competition, caller, "judge"),
            sees_private=competitions.sees_private(submission.competition, caller),
            earlier=rescoring.earlier(session, submission),
            is_open=submission.state in OPEN,
            again_s=look_again_s([submission]),
        )


@blueprint.post("/<int:submission_id>/cancel")
def cancel(submission_id: int) -> Response:
    """Stop a submission that is not ended."""
    submissions.cancel(installation(), identity.need_caller("submit"), submission_id)
    flash(f"Submission {submission_id} is cancelled. It does not count.")
    return redirect(url_for("submissions.show", submission_id=submission_id), 303)


@blueprint.post("/<int:submission_id>/retry")
def retry(submission_id: int) -> Response:
    """Run a submission again that ended in error: for hosts."""
    submissions.retry(installation(), identity.need_caller("host"), submission_id)
    flash(f"Submission {submission_id} waits again.")
    return redirect(url_for("submissions.show", submission_id=submission_id), 303)


@blueprint.get("/<int:submission_id>/file")
def download(submission_id: int) -> Response:
    """The file as it was handed in."""
    here = installation()
    with here.database.reading() as session:
        found = submissions.get(session, identity.need_caller(), submission_id)
    retention.need_file(found)
    return downloads.send(
        here.storage, found.file_key, found.file_name, found.size_bytes, found.sha256
    )
