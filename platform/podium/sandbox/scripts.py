"""Runs a submitted script that reads /data and writes its predictions to /out, at first on little.

The trial on 1 % of the inputs is a run of its own: a typo in the last line shows in seconds.
"""

import csv
import math
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from podium.sandbox.bubblewrap import Bubblewrap
from podium.sandbox.bundle import Bundle
from podium.sandbox.confinement import run
from podium.sandbox.feeding import TRIAL_NOTE, TRIAL_SHARE
from podium.sandbox.job import CODE, DATA, Bind, Device
from podium.sandbox.limits import Limits
from podium.sandbox.link import LinkError
from podium.sandbox.outcome import Cause, Outcome
from podium.sandbox.runner import Runner
from podium.sandbox.served import Load, Served

WARM_MIB = 32  # what a bundle and its inputs hold together, to be copied into a warm sandbox
Take = Callable[[], Served]


def run_script(
    bundle: Bundle,
    inputs: Path,
    outputs: Path,
    limits: Limits,
    *,
    wanted: str = "predictions.csv",
    runner: Runner | None = None,
    gpus: tuple[Device, ...] = (),
    on_log: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    take: Take | None = None,
) -> Outcome:
    """Run the bundle's entry on a trial and then on all inputs; `outputs` receives /out.

    An end with status 0 but without the file `wanted` is a breach of protocol. `take` gives warm
    sandboxes with these limits: small bundles on small inputs start in them at once.
    """
    chosen = runner or Bubblewrap.here()
    with tempfile.TemporaryDirectory(prefix="podium-code-") as folder:
        code, little, nowhere = (Path(folder, name) for name in ("code", "data", "out"))
        for place in (code, little, nowhere):
            place.mkdir()
        bundle.unpack(code)
        for place in (Path(folder), *code.rglob("*")):  # the sandbox runs as somebody else
            place.chmod(0o755 if place.is_dir() else 0o644)
        command = [chosen.python, "-s", "-E", "-u", f"{CODE}/{bundle.entry}"]

        def attempt(data: list[Bind], target: Path) -> Outcome:
            if take is not None and _is_small(bundle, data, limits):
                load = Load("script", bundle.files, bundle.entry, data=_contents(data))
                return _with_file(_warm(take, load, on_log, stop, target), wanted)
            outcome = run(
                command,
                limits,
                binds=[Bind(code, CODE), *data],
                outputs=target,
                on_log=on_log,
                stop=stop,
                gpus=gpus,
                runner=chosen,
            )
            return _with_file(outcome, wanted)

        trial = attempt(trial_binds(inputs, little), nowhere)
        if not trial.ok:
            if trial.cause is Cause.CANCELLED:
                return trial
            return replace(trial, reason=f"{trial.reason} {TRIAL_NOTE}", files=())
        return attempt([Bind(file, f"{DATA}/{file.name}") for file in _of(inputs)], outputs)


def _warm(
    take: Take,
    load: Load,
    on_log: Callable[[str], None] | None,
    stop: threading.Event | None,
    target: Path,
) -> Outcome:
    with take() as served:
        served.load(load, on_log, stop, target)
        try:
            served.ready(served.sandbox.job.limits.wall_s)
        except LinkError as error:
            return served.failed(error)
        return served.sandbox.wait()


def _is_small(bundle: Bundle, data: list[Bind], limits: Limits) -> bool:
    """Whether the files may be copied: they count as memory and as disk of the run there."""
    held = sum(map(len, bundle.files.values())) + sum(bind.source.stat().st_size for bind in data)
    return held <= min(WARM_MIB, limits.disk_mib // 4, limits.memory_mib // 4) << 20


def _contents(data: list[Bind]) -> dict[str, bytes]:
    return {bind.target.removeprefix(f"{DATA}/"): bind.source.read_bytes() for bind in data}


def _of(inputs: Path) -> list[Path]:
    return sorted(path for path in inputs.iterdir() if path.is_file())


def trial_binds(inputs: Path, little: Path) -> list[Bind]:
    """The inputs for a trial: tables and arrays cut to 1 % of their rows, the rest as it is."""
    binds = []
    for file in _of(inputs):
        cut = CUTTERS.get(file.suffix)
        if cut is not None:
            cut(file, little / file.name)
            (little / file.name).chmod(0o644)
            binds.append(Bind(little / file.name, f"{DATA}/{file.name}"))
        else:
            binds.append(Bind(file, f"{DATA}/{file.name}"))
    return binds


def _few(rows: int) -> int:
    return math.ceil(rows * TRIAL_SHARE)


def _cut_table(file: Path, target: Path) -> None:
    with file.open(newline="", encoding="utf-8") as source:
        rows = sum(1 for _ in csv.reader(source)) - 1
        source.seek(0)
        with target.open("w", newline="", encoding="utf-8") as kept:
            writer = csv.writer(kept)
            for row, _ in zip(csv.reader(source), range(_few(rows) + 1), strict=False):
                writer.writerow(row)


def _cut_array(file: Path, target: Path) -> None:
    array = np.load(file, allow_pickle=False, mmap_mode="r")
    np.save(target, array[: _few(len(array))])


def _cut_arrays(file: Path, target: Path) -> None:
    with np.load(file, allow_pickle=False) as arrays:
        few = {
            name: array[: _few(len(array))] if array.ndim else array
            for name, array in arrays.items()
        }
    np.savez(target, **few)


CUTTERS = {".csv": _cut_table, ".npy": _cut_array, ".npz": _cut_arrays}


def _with_file(outcome: Outcome, wanted: str) -> Outcome:
    if not outcome.ok or wanted in outcome.files:
        return outcome
    found = ", ".join(outcome.files[:5]) or "nothing"
    reason = f"It ended without a file /out/{wanted}. In /out was {found}."
    if outcome.refused:
        reason += f" Left behind: {outcome.refused[0]}"
    return replace(outcome, cause=Cause.PROTOCOL, reason=reason)
