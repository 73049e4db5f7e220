"""A tree of child processes that one process owns: started, listened to, restarted, ended.

Single-threaded: what the children print is passed on line by line with their name in front, and
those that die are started again, later each time.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podium.processes import die_with_parent

RESTART_WAITS_S = (0.1, 0.5, 1, 2, 5, 10)  # a part that lived for STEADY_S starts over at the first
STEADY_S = 30.0
DRAIN_S = 20.0  # time to finish the current request or job
RETURN_S = 5.0  # then: time to give it back
TICK_S = 0.1


@dataclass
class Part:
    """One child process: how it is started, and how it fares."""

    name: str
    command: list[str]
    restarts: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)  # beside that of the tree
    folder: Path | None = None  # made before each start, should somebody have removed it
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
class ProcessTree:
    """The parts, and what is said of them; `started` and `ended` are told of each process."""

    environment: Mapping[str, str]
    say: Callable[[str], None]
    started: Callable[[Part], object] = lambda _: None
    ended: Callable[[Part], object] = lambda _: None
    parts: list[Part] = field(default_factory=list)
    is_stopping: bool = False
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def listen_to_signals(self) -> None:
        """Let SIGINT, SIGTERM and SIGHUP ask for the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.is_stopping = True

    def add(self, part: Part) -> None:
        """Start a part and look after it from now on."""
        self.parts.append(part)
        self._start(part)

    def _start(self, part: Part) -> None:
        if part.folder is not None:
            part.folder.mkdir(parents=True, exist_ok=True)
        part.process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**self.environment, **part.environment},
            start_new_session=True,  # Ctrl-C reaches the owner only, which ends them in order
            preexec_fn=die_with_parent,
        )
        part.started_at = time.monotonic()
        self.started(part)
        assert part.process.stdout is not None
        os.set_blocking(part.process.stdout.fileno(), False)
        self._selector.register(part.process.stdout, selectors.EVENT_READ, part)

    def stay(self) -> None:
        """Look after the parts until the end is asked for."""
        while not self.is_stopping:
            self.tick()

    def tick(self) -> None:
        """Pass on what was printed, bury the dead, restart who is due."""
        for key, _ in self._selector.select(TICK_S):
            self._pass_on(key.data)
        moment = time.monotonic()
        for part in self.parts:
            if part.process is not None and part.process.poll() is not None:
                self._bury(part, moment)
            is_due = part.process is None and part.restarts and moment >= part.not_before
            if is_due and not self.is_stopping:
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
        self.ended(part)
        if self.is_stopping or (not part.restarts and process.returncode == 0):
            return
        steady = moment - part.started_at > STEADY_S
        part.falls = 1 if steady else part.falls + 1
        wait = RESTART_WAITS_S[min(part.falls, len(RESTART_WAITS_S)) - 1]
        part.not_before = moment + wait
        what_next = f"; starting again in {wait} s" if part.restarts else ""
        self._print(part.name, f"ended with {_ending(process.returncode)}{what_next}")

    def end(self, order: Sequence[Callable[[Part], bool]]) -> None:
        """End the parts, group after group: asked, asked again to give back, killed."""
        self.is_stopping = True
        for belongs in order:
            group = [part for part in self.parts if belongs(part) and part.runs]
            for patience_s in (DRAIN_S, RETURN_S):
                for part in group:
                    if part.process is not None:  # it alone: what it started is its own to end
                        part.process.send_signal(signal.SIGTERM)
                end = time.monotonic() + patience_s
                while any(part.runs for part in group) and time.monotonic() < end:
                    self.tick()
            for part in group:
                if part.process is not None:
                    self._print(part.name, "did not end in time: killed")
                    os.killpg(part.process.pid, signal.SIGKILL)
                    part.process.wait()


def podium_command(*arguments: str) -> list[str]:
    """The command line of a part of Podium."""
    # -P: the folder we are in is not searched, so a checkout's platform/ shadows nothing.
    return [sys.executable, "-P", "-m", "podium.cli", *arguments]


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
