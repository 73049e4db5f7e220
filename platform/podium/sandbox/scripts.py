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
from podium.sandbox.outcome import Cause, Outcome
from podium.sandbox.runner import Runner


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
) -> Outcome:
    """Run the bundle's entry on a trial and then on all inputs; `outputs` receives /out.

    An end with status 0 but without the file `wanted` is a breach of protocol.
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
            binds = [Bind(code, CODE), *data]
            outcome = run(
                command,
                limits,
                binds=binds,
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
        return attempt([Bind(inputs, DATA)], outputs)


def trial_binds(inputs: Path, little: Path) -> list[Bind]:
    """The inputs for a trial: tables and arrays cut to 1 % of their rows, the rest as it is."""
    binds = []
    for file in sorted(inputs.iterdir()):
        cut = CUTTERS.get(file.suffix)
        if cut is not None and file.is_file():
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
