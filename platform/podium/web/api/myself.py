"""What is one's own: password, address, sign-ins, all one's data, and the way out."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from podium import accounts, addresses, departure, signins
from podium.models import User
from podium.web import identity, installation
from podium.web.api import myselfshapes as shapes
from podium.web.api.shapes import User as UserShape
from podium.web.pages.myself import archive
from podium.web.security import limit_exports, limit_sign_ins

blueprint = APIBlueprint("api_myself", __name__, url_prefix="/api/v1", tag="Users and tokens")
ZIP: dict[int | str, Any] = {
    200: {
        "description": "A zip of JSON and of the files that were handed in.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    },
    401: "Authentication error",
    403: "Forbidden",
    429: "Too Many Requests",
}


@blueprint.post("/password-resets")
@limit_sign_ins
@blueprint.input(shapes.Address, arg_name="asked")
@blueprint.output({}, status_code=202)
@blueprint.doc(responses=[429])
def forgot_password(asked: shapes.Address) -> tuple[str, int]:
    """Mail a link to a new password. The answer does not tell whether there is an account."""
    with installation().database.writing() as session:
        addresses.forgot_password(session, asked.email)
    return "", 202


@blueprint.post("/passwords")
@limit_sign_ins
@blueprint.input(shapes.NewPassword, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(responses=[404, 429])
def reset_password(asked: shapes.NewPassword) -> tuple[str, int]:
    """Set a new password by the secret of a mail; every sign-in ends."""
    password_hash = accounts.hashed(asked.password)
    with installation().database.writing() as session:
        addresses.reset_password(session, asked.secret, password_hash)
    return "", 204


@blueprint.post("/me/password")
@limit_sign_ins
@blueprint.input(shapes.PasswordChange, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 429])
def change_password(asked: shapes.PasswordChange) -> tuple[str, int]:
    """Change the password; sign-ins by browser end, tokens stay."""
    caller = identity.need_oneself()
    with installation().database.reading() as session:
        accounts.need_password(session, caller.id, asked.old_password, "old_password")
    password_hash = accounts.hashed(asked.new_password)
    with installation().database.writing() as session:
        accounts.set_password(session, caller.id, password_hash)
    return "", 204


@blueprint.post("/me/address")
@limit_sign_ins
@blueprint.input(shapes.NewAddress, arg_name="asked")
@blueprint.output(UserShape, status_code=202)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 409, 429])
def change_address(asked: shapes.NewAddress) -> UserShape:
    """Use another address: once it is confirmed, or at once where no mail is sent."""
    caller, here = identity.need_oneself(), installation()
    with here.database.reading() as session:
        accounts.need_password(session, caller.id, asked.password)
    with here.database.writing() as session:
        asks_mail = bool(here.config.mail_url)
        user = addresses.change(session, caller.id, asked.email, asks_mail=asks_mail)
        return UserShape.model_validate(user)


@blueprint.post("/me/address/again")
@blueprint.output({}, status_code=202)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 409, 429])
def ask_again() -> tuple[str, int]:
    """Mail the link that confirms the own address once more."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        addresses.ask_again(session, caller.id)
    return "", 202


@blueprint.post("/me/address/confirm")
@blueprint.input(shapes.Confirmation, arg_name="asked")
@blueprint.output(UserShape)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 404, 409])
def confirm(asked: shapes.Confirmation) -> UserShape:
    """Confirm an address by the secret of a mail."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        return UserShape.model_validate(addresses.confirm(session, caller.id, asked.secret))


@blueprint.get("/me/sign-ins")
@blueprint.output(shapes.SignIns)
@blueprint.doc(security="token", responses=[401, 403])
def sign_ins() -> shapes.SignIns:
    """The browsers that the caller is signed in with."""
    caller, here = identity.need_caller(), installation()
    with here.database.reading() as session:
        user = session.get_one(User, caller.id)
        found = signins.of_user(session, user, timedelta(days=here.config.session_days))
    return shapes.SignIns(items=[shapes.SignIn.model_validate(one) for one in found])


@blueprint.delete("/me/sign-ins")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def end_sign_ins() -> tuple[str, int]:
    """Sign out of every browser; tokens stay."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        signins.end_all(session, caller.id)
    return "", 204


@blueprint.delete("/me/sign-ins/<int(max=2147483647):sign_in_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def end_sign_in(sign_in_id: int) -> tuple[str, int]:
    """Sign out of one browser."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        signins.end(session, caller.id, sign_in_id)
    return "", 204


@blueprint.get("/me/export")
@limit_exports
@blueprint.doc(
    security="token",
    responses=ZIP,
)
def export() -> Response:
    """All that Podium knows of the caller."""
    return archive()


@blueprint.post("/me/deletion")
@limit_sign_ins
@blueprint.input(shapes.Goodbye, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403, 409, 429])
def leave(asked: shapes.Goodbye) -> tuple[str, int]:
    """Delete the account; the scores of its teams stay under "deleted account"."""
    caller = identity.need_oneself()
    with installation().database.reading() as session:
        accounts.need_password(session, caller.id, asked.password)
    with installation().database.writing() as session:
        departure.leave(session, caller.id)
    return "", 204
