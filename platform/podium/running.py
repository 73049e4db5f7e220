"""WHERE A SUBMITTED MODEL, BUNDLE OR AGENT IS RUN: on a run worker, in the sandbox, nowhere else.

Knows nothing of the web or the database: files in, files and a saying out.
"""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium import modelfile, playing
from podium.desk import Desk, Hand, Said, limits_of
from podium.errors import FaultError
from podium.sandbox import Outcome
from podium.sandbox.bundle import Bundle, BundleLimits, read_bundle
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.outcome import Cause
from podium.sandbox.refusal import RefusedError
from podium.sandbox.scripts import run_script
from podium.sandbox.served import CPU, CUDA, Load

# What torch, onnxruntime and cuDNN say when a GPU has no room left.
GPU_IS_FULL = re.compile(r"CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|BFCArena")


def run(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """Run what was submitted, by its kind.

    SandboxError or FaultError if we cannot: that is never the student's fault.
    """
    kind: str = assignment["kind"]
    if kind not in KINDS:
        raise FaultError(f"Run workers do not run submissions of kind {kind!r}.")
    try:
        return KINDS[kind](assignment, desk, hand)
    except RefusedError as error:
        return Said("invalid", error.message)


def check_bundle(
    rules: Mapping[str, Any], content: bytes, kind: str, available: Mapping[str, str] | None = None
) -> Bundle:
    """The bundle in these bytes, under `[run]` of challenge.toml; RefusedError if it is none.

    `available` are the packages of the environment, by default of this one.
    """
    most = BundleLimits(total_mib=rules["limits"]["disk_mib"])
    return read_bundle(content, kind, most, available)


def _code(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """A bundle: a script that reads /data and writes /out, or a function for a batch."""
    rules = assignment["run"]
    bundle = check_bundle(rules, desk.file.read_bytes(), "code")
    if rules["contract"] == "batch":
        load = Load("batch", bundle.files, bundle.entry)
        return _answers(assignment, desk, hand, load, _arrays(rules["model"], desk, scaled=False))
    wanted = assignment["output"]
    outcome = run_script(
        bundle,
        desk.inputs,
        desk.outputs,
        limits_of(rules),
        wanted=wanted,
        runner=desk.confiner,
        gpus=desk.gpus,
        on_log=hand.hear,
        stop=hand.let_go,
        take=desk.takes(limits_of(rules)),
    )
    return _said(outcome, desk, desk.outputs / wanted)


def _model(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """A network: our loop feeds it the rows in batches."""
    rules = assignment["run"]["model"]
    content = desk.file.read_bytes()
    with np.load(desk.inputs / rules["file"], allow_pickle=False) as stored:
        model = modelfile.read(rules, content, stored, (CUDA, CPU) if desk.gpus else (CPU,))
    return _answers(assignment, desk, hand, model.load, _arrays(rules, desk, scaled=True))


def _agent(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """An agent: it plays by itself, or with others."""
    rules = assignment["run"]
    bundle = check_bundle(rules, desk.file.read_bytes(), "agent")
    if rules["agent"]["players"] == 1:
        return playing.play_alone(assignment, bundle, desk, hand)
    return playing.play_others(assignment, bundle, desk, hand)


KINDS: Mapping[str, Callable[[Mapping[str, Any], Desk, Hand], Said]] = {
    "agent": _agent,
    "code": _code,
    "model": _model,
}


def _arrays(rules: Mapping[str, Any], desk: Desk, *, scaled: bool) -> dict[str, NDArray[Any]]:
    """The inputs by name; a model gets them in its type and scale, code as they are."""
    with np.load(desk.inputs / rules["file"], allow_pickle=False) as stored:
        found = {one["name"]: stored[one["array"] or one["name"]] for one in rules["inputs"]}
    if not scaled:
        return found
    for one in rules["inputs"]:
        values = found[one["name"]].astype(one["dtype"])
        found[one["name"]] = values * values.dtype.type(one["scale"])
    return found


def _answers(
    assignment: Mapping[str, Any],
    desk: Desk,
    hand: Hand,
    load: Load,
    arrays: Mapping[str, NDArray[Any]],
) -> Said:
    """Feed the rows in batches, and write what is answered as a predictions file."""
    rules = assignment["run"]["model"]
    with desk.serve(load, limits_of(assignment["run"]), hand) as served:
        shape = tuple(rules["output"])
        outcome, answers = predict(served, arrays, Expected(shape), rules["batch_rows"])
    output = desk.outputs / assignment["output"]
    if answers is not None:
        with np.load(desk.inputs / rules["file"], allow_pickle=False) as stored:
            _write(output, assignment["columns"], stored[rules["ids"]], _decoded(rules, answers))
    return _said(outcome, desk, output)


def _decoded(rules: Mapping[str, Any], answers: NDArray[Any]) -> list[list[Any]]:
    """The fields of each row: a class by its highest score, or the numbers themselves."""
    if rules["decode"] == "values":
        numbers: list[list[Any]] = answers.reshape(len(answers), -1).tolist()
        return numbers
    classes = answers.argmax(axis=1)
    labels = rules["labels"]
    return [[labels[one] if labels else one] for one in classes.tolist()]


def _write(target: Path, columns: list[str], ids: NDArray[Any], rows: list[list[Any]]) -> None:
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([one, *row] for one, row in zip(ids.tolist(), rows, strict=True))


def _said(outcome: Outcome, desk: Desk, output: Path) -> Said:
    if outcome.ok:
        return Said("ran", output=output, ended=outcome)
    if desk.gpus and outcome.cause is Cause.EXCEPTION and GPU_IS_FULL.search(outcome.log):
        reason = "The GPU's memory was full. Smaller batches often help."
        outcome = replace(outcome, cause=Cause.MEMORY_LIMIT, reason=reason)
    if outcome.cause is Cause.CANCELLED:
        return Said("returned", outcome.reason, ended=outcome)
    return Said(outcome.cause.value, outcome.reason, ended=outcome)
