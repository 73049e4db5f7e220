"""Who makes a request: `g.caller`, from a bearer token or from the signed session cookie."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from flask import Flask, g, request, session

from podium import accounts, signins
from podium.accounts import Caller
from podium.errors import NoAccessError, NotFoundError, NotSignedInError
from podium.models import User
from podium.web import installation

BEARER = "bearer "
# They answer while the database does not, and to everyone alike.
ANONYMOUS = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})


def init_app(app: Flask) -> None:
    """Set the cookie's flags and look at every request before anything else does."""
    config = app.extensions["podium"].config
    app.config.update(
        SECRET_KEY=config.secret(),
        SESSION_COOKIE_NAME="podium",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(days=config.session_days),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.before_request(identify)


def identify() -> None:
    """Set `g.caller` and `g.by_token`; NotSignedInError for a token that does not work."""
    g.caller, g.by_token = None, False
    if request.endpoint in ANONYMOUS:
        return
    header = request.headers.get("Authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        g.by_token = True
        g.caller = _by_token(header[len(BEARER) :].strip())
    elif "user_id" in session:
        g.caller = _by_cookie()
        if g.caller is None:
            session.clear()
    if g.caller and not g.caller.is_confirmed and installation().config.confirm_addresses:
        g.caller = replace(g.caller, is_held=True)


def _by_cookie() -> Caller | None:
    database = installation().database
    with database.reading() as reading:
        caller, stale = accounts.caller_of_session(
            reading, session["user_id"], session["epoch"], session.get("sign_in")
        )
    if stale is not None:
        with database.writing() as writing:
            signins.note_use(writing, stale)
    return caller


def _by_token(text: str) -> Caller:
    database = installation().database
    with database.reading() as reading:
        caller, stale = accounts.caller_of_token(reading, text)
    if stale is not None:
        with database.writing() as writing:
            accounts.note_token_use(writing, stale)
    return caller


def caller() -> Caller | None:
    """Who makes this request, or None if nobody is signed in."""
    found: Caller | None = g.caller
    return found


def need_caller(scope: str = "read") -> Caller:
    """Who makes this request; NotSignedInError if nobody, NoAccessError without the scope."""
    found = caller()
    if found is None:
        raise NotSignedInError("Sign in first: on the sign-in page, or with `podium login`.")
    found.need(scope)
    return found


def need_oneself() -> Caller:
    """Who changes their own account, which waits for no confirmed address; as `need_caller`."""
    found = need_caller()
    found.need_scope("submit")
    return found


def need_role(*roles: str) -> Caller:
    """The caller, who must have one of these roles and may use it; else NoAccessError."""
    found = need_caller("host")
    if found.role not in roles:
        raise NoAccessError(
            f"This is for {' and '.join(roles)}. You are signed in as {found.role}."
        )
    return found


def sign_in(user: User) -> None:
    """Begin a cookie session of this user; what the cookie held before is dropped."""
    with installation().database.writing() as writing:
        begun = signins.begin(writing, user, request.user_agent.string)
    session.clear()
    session.permanent = True
    session["user_id"], session["epoch"], session["sign_in"] = (
        *(user.id, user.session_epoch, begun.id),
    )


def sign_in_id() -> int | None:
    """The sign-in of this browser, if it is listed."""
    found: int | None = session.get("sign_in")
    return found


def keep(user: User) -> None:
    """Let this browser's sign-in go on where all others of the user were ended."""
    session["epoch"] = user.session_epoch


def sign_out() -> None:
    """End the cookie session."""
    if (user_id := session.get("user_id")) and (begun := session.get("sign_in")):
        with installation().database.writing() as writing, suppress(NotFoundError):
            signins.end(writing, user_id, begun)
    session.clear()
