"""A new password for who has forgotten it, by a link that is mailed."""

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from podium import accounts, addresses, proofs
from podium.errors import AskError, BadRequestError
from podium.web import identity, installation
from podium.web.pages.account import status_of
from podium.web.security import limit_sign_ins

blueprint = Blueprint("recovery", __name__)


@blueprint.get("/forgot-password")
def forgotten() -> str:
    """The form that asks for a link."""
    return render_template("account/forgotten.html")


@blueprint.post("/forgot-password")
@limit_sign_ins
def ask() -> str | tuple[str, int]:
    """Ask for a link; the answer is the same whether the address has an account or not."""
    email = request.form.get("email", "")
    try:
        with installation().database.writing() as session:
            addresses.forgot_password(session, email)
    except AskError as error:
        return render_template("account/forgotten.html", error=error, email=email), status_of(error)
    return render_template(
        "account/forgotten.html", asked=email, is_mailed=bool(installation().config.mail_url)
    )


@blueprint.get("/new-password/<secret>")
def new_password(secret: str) -> str:
    """The form behind the link; opening it does not use the link up."""
    with installation().database.reading() as session:
        proofs.peek(session, secret, proofs.PASSWORD)
    return render_template("account/new_password.html", secret=secret)


@blueprint.post("/new-password/<secret>")
@limit_sign_ins
def set_password(secret: str) -> Response | tuple[str, int]:
    """Set the password; signing in comes after, with it."""
    form = request.form
    try:
        if form.get("new") != form.get("again"):
            raise BadRequestError("The two passwords differ. Type the same twice.")
        password_hash = accounts.hashed(form.get("new", ""))
        with installation().database.writing() as session:
            handle = addresses.reset_password(session, secret, password_hash).handle
    except BadRequestError as error:
        page = render_template("account/new_password.html", error=error, secret=secret)
        return page, status_of(error)
    identity.sign_out()
    flash(f"The password of {handle} is changed, and all sign-ins have ended. Sign in with it.")
    return redirect("/sign-in", 303)
