"""People: sign-up, passwords, roles, API tokens."""

import functools
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from podium import letters, outbox, proofs, signins
from podium.errors import (
    BadRequestError,
    ConflictError,
    NoAccessError,
    NotFoundError,
    NotSignedInError,
)
from podium.languages import LANGUAGES
from podium.models import AuditEntry, Course, Enrolment, SignIn, Token, User
from podium.models.record import now

ROLES = ("student", "instructor", "admin")
SCOPES = {
    "read": "See what you see: competitions, files, submissions, boards.",
    "submit": "Join competitions, submit, cancel.",
    "host": "Do what you may do as an instructor or admin.",
}
# What a course's assistants may be allowed; its instructors may do all of it.
RIGHTS = {
    "see": "See everybody's submissions, private scores and the integrity page.",
    "allow": "Give extensions and extra submissions.",
    "judge": "Run submissions again, cancel and disqualify them.",
    "roster": "Add, change and remove students.",
    "grade": "See grades and change them with a note.",
}
HOST = "host"  # all else: open, close, reveal, rescore, release grades; instructors only
INSTRUCTOR, ASSISTANT, STUDENT = COURSE_ROLES = ("instructor", "assistant", "student")
WORK = "work"  # for run workers: only admins can give it, and no sign-in carries it
HANDLE = re.compile(r"[a-z0-9][a-z0-9-]{1,29}")
EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s.\x00-\x1f]+")
PASSWORD_CHARACTERS = (8, 200)
NO_PASSWORD = "none"  # no password has this hash
TOKEN_PREFIX = "pod_"
TOKEN_SEEN_EVERY = timedelta(minutes=1)

_hasher = PasswordHasher()


@functools.cache
def _dummy_hash() -> str:
    """What is verified against where a handle is unknown, so that the answer takes as long."""
    return _hasher.hash(secrets.token_urlsafe())


@dataclass(frozen=True)
class Caller:
    """Who makes a request: a signed-in person, with what the token or page allows.

    `courses` are those the person belongs to, by id, each with the rights it gives.
    """

    id: int
    handle: str
    role: str
    scopes: frozenset[str]
    courses: Mapping[int, frozenset[str]] = field(default_factory=dict, compare=False)
    is_confirmed: bool = True  # the address, where mail was sent to it
    is_held: bool = False  # nothing but reading before the address is confirmed
    language: str | None = None  # of pages and mails, where one was chosen

    @property
    def is_admin(self) -> bool:
        """Whether the caller may administer the platform in this request."""
        return self.role == "admin" and "host" in self.scopes

    @property
    def teaches(self) -> bool:
        """Whether the caller may host, or has a right in a course."""
        return self.role in ("instructor", "admin") or any(self.courses.values())

    def need(self, scope: str) -> None:
        """Raise NoAccessError unless the token carries `scope`, and the address may be used."""
        if self.is_held and scope != "read":
            raise NoAccessError(
                "Confirm your e-mail address first: a link was sent to it. Your account page sends "
                "it again.",
                code="unconfirmed",
            )
        self.need_scope(scope)

    def need_scope(self, scope: str) -> None:
        """Raise NoAccessError unless the token carries `scope`, whatever the address is."""
        if scope not in self.scopes:
            raise NoAccessError(
                f"This token lacks the scope {scope!r}. Create one that has it on your account "
                "page.",
                scope=scope,
            )


def hashed(password: str) -> str:
    """The hash to keep of a new password; BadRequestError if it is too short or too long.

    It takes some 50 ms by design: call it before a write transaction, not inside.
    """
    check_password(password)
    return _hasher.hash(password)


def create_user(
    session: Session,
    handle: str,
    email: str,
    password_hash: str,
    *,
    role: str = "student",
    asks_mail: bool = False,
    language: str | None = None,
) -> User:
    """Sign a person up; BadRequestError for bad fields, ConflictError for a taken handle.

    With `asks_mail` the address is written to, and has no places before it is confirmed.
    `language` is that of the mails until another is chosen.
    """
    handle, email = handle.strip().lower(), email.strip().lower()
    if not HANDLE.fullmatch(handle):
        raise BadRequestError(
            f"The handle {handle!r} does not fit: 2 to 30 letters a to z, digits or hyphens, "
            "starting with a letter or digit.",
            field="handle",
        )
    email = fitting_email(email)
    if session.scalar(select(exists().where(User.handle == handle))):
        raise ConflictError(f"The handle {handle!r} is taken. Choose another.", field="handle")
    need_free_email(session, email)
    user = User(
        handle=handle,
        email=email,
        password_hash=password_hash,
        role=role,
        unconfirmed=asks_mail,
        language=language,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError("This handle or address was taken just now.", field="handle") from None
    if asks_mail:
        outbox.put(session, email, letters.CONFIRM, user_id=user.id)
    else:
        take_places(session, user)
    return user


def fitting_email(email: str) -> str:
    """An address in its one form; BadRequestError if it is none."""
    email = email.strip().lower()
    if not EMAIL.fullmatch(email) or len(email) > 254:
        raise BadRequestError(f"{email!r} is not an e-mail address.", field="email")
    return email


def need_free_email(session: Session, email: str) -> None:
    """Raise ConflictError if an account has this address."""
    if session.scalar(select(exists().where(User.email == email))):
        raise ConflictError(
            f"{email!r} has an account already. Sign in, or use another address.", field="email"
        )


def take_places(session: Session, user: User) -> None:
    """Places that course lists keep for this address are this person's now."""
    own = select(Enrolment.course_id).where(Enrolment.user_id == user.id)
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.email == user.email,
            Enrolment.user_id.is_(None),
            Enrolment.course_id.not_in(own),
        )
        .values(user_id=user.id)
        .execution_options(synchronize_session=False)
    )


def check_password(password: str) -> None:
    """Raise BadRequestError unless the password is long enough and not absurdly long."""
    least, most = PASSWORD_CHARACTERS
    if not least <= len(password) <= most:
        raise BadRequestError(
            f"The password has {len(password)} characters. Use {least} to {most}.",
            field="password",
        )


def sign_in(session: Session, name: str, password: str) -> User:
    """The user with this handle or address and password, else NotSignedInError."""
    name = name.strip().lower()
    user = session.scalar(
        select(User).where(or_(User.handle == name, User.email == name), User.deleted_at.is_(None))
    )
    try:
        _hasher.verify(user.password_hash if user else _dummy_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        user = None
    if user is None:
        raise NotSignedInError("Handle and password do not match. Check both and try again.")
    return user


def need_password(session: Session, user_id: int, password: str, field: str = "password") -> None:
    """Raise BadRequestError unless this is the person's password; not for a write transaction."""
    try:
        _hasher.verify(session.get_one(User, user_id).password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        raise BadRequestError("The current password does not match.", field=field) from None


def set_password(session: Session, user_id: int, password_hash: str) -> User:
    """Set a new password: every sign-in of the user ends, and links for another one."""
    user = signins.end_all(session, user_id)
    user.password_hash = password_hash
    proofs.void(session, user_id, proofs.PASSWORD)
    outbox.put(session, user.email, letters.PASSWORD_CHANGED, user_id=user_id)
    return user


def revoke_tokens(session: Session, user_id: int) -> None:
    """End all tokens of a person."""
    session.execute(
        update(Token)
        .where(Token.user_id == user_id, Token.revoked_at.is_(None))
        .values(revoked_at=now())
        .execution_options(synchronize_session=False)
    )


def find_user(session: Session, handle: str) -> User:
    """The user with this handle, else NotFoundError."""
    user = session.scalar(select(User).where(User.handle == handle.lower()))
    if user is None:
        raise NotFoundError(f"There is no user {handle!r}.")
    return user


def set_role(session: Session, handle: str, role: str, *, by: int | None, reason: str = "") -> User:
    """Give a user a role; audited."""
    if role not in ROLES:
        raise BadRequestError(f"There is no role {role!r}. Roles are {', '.join(ROLES)}.")
    user = find_user(session, handle)
    session.add(
        AuditEntry(
            user_id=by,
            action="user.role",
            subject=f"user:{user.handle}",
            reason=reason,
            detail={"from": user.role, "to": role},
        )
    )
    user.role = role
    return user


def ensure_admin(session: Session) -> tuple[str, str] | None:
    """Make the first admin where there is none: its handle and password, to be shown once."""
    if session.scalar(select(func.count()).where(User.role == "admin")):
        return None
    password = secrets.token_urlsafe(12)
    create_user(session, "admin", "admin@podium.invalid", hashed(password), role="admin")
    return "admin", password


def create_token(
    session: Session,
    user_id: int,
    name: str,
    scopes: list[str] | None = None,
    *,
    days: int | None = 365,
) -> tuple[Token, str]:
    """A new API token and its text, which is never shown again."""
    chosen = sorted(set(SCOPES if scopes is None else scopes))
    for scope in chosen:
        if scope == WORK:
            if session.get_one(User, user_id).role != "admin":
                raise NoAccessError("Only admins can make a token for run workers.", scope=WORK)
        elif scope not in SCOPES:
            raise BadRequestError(
                f"There is no scope {scope!r}. Scopes are {', '.join(SCOPES)}.", field="scopes"
            )
    if not chosen:
        raise BadRequestError("Choose at least one scope.", field="scopes")
    if days is not None and not 1 <= days <= 3650:
        raise BadRequestError(f"A token can last 1 to 3650 days, not {days}.", field="days")
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        user_id=user_id,
        name=name.strip()[:80] or "token",
        digest=_digest(text),
        hint=text[: len(TOKEN_PREFIX) + 4],
        scopes=chosen,
        expires_at=now() + timedelta(days=days) if days else None,
    )
    session.add(token)
    session.flush()
    return token, text


def renew_work_token(session: Session, name: str) -> str:
    """The text of a new token for run workers, of the first admin; earlier ones of its name end."""
    admin_id = session.scalars(
        select(User.id).where(User.role == "admin").order_by(User.id).limit(1)
    ).first()
    if admin_id is None:
        raise NotFoundError(
            "There is no admin. Make one: podium user create NAME MAIL --role admin"
        )
    session.execute(
        update(Token)
        .where(Token.user_id == admin_id, Token.name == name, Token.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    return create_token(session, admin_id, name, [WORK], days=None)[1]


def speak(session: Session, user_id: int, language: str | None) -> None:
    """Set the language of a person's pages and mails; None is what the browser prefers."""
    if language is not None and language not in LANGUAGES:
        raise BadRequestError(
            f"There is no language {language!r}. There are {', '.join(LANGUAGES)}.",
            field="language",
        )
    session.execute(update(User).where(User.id == user_id).values(language=language))


def tokens_of(session: Session, user_id: int) -> list[Token]:
    """The user's tokens that still work, newest first."""
    found = session.scalars(
        select(Token)
        .where(Token.user_id == user_id, Token.revoked_at.is_(None))
        .order_by(Token.id.desc())
    )
    return [token for token in found if not _is_over(token, now())]


def revoke_token(session: Session, user_id: int, token_id: int) -> None:
    """End one of the user's own tokens."""
    done = session.execute(
        update(Token)
        .where(Token.id == token_id, Token.user_id == user_id, Token.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(Token.id)
    ).first()
    if done is None:
        raise NotFoundError("There is no such token of yours, or it was revoked before.")


def caller_of_token(session: Session, text: str) -> tuple[Caller, int | None]:
    """Who holds this token; second, the token's id if its last use should be noted now."""
    row = session.execute(
        select(Token, User)
        .join(User, User.id == Token.user_id)
        .where(Token.digest == _digest(text))
    ).first()
    moment = now()
    if row is None or row[0].revoked_at is not None or _is_over(row[0], moment):
        raise NotSignedInError(
            "The token is unknown, revoked or expired. Sign in again with `podium login`, or "
            "create one on your account page."
        )
    token, user = row
    stale = token.last_used_at is None or moment - token.last_used_at > TOKEN_SEEN_EVERY
    return caller_of(session, user, frozenset(token.scopes)), token.id if stale else None


def note_token_use(session: Session, token_id: int) -> None:
    """Remember that the token was used just now."""
    session.execute(update(Token).where(Token.id == token_id).values(last_used_at=now()))


def caller_of_session(
    session: Session, user_id: int, epoch: int, sign_in_id: int | None
) -> tuple[Caller | None, int | None]:
    """Who is signed in by cookie, or None if that sign-in has ended.

    Second, the sign-in's id if its last use should be noted now. Cookies of earlier releases
    name no sign-in.
    """
    row = session.execute(
        select(User, SignIn)
        .outerjoin(SignIn, (SignIn.user_id == User.id) & (SignIn.id == (sign_in_id or 0)))
        .where(User.id == user_id)
    ).first()
    if row is None or row[0].session_epoch != epoch:
        return None, None
    user, sign_in = row
    if sign_in_id is not None and sign_in is None:
        return None, None
    stale = sign_in_id if sign_in is not None and signins.is_stale(sign_in) else None
    return caller_of(session, user, frozenset(SCOPES)), stale


def caller_of(session: Session, user: User, scopes: frozenset[str]) -> Caller:
    """A person as a caller with these scopes, and with what the person's courses allow."""
    rows = session.execute(
        select(Enrolment.course_id, Enrolment.role, Course.assistants_may)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Enrolment.user_id == user.id)
    )
    courses = {course_id: rights_of(role, allowed) for course_id, role, allowed in rows}
    return Caller(
        user.id,
        user.handle,
        user.role,
        scopes,
        courses,
        is_confirmed=not user.unconfirmed,
        language=user.language,
    )


def rights_of(role: str, assistants_may: list[str]) -> frozenset[str]:
    """What a role in a course gives."""
    if role == INSTRUCTOR:
        return frozenset({*RIGHTS, HOST})
    return frozenset(assistants_may) if role == ASSISTANT else frozenset()


def _is_over(token: Token, moment: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= moment


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
