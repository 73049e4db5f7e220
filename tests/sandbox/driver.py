"""Runs cases as the user it is started as: a JSON line in for each, a JSON line out.

A process of its own, because the mode of the sandbox follows from the user. It builds the world
that must not be reached (answers, sockets, a secret in its environment) and tells, after each
case, what was left behind. Nobody imports it.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from podium.sandbox import Bind, Bubblewrap, Job, Limits, Sandbox, feeding, run
from podium.sandbox.served import Load, boot, serving_job

HERE = Path(__file__).parent
PR_SET_CHILD_SUBREAPER = 36
NEIGHBOUR = """
import time
for folder in ("/scratch", "/tmp", "/dev/shm", "/out"):
    open(folder + "/neighbour", "w").write({secret!r})
print("settled", flush=True)
time.sleep(60)
"""


class World:
    """What lies around the sandbox."""

    def __init__(self, folder: Path) -> None:
        self.secret = secrets.token_hex(16)
        self.answers = folder / "answers.csv"
        self.answers.write_text(f"id,label\n0,{self.secret}\n")
        self.answers.chmod(0o644)
        os.environ["PODIUM_SECRET_KEY"] = self.secret
        self.leak = os.open(self.answers, os.O_RDONLY)
        os.set_inheritable(self.leak, True)
        self.path = str(folder / "service.socket")
        self.abstract = f"podium-test-{self.secret[:8]}"
        tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = tcp.getsockname()[1]
        self._serve(tcp)
        for address in (self.path, "\0" + self.abstract):
            link = socket.socket(socket.AF_UNIX)
            link.bind(address)
            link.listen()
            self._serve(link)
        os.chmod(self.path, 0o777)

    def described(self) -> str:
        """Where things are; never the secret itself."""
        names = {"answers": str(self.answers), "socket": self.path, "abstract": self.abstract}
        return json.dumps(names | {"port": self.port})

    def _serve(self, link: socket.socket) -> None:
        def answer() -> None:
            while True:
                visitor, _ = link.accept()
                with contextlib.suppress(OSError):
                    visitor.sendall(self.secret.encode())
                visitor.close()

        threading.Thread(target=answer, daemon=True).start()


@contextlib.contextmanager
def neighbour(runner: Bubblewrap, secret: str):
    """Another team's sandbox, at work."""
    settled = threading.Event()
    program = NEIGHBOUR.format(secret=secret)
    job = Job((runner.environment.python, "-I", "-c", program), env={"TOKEN": secret})
    with Sandbox(job, runner) as sandbox:
        sandbox.begin(on_log=lambda _: settled.set())
        assert settled.wait(60)
        yield


def run_program(
    case: Path, expect: dict[str, Any], runner: Bubblewrap, world: World, out: Path
) -> dict[str, Any]:
    limits = Limits(**{"wall_s": 20.0, "log_kib": 1024, **expect.get("limits", {})})
    binds = [Bind(HERE / "attack.py", "/code/attack.py")]
    binds.append(Bind(case / "program.txt", "/code/program.py"))  # no .py: nobody imports it
    command = [runner.environment.python, "-s", "-E", "-u", "/code/program.py"]
    beside = (
        neighbour(runner, world.secret) if expect.get("neighbour") else contextlib.nullcontext()
    )
    with beside:
        outcome = run(
            command,
            limits,
            binds=binds,
            env={"WORLD": world.described()},
            outputs=out,
            runner=runner,
        )
    return dataclasses.asdict(outcome)


def predict_batches(code: str, runner: Bubblewrap) -> dict[str, Any]:
    """Submitted code that answers 100 rows."""
    with boot(runner, serving_job(runner, Limits())) as served:
        served.load(Load("batch", {"predict.py": code.encode()}, "predict.py"))
        rows = np.arange(100, dtype=np.float32).reshape(100, 1)
        outcome, predictions = feeding.predict(served, {"x": rows}, feeding.Expected(), 50)
    total = None if predictions is None else float(predictions.sum())
    return {"cause": outcome.cause, "reason": outcome.reason, "total": total}


def left_behind(mounts: str, place) -> list[str]:
    """Processes (orphans become our children), mounts and control groups that still are."""
    left = [f"process {pid}" for pid in children()]
    if Path("/proc/self/mounts").read_text() != mounts:
        left.append("a mount")
    for folder in set(place.folders.values()) if place else ():
        left += [str(group) for group in folder.glob(f"podium-{os.getpid()}-*")]
    return left


def children() -> list[str]:
    return [
        pid
        for file in Path("/proc/self/task").glob("*/children")
        for pid in file.read_text().split()
    ]


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="podium-world-"))
    folder.chmod(0o755)
    world = World(folder)
    own = folder / "tmp"
    own.mkdir()
    tempfile.tempdir = str(own)  # whatever is left in it is ours
    found = Bubblewrap.here()
    try:
        print(json.dumps({"uid": os.geteuid(), "has_groups": found.groups is not None}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            runner = found if request["groups"] else dataclasses.replace(found, groups=None)
            if "code" in request:
                print(json.dumps(predict_batches(request["code"], runner)), flush=True)
                continue
            case = HERE / "cases" / request["case"]
            expect = tomllib.loads((case / "expect.toml").read_text())
            mounts = Path("/proc/self/mounts").read_text()
            begin = time.monotonic()
            with tempfile.TemporaryDirectory() as out:
                answer = run_program(case, expect, runner, world, Path(out))
                taken = [str(p.relative_to(out)) for p in Path(out).rglob("*") if p.is_file()]
            answer["taken"] = sorted(taken)
            answer["seconds"] = time.monotonic() - begin
            answer["leaked"] = world.secret in json.dumps(answer)
            answer["left"] = left_behind(mounts, found.groups)
            answer["left_files"] = os.listdir(own)
            print(json.dumps(answer), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
