"""Gunicorn's settings, as it reads them: `gunicorn -c python:podium.web.server`."""

import gc
from typing import Any

from podium import logs
from podium.config import Config
from podium.processes import die_with_parent

_config = Config.load()
logs.begin(_config.log_format)

wsgi_app = "podium.app:create_app()"
bind = (
    f"[{_config.host}]:{_config.port}" if ":" in _config.host else f"{_config.host}:{_config.port}"
)
workers = _config.web_processes
threads = _config.web_threads
worker_class = "gthread"
preload_app = True  # libraries are read once and shared
timeout = 120
graceful_timeout = 15
keepalive = 5
forwarded_allow_ips = "*"  # what is believed of proxies is PODIUM_TRUSTED_PROXIES' matter
loglevel = "warning"


def when_ready(_server: Any) -> None:
    """Leave what the start made out of later collections of garbage, each a tenth of a second."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, _worker: Any) -> None:
    """A web process does not outlive its master."""
    die_with_parent()
