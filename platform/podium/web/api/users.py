"""People: sign-up, who am I, and the tokens they call the API with."""

from apiflask import APIBlueprint

from podium import accounts
from podium.models import User
from podium.web import identity, installation, provider, words
from podium.web.api import shapes
from podium.web.security import limit_sign_ins

blueprint = APIBlueprint("api_users", __name__, url_prefix="/api/v1", tag="Users and tokens")


@blueprint.post("/users")
@limit_sign_ins
@blueprint.input(shapes.SignUp, arg_name="asked")
@blueprint.output(shapes.User, status_code=201)
@blueprint.doc(responses=[403, 409, 429])
def sign_up(asked: shapes.SignUp) -> shapes.User:
    """Make an account; the e-mail address is seen by its owner and by admins only."""
    provider.need_passwords()
    password_hash = accounts.hashed(asked.password)
    with installation().database.writing() as session:
        user = accounts.create_user(
            session,
            asked.handle,
            asked.email,
            password_hash,
            asks_mail=bool(installation().config.mail_url),
            language=words.preferred(),
        )
        session.flush()
        return shapes.User.model_validate(user)


@blueprint.get("/me")
@blueprint.output(shapes.Me)
@blueprint.doc(security="token", responses=[401, 403])
def me() -> shapes.Me:
    """Who is calling, and with which scopes."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        user = session.get_one(User, caller.id)
    shown = shapes.User.model_validate(user).model_dump()
    return shapes.Me(**shown, scopes=sorted(caller.scopes), language=user.language)


@blueprint.put("/me/language")
@blueprint.input(shapes.Language, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def speak(asked: shapes.Language) -> tuple[str, int]:
    """Choose the language of one's pages and mails; null is what the browser prefers."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        accounts.speak(session, caller.id, asked.language)
    return "", 204


@blueprint.post("/tokens")
@limit_sign_ins
@blueprint.input(shapes.TokenRequest, arg_name="asked")
@blueprint.output(shapes.NewToken, status_code=201)
@blueprint.doc(responses=[401, 403, 429])
def create_token(asked: shapes.TokenRequest) -> shapes.NewToken:
    """A new token for handle and password. Its text is shown this once."""
    provider.need_passwords()
    database = installation().database
    with database.reading() as session:  # outside a write transaction: argon2 takes its time
        user = accounts.sign_in(session, asked.handle, asked.password)
    with database.writing() as session:
        token, text = accounts.create_token(
            session, user.id, asked.name, asked.scopes, days=asked.days
        )
        session.flush()
        shown = shapes.Token.model_validate(token).model_dump()
        return shapes.NewToken(**shown, token=text)


@blueprint.get("/tokens")
@blueprint.output(shapes.Tokens)
@blueprint.doc(security="token", responses=[401, 403])
def list_tokens() -> shapes.Tokens:
    """The caller's working tokens, newest first."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = accounts.tokens_of(session, caller.id)
    return shapes.Tokens(items=[shapes.Token.model_validate(token) for token in found])


@blueprint.delete("/tokens/<int(max=2147483647):token_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401])
def revoke_token(token_id: int) -> tuple[str, int]:
    """End one of the caller's own tokens."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        accounts.revoke_token(session, caller.id, token_id)
    return "", 204
