"""ONNX files: what is read of them, and what is refused before anything is loaded."""

import contextlib
import pickle

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from podium.sandbox.onnxfile import Requirements, Tensor, check_model, read_model
from podium.sandbox.refusal import RefusedError

WEIGHTS = np.arange(40, dtype=np.float32).reshape(4, 10)
WANTED = Requirements((Tensor("x", "float32", (None, 4)),), (10,))


def graph_of(nodes, initializers=(), inputs=None, outputs=None):
    inputs = inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])]
    outputs = outputs or [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])]
    return helper.make_graph(nodes, "g", inputs, outputs, list(initializers))


def model_of(graph, opset=17, domain=""):
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(domain, 1)] if domain else []
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def linear(initializer=None, **options):
    weights = initializer or numpy_helper.from_array(WEIGHTS, "w")
    return model_of(graph_of([helper.make_node("MatMul", ["x", "w"], ["y"])], [weights]), **options)


LINEAR = linear().SerializeToString()


def test_a_card_tells_what_the_model_is():
    card = check_model(LINEAR, WANTED)
    assert (card.opset, card.operators, card.parameters, card.nodes) == (17, {"MatMul"}, 40, 1)
    assert card.inputs == [Tensor("x", "float32", (None, 4))]
    assert card.outputs == [Tensor("y", "float32", (None, 10))]


def test_weights_that_are_listed_among_the_inputs_are_no_inputs():
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4]),
        helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 10]),
    ]
    graph = graph_of(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [numpy_helper.from_array(WEIGHTS, "w")],
        inputs,
    )
    assert check_model(model_of(graph).SerializeToString(), WANTED).parameters == 40


def external():
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    place = tensor.external_data.add()
    place.key, place.value = "location", "../../../../etc/shadow"
    return linear(tensor)


def external_in_a_constant():
    tensor = external().graph.initializer[0]
    node = helper.make_node("Constant", [], ["w"], value=tensor)
    return model_of(graph_of([node, helper.make_node("MatMul", ["x", "w"], ["y"])]))


def giant():
    tensor = TensorProto()
    tensor.name, tensor.data_type = "w", TensorProto.FLOAT
    tensor.dims.extend([1 << 40, 1 << 20])
    return linear(tensor)


def nested(depth):
    graph = graph_of([helper.make_node("Identity", ["x"], ["y"])])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph_of([]))
        graph = graph_of([node])
    return model_of(graph)


def batch_of_one():
    fixed = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return model_of(graph_of([node], [numpy_helper.from_array(WEIGHTS, "w")], fixed))


def renamed():
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 4])]
    return model_of(graph_of([helper.make_node("Identity", ["images"], ["y"])], (), inputs))


def doubles():
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", 4])]
    return model_of(graph_of([helper.make_node("Identity", ["x"], ["y"])], (), inputs))


def nine_classes():
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 9])]
    return model_of(graph_of([helper.make_node("Identity", ["x"], ["y"])], (), None, outputs))


REFUSED = {
    "data in another file": (external(), "in another file"),
    "data in another file, hidden in a node": (external_in_a_constant(), "in another file"),
    "a giant shape": (giant(), "more than its"),
    "graphs in graphs": (nested(17), "deep"),
    "an operator of one's own": (
        model_of(graph_of([helper.make_node("Run", ["x"], ["y"], domain="evil")]), domain="evil"),
        "'evil'",
    ),
    "an old opset": (linear(opset=6), "opset 6"),
    "a fixed batch": (batch_of_one(), "must be free"),
    "another input": (renamed(), "Expected 'x'"),
    "another type": (doubles(), "float64"),
    "another output": (nine_classes(), "[batch, 9]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_is_refused_in_words(name):
    model, words = REFUSED[name]
    with pytest.raises(RefusedError) as refused:
        check_model(model.SerializeToString(), WANTED)
    assert words in refused.value.message


def test_a_model_that_is_too_large_is_refused():
    with pytest.raises(RefusedError, match="At most 0 MiB"):
        check_model(LINEAR, Requirements(WANTED.inputs, WANTED.output, max_mib=0))


def test_graphs_in_graphs_are_read_up_to_a_depth():
    assert read_model(nested(8).SerializeToString()).operators == {"If", "Identity"}


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "content", [b"", b"hello", pickle.dumps(Bomb()), b"PK\x03\x04" + bytes(100)]
)
def test_other_bytes_are_no_model(content):
    with pytest.raises(RefusedError, match="no ONNX model"):
        read_model(content)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(LINEAR) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_damaged_models_are_read_or_refused_and_nothing_else(changes, cut):
    content = bytearray(LINEAR)
    for at, value in changes:
        content[at] = value
    with contextlib.suppress(RefusedError):
        assert read_model(bytes(content[: len(content) - cut])).opset > 0


def test_the_reader_agrees_with_the_library_on_a_larger_model():
    weights = numpy_helper.from_array(np.zeros((8, 1, 3, 3), np.float32), "k")
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("GlobalAveragePool", ["b"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8, 1, 1])]
    model = model_of(graph_of(nodes, [weights], inputs, outputs))
    onnx.checker.check_model(model)
    card = read_model(model.SerializeToString())
    assert card.operators == {node.op_type for node in model.graph.node}
    assert card.parameters == 72
    assert card.inputs[0].shape == (None, 1, 28, 28)
