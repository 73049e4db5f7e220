"""Submitted bundles and models, really run in the sandbox of this machine."""

import io
import threading
import zipfile
from dataclasses import dataclass, field

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

from podium import running
from podium.catalog import Run
from podium.desk import Desk, Said
from podium.errors import FaultError
from podium.sandbox import Bubblewrap

ROWS = 40
GOOD = """
import csv, numpy
data = numpy.load("/data/test.npz")
print("rows", len(data["ids"]))
with open("/out/predictions.csv", "w") as out:
    print("id,label", file=out)
    for row, value in zip(data["ids"], data["images"].argmax(axis=1)):
        print(f"{row},{value}", file=out)
"""
BATCH = "def predict(batch):\n    return batch.astype(float)\n"
MODEL = {
    "file": "test.npz",
    "inputs": [{"name": "images", "dtype": "float32", "scale": 0.5}],
    "output": [10],
    "batch_rows": 16,
}


@dataclass
class Ear:
    """Hears what is printed."""

    said: str = ""
    let_go: threading.Event = field(default_factory=threading.Event)

    def hear(self, text: str) -> None:
        self.said += text


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (ROWS, 10), dtype=np.uint8)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def carry_out(scratch, images, ear, tmp_path_factory):
    """Runs a file of some kind under the rules of `[run]`."""

    def carry_out(kind: str, content: bytes, **rules: object) -> Said:
        folder = tmp_path_factory.mktemp("desk")
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
        desk = Desk.make(folder, Bubblewrap.here())
        desk.file.write_bytes(content)
        np.savez(desk.inputs / "test.npz", ids=np.arange(ROWS) + 100, images=images)
        assignment = {
            "kind": kind,
            "run": Run.model_validate({"inputs": ["test.npz"]} | rules).model_dump(mode="json"),
            "output": "predictions.csv",
            "columns": ["id", "label"],
        }
        return running.run(assignment, desk, ear)

    return carry_out


def zipped(**files: str) -> bytes:
    """A bundle; `predict` is the file predict.py."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return packed.getvalue()


def doubling() -> bytes:
    """An ONNX model that multiplies ten numbers by two."""
    graph = helper.make_graph(
        [helper.make_node("Mul", ["images", "two"], ["scores"])],
        "doubling",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 10])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(np.array(2, np.float32), "two")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return onnx.ModelProto.SerializeToString(model)


def expected(images) -> str:
    rows = "".join(f"{100 + row},{best}\n" for row, best in enumerate(images.argmax(axis=1)))
    return "id,label\n" + rows


def test_a_script_reads_its_inputs_and_writes_its_predictions(carry_out, images, ear):
    said = carry_out("code", zipped(predict=GOOD))
    assert (said.outcome, said.reason) == ("ran", said.reason)
    assert said.output.read_text() == expected(images)
    assert f"rows {ROWS}" in ear.said
    assert said.ended.peak_memory_mib > 5


def test_a_function_gets_batches_as_they_are(carry_out, images):
    said = carry_out("code", zipped(predict=BATCH), contract="batch", model=MODEL)
    assert said.outcome == "ran", said.reason
    assert said.output.read_text() == expected(images)


def test_a_model_is_fed_by_us_and_gives_the_same_file(carry_out, images):
    said = carry_out("model", doubling(), model=MODEL)
    assert said.outcome == "ran", said.reason
    assert said.output.read_text() == expected(images)


NETWORK = """
import torch
def build():
    return torch.nn.Linear(10, 10, bias=False)
"""


def test_weights_are_loaded_into_the_network_of_the_challenge(carry_out, images):
    network = {"file": "network.py", "weights": {"weight": "F32 [10, 10]"}, "source": NETWORK}
    rules = MODEL | {"network": network}
    said = carry_out("model", save({"weight": np.eye(10, dtype=np.float32)}), model=rules)
    assert said.outcome == "ran", said.reason
    assert said.output.read_text() == expected(images)
    said = carry_out("model", save({"weight": np.eye(9, dtype=np.float32)}), model=rules)
    assert (said.outcome, said.reason) == (
        "invalid",
        "'weight' is F32 [9, 9]. Expected F32 [10, 10].",
    )
    assert carry_out("model", doubling(), model=rules).outcome == "ran"


def test_weights_without_a_network_are_refused(carry_out):
    said = carry_out("model", save({"weight": np.eye(10, dtype=np.float32)}), model=MODEL)
    assert said.outcome == "invalid"
    assert "names no network" in said.reason


def test_classes_may_have_names(carry_out, images):
    labels = [f"class {index}" for index in range(10)]
    said = carry_out("model", doubling(), model=MODEL | {"labels": labels})
    assert said.output.read_text().splitlines()[1] == f"100,class {images[0].argmax()}"


def test_an_error_is_told_with_its_last_lines(carry_out, ear):
    said = carry_out("code", zipped(predict="import numpy\nnumpy.lod('x')\n"))
    assert said.outcome == "exception"
    assert "1 %" in said.reason
    assert "AttributeError" in ear.said


def test_nothing_in_out_breaks_the_protocol(carry_out):
    said = carry_out("code", zipped(predict="print('hello')\n"))
    assert said.outcome == "protocol"
    assert "predictions.csv" in said.reason


def test_a_limit_that_is_broken_is_named_with_its_number(carry_out):
    said = carry_out(
        "code",
        zipped(predict="while True: pass\n"),
        limits={"wall_s": 1.0},
    )
    assert said.outcome == "time_limit"
    assert "1" in said.reason


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("code", zipped(other="pass\n"), "predict.py"),
        ("code", b"PK\x03\x04 no zip at all", "zip"),
        ("model", b"no model", "no ONNX model"),
    ],
)
def test_a_file_of_the_wrong_form_is_invalid_in_words(carry_out, kind, content, words):
    said = carry_out(kind, content, model=MODEL)
    assert said.outcome == "invalid"
    assert words in said.reason


def test_letting_go_ends_it_at_once(carry_out, ear):
    threading.Timer(1.0, ear.let_go.set).start()
    said = carry_out("code", zipped(predict="import time\ntime.sleep(60)\n"))
    assert said.outcome == "returned"


def test_a_kind_that_is_not_run_is_our_fault(carry_out):
    with pytest.raises(FaultError, match="'predictions'"):
        carry_out("predictions", b"x")
