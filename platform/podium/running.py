"""WHERE A SUBMITTED MODEL OR BUNDLE IS RUN: on a run worker, in the sandbox, nowhere else.

Knows nothing of the web or the database: files in, files and a saying out.
"""

import csv
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from podium.errors import FaultError
from podium.sandbox import Limits, Outcome
from podium.sandbox.bundle import Bundle, BundleLimits, read_bundle
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.job import Device
from podium.sandbox.onnxfile import Card, Requirements, Tensor, check_model
from podium.sandbox.outcome import Cause
from podium.sandbox.refusal import RefusedError
from podium.sandbox.runner import Runner as Confiner
from podium.sandbox.scripts import run_script
from podium.sandbox.served import CPU, CUDA, Load, boot, serving_job

# What torch, onnxruntime and cuDNN say when a GPU has no room left.
GPU_IS_FULL = re.compile(r"CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|BFCArena")


class Hand(Protocol):
    """Who holds a run: hears what it prints, and may end it."""

    let_go: threading.Event

    def hear(self, text: str) -> None:
        """Add what was printed."""


@dataclass(frozen=True)
class Desk:
    """The files of one run, how it is confined and on which GPUs."""

    file: Path  # what was submitted
    inputs: Path  # folder of the public files it reads
    outputs: Path  # folder for what it writes
    confiner: Confiner
    gpus: tuple[Device, ...] = ()

    @classmethod
    def make(cls, folder: Path, confiner: Confiner, gpus: tuple[Device, ...] = ()) -> "Desk":
        """An empty desk in an empty folder."""
        desk = cls(folder / "file", folder / "inputs", folder / "outputs", confiner, gpus)
        for each in (desk.inputs, desk.outputs):
            each.mkdir()
        folder.chmod(0o755)  # the sandbox runs as somebody else
        return desk


@dataclass(frozen=True)
class Said:
    """How a run ended, in the words of `podium.assignments.Report`, and what it wrote."""

    outcome: str
    reason: str = ""
    details: list[dict[str, Any]] = field(default_factory=list)
    output: Path | None = None
    ended: Outcome | None = None

    def as_json(self, log_tail: str) -> dict[str, Any]:
        """As the web takes it."""
        said: dict[str, Any] = {
            "outcome": self.outcome,
            "reason": self.reason,
            "details": self.details,
            "log": log_tail,
        }
        if self.ended is not None:
            said["wall_s"], said["cpu_s"] = self.ended.wall_s, self.ended.cpu_s
            said["memory_bytes"] = round(self.ended.peak_memory_mib * (1 << 20))
        return said


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


def check_bundle(rules: Mapping[str, Any], content: bytes) -> Bundle:
    """The bundle in these bytes, under `[run]` of challenge.toml; RefusedError if it is none."""
    return read_bundle(content, "code", BundleLimits(total_mib=rules["limits"]["disk_mib"]))


def check_onnx(
    rules: Mapping[str, Any], content: bytes, stored: Mapping[str, NDArray[Any]]
) -> Card:
    """What a model says of itself if it fits `[run.model]` and its inputs; else RefusedError."""
    tensors = tuple(
        Tensor(one["name"], one["dtype"], (None, *stored[one["array"] or one["name"]].shape[1:]))
        for one in rules["inputs"]
    )
    return check_model(content, Requirements(tensors, tuple(rules["output"]), rules["max_mib"]))


def _code(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """A bundle: a script that reads /data and writes /out, or a function for a batch."""
    rules = assignment["run"]
    bundle = check_bundle(rules, desk.file.read_bytes())
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
    )
    return _said(outcome, desk, desk.outputs / wanted)


def _model(assignment: Mapping[str, Any], desk: Desk, hand: Hand) -> Said:
    """An ONNX file: our loop feeds it the rows in batches."""
    rules = assignment["run"]["model"]
    content = desk.file.read_bytes()
    with np.load(desk.inputs / rules["file"], allow_pickle=False) as stored:
        check_onnx(rules, content, stored)
    arrays = _arrays(rules, desk, scaled=True)
    providers = (CUDA, CPU) if desk.gpus else (CPU,)
    load = Load("model", {"model.onnx": content}, providers=providers)
    return _answers(assignment, desk, hand, load, arrays)


KINDS: Mapping[str, Callable[[Mapping[str, Any], Desk, Hand], Said]] = {
    "code": _code,
    "model": _model,
}


def limits_of(rules: Mapping[str, Any]) -> Limits:
    """The sandbox's limits, as `[run.limits]` of challenge.toml says them."""
    known = {one.name for one in fields(Limits)}
    return Limits(**{name: value for name, value in rules["limits"].items() if name in known})


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
    job = serving_job(desk.confiner, limits_of(assignment["run"]), gpus=desk.gpus)
    with boot(desk.confiner, job) as served:
        served.load(load, hand.hear, hand.let_go)
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
