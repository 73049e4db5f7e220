"""A score worker's bench: it has the database at hand, and the answers in memory."""

import logging
import sys
from dataclasses import replace

from podium import (
    attempts,
    checkup,
    confinedmetric,
    devices,
    judging,
    logs,
    retention,
    turns,
    uncertainty,
    workers,
)
from podium.attempts import Lease
from podium.devices import Gpu
from podium.installation import Installation
from podium.workers import Card

log = logging.getLogger(__name__)


class Scorer:
    """Takes submissions in turn and judges them, in this process."""

    def __init__(self, installation: Installation, card: Card, gpu: Gpu | None = None) -> None:
        self.queue = card.queue
        self.name = card.name
        self._card = card
        self._here = installation
        self._gpu = gpu
        self.holds: Lease | None = None

    def arrive(self) -> None:
        """Enter the list, and take up at once what a killed process of this name held."""
        judging.warm_up()
        confinedmetric.begin(self._here.config)
        with self._here.database.writing() as session:
            workers.enter(session, self._card)
            left = attempts.held_by(session, self.name)
            again = attempts.reclaim(session, left, self._here.config.max_attempts)
        for submission_id in again:
            with logs.about(submission=submission_id):
                log.warning("an attempt was cut off; it waits again")
            self._here.queue.offer(self.queue)

    def work(self) -> None:
        """Judge the submission whose turn it is, if any may begin."""
        if self._gpu is not None:  # a device in trouble takes no work
            trouble = devices.trouble(self._gpu, sys.executable, devices.QUICK_TEST)
            self._card = replace(self._card, trouble=trouble)
            if trouble:
                return
        work = judging.take(self._here, self.queue, self.name)
        if work is None:  # people's results come before how sure their order is
            uncertainty.work(self._here)
            checkup.work(self._here)
            retention.work(self._here)
            return
        self.holds = work.lease
        try:
            judging.judge(self._here, work)
        finally:  # what could not be written now is not held on to: its lease runs out
            self.holds = None
        turns.relay(self._here, self.queue)

    def beat(self) -> bool:
        """One heartbeat, in one short transaction."""
        held = self.holds
        with self._here.database.writing() as session:
            if held is not None:
                attempts.renew(session, held, self._here.config.lease_s)
            return workers.beat(session, self._card)

    def leave(self) -> None:
        """Leave the list of workers."""
        with self._here.database.writing() as session:
            workers.leave(session, self.name)
