"""`podium doctor` looks at every part of an installation, says what is wrong and how to mend it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from podium import devices, monitoring, schema, turns, workers
from podium.confiner import confiner
from podium.errors import ConfigError, FaultError
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.models.record import now
from podium.sandbox import selftest
from podium.workers import RECONCILE

LEAST_FREE = 1 << 30  # bytes


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `cure` says what to do, and is empty where all is well."""

    part: str
    found: str
    cure: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.cure


def examine(installation: Installation) -> Iterator[Finding]:
    """Look at everything, one finding after the other; never raises for what is merely broken."""
    yield Finding("python", sys.version.split()[0])
    for look in (_database, _queue, _storage, _disk, _workers, _waiting, _sandbox, _gpus):
        yield from look(installation)


def _database(here: Installation) -> Iterator[Finding]:
    shown = here.database.url.render_as_string(hide_password=True)
    try:
        current, head = schema.revisions(here.database)
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        cure = f"Start the server, or correct PODIUM_DATABASE_URL. It says: {reason}"
        yield Finding("database", f"{shown} does not answer", cure)
        return
    if current != head:
        yield Finding("database", f"{shown} is at {current}, not {head}", "podium db upgrade")
    else:
        yield Finding("database", f"{shown} answers, schema {current}")


def _queue(here: Installation) -> Iterator[Finding]:
    try:
        woken = {name: here.queue.depth(name) for name in QUEUES}
    except RedisError as error:
        cure = f"Start it (podium up brings its own), or correct PODIUM_REDIS_URL: {error}"
        yield Finding("redis", f"{here.config.redis} does not answer", cure)
        return
    yield Finding("redis", f"{here.config.redis} answers, {sum(woken.values())} wake-ups wait")


def _storage(here: Installation) -> Iterator[Finding]:
    try:
        here.storage.check()
    except FaultError as error:
        yield Finding("storage", f"{here.config.storage} cannot be used", error.message)
    else:
        yield Finding("storage", f"{here.config.storage} can be written")


def _disk(here: Installation) -> Iterator[Finding]:
    here.config.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(here.config.home).free
    cure = "" if free >= LEAST_FREE else f"Free some space on the disk of {here.config.home}."
    yield Finding("disk", f"{free / 1e9:.1f} GB are free for {here.config.home}", cure)


def _workers(here: Installation) -> Iterator[Finding]:
    def look() -> Iterator[Finding]:
        with here.database.reading() as session:
            online = workers.online(session, (*QUEUES, RECONCILE), here.config.lease_s)
        if not any(one.queue == RECONCILE for one in online):
            yield Finding("reconciler", "none is online", "podium reconcile (podium up starts one)")
        for one in online:
            found = f"{one.name} is online on {one.device}"
            yield Finding(f"{one.queue} worker", found, one.trouble)

    yield from _asked(look)


def _waiting(here: Installation) -> Iterator[Finding]:
    def look() -> Iterator[Finding]:
        with here.database.reading() as session:
            numbers = monitoring.read(here)
            lacking = turns.lacking(session)
        for queue in numbers.queues:
            if queue.waiting and not queue.workers:
                cure = f"podium worker --queue {queue.name}"
                yield Finding("queue", f"{queue.waiting} wait in {queue.name}, nobody serves", cure)
        if lacking:
            yield Finding("turns", f"{len(lacking)} are missing", "podium reconcile mends them")
        old = [one for one in numbers.workers if (now() - one.heartbeat_at) > workers.SILENT]
        for one in old:
            cure = "Start it again; what it held is given to another."
            yield Finding("worker", f"{one.name} has been silent for minutes", cure)

    yield from _asked(look)


def _sandbox(here: Installation) -> Iterator[Finding]:
    try:
        chosen = confiner(here.config)
    except ConfigError as error:
        yield Finding("sandbox", "submitted code cannot be run here", error.message)
        return
    health = selftest(chosen)
    for problem in health.problems:
        yield Finding("sandbox", f"{chosen.name} does not hold", problem)
    if health.ok:
        notes = "".join(f" {note}" for note in health.notes)
        yield Finding("sandbox", f"{chosen.name} holds what it promises.{notes}")


def _gpus(_: Installation) -> Iterator[Finding]:
    try:
        found = devices.find()
    except FaultError as error:
        yield Finding("gpu", "the driver does not answer", error.message)
        return
    for gpu in found:
        trouble = devices.trouble(gpu, sys.executable)
        yield Finding("gpu", f"{gpu.name}, {gpu.memory_mib} MiB, driver {gpu.driver}", trouble)
    if not found:
        yield Finding("gpu", "none; that is fine without challenges that need one")


def _asked(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look at the database finds; nothing if it does not answer, which is said already."""
    try:
        yield from list(look())
    except SQLAlchemyError:
        return
