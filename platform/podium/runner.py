"""A run worker's bench: it speaks to the web, and holds neither database nor answers."""

import logging
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from podium import devices, logs, running
from podium.client import Answer, ProblemError
from podium.desk import Desk, Said
from podium.devices import Gpu
from podium.foreman import Foreman
from podium.sandbox import selftest
from podium.sandbox.environment import packages
from podium.sandbox.pool import Stock
from podium.sandbox.runner import Runner as Confiner
from podium.workers import Card

LOG_TAIL_CHARACTERS = 16 << 10
TRIES = 3  # of the self-test: it must pass as a whole once
AWAY = frozenset({"no_answer", "unavailable"})  # the web is being started, or restarted
AWAY_S = 1.0
OVER = "attempt_over"  # the error of an attempt that is not in force any more

log = logging.getLogger(__name__)


@dataclass
class Hold:
    """What is in hand: the attempt's token, the end of its log, and whether to let it go."""

    token: str
    log_tail: str = ""
    let_go: threading.Event = field(default_factory=threading.Event)

    def hear(self, text: str) -> None:
        """Add what was printed."""
        self.log_tail = (self.log_tail + text)[-LOG_TAIL_CHARACTERS:]


class Runner:
    """Takes submissions in turn and runs them in the sandbox."""

    def __init__(
        self,
        foreman: Foreman,
        card: Card,
        confiner: Confiner,
        gpu: Gpu | None = None,
        stock: Stock | None = None,
    ) -> None:
        self.queue = card.queue
        self.name = card.name
        self._card = card
        self._foreman = foreman
        self._confiner = confiner
        self._gpu = gpu
        self._stock = stock
        self._hold: Hold | None = None
        self._open_walls = ""  # what the sandbox's self-test found

    def arrive(self) -> None:
        """Enter the list; what a killed process of its name held is given back by the web.

        The sandbox is tried first: if submitted code could get out of it, none is taken.
        """
        for _ in range(TRIES):  # a sandbox killed from outside says nothing of its walls
            health = selftest(self._confiner)
            if health.ok:
                break
        for problem in health.problems:
            log.error("no submitted code is run here: %s", problem)
        for note in health.notes:
            log.warning("%s", note)
        self._open_walls = " ".join(health.problems)
        self._note_trouble(self._card.trouble)
        told = False
        while True:
            try:
                return self._foreman.arrive(replace(self._card, packages=packages()))
            except ProblemError as error:
                if error.code not in AWAY:
                    raise
                if not told:
                    log.warning("waiting for the web: %s", error.message)
                told = True
            time.sleep(AWAY_S)

    def _note_trouble(self, of_device: str) -> None:
        """With trouble of any kind this worker is given nothing, and says why."""
        trouble = " ".join(filter(None, (self._open_walls, of_device)))
        self._card = replace(self._card, trouble=trouble)

    def work(self) -> None:
        """Run the submission whose turn it is, if any may begin."""
        assignment = self._foreman.take(self._card)
        if assignment is None:
            return
        self._hold = hold = Hold(assignment["token"])
        try:
            with logs.about(submission=assignment["submission_id"], attempt=assignment["number"]):
                self._run(assignment, hold)
        except ProblemError as error:
            if error.code != OVER:
                raise
            log.warning("%s", error.message)
        finally:
            self._hold = None
        self._check_gpu()

    def _check_gpu(self) -> None:
        """A device that was used is tested before the next work; in trouble it takes none."""
        if self._gpu is not None:
            trouble = devices.trouble(self._gpu, sys.executable, devices.QUICK_TEST)
            self._note_trouble(trouble)

    def _run(self, assignment: Answer, hold: Hold) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="podium-run-") as folder:
                said = running.run(assignment, self._fetched(assignment, Path(folder)), hold)
                if hold.let_go.is_set():
                    log.warning("let go: it was cancelled, or another worker has it")
                    return
                if said.output is not None:
                    self._foreman.bring_output(hold.token, said.output)
                if said.replays:
                    self._foreman.bring_replays(hold.token, said.replays)
        except ProblemError:
            raise
        except SystemExit:  # asked twice to end: another worker begins anew
            self._foreman.report(hold.token, {"outcome": "returned", "log": hold.log_tail})
            raise
        except Exception:  # ours, whatever it is: never the student's fault
            log.exception("failed")
            said = Said("fault", traceback.format_exc())
        self._foreman.report(hold.token, said.as_json(hold.log_tail))

    def _fetched(self, assignment: Answer, folder: Path) -> Desk:
        """The submitted file, the inputs and the opponents' files, each in its place."""
        token: str = assignment["token"]
        gpus = (self._gpu.in_sandbox,) if self._gpu else ()
        desk = Desk.make(folder, self._confiner, gpus, self._stock)
        self._foreman.fetch(token, "file", assignment["sha256"], desk.file)
        for file in assignment["inputs"]:
            target = desk.inputs / Path(file["name"]).name
            self._foreman.fetch(token, f"inputs/{file['name']}", file["sha256"], target)
        for match in assignment["matches"]:
            number, target = match["opponent"], desk.inputs / str(match["opponent"])
            if number != assignment["submission_id"] and not target.exists():
                self._foreman.fetch(token, f"opponents/{number}", match["sha256"], target)
        return desk

    def beat(self) -> bool:
        """One heartbeat; an attempt that is over is let go, and its sandbox ended."""
        hold = self._hold
        warm, warm_mib = self._stock.held if self._stock else (0, 0.0)
        card = replace(self._card, warm=warm, warm_mib=round(warm_mib))
        answer: dict[str, Any] = self._foreman.beat(
            card, hold.token if hold else None, hold.log_tail if hold else None
        )
        if hold is not None and not answer["is_in_force"]:
            hold.let_go.set()
        return bool(answer["is_draining"])

    def leave(self) -> None:
        """Leave the list of workers."""
        if self._stock is not None:
            self._stock.close()
        self._foreman.leave(self.name)
