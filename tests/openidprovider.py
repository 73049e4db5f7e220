"""A small OpenID provider of Authlib's server classes, run as a process: `python FILE`.

It prints its address. Whoever is sent to it is signed in at once, as what was last posted to
`/says` tells; there its next answers can be made wrong, too.
"""

import json
import sys
import time
from types import SimpleNamespace
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, redirect, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, SECRET = "podium", "a secret of the provider"
FRESH: dict[str, Any] = {
    "claims": {"sub": "1001", "email": "Ada@example.org", "email_verified": True},
    "userinfo": None,  # other claims there than in the token
    "token": {},  # claims that the id_token has instead of the right ones
    "refuses": False,
    "foreign_key": False,  # signed by a key that is not published, under the published name
    "silent": False,  # the token endpoint fails
}
says: dict[str, Any] = dict(FRESH)
codes: dict[str, Any] = {}
tokens: dict[str, Any] = {}
keys = [RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig"})]
foreign = RSAKey.generate_key(2048, {"kid": "key-1"})
app = Flask("provider")


class Client:
    """The one client: Podium."""

    client_id, scope = CLIENT_ID, "openid email profile"

    def __init__(self, back: str) -> None:
        self.back = back

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.back

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, uri):
        return uri.endswith("/sign-in/provider/back")

    def check_client_secret(self, secret):
        return secret == SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, kind):
        return kind == "code"

    def check_grant_type(self, kind):
        return kind == "authorization_code"


class Code(SimpleNamespace):
    """A code as the grant wants it."""

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return int(time.time())

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class Grant(AuthorizationCodeGrant):
    """Codes that work once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code, request):
        data = request.payload.data
        codes[code] = Code(
            code=code,
            redirect_uri=request.payload.redirect_uri,
            scope=request.payload.scope,
            nonce=data.get("nonce"),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):
        return codes.get(code)

    def delete_authorization_code(self, authorization_code):
        codes.pop(authorization_code.code)

    def authenticate_user(self, authorization_code):
        return SimpleNamespace(get_user_id=lambda: says["claims"]["sub"])


class OpenID(OpenIDCode):
    """What the id_token says, right or as the test wants it wrong."""

    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in codes.values())

    def resolve_client_private_key(self, client):
        return foreign if says["foreign_key"] else keys[-1]

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": keys[-1].kid}

    def get_client_claims(self, client):
        return {"iss": address(), "aud": [CLIENT_ID]}

    def generate_user_info(self, user, scope):
        return UserInfo(**says["claims"], **says["token"])


class Bearer(BearerTokenValidator):
    """Access tokens that were given out."""

    def authenticate_token(self, text):
        return tokens.get(text)


def save_token(token, request):
    tokens[token["access_token"]] = SimpleNamespace(
        **token, is_expired=lambda: False, is_revoked=lambda: False, get_scope=lambda: "openid"
    )


server = AuthorizationServer(app, query_client=lambda _id: Client(""), save_token=save_token)
server.register_grant(Grant, [OpenID(), CodeChallenge(required=True)])
protect = ResourceProtector()
protect.register_token_validator(Bearer())


def address() -> str:
    return request.host_url.rstrip("/")


@app.get("/.well-known/openid-configuration")
def discovery():
    here = address()
    return jsonify(
        issuer=says.get("issuer", here),
        authorization_endpoint=f"{here}/authorize",
        token_endpoint=f"{here}/token",
        userinfo_endpoint=f"{here}/userinfo",
        jwks_uri=f"{here}/keys",
        id_token_signing_alg_values_supported=["RS256"],
    )


@app.get("/authorize")
def authorize():
    if says["refuses"]:
        asked = request.args
        return redirect(f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}")
    grant = server.get_consent_grant(end_user=SimpleNamespace(get_user_id=lambda: "1"))
    return server.create_authorization_response(
        grant_user=SimpleNamespace(get_user_id=lambda: "1"), grant=grant
    )


@app.post("/token")
def token():
    return ("", 503) if says["silent"] else server.create_token_response()


@app.get("/userinfo")
@protect()
def userinfo():
    assert current_token
    return jsonify(says["userinfo"] or says["claims"])


@app.get("/keys")
def published():
    return jsonify(keys=[key.as_dict(private=False) for key in keys[-1:]])


@app.post("/says")
def say():
    says.clear()
    says.update(FRESH | json.loads(request.data))
    return ""


@app.post("/rotate")
def rotate():
    keys.append(RSAKey.generate_key(2048, {"kid": f"key-{len(keys) + 1}", "use": "sig"}))
    return ""


if __name__ == "__main__":
    listening = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{listening.server_port}\n")
    sys.stdout.flush()
    listening.serve_forever()
