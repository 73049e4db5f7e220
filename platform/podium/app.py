"""The web application: wiring only. What it does lies under `web/`, by noun."""

from apiflask import APIFlask
from flask.json.provider import DefaultJSONProvider
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from podium import __version__
from podium.config import Config
from podium.installation import Installation
from podium.web import (
    api,
    errors,
    health,
    identity,
    maintenance,
    pages,
    provider,
    security,
    sight,
    words,
)
from podium.web.uploads import UploadRequest


class OrderedJSON(DefaultJSONProvider):
    """Answers keep the order of their model."""

    sort_keys = False


class Podium(APIFlask):
    """Flask with uploads that stream into the storage."""

    request_class = UploadRequest
    json_provider_class = OrderedJSON


def create_app(installation: Installation | None = None) -> APIFlask:
    """The WSGI app of an installation; without one, of the installation that the settings name."""
    app = Podium(
        "podium",
        title="Podium",
        version=__version__,
        spec_path="/api/v1/openapi.json",
        docs_path=None,
        json_errors=False,
        template_folder="web/templates",
        static_folder="web/static",
    )
    app.extensions["podium"] = installation or Installation.open(Config.load())
    app.config["COMPRESS_STREAMS"] = False  # it would leave the files of static open
    Compress(app)  # its turn comes after all that others do to an answer
    identity.init_app(app)  # first: the limits and the CSRF check ask who it is
    maintenance.init_app(app)
    security.init_app(app)
    sight.init_app(app)
    provider.init_app(app)
    words.init_app(app)
    errors.init_app(app)
    app.register_blueprint(health.blueprint)
    api.init_app(app)
    pages.init_app(app)
    config = app.extensions["podium"].config
    if hops := config.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # as Flask's documentation wires it
    return app
