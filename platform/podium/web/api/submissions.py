"""Submissions: hand in, look at, cancel, and the dry run that costs nothing."""

import hashlib
from collections.abc import Sequence
from typing import BinaryIO, cast

from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import ETags

from podium import checking, competitions, finals, retention, submissions, waiting
from podium.models import Evaluation, Submission
from podium.submissions import Upload
from podium.verdicts import State
from podium.verdicts import Verdict as VerdictCode
from podium.web import downloads, identity, installation
from podium.web.api import shapes
from podium.web.uploads import LONGEST_KEY, takes_file

blueprint = APIBlueprint("api_submissions", __name__, url_prefix="/api/v1", tag="Submissions")


def _form(shape: type[shapes.Shape]) -> dict[str, object]:
    """OpenAPI's words for a form whose file is streamed, not validated as a model."""
    schema = shape.model_json_schema()
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


SUBMIT = {
    "requestBody": _form(shapes.SubmissionForm),
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": LONGEST_KEY},
        }
    ],
}


@blueprint.post("/competitions/<slug>/submissions")
@takes_file(must_have_room=True)
@blueprint.output(shapes.Submission, status_code=201)
@blueprint.doc(
    security=[{"token": ["submit"]}], responses=[400, 401, 403, 409, 413, 429], extensions=SUBMIT
)
def submit(slug: str, upload: Upload) -> tuple[shapes.Submission, int, dict[str, str]]:
    """Hand in a file. The header `Idempotency-Key` makes it safe to send the same again."""
    caller = identity.need_caller("submit")
    submission_id = submissions.accept(installation(), caller, slug, upload)
    location = url_for("api_submissions.show", submission_id=submission_id)
    return _one(submission_id), 201, {"Location": location}


@blueprint.post("/competitions/<slug>/check")
@takes_file(must_have_room=False)
@blueprint.output(shapes.Checked)
@blueprint.doc(
    security="token",
    responses=[400, 401, 403, 409, 413],
    extensions={"requestBody": _form(shapes.CheckForm)},
)
def check(slug: str, upload: Upload) -> shapes.Checked:
    """Check a file as scoring would, at no cost: nothing is kept or counted."""
    identity.need_caller()
    file = cast(BinaryIO, upload.file)  # it can be read like one
    return shapes.Checked.model_validate(checking.check(installation(), slug, file, upload.kind))


@blueprint.get("/competitions/<slug>/file-rules")
@blueprint.output(shapes.FileRules)
@blueprint.doc(security="token", responses=[304, 400, 401, 403])
def file_rules(slug: str) -> tuple[shapes.FileRules, dict[str, str]] | Response:
    """The rules of a file of predictions as data, by which a client checks it before sending.

    Ask again with `If-None-Match`: 304 until the rules have changed.
    """
    identity.need_caller()
    rules = checking.rules(installation(), slug)
    tag = hashlib.sha256(repr(rules).encode()).hexdigest()[:16]
    headers = {"ETag": ETags(weak_etags=[tag]).to_header()}
    if request.if_none_match.contains_weak(tag):
        return Response(status=304, headers=headers)
    return shapes.FileRules.model_validate(rules), headers


@blueprint.get("/competitions/<slug>/submissions")
@blueprint.input(shapes.SubmissionQuery, location="query", arg_name="query")
@blueprint.output(shapes.Submissions)
@blueprint.doc(security="token", responses=[401, 403])
def list_submissions(slug: str, query: shapes.SubmissionQuery) -> shapes.Page:
    """The submissions of the caller's team, newest first; staff without a team sees all."""
    caller = identity.need_caller()
    page, per_page, sha256 = query.page, query.per_page, query.sha256
    with installation().database.reading() as session:
        competition = competitions.find(session, slug)
        team = competitions.team_of(session, competition.id, caller.id)
        if team is None and competitions.is_staff(competition, caller):
            found = submissions.of_competition(
                session, competition.id, page=page, per_page=per_page, sha256=sha256
            )
            total = submissions.count(session, competition_id=competition.id, sha256=sha256)
        else:
            team = competitions.need_team(session, competition, caller)
            found = submissions.of_team(
                session, team.id, page=page, per_page=per_page, sha256=sha256
            )
            total = submissions.count(session, team_id=team.id, sha256=sha256)
        return shapes.paged(shapes.Submissions, query, total, _shown(session, found))


@blueprint.get("/submissions/<int(max=2147483647):submission_id>")
@blueprint.output(shapes.Submission)
@blueprint.doc(security="token", responses=[401, 403])
def show(submission_id: int) -> shapes.Submission:
    """One submission, for its team and for hosts."""
    return _one(submission_id)


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/cancel")
@blueprint.output(shapes.Submission)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 409])
def cancel(submission_id: int) -> shapes.Submission:
    """Stop a submission before its score is recorded; its try is given back."""
    submissions.cancel(installation(), identity.need_caller("submit"), submission_id)
    return _one(submission_id)


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/select")
@blueprint.output(shapes.Finals)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[400, 401, 403, 404, 409, 429])
def select(submission_id: int) -> shapes.Finals:
    """Add a submission to the finals of its team."""
    return _select(submission_id, selected=True)


@blueprint.delete("/submissions/<int(max=2147483647):submission_id>/select")
@blueprint.output(shapes.Finals)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404, 409])
def take_out(submission_id: int) -> shapes.Finals:
    """Take a submission out of the finals of its team."""
    return _select(submission_id, selected=False)


def _select(submission_id: int, *, selected: bool) -> shapes.Finals:
    caller = identity.need_caller("submit")
    with installation().database.writing() as session:
        submission = submissions.get(session, caller, submission_id)
        found = finals.select_one(session, caller, submission, selected=selected)
    return shapes.Finals.model_validate(found)


@blueprint.get("/submissions/<int(max=2147483647):submission_id>/file")
@blueprint.output(FileSchema(type="string", format="binary"), content_type=downloads.TYPE)
@blueprint.doc(security="token", responses=[206, 304, 401, 403, 416])
def download(submission_id: int) -> Response:
    """The submitted file, byte for byte."""
    caller = identity.need_caller()
    here = installation()
    with here.database.reading() as session:
        found = submissions.get(session, caller, submission_id)
    retention.need_file(found)
    return downloads.send(
        here.storage, found.file_key, found.file_name, found.size_bytes, found.sha256
    )


@blueprint.get("/submissions/<int(max=2147483647):submission_id>/log")
@blueprint.output(FileSchema(type="string"), content_type="text/plain")
@blueprint.doc(security="token", responses=[401, 403])
def log(submission_id: int) -> Response:
    """What happened to a submission, a line each, as plain text."""
    shown = _one(submission_id)
    lines = []
    for row in shown.timeline:
        attempt = f" (attempt {row.attempt})" if row.attempt else ""
        note = f": {row.note}" if row.note else ""
        said = row.target if row.source else f"received {shown.file_name}"
        lines.append(f"{row.at:%Y-%m-%d %H:%M:%S} {said}{attempt}{note}")
    lines += [
        f"attempt {one.number} ended {one.outcome}: {one.cause}"
        for one in shown.attempts
        if one.cause
    ]
    for one in shown.attempts:
        if one.log:
            lines += [f"--- what attempt {one.number} printed, the end of it ---", one.log.rstrip()]
    if shown.verdict:
        lines.append(f"{shown.verdict.code}. {shown.verdict.reason}".strip())
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


def _one(submission_id: int) -> shapes.Submission:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        return _shown(session, [submissions.get(session, caller, submission_id)])[0]


def _shown(session: Session, found: Sequence[Submission]) -> list[shapes.Submission]:
    twins = submissions.earlier_twins(session, found)
    return [_shape(session, submission, twins[submission.id]) for submission in found]


def _shape(session: Session, submission: Submission, twin: int | None) -> shapes.Submission:
    caller = identity.caller()
    is_staff = competitions.is_staff(submission.competition, caller)
    sees_private = competitions.sees_private(submission.competition, caller)
    place = waiting.place(session, submission, installation().config.lease_s)
    return shapes.Submission(
        id=submission.id,
        competition=submission.competition.slug,
        team=submission.team.name,
        kind=submission.kind,
        file_name=submission.file_name,
        sha256=submission.sha256,
        size_bytes=submission.size_bytes,
        message=submission.message,
        state=submission.state,
        verdict=_verdict(submission),
        queue=shapes.Queue.model_validate(place) if place else None,
        received_at=submission.received_at,
        started_at=submission.started_at,
        scored_at=submission.ended_at if submission.state == State.SCORED else None,
        ended_at=submission.ended_at,
        public=_scores(submission.evaluations, "public"),
        private=_scores(submission.evaluations, "private") if sees_private else None,
        signature=_signature(submission),
        selected=submission.selected,
        disqualified=submission.disqualified,
        attempts=[
            shapes.Attempt(
                number=attempt.number,
                stage=attempt.stage,
                started_at=attempt.started_at,
                ended_at=attempt.ended_at,
                outcome=attempt.outcome,
                owner=attempt.owner,
                wall_s=attempt.wall_s,
                cpu_s=attempt.cpu_s,
                memory_bytes=attempt.memory_bytes,
                log=attempt.log,
                worker=attempt.worker if is_staff else None,
                cause=attempt.cause if is_staff else None,
            )
            for attempt in submission.attempts
        ],
        timeline=[shapes.Transition.model_validate(row) for row in submission.transitions],
        same_file_as=twin,
    )


def _verdict(submission: Submission) -> shapes.Verdict | None:
    if submission.verdict is None:
        return None
    meaning = VerdictCode(submission.verdict).meaning
    return shapes.Verdict(
        code=submission.verdict,
        owner=meaning.owner,
        reason=submission.reason,
        help=meaning.help,
        counts=meaning.counts,
        details=[shapes.Detail(**detail) for detail in submission.details],
        more=submission.more_details,
    )


def _scores(evaluations: Sequence[Evaluation], split: str) -> dict[str, shapes.Score] | None:
    found = {
        row.metric: shapes.Score(
            value=row.shown,
            low=row.interval[0],
            high=row.interval[1],
            repeated=row.repeats is not None,
        )
        for row in evaluations
        if row.split == split
    }
    return found or None


def _signature(submission: Submission) -> str | None:
    """How the public score that ranks was made."""
    name = submission.competition.challenge.spec["metric"]["name"]
    for row in submission.evaluations:
        if row.split == "public" and row.metric == name:
            return row.signature
    return None
