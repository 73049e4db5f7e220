"""`podium worker`: one process, or a tree of them where several devices or processes are asked."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from podium import devices, worker, workers
from podium.config import Config
from podium.confiner import confiner
from podium.devices import Gpu
from podium.errors import ConfigError
from podium.foreman import Foreman
from podium.installation import Installation
from podium.jobqueue import RUN_QUEUES, JobQueue
from podium.jobs import Bench
from podium.processtree import Part, ProcessTree, podium_command
from podium.runner import Runner
from podium.sandbox.pool import Stock
from podium.sandbox.runner import Runner as Confiner
from podium.scorer import Scorer
from podium.workers import Card


@dataclass(frozen=True)
class Orders:
    """What the command line says."""

    queue: str
    name: str | None = None
    processes: int = 1
    device: str = "auto"
    tags: tuple[str, ...] = ()
    burst: bool = False

    @property
    def is_for_gpu(self) -> bool:
        """Whether the queue is one of work on GPUs."""
        return self.queue.endswith("-gpu")


def serve(config: Config, orders: Orders, say: Callable[[str], None]) -> None:
    """Work until asked to end; ConfigError if the device is not here."""
    gpus: list[Gpu | None] = devices.choose(orders.device) if orders.is_for_gpu else [None]
    if orders.is_for_gpu and gpus == [None] and orders.device == "auto":
        raise ConfigError(
            f"{devices.TOOL} lists no GPU here, so nothing of {orders.queue!r} can run. Serve "
            f"--queue {orders.queue.removesuffix('-gpu')} on this machine, or mend the driver."
        )
    if len(gpus) == 1 and orders.processes == 1:
        _alone(config, orders, gpus[0])
    else:
        _together(orders, gpus, say)


def _alone(config: Config, orders: Orders, gpu: Gpu | None) -> None:
    name = orders.name or workers.default_name(orders.queue)
    card = Card(name, orders.queue, tags=orders.tags)
    if gpu is not None:
        devices.pin(gpu)
        trouble = devices.trouble(gpu, sys.executable)
        card = Card(
            name,
            orders.queue,
            device=gpu.name,
            memory_mib=gpu.memory_mib,
            driver=gpu.driver,
            tags=orders.tags,
            trouble=trouble,
        )
    bench: Bench
    if orders.queue in RUN_QUEUES:
        walls = confiner(config)
        bench = Runner(_foreman(), card, walls, gpu, _stock(config, walls, gpu))
    else:
        bench = Scorer(Installation.open(config), card, gpu)
    worker.serve(bench, JobQueue(config.redis), config.heartbeat_s, burst=orders.burst)


def _stock(config: Config, walls: Confiner, gpu: Gpu | None) -> Stock | None:
    """The warm sandboxes that the settings allow."""
    if not config.warm_sandboxes:
        return None
    return Stock(
        walls,
        size=config.warm_sandboxes,
        memory_mib=config.warm_mib,
        gpus=(gpu.in_sandbox,) if gpu else (),
    )


def _foreman() -> Foreman:
    url, token = os.environ.get("PODIUM_URL"), os.environ.get("PODIUM_TOKEN")
    if not url or not token:
        raise ConfigError(
            "A run worker needs PODIUM_URL, the web's address, and PODIUM_TOKEN, which "
            "`podium worker token NAME` makes on a host with the database."
        )
    return Foreman(url, token)


def _together(orders: Orders, gpus: list[Gpu | None], say: Callable[[str], None]) -> None:
    """A process for each device, and as many of each as are asked for."""
    tree = ProcessTree(os.environ, say)
    tree.listen_to_signals()
    base = orders.name or f"{socket.gethostname()}-{orders.queue}"
    try:
        for gpu in gpus:
            for index in range(1, orders.processes + 1):
                part = f"gpu{gpu.index}-{index}" if gpu else f"{orders.queue}-{index}"
                device = f"cuda:{gpu.index}" if gpu else "cpu"
                words = ["--queue", orders.queue, "--name", f"{base}-{part}", "--device", device]
                words += [word for tag in orders.tags for word in ("--tag", tag)]
                words += ["--burst"] if orders.burst else []
                command = podium_command("worker", *words)
                tree.add(Part(part, command, restarts=not orders.burst))
        while not tree.is_stopping and any(part.runs or part.restarts for part in tree.parts):
            tree.tick()
    finally:
        tree.end([lambda _: True])
