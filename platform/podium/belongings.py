"""All that Podium knows of a person, as one archive for them to take along."""

import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import storage, submissions
from podium.accounts import Caller
from podium.competitions import sees_private
from podium.models import (
    Competition,
    Course,
    Enrolment,
    EntryRequest,
    Grade,
    Identity,
    Mail,
    Membership,
    Notification,
    Post,
    SignIn,
    Submission,
    Team,
    Thread,
    Token,
    User,
)
from podium.models.record import Record

PRIVATE = "private"
README = """This archive holds what Podium knows of you.

account.json      the account, its sign-ins and tokens (never their secrets)
courses.json      your places in courses, with released grades
teams.json        your teams
requests.json     competitions that you asked to enter
submissions.json  what you handed in, with the scores that you may see
discussion.json   what you wrote
notices.json      what you were told, on the page and by mail
files/            the files that you handed in, by the number of the submission
"""


def write(out: IO[bytes], session: Session, files: storage.Storage, caller: Caller) -> None:
    """Write the archive of the caller into a seekable file."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, content in _lists(session, caller).items():
            text = json.dumps(content, indent=2, ensure_ascii=False, default=_plain)
            archive.writestr(name, text + "\n")
        for row in _submitted(session, caller.id):
            path = f"files/{row.id}/{submissions.clean_file_name(row.file_name)}"
            with files.open(row.file_key) as file, archive.open(path, "w", force_zip64=True) as to:
                shutil.copyfileobj(file, to, storage.CHUNK)


def _lists(session: Session, caller: Caller) -> dict[str, object]:
    user = session.get_one(User, caller.id)
    account = _row(user, "id handle email role unconfirmed told_by language created_at")
    account["sign_ins"] = _rows(session, SignIn, caller.id, "browser created_at seen_at")
    account["identities"] = _rows(session, Identity, caller.id, "issuer subject email created_at")
    account["tokens"] = _rows(
        session, Token, caller.id, "name hint scopes created_at last_used_at expires_at revoked_at"
    )
    return {
        "account.json": account,
        "courses.json": _courses(session, caller.id),
        "teams.json": _teams(session, caller.id),
        "requests.json": [
            {"competition": slug} | _row(one, "message asked_at declined_at reason")
            for one, slug in session.execute(
                select(EntryRequest, Competition.slug)
                .join(Competition, Competition.id == EntryRequest.competition_id)
                .where(EntryRequest.user_id == caller.id)
                .order_by(EntryRequest.id)
            )
        ],
        "submissions.json": [_submission(row, caller) for row in _submitted(session, caller.id)],
        "discussion.json": _discussion(session, caller.id),
        "notices.json": {
            "page": _rows(session, Notification, caller.id, "kind text link created_at read_at"),
            "mail": _rows(session, Mail, caller.id, "recipient kind state created_at moved_at"),
        },
    }


def _submitted(session: Session, user_id: int) -> Sequence[Submission]:
    """What a person handed in, without what a rescoring made of it."""
    return session.scalars(
        select(Submission)
        .where(Submission.user_id == user_id, Submission.original_id.is_(None))
        .order_by(Submission.id)
    ).all()


def _submission(row: Submission, caller: Caller) -> dict[str, Any]:
    said = _row(
        row,
        "id kind file_name sha256 size_bytes message state verdict reason selected received_at "
        "started_at ended_at",
    )
    said["competition"] = row.competition.slug
    sees_all = sees_private(row.competition, caller)
    said["scores"] = [
        {"split": one.split, "metric": one.metric, "value": one.shown, "signature": one.signature}
        for one in row.evaluations
        if sees_all or one.split != PRIVATE
    ]
    return said


def _courses(session: Session, user_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Enrolment, Course.slug)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Enrolment.user_id == user_id)
        .order_by(Course.id)
    ).all()
    found = []
    for place, slug in rows:
        said = {"course": slug} | _row(place, "email name number section role created_at")
        said["grades"] = [
            {"competition": competition, "released": released, "at": at}
            for competition, released, at in session.execute(
                select(Competition.slug, Grade.released, Grade.released_at)
                .join(Competition, Competition.id == Grade.competition_id)
                .where(Grade.enrolment_id == place.id, Grade.released_at.is_not(None))
            )
        ]
        found.append(said)
    return found


def _teams(session: Session, user_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Competition.slug, Team.name, Membership.joined_at)
        .select_from(Membership)
        .join(Team, Team.id == Membership.team_id)
        .join(Competition, Competition.id == Membership.competition_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    )
    return [{"competition": slug, "team": name, "joined_at": at} for slug, name, at in rows]


def _discussion(session: Session, user_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Post, Thread.title, Competition.slug)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Competition, Competition.id == Thread.competition_id)
        .where(Post.user_id == user_id)
        .order_by(Post.id)
    )
    return [
        {"competition": slug, "thread": title}
        | _row(post, "text hidden created_at edited_at deleted_at")
        for post, title, slug in rows
    ]


def _rows(session: Session, table: Any, user_id: int, names: str) -> list[dict[str, Any]]:
    found: Iterable[Record] = session.scalars(
        select(table).where(table.user_id == user_id).order_by(table.id)
    )
    return [_row(one, names) for one in found]


def _row(record: Record, names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names.split()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot be written as JSON.")
