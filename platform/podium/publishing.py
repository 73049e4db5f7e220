"""From a folder to an open competition: draft, checked, scheduled, open, closed, revealed.

A folder arrives prepared: `challenge.toml`, `README.md`, `metric.py` if it has its own metric, and
the files as `public/…` and `private/answers.*`. So no recipe of a host is ever run here; whoever
has one runs it at home (`podium challenges publish` does). The same form is exported.
"""

import contextlib
import hashlib
import secrets
import tomllib
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import IO, Any
from zoneinfo import ZoneInfo

import tomli_w
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from podium import catalog, competitions, courses, datasets, editing, enclosures, submissions
from podium.accounts import HOST, Caller
from podium.boardrules import PRIVATE
from podium.catalog import Spec
from podium.competitions import audit, find, need_host
from podium.errors import BadRequestError, ClosedError, ConflictError, NoAccessError
from podium.installation import Installation
from podium.models import (
    BoardEntry,
    Challenge,
    ChallengeFile,
    Competition,
    Course,
    GradeScheme,
    Submission,
    Team,
)
from podium.models.record import now
from podium.sandbox.bundle import BundleLimits, read_zip
from podium.sandbox.refusal import RefusedError
from podium_scoring import ChallengeError

LIMITS = BundleLimits(files=2000, total_mib=2048, ratio=1000)
SEED_BITS = 62
LONGEST_SLUG = 60
MOST_DAYS = 3650
SETTINGS = ("opens_at", "closes_at", "time_zone", "daily_limit", "total_limit", "team_size")
CLONED = (
    *("title", "time_zone", "daily_limit", "total_limit", "finals", "team_size", "weight"),
    *("grace_minutes", "late_hours", "late_percent", "names", "order_by", "anti_overfit"),
    *("window_days", "holds_reveal", "team_running", "final_games", "season", "asks_first"),
)
MOMENTS = ("opens_at", "closes_at", "freezes_at", "merges_until")


class Stage(StrEnum):
    """How far a competition is on its way."""

    DRAFT = "draft"
    CHECKED = "checked"
    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    REVEALED = "revealed"


def stage(competition: Competition, moment: datetime) -> Stage:
    """The stage at `moment`."""
    if competition.is_draft:
        return Stage.DRAFT if blockers(competition) else Stage.CHECKED
    if competition.revealed_at is not None:
        return Stage.REVEALED
    status = competitions.status(competition, moment)
    if status is competitions.Status.CLOSED:
        return Stage.CLOSED
    return Stage.SCHEDULED if status is competitions.Status.UPCOMING else Stage.OPEN


def blockers(competition: Competition) -> list[str]:
    """What keeps a draft from being published; nothing when it is checked and well."""
    checks = competition.checks
    if competition.challenge.state != "ready":
        return [competition.challenge.state_reason or "The data are not prepared yet."]
    if competition.checks_wanted_at is not None:
        return ["The checks are not done yet. A score worker does them when it has time."]
    if checks is None or checks["challenge_id"] != competition.challenge_id:
        return ["It was not checked as it is now. Ask for the checks."]
    return list(checks["faults"])


@dataclass(frozen=True)
class Folder:
    """A challenge folder in its prepared form."""

    spec: Spec
    text: str
    public: Mapping[str, bytes]
    answers: bytes


def read_folder(content: bytes) -> Folder:
    """The folder in a zip; BadRequestError or ChallengeError that says what is wrong with it."""
    try:
        files = read_zip(content, LIMITS)
    except RefusedError as error:
        raise BadRequestError(str(error), field="file") from None
    return folder_of(files)


def folder_of(files: Mapping[str, bytes]) -> Folder:
    """The folder of these files by name."""
    for name in ("challenge.toml", "README.md"):
        if name not in files:
            raise BadRequestError(f"The folder has no {name}.", field="file")
    values = _values(files)
    try:
        spec = catalog.parse(values)
    except ChallengeError as error:
        raise BadRequestError(error.message, field="file") from None
    if spec.run.agent is not None:
        raise BadRequestError(
            "Challenges of agents are hosted from those that come with the server.", field="file"
        )
    if spec.run.hidden:
        raise BadRequestError(
            "Challenges whose runs read hidden files are hosted from those that come with the "
            "server.",
            field="file",
        )
    public = {
        name.removeprefix("public/"): data
        for name, data in files.items()
        if name.startswith("public/")
    }
    answers = files.get(f"private/{spec.answers_file}")
    if answers is None or spec.sample_file not in public:
        raise BadRequestError(
            f"The folder has no private/{spec.answers_file} or no public/{spec.sample_file}: its "
            "data are not prepared. `podium challenges publish DIR` prepares them where you are "
            "and sends them here.",
            field="file",
        )
    deep = [name for name in public if len(PurePosixPath(name).parts) != 1]
    if deep:
        raise BadRequestError(f"public/{deep[0]} is in a folder. Put it beside.", field="file")
    missing = {file.name for file in spec.data.files} - set(public)
    if missing:
        raise BadRequestError(
            f"challenge.toml names {', '.join(sorted(missing))}, which public/ has not.",
            field="file",
        )
    return Folder(spec, files["README.md"].decode("utf-8", "replace"), public, answers)


def _values(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        values = tomllib.loads(files["challenge.toml"].decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(f"challenge.toml is not valid TOML: {error}.", field="file") from None
    enclosures.enclose(
        values, lambda name: files[name].decode("utf-8", "replace") if name in files else None
    )
    return values


def draft(
    installation: Installation,
    caller: Caller,
    slug: str,
    folder: Folder,
    *,
    title: str | None = None,
    course: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> str:
    """A draft competition of a folder, seen by its staff alone; its checks are asked for.

    Raises NoAccessError unless the caller hosts (or teaches the course), ConflictError for a slug
    that is taken, ChallengeError where answers and sample do not fit.
    """
    spec = folder.spec
    with installation.database.reading() as session:
        _need_may_host(session, caller, slug, course)
    _need_same_ids(folder)
    prefix = f"challenges/{spec.slug}/{uuid.uuid4().hex}"
    described = [
        _keep(installation, f"{prefix}/public/{name}", name, data)
        for name, data in sorted(folder.public.items())
    ]
    _keep(installation, f"{prefix}/private/{spec.answers_file}", spec.answers_file, folder.answers)
    with installation.database.writing() as session:
        course_id = _need_may_host(session, caller, slug, course)
        challenge = Challenge(
            slug=spec.slug,
            version=spec.version,
            edition=f"own-{secrets.token_hex(6)}",  # the same folder may come from several hosts
            state="ready",
            seed=secrets.randbits(SEED_BITS),
            spec=spec.model_dump(mode="json"),
            text=folder.text,
            truth_version=_truth_version(spec, folder.answers),
            answers_key=f"{prefix}/private/{spec.answers_file}",
            sample_key=f"{prefix}/public/{spec.sample_file}",
            prepared_at=now(),
        )
        descriptions = {file.name: file.description for file in spec.data.files}
        for file in described:
            file.description = descriptions.get(file.name, "")
        challenge.files = described
        session.add(challenge)
        session.flush()
        _add(session, caller, slug, challenge, spec, title, course_id)
        if settings:
            editing.change(session, installation.storage, caller, slug, settings)
    installation.queue.offer("score")
    return slug


def draft_of_bundled(
    installation: Installation,
    caller: Caller,
    slug: str,
    challenge_slug: str,
    *,
    title: str | None = None,
    course: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> str:
    """A draft competition of a challenge that comes with Podium, on its data as prepared here."""
    with installation.database.writing() as session:
        course_id = _need_may_host(session, caller, slug, course)
        practice = find(session, challenge_slug)
        if not practice.is_practice:
            raise BadRequestError(
                f"{challenge_slug} is no challenge that comes with Podium.", field="challenge"
            )
        spec = catalog.parse(practice.challenge.spec)
        _add(session, caller, slug, practice.challenge, spec, title, course_id)
        if settings:
            editing.change(session, installation.storage, caller, slug, settings)
        baselines = _baselines(session, practice)
    for name, file_name, key in baselines:
        _hand_in_again(installation, slug, name, file_name, key)
    installation.queue.offer("score")
    return slug


def _baselines(session: Session, competition: Competition) -> list[tuple[str, str, str]]:
    """The baselines on a board: team, file name and key of what stands for each."""
    rows = session.execute(
        select(Team.name, Submission.file_name, Submission.file_key)
        .join(BoardEntry, BoardEntry.team_id == Team.id)
        .join(Submission, Submission.id == BoardEntry.submission_id)
        .where(
            Team.competition_id == competition.id,
            Team.is_baseline.is_(True),
            BoardEntry.split == PRIVATE,
            Submission.kind == "predictions",
        )
    )
    return [(name, file_name, key) for name, file_name, key in rows]


def _hand_in_again(
    installation: Installation, slug: str, name: str, file_name: str, key: str
) -> None:
    """Hand in a baseline's file in another competition on the same data."""
    with installation.storage.open(key) as stored:
        content = stored.read()
    with contextlib.closing(installation.storage.receive(len(content))) as incoming:
        incoming.write(content)
        upload = submissions.Upload(incoming, file_name, "the baseline of the practice")
        submissions.accept_baseline(installation, slug, name, upload)


def _add(
    session: Session,
    caller: Caller,
    slug: str,
    challenge: Challenge,
    spec: Spec,
    title: str | None,
    course_id: int | None,
) -> Competition:
    competition = Competition(
        slug=slug,
        challenge_id=challenge.id,
        title=title or spec.title,
        host_id=caller.id,
        course_id=course_id,
        is_draft=True,
        checks_wanted_at=now(),
        daily_limit=spec.limits.daily,
        total_limit=spec.limits.total,
        finals=spec.limits.finals,
        final_games=spec.final_games,
    )
    if course_id is not None:
        competition.time_zone = session.get_one(Course, course_id).time_zone
    session.add(competition)
    session.flush()
    audit(session, caller, "competition.create", competition, challenge=challenge.slug)
    return competition


def _need_may_host(session: Session, caller: Caller, slug: str, course: str | None) -> int | None:
    """The id of the course; raises unless the caller may host under this slug."""
    if not catalog.SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise BadRequestError(
            f"The short name {slug!r} does not fit: letters a to z, digits and single hyphens, at "
            f"most {LONGEST_SLUG}.",
            field="slug",
        )
    course_id = None
    if course:
        found = courses.find(session, course, caller)
        courses.need_right(found, caller, HOST)
        course_id = found.id
    elif caller.role not in ("instructor", "admin") or "host" not in caller.scopes:
        raise NoAccessError(
            "Only instructors host competitions. An admin can make you one: "
            f"podium user role {caller.handle} instructor"
        )
    if session.scalar(select(exists().where(Competition.slug == slug))):
        raise ConflictError(f"The short name {slug!r} is taken. Choose another.", field="slug")
    return course_id


def _need_same_ids(folder: Folder) -> None:
    """The form that files are checked against and the answers must name the same ids."""
    grading = folder.spec.grading
    form = grading.read_form(folder.public[folder.spec.sample_file])
    truth = grading.read_truth(folder.answers)
    if set(form.ids.tolist()) != set(truth.form.ids.tolist()):
        raise ChallengeError(f"{folder.spec.sample_file} and the answers do not name the same ids.")


def _keep(installation: Installation, key: str, name: str, data: bytes) -> ChallengeFile:
    with contextlib.closing(installation.storage.receive(len(data))) as incoming:
        incoming.write(data)
        digest = incoming.sha256
        installation.storage.keep(incoming, key)
    rows = datasets.rows_of(name, data)
    return ChallengeFile(name=name, file_key=key, sha256=digest, size_bytes=len(data), rows=rows)


def _truth_version(spec: Spec, answers: bytes) -> str:
    return f"{spec.slug}-{spec.version}-{hashlib.sha256(answers).hexdigest()[:12]}"


def ask_checks(installation: Installation, caller: Caller, slug: str) -> None:
    """Let a draft be checked again."""
    with installation.database.writing() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        competition.checks_wanted_at = now()
    installation.queue.offer("score")


def hand_in_baseline(
    installation: Installation, caller: Caller, slug: str, name: str, upload: submissions.Upload
) -> int:
    """Hand in a file as a baseline of a competition; a draft is checked again after its score."""
    name = " ".join(name.split())
    with installation.database.writing() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        if not 2 <= len(name) <= LONGEST_SLUG:
            raise BadRequestError(
                f"A baseline's name has 2 to {LONGEST_SLUG} characters.", field="name"
            )
        audit(session, caller, "competition.baseline", competition, baseline=name)
    return submissions.accept_baseline(installation, slug, name, upload)


def publish(session: Session, caller: Caller, slug: str, reason: str = "") -> Competition:
    """Let a checked draft be seen: it opens when its dates say so. ConflictError with blockers."""
    competition = find(session, slug)
    need_host(competition, caller)
    if not competition.is_draft:
        raise ConflictError(f"{slug} is published already.")
    if found := blockers(competition):
        raise ConflictError(f"{slug} cannot be published yet. " + " ".join(found))
    competition.is_draft = False
    audit(session, caller, "competition.publish", competition, reason)
    return competition


def open_now(session: Session, caller: Caller, slug: str, reason: str = "") -> Competition:
    """Open a competition now; a draft is published first."""
    competition = find(session, slug)
    need_host(competition, caller)
    if competition.is_draft:
        publish(session, caller, slug, reason)
    moment = now()
    if competition.closes_at is not None and competition.closes_at <= moment:
        raise ConflictError(f"The deadline of {slug} has passed. Set a later one first.")
    competition.opens_at = moment
    audit(session, caller, "competition.open", competition, reason)
    return competition


def close_now(session: Session, caller: Caller, slug: str, reason: str = "") -> Competition:
    """End a competition now: its deadline is this moment; what was given to some stays theirs."""
    competition = find(session, slug)
    need_host(competition, caller)
    moment = now()
    if competition.is_draft:
        raise ConflictError(f"{slug} is a draft, which nobody can hand in to.")
    if competition.closes_at is not None and competition.closes_at <= moment:
        raise ClosedError(f"{slug} closed at {competition.closes_at:%Y-%m-%d %H:%M} UTC.")
    if competition.opens_at is not None and competition.opens_at >= moment:
        raise ConflictError(f"{slug} has not opened yet.")
    before = competition.closes_at.isoformat() if competition.closes_at else None
    competition.closes_at = moment
    audit(session, caller, "competition.close", competition, reason, before=before)
    return competition


def clone(
    installation: Installation,
    caller: Caller,
    slug: str,
    new_slug: str,
    *,
    days: int,
    course: str | None,
) -> None:
    """The same competition once more as a draft, its dates later by so many days.

    Its baselines and its rule of grades come along; teams, submissions, grants and grades stay.
    """
    if not -MOST_DAYS <= days <= MOST_DAYS:
        raise BadRequestError(f"Shift the dates by at most {MOST_DAYS} days.", field="days")
    with installation.database.writing() as session:
        old = find(session, slug)
        need_host(old, caller)
        course_id = _need_may_host(session, caller, new_slug, course)
        new = Competition(
            slug=new_slug,
            challenge_id=old.challenge_id,
            host_id=caller.id,
            course_id=course_id,
            is_draft=True,
            checks_wanted_at=now(),
            **{name: getattr(old, name) for name in CLONED},
            **{name: _shifted(getattr(old, name), old.time_zone, days) for name in MOMENTS},
        )
        session.add(new)
        session.flush()
        rule = session.get(GradeScheme, old.id)
        if rule is not None and course_id is not None:
            kept = {name: getattr(rule, name) for name in ("kind", "points", "equal_in_ties")}
            session.add(GradeScheme(competition_id=new.id, **kept))
        audit(session, caller, "competition.create", new, cloned_from=slug, days=days)
        baselines = _baselines(session, old)
    for name, file_name, key in baselines:
        _hand_in_again(installation, new_slug, name, file_name, key)
    installation.queue.offer("score")


def _shifted(moment: datetime | None, time_zone: str, days: int) -> datetime | None:
    """So many days later at the same time of the day where the competition is."""
    if moment is None:
        return None
    zone = ZoneInfo(time_zone)
    local = moment.astimezone(zone)
    return (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)


def export(installation: Installation, caller: Caller, slug: str, out: IO[bytes]) -> None:
    """Write a competition's challenge as the zip of its folder, answers included: for hosts."""
    with installation.database.reading() as session:
        competition = find(session, slug)
        need_host(competition, caller)
        challenge = competition.challenge
        text = competitions.text(session, competition)
        files = [(f"public/{file.name}", file.file_key) for file in challenge.files]
        if challenge.state != "ready":
            raise ConflictError(f"The data of {slug} are not prepared yet.")
    spec = catalog.parse(challenge.spec)
    files.append((f"private/{spec.answers_file}", challenge.answers_key))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _texts(spec, text):
            archive.writestr(name, content)
        for name, key in files:
            with installation.storage.open(key) as stored, archive.open(name, "w") as target:
                while chunk := stored.read(1 << 20):
                    target.write(chunk)


def _texts(spec: Spec, text: str) -> Iterator[tuple[str, str]]:
    values = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    yield from enclosures.disclose(values)
    yield "challenge.toml", tomli_w.dumps(values)
    yield "README.md", text
