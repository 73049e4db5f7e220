"""Headers, CSRF and rate limits: what every answer carries and what every request must pass."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request, session
from flask_limiter import ApplicationLimit, Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from podium.web import installation

# Bootstrap's stylesheet draws its little icons as data: images; nothing else leaves the origin.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LARGEST_BODY = 1 << 20  # bytes, where no file is taken
NOT_COUNTED = frozenset({"static", "health.healthz", "health.readyz"})

CHECKS_ITSELF = "checks_csrf_itself"  # an attribute of views

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()


def _account_or_address() -> str:
    caller = g.get("caller")
    return f"user:{caller.id}" if caller else f"address:{get_remote_address()}"


limiter = Limiter(
    _account_or_address,
    application_limits=[ApplicationLimit(lambda: installation().config.api_limit)],
    strategy="fixed-window",
    in_memory_fallback_enabled=True,
    swallow_errors=True,  # of Redis, when it goes away under several requests at once
    key_prefix="podium-limit",
)


def limit_sign_ins(view: View) -> View:
    """Decorate a view that tries a password or makes an account.

    Few tries for one name, so that passwords cannot be guessed; many for one address, since a
    whole class may sit behind it.
    """
    return cast(View, _limit_names(_limit_addresses(view)))


def _name_and_address() -> str:
    body = request.get_json(silent=True) if request.is_json else request.form
    name = body.get("handle", "") if isinstance(body, Mapping) else ""
    return f"{str(name).strip().lower()[:100]}@{get_remote_address()}"


_limit_names = limiter.shared_limit(
    lambda: installation().config.login_limit,
    scope="name",
    key_func=_name_and_address,
    methods=["POST"],
)
_limit_addresses = limiter.shared_limit(
    lambda: installation().config.address_limit,
    scope="address",
    key_func=get_remote_address,
    methods=["POST"],
)


# Archives hold whole files: they are made seldom.
limit_exports = limiter.limit("5 per hour", key_func=_account_or_address)


def init_app(app: Flask) -> None:
    """Put the checks in front of every view and the headers on every answer."""
    config = app.extensions["podium"].config
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        WTF_CSRF_CHECK_DEFAULT=False,  # decided below
        WTF_CSRF_TIME_LIMIT=None,  # as long as the sign-in: a form may stay open over night
        RATELIMIT_STORAGE_URI=_limits_uri(config.redis),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1},
    )
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(check_csrf_unless_the_view_does)
    app.after_request(add_headers)


def check_csrf_unless_the_view_does() -> None:
    """Check the token of forms, except where a file comes with it: see `uploads`."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and CHECKS_ITSELF not in vars(view):
        check_csrf()


def checks_csrf_itself(view: View) -> View:
    """Decorate a view whose body is not read before it is known who may send it."""
    vars(view)[CHECKS_ITSELF] = True
    return view


def check_csrf() -> None:
    """Refuse a changing request that a foreign site may have made the browser send.

    Only cookies are sent by browsers on their own: a bearer token needs no CSRF token, and
    neither does an API call of nobody.
    """
    if g.by_token or (request.path.startswith("/api/") and "user_id" not in session):
        return
    csrf.protect()


def add_headers(response: Response) -> Response:
    """Headers that a view has not set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


@limiter.request_filter
def _not_counted() -> bool:
    return request.endpoint in NOT_COUNTED


def _limits_uri(redis_url: str) -> str:
    """The same server, as the library for rate limits writes it."""
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url
