"""Sign-ins: the browsers that a person is signed in with, to look at and to end."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from podium.errors import NotFoundError
from podium.models import SignIn, User
from podium.models.record import now

SEEN_EVERY = timedelta(minutes=15)
LONGEST_BROWSER = 60
BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")  # each names those behind it as well
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
NAMES = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}


def begin(session: Session, user: User, agent: str) -> SignIn:
    """Note that the person signs in with a browser."""
    sign_in = SignIn(user_id=user.id, browser=_browser(agent))
    session.add(sign_in)
    session.flush()
    return sign_in


def _browser(agent: str) -> str:
    """A browser as people call it.

    >>> _browser("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    'Firefox on Linux'
    >>> _browser("Werkzeug/3.1.4")
    'Werkzeug'
    """
    browser = next((name for name in BROWSERS if f"{name}/" in agent), None)
    system = next((name for name in SYSTEMS if name in agent), None)
    if browser is None:
        first = "".join(letter for letter in agent.split("/")[0] if letter.isprintable())
        return first[:LONGEST_BROWSER].strip() or "a browser"
    said = NAMES.get(browser, browser)
    return f"{said} on {NAMES.get(system, system)}" if system else said


def of_user(session: Session, user: User, lasts: timedelta) -> Sequence[SignIn]:
    """The sign-ins that work, the latest used first; they last so long from their beginning."""
    return session.scalars(
        select(SignIn)
        .where(SignIn.user_id == user.id, SignIn.created_at > now() - lasts)
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    ).all()


def end(session: Session, user_id: int, sign_in_id: int) -> None:
    """End one of the person's own sign-ins."""
    gone = session.execute(
        delete(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.user_id == user_id)
        .returning(SignIn.id)
    ).first()
    if gone is None:
        raise NotFoundError("There is no such sign-in of yours, or it has ended.")


def end_all(session: Session, user_id: int, *, but: int | None = None) -> User:
    """End every sign-in of a person by cookie, except one that is named.

    The epoch ends those too that were begun before sign-ins were listed.
    """
    user = session.get_one(User, user_id, with_for_update=True)
    user.session_epoch += 1
    session.execute(
        delete(SignIn)
        .where(SignIn.user_id == user_id, SignIn.id != (but or 0))
        .execution_options(synchronize_session=False)
    )
    return user


def is_stale(sign_in: SignIn) -> bool:
    """Whether its last use should be noted again."""
    return now() - sign_in.seen_at > SEEN_EVERY


def note_use(session: Session, sign_in_id: int) -> None:
    """Remember that it was used just now."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now()))
