"""Whether a challenge's network.py makes the tensors that challenge.toml says, and answers."""

import importlib.util
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from podium.catalog import Spec
from podium.datasets import Prepared
from podium.rehearsal import Piece, rehearse
from podium.sandbox.refusal import RefusedError
from podium.sandbox.weights import Weight, read_weights

BUILD = """
import runpy, sys
from safetensors.torch import save
sys.stdout.buffer.write(save(runpy.run_path(sys.argv[1])["build"]().state_dict()))
"""
BUILD_LIMIT_S = 120
NEEDS = ("torch", "safetensors")

log = logging.getLogger(__name__)


def faults(spec: Spec, prepared: Prepared) -> Iterator[str]:
    """What is wrong with the network that weights are handed in for, if the challenge names one.

    Its code is the host's own and is run as it is, as prepare.py was; then its untrained weights
    are handed in as a student would.
    """
    if spec.run.model is None or spec.run.model.network is None:
        return
    network = spec.run.model.network
    if missing := [name for name in NEEDS if importlib.util.find_spec(name) is None]:
        log.warning("%s is not checked: that needs %s", network.file, " and ".join(missing))
        return
    with tempfile.TemporaryDirectory(prefix="podium-network-") as scratch:
        folder = Path(scratch)
        file = folder / "model.safetensors"
        try:
            file.write_bytes(built(network.source, folder))
            tensors = read_weights(file.read_bytes())
        except (RefusedError, subprocess.SubprocessError) as error:
            yield f"{network.file}: build() gave no network. {error}"
            return
        wanted = {name: Weight.of(text) for name, text in network.weights.items()}
        if tensors != wanted:
            told = f"{network.file}: build() makes other tensors than challenge.toml says."
            yield f"{told} {_table(tensors)}"
            return
        yield from _answers(spec, prepared, file, folder)


def built(source: str, folder: Path) -> bytes:
    """The untrained weights of a network.py as safetensors; SubprocessError with its last words."""
    script = folder / "network.py"
    script.write_text(source, encoding="utf-8")
    command = [sys.executable, "-c", BUILD, str(script)]
    made = subprocess.run(command, capture_output=True, timeout=BUILD_LIMIT_S)
    if made.returncode:
        last = made.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise subprocess.SubprocessError(" ".join(last))
    return made.stdout


def _table(tensors: dict[str, Weight]) -> str:
    lines = "\n".join(f'"{name}" = "{weight}"' for name, weight in sorted(tensors.items()))
    return f"Write:\n[run.model.network.weights]\n{lines}"


def _answers(spec: Spec, prepared: Prepared, file: Path, folder: Path) -> Iterator[str]:
    piece = Piece(
        "model",
        file,
        spec.run.model_dump(mode="json"),
        spec.output_file,
        spec.output_columns,
        inputs=[prepared.folder / "public" / name for name in spec.run.inputs],
    )
    desk = folder / "desk"
    desk.mkdir()
    said = rehearse(piece, desk)
    if said.outcome != "ran":
        yield f"The untrained network of network.py ended with {said.outcome}. {said.reason}"
