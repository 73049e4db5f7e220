"""Reads what an ONNX file says of itself, and refuses what the platform will not run.

ONNX is protobuf. Only the fields that are needed are read, by a reader of our own that follows
lengths and makes nothing else of the bytes: a library that builds the whole model would work on
hostile bytes in a trusted process. The model itself is only ever loaded inside the sandbox.
Field numbers: onnx.proto of ONNX 1.18.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from podium.sandbox.refusal import RefusedError

MIB = 1 << 20
DEEPEST = 16  # graphs inside graphs (If, Loop, Scan, functions)
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
}
MODEL = {"producer": 2, "graph": 7, "opset": 8, "functions": 25}
GRAPH = {"node": 1, "initializer": 5, "input": 11, "output": 12, "sparse": 15}
NODE = {"op_type": 4, "attribute": 5, "domain": 7}
FUNCTION = {"node": 7, "domain": 10}
ATTRIBUTE = {"tensor": 5, "graph": 6, "tensors": 10, "graphs": 11, "sparse": 22, "sparses": 23}
TENSOR = {"dims": 1, "type": 2, "name": 8, "external": 13, "location": 14}
EXTERNAL = 1
VALUES_PER_BYTE = 8


@dataclass(frozen=True)
class Tensor:
    """An input or output: its element type and its shape; None is an axis of any length."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Requirements:
    """What a challenge asks of a model. Axis 0 is the batch and must be free."""

    inputs: tuple[Tensor, ...]
    output: tuple[int, ...]  # shape without the batch axis
    max_mib: int = 256
    opset: tuple[int, int] = (7, 24)
    max_nodes: int = 100_000
    domains: tuple[str, ...] = DOMAINS


@dataclass
class Card:
    """What a model says of itself."""

    opset: int = 0
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    operators: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    own_domains: set[str] = field(default_factory=set)
    external: list[str] = field(default_factory=list)
    parameters: int = 0
    nodes: int = 0


def read_model(content: bytes) -> Card:
    """The card of an ONNX file. Raises RefusedError if the bytes are none."""
    card = Card()
    model = memoryview(content)
    try:
        graphs = []
        for number, value in _fields(model):
            if number == MODEL["opset"] and isinstance(value, memoryview):
                domain, version = _opset(value)
                if domain in ("", "ai.onnx"):
                    card.opset = version
            elif number == MODEL["graph"] and isinstance(value, memoryview):
                graphs.append(value)
            elif number == MODEL["functions"] and isinstance(value, memoryview):
                _function(value, card)
        if len(graphs) != 1 or not card.opset:
            raise RefusedError("This is no ONNX model: it holds no graph, or names no opset.")
        _graph(graphs[0], card, 0, is_top=True)
    except (IndexError, ValueError) as error:
        raise RefusedError(f"This is no ONNX model: {error}.") from None
    return card


def check_model(content: bytes, wanted: Requirements) -> Card:
    """The card of a model that fits the challenge. Raises RefusedError that says what does not."""
    if len(content) > wanted.max_mib * MIB:
        raise RefusedError(
            f"The model has {len(content) / MIB:.1f} MiB. At most {wanted.max_mib} MiB are allowed."
        )
    card = read_model(content)
    if card.external:
        raise RefusedError(
            f"The tensor {card.external[0]!r} has its data in another file. Save the model as one "
            "file: onnx.save(model, path, save_as_external_data=False)."
        )
    oldest, newest = wanted.opset
    if not oldest <= card.opset <= newest:
        raise RefusedError(
            f"The model uses opset {card.opset}. Opsets {oldest} to {newest} are run here: export "
            f"it with opset_version={newest}."
        )
    if odd := sorted(card.domains - card.own_domains - set(wanted.domains)):
        raise RefusedError(
            f"The model uses operators of {odd[0]!r}. Only the standard operators are run here."
        )
    if card.parameters > VALUES_PER_BYTE * len(content):
        raise RefusedError(
            f"The model claims {card.parameters:,} stored values, more than its "
            f"{len(content):,} bytes can hold."
        )
    if card.nodes > wanted.max_nodes:
        raise RefusedError(f"The model has {card.nodes:,} nodes. At most {wanted.max_nodes:,}.")
    _check_inputs(card.inputs, wanted.inputs)
    _check_output(card.outputs, wanted.output)
    return card


def _check_inputs(inputs: list[Tensor], wanted: tuple[Tensor, ...]) -> None:
    names = [tensor.name for tensor in inputs]
    if sorted(names) != sorted(tensor.name for tensor in wanted):
        expected = ", ".join(repr(tensor.name) for tensor in wanted)
        raise RefusedError(
            f"The model's inputs are {', '.join(map(repr, names))}. Expected {expected}."
        )
    for expected_tensor in wanted:
        tensor = next(item for item in inputs if item.name == expected_tensor.name)
        if tensor.dtype != expected_tensor.dtype or not _fits(tensor.shape, expected_tensor.shape):
            raise RefusedError(
                f"Input {tensor.name!r} is {tensor.dtype} {_shown(tensor.shape)}. Expected "
                f"{expected_tensor.dtype} {_shown(expected_tensor.shape)}: the first axis is the "
                "batch and must be free (dynamic_axes or dynamic_shapes at export)."
            )


def _check_output(outputs: list[Tensor], wanted: tuple[int, ...]) -> None:
    if not outputs:
        raise RefusedError("The model has no output.")
    first = outputs[0]
    if first.shape and not _fits(first.shape, (None, *wanted)):
        raise RefusedError(
            f"Output {first.name!r} is {_shown(first.shape)}. Expected {_shown((None, *wanted))}."
        )


def _fits(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """A fixed axis where a free one is wanted does not fit; a free one fits everywhere."""
    return len(shape) == len(wanted) and all(
        have is None or have == want for have, want in zip(shape, wanted, strict=True)
    )


def _shown(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("batch" if axis is None else str(axis) for axis in shape) + "]"


def _graph(graph: memoryview, card: Card, depth: int, *, is_top: bool = False) -> None:
    if depth > DEEPEST:
        raise RefusedError(f"The model nests graphs more than {DEEPEST} deep.")
    inputs, initialised = [], set()
    for number, value in _fields(graph):
        if not isinstance(value, memoryview):
            continue
        if number == GRAPH["node"]:
            _node(value, card, depth)
        elif number == GRAPH["initializer"]:
            initialised.add(_tensor(value, card))
        elif number == GRAPH["sparse"]:
            _sparse(value, card)
        elif number == GRAPH["input"] and is_top:
            inputs.append(_value(value))
        elif number == GRAPH["output"] and is_top:
            card.outputs.append(_value(value))
    if is_top:  # old exporters list the weights among the inputs
        card.inputs = [tensor for tensor in inputs if tensor.name not in initialised]


def _function(function: memoryview, card: Card) -> None:
    """Operators that a model brings along, made of others."""
    for number, value in _fields(function):
        if number == FUNCTION["node"] and isinstance(value, memoryview):
            _node(value, card, 1)
        elif number == FUNCTION["domain"] and isinstance(value, memoryview):
            card.own_domains.add(_text(value))


def _node(node: memoryview, card: Card, depth: int) -> None:
    operator = domain = ""
    for number, value in _fields(node):
        if not isinstance(value, memoryview):
            continue
        if number == NODE["op_type"]:
            operator = _text(value)
        elif number == NODE["domain"]:
            domain = _text(value)
        elif number == NODE["attribute"]:
            _attribute(value, card, depth)
    card.nodes += 1
    card.operators.add(operator)
    card.domains.add(domain)


def _attribute(attribute: memoryview, card: Card, depth: int) -> None:
    for number, value in _fields(attribute):
        if not isinstance(value, memoryview):
            continue
        if number in (ATTRIBUTE["graph"], ATTRIBUTE["graphs"]):
            _graph(value, card, depth + 1)
        elif number in (ATTRIBUTE["tensor"], ATTRIBUTE["tensors"]):
            _tensor(value, card)
        elif number in (ATTRIBUTE["sparse"], ATTRIBUTE["sparses"]):
            _sparse(value, card)


def _sparse(sparse: memoryview, card: Card) -> None:
    for number, value in _fields(sparse):
        if number in (1, 2) and isinstance(value, memoryview):
            _tensor(value, card)


def _tensor(tensor: memoryview, card: Card) -> str:
    """Counts it, notes data outside of the file; returns its name."""
    name, count, is_external = "", 1, False
    for number, value in _fields(tensor):
        if number == TENSOR["dims"]:
            for length in (value,) if isinstance(value, int) else _packed(value):
                count *= length
        elif number == TENSOR["name"] and isinstance(value, memoryview):
            name = _text(value)
        elif number == TENSOR["external"] or (number == TENSOR["location"] and value == EXTERNAL):
            is_external = True
    card.parameters += count
    if is_external:
        card.external.append(name)
    return name


def _value(info: memoryview) -> Tensor:
    name, dtype = "", "unknown"
    shape: tuple[int | None, ...] = ()
    for number, value in _fields(info):
        if number == 1 and isinstance(value, memoryview):
            name = _text(value)
        elif number == 2 and isinstance(value, memoryview):
            for kind, tensor in _fields(value):
                if kind == 1 and isinstance(tensor, memoryview):
                    dtype, shape = _tensor_type(tensor)
    return Tensor(name, dtype, shape)


def _tensor_type(tensor: memoryview) -> tuple[str, tuple[int | None, ...]]:
    dtype, shape = "unknown", []
    for number, value in _fields(tensor):
        if number == 1 and isinstance(value, int):
            dtype = TYPES.get(value, f"type {value}")
        elif number == 2 and isinstance(value, memoryview):
            for kind, dimension in _fields(value):
                if kind == 1 and isinstance(dimension, memoryview):
                    facts = dict(_fields(dimension))
                    length = facts.get(1)
                    shape.append(length if isinstance(length, int) else None)
    return dtype, tuple(shape)


def _opset(value: memoryview) -> tuple[str, int]:
    facts = dict(_fields(value))
    domain, version = facts.get(1), facts.get(2, 0)
    return _text(domain) if isinstance(domain, memoryview) else "", int(version)


def _text(value: memoryview) -> str:
    return str(value[:200], "utf-8", "replace")


def _packed(value: memoryview) -> Iterator[int]:
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; what has a length is a view, nothing is copied."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("it is cut off")
            yield number, message[at : at + length]
            at += length
        else:
            raise ValueError("its bytes are no protobuf")
    if at > len(message):
        raise ValueError("it is cut off")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
    raise ValueError("a number in it has no end")
