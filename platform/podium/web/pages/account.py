"""Sign up, sign in, sign out; password and API tokens."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from podium import accounts, identities
from podium.errors import AskError, BadRequestError
from podium.models import User
from podium.web import identity, installation, provider, words
from podium.web.errors import STATUS
from podium.web.navigation import back_to
from podium.web.security import limit_sign_ins

blueprint = Blueprint("account", __name__)


def status_of(error: AskError) -> int:
    """The HTTP status of a page that shows this error above its form."""
    return STATUS[type(error)]


@blueprint.get("/sign-up")
def sign_up_form() -> str:
    """The form for a new account."""
    return render_template("account/sign_up.html", next=request.args.get("next", "/"))


@blueprint.post("/sign-up")
@limit_sign_ins
def sign_up() -> Response | tuple[str, int]:
    """Make an account and sign in."""
    form = request.form
    try:
        provider.need_passwords()
        password_hash = accounts.hashed(form.get("password", ""))
        with installation().database.writing() as session:
            user = accounts.create_user(
                session,
                form.get("handle", ""),
                form.get("email", ""),
                password_hash,
                asks_mail=bool(installation().config.mail_url),
                language=words.language(),
            )
    except AskError as error:
        return render_template(
            "account/sign_up.html", error=error, form=form, next=form.get("next", "/")
        ), status_of(error)
    identity.sign_in(user)
    flash(f"Welcome, {user.handle}. Choose a challenge to begin with.")
    if user.unconfirmed:
        flash(f"A link was sent to {user.email}. Open it to confirm the address.")
    return back_to(form.get("next"))


@blueprint.get("/sign-in")
def sign_in_form() -> str:
    """The form for an account that exists."""
    return render_template("account/sign_in.html", next=request.args.get("next", "/"))


@blueprint.post("/sign-in")
@limit_sign_ins
def sign_in() -> Response | tuple[str, int]:
    """Begin a cookie session."""
    form = request.form
    try:
        provider.need_passwords()
        with installation().database.reading() as session:
            user = accounts.sign_in(session, form.get("handle", ""), form.get("password", ""))
    except AskError as error:
        return render_template(
            "account/sign_in.html", error=error, form=form, next=form.get("next", "/")
        ), status_of(error)
    identity.sign_in(user)
    return back_to(form.get("next"))


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the cookie session."""
    identity.sign_out()
    flash("You are signed out.")
    return redirect("/", 303)


@blueprint.get("/account")
def show() -> str:
    """Who I am, my password, my tokens."""
    return _page()


def _page(new_token: str | None = None, error: AskError | None = None) -> str:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        user = session.get_one(User, caller.id)
        return render_template(
            "account/show.html",
            user=user,
            identities=identities.of_user(session, user.id),
            has_password=user.password_hash != accounts.NO_PASSWORD,
            tokens=accounts.tokens_of(session, caller.id),
            scopes=accounts.SCOPES,
            new_token=new_token,
            error=error,
        )


@blueprint.post("/account/password")
@limit_sign_ins
def change_password() -> Response | tuple[str, int]:
    """Set a new password; sign-ins elsewhere end, this one stays."""
    caller = identity.need_caller()
    form = request.form
    try:
        if form.get("new") != form.get("again"):
            raise BadRequestError("The two new passwords differ. Type the same twice.")
        with installation().database.reading() as session:
            accounts.need_password(session, caller.id, form.get("old", ""), "old")
        password_hash = accounts.hashed(form.get("new", ""))
        with installation().database.writing() as session:
            user = accounts.set_password(session, caller.id, password_hash)
    except AskError as error:
        return _page(error=error), status_of(error)
    identity.sign_in(user)
    flash("The password is changed. Sign-ins on other devices have ended.")
    return redirect(url_for("account.show"), 303)


@blueprint.post("/account/tokens")
def create_token() -> str | tuple[str, int]:
    """Make a token; the answer is the only page that ever shows it."""
    caller = identity.need_caller()
    form = request.form
    try:
        with installation().database.writing() as session:
            _, text = accounts.create_token(
                session,
                caller.id,
                form.get("name", ""),
                form.getlist("scopes"),
                days=form.get("days", 365, type=int),
            )
    except AskError as error:
        return _page(error=error), status_of(error)
    return _page(new_token=text)


@blueprint.post("/account/tokens/<int:token_id>/revoke")
def revoke_token(token_id: int) -> Response:
    """End a token."""
    with installation().database.writing() as session:
        accounts.revoke_token(session, identity.need_caller().id, token_id)
    flash("The token is revoked. Programs that used it are signed out.")
    return redirect(url_for("account.show"), 303)
