"""Weights in safetensors: the head is checked, the tensors are only read in the sandbox."""

import contextlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from podium.sandbox import Limits
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.refusal import RefusedError
from podium.sandbox.served import Load, boot, serving_job
from podium.sandbox.weights import Weight, check_weights, read_weights

TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    "bias": np.ones(3, np.float32),
}
CONTENT = save(TENSORS)
WANTED = {"weight": Weight("F32", (3, 2)), "bias": Weight("F32", (3,))}


def filed(head, data=b""):
    text = json.dumps(head).encode() if not isinstance(head, bytes) else head
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_the_head_tells_names_types_and_shapes():
    assert read_weights(CONTENT) == WANTED
    check_weights(CONTENT, WANTED, max_mib=1)


ODD = {
    "nothing": b"",
    "text": b"hello, this is text",
    "a head that is cut off": CONTENT[:40],
    "data that is cut off": CONTENT[:-1],
    "bytes behind the data": CONTENT + b"x",
    "a head that is no JSON": filed(b"{"),
    "a list": filed([]),
    "nested lists": filed(b"[" * 100_000),
    "a tensor that is none": filed({"w": 3}),
    "an unknown type": filed({"w": tensor("OBJECT")}, bytes(4)),
    "a type that is a list": filed({"w": tensor(["F32"])}, bytes(4)),
    "a shape that does not fit": filed({"w": tensor(shape=(2,))}, bytes(4)),
    "a giant shape": filed({"w": tensor(shape=(1 << 40, 1 << 40))}, bytes(4)),
    "a negative place": filed({"w": tensor(offsets=(-4, 0))}, bytes(4)),
    "a fraction": filed({"w": tensor(shape=(1.0,))}, bytes(4)),
    "overlapping tensors": filed({"v": tensor(), "w": tensor()}, bytes(4)),
    "a gap": filed({"v": tensor(), "w": tensor(offsets=(8, 12))}, bytes(12)),
}


@pytest.mark.parametrize("name", ODD)
def test_other_bytes_are_no_weights(name):
    with pytest.raises(RefusedError, match="no safetensors file"):
        read_weights(ODD[name])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place, value):
    content = bytearray(CONTENT)
    content[place] = value
    with contextlib.suppress(RefusedError):
        assert len(read_weights(bytes(content))) <= 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (WANTED | {"more": Weight("F32", (1,))}, "lack 'more'"),
        ({"bias": WANTED["bias"]}, "has no 'weight'"),
        (WANTED | {"bias": Weight("F16", (3,))}, r"'bias' is F32 \[3\]. Expected F16 \[3\]"),
    ],
)
def test_weights_of_another_architecture_are_refused(wanted, words):
    with pytest.raises(RefusedError, match=words):
        check_weights(CONTENT, wanted, max_mib=1)


def test_weights_that_are_too_large_are_refused():
    with pytest.raises(RefusedError, match="At most 0 MiB"):
        check_weights(CONTENT, WANTED, max_mib=0)


def test_the_network_with_these_weights_answers(runner):
    code = b"import torch\ndef build():\n    return torch.nn.Linear(2, 3)\n"
    files = {"architecture.py": code, "model.safetensors": CONTENT}
    rows = np.random.default_rng(0).random((50, 2), np.float32)
    job = serving_job(runner, Limits(memory_mib=2048), ("torch",))
    with boot(runner, job) as served:
        served.load(Load("weights", files, "architecture.py"))
        outcome, predictions = predict(served, {"x": rows}, Expected((3,)), 20)
    assert outcome.ok, outcome
    expected = torch.from_numpy(rows) @ torch.from_numpy(TENSORS["weight"]).T + 1
    np.testing.assert_allclose(predictions, expected.numpy(), rtol=1e-5)
