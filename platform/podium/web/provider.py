"""The OpenID provider that people may sign in by: Authlib speaks with it, here it is understood.

Discovery, authorization code with PKCE, state and nonce; keys are fetched again when they change.
"""

from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, request, session
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from podium.errors import BadRequestError, NoAccessError
from podium.identities import Claims
from podium.web import installation

BACK = "/sign-in/provider/back"
TIMEOUT_S = 10
LONGEST_SUBJECT = 255  # by the standard


def init_app(app: Flask) -> None:
    """Know the provider of the settings, if there is one; nothing is fetched yet."""
    config = app.extensions["podium"].config
    name = config.oidc_name if config.oidc_issuer else ""
    app.jinja_env.globals.update(provider_name=name, is_provider_only=config.oidc_only)
    if not config.oidc_issuer:
        return
    kwargs = {
        "scope": "openid email profile",
        "code_challenge_method": "S256",
        "default_timeout": TIMEOUT_S,
    }
    if not config.oidc_client_secret:
        kwargs["token_endpoint_auth_method"] = "none"
    app.extensions["podium_provider"] = OAuth(app).register(
        "provider",
        client_id=config.oidc_client_id,
        client_secret=config.oidc_client_secret or None,
        server_metadata_url=f"{config.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs=kwargs,
    )


def need_passwords() -> None:
    """Raise NoAccessError where people sign in by the provider only."""
    if installation().config.oidc_only:
        raise NoAccessError(
            f"Passwords are not used here: sign in with {installation().config.oidc_name}, on the "
            "sign-in page. For programs, make a token on your account page.",
            code="provider_only",
        )


def begin(**kept: Any) -> Response:
    """Send the person to the provider; what is kept comes back with `finish`."""
    client = _client()
    try:
        _check_issuer(client)
        to = client.create_authorization_url(installation().config.url + BACK)
    except (requests.RequestException, AuthlibBaseError, RuntimeError, ValueError) as error:
        raise _trouble("did not answer as it should", error) from None
    client.save_authorize_data(redirect_uri=installation().config.url + BACK, kept=kept, **to)
    return current_app.redirect(to["url"])


def finish() -> tuple[Claims, dict[str, Any]]:
    """Who came back from the provider, and what was kept; BadRequestError with the reason."""
    client = _client()
    data = client.framework.get_state_data(session, request.args.get("state", ""))
    if not data:
        raise BadRequestError(
            "This sign-in was not begun in this browser, or it was used or too long ago. Begin it "
            "again."
        )
    try:
        _check_issuer(client)
        token = client.authorize_access_token()
        found = token.get("userinfo")
        if not found:
            raise ValueError("no id_token")
        if "email" not in found and "userinfo_endpoint" in client.load_server_metadata():
            more = client.userinfo(token=token)
            if more.get("sub") != found["sub"]:
                raise ValueError("userinfo of another subject")
            found = {**more, **found}
        return _claims(found), data["kept"]
    except (AuthlibBaseError, JoseError) as error:
        if error.error == "access_denied":
            raise NoAccessError(f"{_name()} did not let you in. Nothing was changed.") from None
        raise _trouble("gave an answer that cannot be trusted", error) from None
    except (requests.RequestException, RuntimeError, ValueError, KeyError) as error:
        raise _trouble("did not answer as it should", error) from None


def _claims(found: dict[str, Any]) -> Claims:
    subject, email = found["sub"], found.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise ValueError("sub is no text of 1 to 255 characters")
    name = found.get("preferred_username")
    return Claims(
        installation().config.oidc_issuer,
        subject,
        email.strip().lower() if isinstance(email, str) else "",
        found.get("email_verified") is True,
        name if isinstance(name, str) else "",
    )


def _check_issuer(client: Any) -> None:
    said = client.load_server_metadata().get("issuer")
    if said != installation().config.oidc_issuer:
        client.server_metadata.pop("_loaded_at", None)  # look again, once it is mended
        raise ValueError(f"issuer {said!r}")


def _client() -> Any:
    client = current_app.extensions.get("podium_provider")
    if client is None:
        raise BadRequestError("This installation has no provider to sign in by.")
    return client


def _name() -> str:
    name = installation().config.oidc_name
    return name[:1].upper() + name[1:]


def _trouble(what: str, error: Exception) -> BadRequestError:
    """What people read; the log has the rest."""
    current_app.logger.warning("sign-in by the provider failed: %s: %r", what, error)
    kind = getattr(error, "error", None) or type(error).__name__
    return BadRequestError(
        f"{_name()} {what} ({kind}). You are not signed in. Try again; if it stays so, tell the "
        "operator of this installation, whose log has the reason.",
        code="provider",
    )
