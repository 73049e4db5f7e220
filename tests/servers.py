"""Podium as it runs, for tests: its pages on a port, its score worker, its web processes."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from podium import accounts, checkup, judging
from podium.installation import Installation


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """An application on a port, in threads of this process: its address."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def scoring(installation: Installation, *, checks: bool = False) -> Iterator[None]:
    """A score worker in a thread; with `checks` it looks at drafts, too."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            if taken := judging.take(installation, "score", "w1"):
                judging.judge(installation, taken)
            elif not (checks and checkup.work(installation)):
                time.sleep(0.02)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopped.set()
    thread.join()


@contextmanager
def web(
    installation: Installation, **settings: str
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`podium web` of an installation: its process, and its address."""
    port = free_port()
    config = installation.config
    own = {
        "HOME": str(config.home),
        "PORT": str(port),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "STORAGE_URL": config.storage_url,
        "SECRET_KEY": config.secret_key,
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "podium.cli", "web"],
        env=os.environ | {f"PODIUM_{name}": value for name, value in (own | settings).items()},
    )
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while not _answers(f"{url}/readyz"):
        assert process.poll() is None
        assert time.monotonic() < end, "the server did not start"
        time.sleep(0.1)
    yield process, url
    process.terminate()
    assert process.wait(timeout=30) == 0


@contextmanager
def hired(
    installation: Installation, url: str, home: Path
) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts `podium worker` on a host that knows the web and Redis only; ends them at last."""
    with installation.database.writing() as session:
        token = accounts.renew_work_token(session, "host-1")
    started = []

    def start(queue: str = "run", **settings: str) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            "PODIUM_HOME": str(home),
            "PODIUM_URL": url,
            "PODIUM_TOKEN": token,
            "PODIUM_REDIS_URL": installation.config.redis_url,
            "PODIUM_HEARTBEAT_S": "0.3",
            "PODIUM_WARM_SANDBOXES": "0",
            **settings,
        }
        command = [sys.executable, "-P", "-m", "podium.cli", "worker", "--queue", queue]
        process = subprocess.Popen([*command, "--name", f"{queue[0]}1"], env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
