"""What is one's own: the address, the sign-ins, all one's data, and the way out."""

import tempfile
from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from podium import accounts, addresses, belongings, departure, proofs, signins
from podium.errors import AskError, BadRequestError
from podium.models import User
from podium.web import identity, installation
from podium.web.pages.account import status_of
from podium.web.security import limit_exports, limit_sign_ins

blueprint = Blueprint("myself", __name__, url_prefix="/account")

IN_MEMORY = 1 << 20  # bytes of an archive before it becomes a file


@blueprint.get("/address")
def address() -> str:
    """The own address, whether it is confirmed, and the form for another."""
    return _address_page()


def _address_page(error: AskError | None = None) -> str:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        user = session.get_one(User, caller.id)
        return render_template("account/address.html", user=user, error=error)


@blueprint.post("/address")
@limit_sign_ins
def change_address() -> AnyResponse | tuple[str, int]:
    """Ask for another address; it is used once it is confirmed."""
    caller = identity.need_caller()
    form = request.form
    try:
        with installation().database.reading() as session:
            accounts.need_password(session, caller.id, form.get("password", ""))
        is_mailed = bool(installation().config.mail_url)
        with installation().database.writing() as session:
            addresses.change(session, caller.id, form.get("email", ""), asks_mail=is_mailed)
    except AskError as error:
        return _address_page(error), status_of(error)
    if is_mailed:
        flash("A link was sent to the new address. It is used once you have opened the link.")
    else:
        flash("The address is changed.")
    return redirect(url_for("myself.address"), 303)


@blueprint.post("/address/again")
def ask_again() -> AnyResponse:
    """Send the link to the own address once more."""
    caller = identity.need_caller()
    with installation().database.writing() as session:
        email = addresses.ask_again(session, caller.id)
    flash(f"A link was sent to {email}. It works for three days.")
    return redirect(url_for("myself.address"), 303)


@blueprint.get("/address/<secret>")
def proof(secret: str) -> str:
    """What the link of a mail opens: a button, since programs that read mail open links too."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = proofs.peek(session, secret, proofs.ADDRESS)
    return render_template(
        "account/confirm.html", secret=secret, email=found.email, is_own=found.user_id == caller.id
    )


@blueprint.post("/address/<secret>")
def confirm(secret: str) -> AnyResponse:
    """Confirm the address."""
    caller = identity.need_caller()
    with installation().database.writing() as session:
        email = addresses.confirm(session, caller.id, secret).email
    flash(f"{email} is confirmed.")
    return redirect(url_for("myself.address"), 303)


@blueprint.get("/sign-ins")
def sign_ins() -> str:
    """The browsers that one is signed in with."""
    caller = identity.need_caller()
    here = installation()
    with here.database.reading() as session:
        user = session.get_one(User, caller.id)
        found = signins.of_user(session, user, timedelta(days=here.config.session_days))
        return render_template(
            "account/sign_ins.html", user=user, sign_ins=found, this=identity.sign_in_id()
        )


@blueprint.post("/sign-ins/<int(max=2147483647):sign_in_id>/end")
def end_sign_in(sign_in_id: int) -> AnyResponse:
    """End one of them."""
    caller = identity.need_caller()
    with installation().database.writing() as session:
        signins.end(session, caller.id, sign_in_id)
    flash("That sign-in has ended.")
    return redirect(url_for("myself.sign_ins"), 303)


@blueprint.post("/sign-ins/end")
def end_others() -> AnyResponse:
    """End all but this one; with `everything`, this one and the tokens too."""
    caller = identity.need_caller()
    is_all = request.form.get("everything") == "1"
    with installation().database.writing() as session:
        this = None if is_all else identity.sign_in_id()
        user = signins.end_all(session, caller.id, but=this)
        if is_all:
            accounts.revoke_tokens(session, caller.id)
    if is_all:
        identity.sign_out()
        flash("You are signed out everywhere, and every token has ended.")
        return redirect("/sign-in", 303)
    identity.keep(user)
    flash("All other sign-ins have ended.")
    return redirect(url_for("myself.sign_ins"), 303)


@blueprint.get("/data")
def data() -> str:
    """Taking one's data along, and leaving."""
    return _data_page()


def _data_page(error: AskError | None = None) -> str:
    caller = identity.need_caller()
    with installation().database.reading() as session:
        user = session.get_one(User, caller.id)
        return render_template("account/data.html", user=user, error=error)


@blueprint.get("/data/export")
@limit_exports
def export() -> Response:
    """The archive of all one's data."""
    return archive()


def archive() -> Response:
    """The caller's archive as a download."""
    caller, here = identity.need_caller(), installation()
    out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (it is closed with the answer)
    with here.database.reading() as session:
        belongings.write(out, session, here.storage, caller)
    out.seek(0)
    response = send_file(
        out, "application/zip", as_attachment=True, download_name=f"podium-{caller.handle}.zip"
    )
    response.call_on_close(out.close)
    return response


@blueprint.post("/data/leave")
@limit_sign_ins
def leave() -> AnyResponse | tuple[str, int]:
    """Delete the account."""
    caller = identity.need_caller()
    form = request.form
    try:
        if form.get("handle", "").strip().lower() != caller.handle:
            raise BadRequestError(f"Type your handle, {caller.handle}, to say that you mean it.")
        with installation().database.reading() as session:
            accounts.need_password(session, caller.id, form.get("password", ""))
        with installation().database.writing() as session:
            departure.leave(session, caller.id)
    except AskError as error:
        return _data_page(error), status_of(error)
    identity.sign_out()
    flash("Your account is deleted.")
    return redirect("/", 303)
