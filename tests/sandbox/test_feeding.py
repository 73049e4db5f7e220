"""Submitted code and models answer batches; whatever they do wrong is told and contained."""

import threading

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from podium.sandbox import Bubblewrap, Cause, Limits
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.served import Load, boot, serving_job

ROWS = np.arange(2000, dtype=np.float32).reshape(1000, 2)


def ask(served, expected=None, inputs=None):
    return predict(served, inputs or {"x": ROWS}, expected or Expected(), batch_rows=300)


def test_all_rows_are_answered_in_their_order(serve):
    outcome, predictions = ask(serve("batch", "def predict(batch):\n    return batch.sum(axis=1)"))
    assert outcome.ok
    np.testing.assert_array_equal(predictions, ROWS.sum(axis=1))


def test_the_first_batch_is_a_hundredth(serve):
    outcome, _ = ask(
        serve("batch", "def predict(batch):\n    print(len(batch))\n    return batch[:, 0]")
    )
    assert outcome.log.split() == ["10", "300", "300", "300", "90"]


def test_several_inputs_come_by_name(serve):
    code = "def predict(batch):\n    return batch['a'] - batch['b'][:, 0]"
    inputs = {"a": ROWS[:, 0], "b": ROWS}
    _, predictions = ask(serve("batch", code), inputs=inputs)
    np.testing.assert_array_equal(predictions, np.zeros(1000))


def test_an_answer_may_be_as_large_as_what_is_expected_and_no_larger(serve):
    code = "import numpy as np\ndef predict(b):\n    return np.ones((len(b), 64, 64))"
    outcome, predictions = ask(serve("batch", code), Expected((64, 64)))
    assert outcome.ok
    assert predictions.shape == (1000, 64, 64)
    outcome, _ = ask(serve("batch", code), Expected((2,)))
    assert outcome.cause is Cause.PROTOCOL
    assert "bytes was announced" in outcome.reason


def test_no_rows_are_the_fault_of_the_host(serve):
    with pytest.raises(ValueError, match="no rows"):
        ask(serve("batch", "x = 1"), inputs={"x": ROWS[:0]})


def test_a_torch_tensor_is_an_answer(serve):
    code = "import torch\ndef predict(batch):\n    return torch.from_numpy(batch).mean(dim=1)"
    served = serve("batch", code, Limits(cpu_s=60, wall_s=60, memory_mib=2048))
    np.testing.assert_allclose(ask(served)[1], ROWS.mean(axis=1))


WRONG = {
    "a typo": ("def predict(b):\n    return b.sums()", "exception", "no attribute 'sums'"),
    "a syntax error": ("def predict(:", "exception", "SyntaxError"),
    "no function": ("x = 1", "exception", "defines no function predict"),
    "an import that fails": ("import nowhere", "exception", "No module named 'nowhere'"),
    "NaN": ("def predict(b):\n    return b[:, 0] * float('nan')", "protocol", "row 0 is NaN"),
    "another shape": ("def predict(b):\n    return b", "protocol", "Expected (10,)"),
    "too few rows": ("def predict(b):\n    return b[1:, 0]", "protocol", "shape (9,)"),
    "text": ("def predict(b):\n    return ['a'] * len(b)", "exception", "can be sent"),
    "nothing": ("def predict(b):\n    pass", "exception", "can be sent"),
    "an exit": (
        "import os\ndef predict(b):\n    os._exit(0)",
        "protocol",
        "before it had answered",
    ),
    "an exit with a status": (
        "import sys\ndef predict(b):\n    sys.exit(4)",
        "exception",
        "status 4",
    ),
    "a crash": (
        "import ctypes\ndef predict(b):\n    ctypes.string_at(0)",
        "exception",
        "Segmentation fault",
    ),
    "sleep": ("import time\ndef predict(b):\n    time.sleep(60)", "time_limit", "3 s"),
    "memory": (
        "def predict(b):\n    held = []\n    while True:\n        held.append(bytearray(4 << 20))",
        "memory_limit",
        "256 MiB",
    ),
    "forks": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "process_limit",
        "64 processes",
    ),
    "false frames on the descriptors": (
        "import os\nfor fd in range(3, 9):\n    try:\n        os.write(fd, b'x' * 100)\n"
        "    except OSError:\n        pass\ndef predict(b):\n    return b[:, 0]",
        "protocol",
        "bytes was announced",
    ),
    "a giant answer": (
        "import os\nfor fd in range(3, 9):\n    try:\n        os.write(fd, b'\\xff' * 4)\n"
        "    except OSError:\n        pass\ndef predict(b):\n    return b[:, 0]",
        "protocol",
        "bytes was announced",
    ),
    "a runner that it has patched": (
        "import __main__\n__main__.frames.ANSWER = 99\ndef predict(b):\n    return b[:, 0]",
        "protocol",
        "kind 99",
    ),
    "a pickle bomb": (
        "import pickle\nclass Bomb:\n    def __reduce__(self):\n        import os\n"
        "        return (os._exit, (7,))\npickle.loads(pickle.dumps(Bomb()))",
        "exception",
        "status 7",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_is_told(serve, name):
    code, cause, words = WRONG[name]
    outcome, predictions = ask(serve("batch", code, Limits(wall_s=3, cpu_s=20, memory_mib=256)))
    assert predictions is None
    assert (outcome.cause, words in outcome.reason) == (cause, True), outcome


def test_frames_that_are_printed_are_only_log(serve):
    code = (
        "import sys\nfrom pathlib import Path\n"
        "sys.stdout.buffer.write(bytes([8, 0, 0, 0, 5] + [0] * 7) * 3)\nsys.stdout.flush()\n"
        "def predict(b):\n    return b[:, 0]"
    )
    outcome, predictions = ask(serve("batch", code))
    assert outcome.ok
    np.testing.assert_array_equal(predictions, ROWS[:, 0])
    assert "\x08" in outcome.log


def test_a_fault_after_the_first_hundredth_is_not_said_to_be_in_it(serve):
    code = "def predict(b):\n    assert len(b) == 10, 'too many'\n    return b[:, 0]"
    outcome, _ = ask(serve("batch", code))
    assert outcome.reason == "AssertionError: too many"
    assert 'File "/code/predict.py", line 2' in outcome.log
    assert "/runner/" not in outcome.log


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("integer", "def predict(b):\n    return b[:, 0]", "Expected integer"),
        ("boolean", "def predict(b):\n    return b[:, 0]", "Expected boolean"),
    ],
)
def test_the_kind_of_number_is_checked(serve, kind, code, words):
    outcome, _ = ask(serve("batch", code), Expected(kind=kind))
    assert outcome.cause is Cause.PROTOCOL
    assert words in outcome.reason


def model(*nodes, initializers=(), inputs=("x",)):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in inputs]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", None])]
    graph = helper.make_graph(list(nodes), "g", infos, outputs, list(initializers))
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


WEIGHTS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
LINEAR = model(
    helper.make_node("MatMul", ["x", "w"], ["y"]),
    initializers=[numpy_helper.from_array(WEIGHTS, "w")],
)


def test_a_model_answers_as_its_formula(serve):
    outcome, predictions = ask(serve("model", LINEAR), Expected((3,)))
    assert outcome.ok
    np.testing.assert_allclose(predictions, ROWS @ WEIGHTS, rtol=1e-6)


def test_a_model_whose_data_lie_elsewhere_reads_nothing(serve):
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../etc/ld.so.cache"), ("offset", "0"), ("length", "24")):
        place = tensor.external_data.add()
        place.key, place.value = key, value
    content = model(helper.make_node("MatMul", ["x", "w"], ["y"]), initializers=[tensor])
    outcome, predictions = ask(serve("model", content), Expected((3,)))
    assert predictions is None
    assert outcome.cause is Cause.EXCEPTION


def test_a_model_that_grows_without_end_is_ended(serve):
    shape = numpy_helper.from_array(np.array([1 << 18, 1 << 12], np.int64), "s")
    fill = helper.make_node(
        "ConstantOfShape", ["s"], ["big"], value=numpy_helper.from_array(np.ones(1, np.float32))
    )
    total = helper.make_node("ReduceSum", ["big"], ["t"], keepdims=0)
    content = model(fill, total, helper.make_node("Add", ["x", "t"], ["y"]), initializers=[shape])
    outcome, predictions = ask(serve("model", content), Expected((2,)))
    assert predictions is None
    assert outcome.cause is Cause.MEMORY_LIMIT


def test_bytes_that_are_no_model_are_told(serve):
    outcome, _ = ask(serve("model", b"nonsense"))
    assert outcome.cause is Cause.EXCEPTION


def test_the_log_is_heard_live_and_a_run_can_be_stopped(runner: Bubblewrap):
    stop = threading.Event()
    code = (
        b"import time\ndef predict(b):\n    print('at it', end='', flush=True)\n    time.sleep(60)"
    )
    with boot(runner, serving_job(runner, Limits())) as served:
        served.load(Load("batch", {"predict.py": code}, "predict.py"), lambda _: stop.set(), stop)
        outcome, _ = ask(served)
    assert (outcome.cause, outcome.log) == (Cause.CANCELLED, "at it")
