"""What a host wants to be different in scoring, as a revision of the challenge.

A revision is a row of its own, so that other competitions on the same challenge keep theirs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium import catalog
from podium.catalog import Spec
from podium.errors import BadRequestError
from podium.installation import Installation
from podium.models import Challenge
from podium.models.record import now
from podium_scoring import ChallengeError
from podium_scoring.tables import Form


@dataclass(frozen=True)
class Revision:
    """What a host wants to be different; what is None or empty stays as it is."""

    metric: Mapping[str, Any] | None = None  # the table [metric] of challenge.toml
    answers: bytes | None = None  # the file of answers, mended
    excluded: Sequence[str] = ()  # ids of rows that shall not count
    version: int | None = None  # another prepared version of the challenge: a new hidden set
    runs_again: bool = False  # models and bundles, before they are scored
    raise_only: bool = False  # nobody's score falls
    reason: str = ""


def base(session: Session, challenge: Challenge, wanted: Revision) -> Challenge:
    """What the revision begins with: the challenge as it is, or another version of it."""
    if wanted.version is None:
        return challenge
    found = session.scalar(
        select(Challenge).where(
            Challenge.slug == challenge.slug,
            Challenge.edition == challenge.edition,
            Challenge.version == wanted.version,
            Challenge.revision == 0,
            Challenge.state == "ready",
        )
    )
    if found is None or found.id == challenge.id:
        raise BadRequestError(
            f"Version {wanted.version} of {challenge.slug} ({challenge.edition} edition) is not "
            "prepared here, or is the one in use.",
            field="version",
        )
    return found


def revise(installation: Installation, challenge: Challenge, wanted: Revision) -> Challenge:
    """The challenge as it would be, not yet in the database."""
    changes = (wanted.metric, wanted.answers, wanted.excluded or None, wanted.version)
    if all(one is None for one in changes) and not wanted.runs_again:
        raise BadRequestError(
            "Nothing would be different. Give a metric, mended answers, rows to leave out, or "
            "ask for models and code to be run again."
        )
    if wanted.raise_only and (wanted.metric is not None or wanted.version is not None):
        raise BadRequestError(
            "Scores of another metric or hidden set do not compare with today's, so none can be "
            "said to rise. Leave raise-only out.",
            field="raise_only",
        )
    spec = challenge.spec
    if wanted.metric is not None:
        spec = spec | {"metric": dict(wanted.metric)}
    try:
        parsed = catalog.parse(spec)
        grading, known = parsed.grading, _known(installation, challenge, parsed)
        if wanted.answers is not None and _ids(grading.read_truth(wanted.answers).form) != known:
            raise BadRequestError(
                "The answers and the sample submission do not name the same ids.", field="answers"
            )
    except ChallengeError as error:
        raise BadRequestError(f"It cannot be scored so: {error.message}") from None
    revised = Challenge(
        slug=challenge.slug,
        version=challenge.version,
        edition=challenge.edition,
        spec=spec,
        text="",
        state=challenge.state,
        seed=challenge.seed,
        truth_version=challenge.truth_version,
        answers_key=challenge.answers_key,
        sample_key=challenge.sample_key,
        excluded=_excluded(challenge, wanted, known),
        prepared_at=now(),
    )
    if wanted.answers is not None:
        revised.truth_version = _version(challenge, wanted.answers)
        revised.answers_key = f"challenges/{challenge.slug}/{revised.truth_version}/private/answers"
        with closing(installation.storage.receive(len(wanted.answers))) as incoming:
            incoming.write(wanted.answers)
            installation.storage.keep(incoming, revised.answers_key)
    if revised.excluded != list(challenge.excluded):
        named = "\n".join([revised.truth_version, *revised.excluded])
        revised.truth_version = _version(challenge, named.encode())
    return revised


def _known(installation: Installation, challenge: Challenge, spec: Spec) -> set[str]:
    """The ids of the public sample; of agents, who have none, those of the hidden file."""
    if spec.run.agent is not None:
        with installation.storage.open(challenge.answers_key) as file:
            return _ids(spec.grading.read_truth(file.read()).form)
    with installation.storage.open(challenge.sample_key) as file:
        return _ids(spec.grading.read_form(file.read()))


def _ids(form: Form) -> set[str]:
    return {str(one) for one in form.ids.tolist()}


def _excluded(challenge: Challenge, wanted: Revision, known: set[str]) -> list[str]:
    """All ids that would not count, those of earlier revisions included."""
    strange = sorted(set(wanted.excluded) - known)
    if strange:
        raise BadRequestError(
            f"There is no row {strange[0]!r} to leave out. Ids are like {min(known)!r}.",
            field="excluded",
        )
    excluded = sorted(set(map(str, challenge.excluded)) | set(wanted.excluded))
    if known <= set(excluded):
        raise BadRequestError("No row would be left to score.", field="excluded")
    return excluded


def _version(challenge: Challenge, content: bytes) -> str:
    """A name for mended answers: of those they come from, and of what they are."""
    return f"{challenge.truth_version.split('+')[0]}+{hashlib.sha256(content).hexdigest()[:8]}"


def said(before: Challenge, base: Challenge, revised: Challenge, wanted: Revision) -> str:
    """What is different, in words for everybody; no id of a hidden row is named."""
    words = []
    if wanted.version is not None:
        words.append(f"version {before.version} → {revised.version}, with a new hidden set")
    if wanted.metric is not None:
        words.append(f"metric {before.spec['metric']['name']} → {revised.spec['metric']['name']}")
    if wanted.answers is not None:
        words.append("answers mended")
    if more := len(revised.excluded) - len(base.excluded):
        words.append(f"{more} row{'s' if more > 1 else ''} left out")
    if wanted.runs_again:
        words.append("models and code run again")
    return ", ".join(words)
