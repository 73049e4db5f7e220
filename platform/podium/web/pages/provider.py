"""Signing in and up by an OpenID provider, and linking it to an account."""

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response

from podium import identities
from podium.errors import AskError, BadRequestError, NotSignedInError
from podium.identities import Claims
from podium.models.record import now
from podium.web import identity, installation, provider, words
from podium.web.navigation import back_to
from podium.web.pages.account import status_of
from podium.web.security import limit_sign_ins

blueprint = Blueprint("provider", __name__)

ARRIVING = "arriving"  # in the signed cookie: who signed in there, and has no account here yet
ARRIVING_S = 900
Answer = Response | str | tuple[str, int]


def _refused(error: AskError) -> tuple[str, int]:
    page = render_template("account/sign_in.html", error=error, next="/")
    return page, status_of(error)


@blueprint.get("/sign-in/provider")
def begin() -> Answer:
    """Go to the provider."""
    try:
        return provider.begin(next=request.args.get("next", "/"))
    except AskError as error:
        return _refused(error)


@blueprint.get("/account/identities/link")
def begin_link() -> Answer:
    """Go to the provider, to link the account that is signed in.

    The token is that of forms: nobody else's page begins to link an account. It is no form, for the
    browser would not follow one to another site.
    """
    caller = identity.need_caller()
    try:
        validate_csrf(request.args.get("token"))
    except ValueError:
        raise BadRequestError("Begin by the button on your account page.", code="csrf") from None
    return provider.begin(link=caller.id)


@blueprint.get(provider.BACK)
def back() -> Answer:
    """Come back from it: sign in, link, or choose a handle."""
    try:
        claims, kept = provider.finish()
        if "link" in kept:
            return _link(claims, kept["link"])
        with installation().database.writing() as writing:
            user = identities.owner(writing, claims)
    except AskError as error:
        return _refused(error)
    if user is None:
        session[ARRIVING] = asdict(claims) | {"at": now().timestamp(), "next": kept["next"]}
        return redirect(url_for("provider.choose_handle"), 303)
    identity.sign_in(user)
    return back_to(kept["next"])


def _link(claims: Claims, user_id: int) -> Response:
    caller = identity.caller()
    if caller is None or caller.id != user_id:
        raise NotSignedInError("You are signed in as another account than when you began to link.")
    with installation().database.writing() as writing:
        identities.link(writing, user_id, claims)
    flash("Linked. From now on you may sign in by it.")
    return redirect(url_for("account.show"), 303)


def _arriving() -> tuple[Claims, str]:
    kept = dict(session.get(ARRIVING, {}))
    if not kept or now().timestamp() - kept.pop("at") > ARRIVING_S:
        session.pop(ARRIVING, None)
        raise BadRequestError("Begin at the sign-in page: nobody has come from the provider here.")
    where = kept.pop("next")
    return Claims(**kept), where


@blueprint.get("/sign-up/provider")
def choose_handle() -> Answer:
    """The form of somebody new: a handle, and an address if the provider has proved none."""
    try:
        claims, _ = _arriving()
    except AskError as error:
        return _refused(error)
    with installation().database.reading() as reading:
        handle = identities.free_handle(reading, claims)
    return render_template("account/provider.html", claims=claims, handle=handle)


@blueprint.post("/sign-up/provider")
@limit_sign_ins
def create() -> Answer:
    """Make the account and sign in."""
    form, config = request.form, installation().config
    try:
        claims, where = _arriving()
    except AskError as error:
        return _refused(error)
    handle, email = form.get("handle", ""), form.get("email", "")
    try:
        with installation().database.writing() as writing:
            user = identities.create(
                writing,
                claims,
                handle,
                email,
                asks_mail=bool(config.mail_url),
                language=words.language(),
            )
    except AskError as error:
        page = render_template(
            "account/provider.html", claims=claims, handle=handle, email=email, error=error
        )
        return page, status_of(error)
    identity.sign_in(user)
    flash(f"Welcome, {user.handle}. Choose a challenge to begin with.")
    if user.unconfirmed:
        flash(f"A link was sent to {user.email}. Open it to confirm the address.")
    return back_to(where)


@blueprint.post("/account/identities/<int(max=2147483647):identity_id>/remove")
def remove(identity_id: int) -> Response:
    """End a link."""
    caller = identity.need_caller()
    with installation().database.writing() as writing:
        identities.remove(writing, caller.id, identity_id)
    flash("The link is removed.")
    return redirect(url_for("account.show"), 303)
