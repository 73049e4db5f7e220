"""A submitted model: an ONNX file, or weights for the network that the challenge names."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from podium.enclosures import NETWORK
from podium.sandbox.onnxfile import Requirements, Tensor, check_model
from podium.sandbox.refusal import RefusedError
from podium.sandbox.served import CPU, Load
from podium.sandbox.weights import Weight, check_weights, is_weights


class ModelFile(NamedTuple):
    """How it is served, and what it says of itself."""

    load: Load
    words: str


def read(
    rules: Mapping[str, Any],
    content: bytes,
    stored: Mapping[str, NDArray[Any]],
    providers: tuple[str, ...] = (CPU,),
) -> ModelFile:
    """The model in these bytes, if it fits `[run.model]` and its inputs; else RefusedError.

    `providers` are those of onnxruntime; a network goes to CUDA wherever there is one.
    """
    if is_weights(content):
        return _weights(rules, content)
    tensors = tuple(
        Tensor(one["name"], one["dtype"], (None, *stored[one["array"] or one["name"]].shape[1:]))
        for one in rules["inputs"]
    )
    card = check_model(content, Requirements(tensors, tuple(rules["output"]), rules["max_mib"]))
    return ModelFile(
        Load("model", {"model.onnx": content}, providers=providers),
        f"opset {card.opset}, {card.nodes:,} nodes, {card.parameters:,} stored values",
    )


def _weights(rules: Mapping[str, Any], content: bytes) -> ModelFile:
    network = rules["network"]
    if network is None:
        raise RefusedError(
            "The file holds weights (safetensors), and this challenge names no network for them. "
            "Export the whole model as ONNX."
        )
    wanted = {name: Weight.of(text) for name, text in network["weights"].items()}
    check_weights(content, wanted, rules["max_mib"])
    files = {"model.safetensors": content, NETWORK: network["source"].encode()}
    return ModelFile(
        Load("weights", files, NETWORK), f"weights of {NETWORK}, {len(wanted):,} tensors"
    )
