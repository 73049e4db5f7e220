"""Runs what was submitted, inside the sandbox: code for a batch, an agent, a script or a model.

Frames come on stdin and go to stdout. Both are moved away before anything of the student's is
imported, so what the student prints is log and never a frame. The first frame says what to load;
until then this process may have waited for long, with the packages named on the command line
already imported.
"""

import atexit
import contextlib
import gc
import importlib
import io
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

if TYPE_CHECKING:
    from podium.sandbox.inside import frames
else:
    sys.path.insert(0, os.path.dirname(__file__))
    import frames

    sys.path.pop(0)

CODE = Path("/code")
SMALL = 1 << 16  # frames up to this size are read and written at once
OURS = ("/runner/", "<frozen ")  # lines of a trace that tell a student nothing
Fields = dict[str, Any]


class Channel:
    """The two ends of the pipes, out of the student's way."""

    def __init__(self) -> None:
        self._in = io.FileIO(os.dup(0), "r")
        self._out = io.FileIO(os.dup(1), "w")
        self._rest = bytearray()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def receive(self) -> tuple[int, Fields]:
        """The next frame, its arrays writable; the end of the process if there is none."""
        while len(self._rest) < 4:
            self._rest += self._in.read(SMALL) or sys.exit(0)  # the other side has all it wanted
        whole = 4 + int.from_bytes(self._rest[:4], "little")
        body = self._rest[4:whole]
        self._rest = self._rest[whole:]  # of the frame behind it
        if missing := whole - 4 - len(body):
            view = memoryview(body + bytes(missing))
            at = len(body)
            while at < len(view):
                at += self._in.readinto(view[at:]) or sys.exit(0)
            return frames.unpack(view)
        return frames.unpack(body)

    def send(self, kind: int, **fields: Any) -> None:
        """Write a frame."""
        pieces = frames.pack(kind, fields)
        if sum(map(len, pieces)) < SMALL:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[self._out.write(view) :]


def main() -> None:
    """Wait for something to load, then serve it."""
    channel = Channel()
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()  # what is imported stays: it need not be looked through again
    channel.send(frames.READY)
    _, order = channel.receive()
    role = order.pop("role")
    for name in [name for name in order if name.startswith("file:")]:
        place = Path(name.removeprefix("file:"))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(order.pop(name).data)
    sys.path.insert(0, str(CODE))
    if role == "script":
        channel.send(frames.READY)
        _script(order)
        return
    try:
        serve = ROLES[role](order)
    except BaseException as error:  # whatever the student's module raises is told as such
        _tell(channel, error)
        sys.exit(1)
    channel.send(frames.READY)
    _serve(channel, serve)


def _script(order: Fields) -> NoReturn:
    """Run the entry as `python ENTRY` would, but for taking torch apart at the end: 0.3 s."""
    sys.argv = [str(CODE / order["entry"])]
    status = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, int):
            status = ended.code & 0xFF
        elif ended.code is not None:
            print(ended.code, file=sys.stderr)
            status = 1
    except BaseException as error:
        _trace(error)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter does at its end
    atexit._run_exitfuncs()
    gc.collect()  # files that nobody closed are closed by this, or else flushed
    for stream in [one for one in gc.get_objects() if isinstance(one, io.IOBase)]:
        with contextlib.suppress(OSError, ValueError):  # it is closed, or the disk is full
            stream.flush()
    for out in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            out.flush()
    os._exit(status)


def _serve(channel: Channel, serve: Callable[[int, Fields], Fields]) -> None:
    while True:
        kind, fields = channel.receive()
        if kind == frames.PLACE:  # this thread alone: it is the one that answers
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, fields["processors"].tolist())
            continue
        try:
            channel.send(frames.ANSWER, **serve(kind, fields))
        except Exception as error:
            _tell(channel, error)


def _trace(error: BaseException) -> str:
    """Print the trace from the student's first line on; returns its last line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OURS):
        trace = trace.tb_next
    sys.__excepthook__(type(error), error.with_traceback(trace), trace)
    sys.stderr.flush()
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]


def _tell(channel: Channel, error: BaseException) -> None:
    """The trace to the log, its last line to the other side."""
    channel.send(frames.FAILED, message=_trace(error)[:500])


def _module(order: Fields) -> dict[str, Any]:
    entry = str(order["entry"])
    return runpy.run_path(str(CODE / entry), run_name=Path(entry).stem)


def _batch(order: Fields) -> Callable[[int, Fields], Fields]:
    """`predict(batch)`: one array if there is one input, else a dictionary of arrays by name."""
    names = _module(order)
    if "predict" not in names:
        raise AttributeError(f"{order['entry']} defines no function predict(batch).")
    predict = names["predict"]

    def serve(_: int, fields: Fields) -> Fields:
        batch = next(iter(fields.values())) if len(fields) == 1 else fields
        return {"predictions": _array(predict(batch))}

    return serve


def _agent(order: Fields) -> Callable[[int, Fields], Fields]:
    """`act(observation, info)`, or a class `Agent` with that method, made anew each episode."""
    names = _module(order)
    maker = names.get("Agent")
    if maker is None and "act" not in names:
        raise AttributeError(f"{order['entry']} defines neither act(observation, info) nor Agent.")
    act = names.get("act") if maker is None else None

    def serve(kind: int, fields: Fields) -> Fields:
        nonlocal act
        if kind == frames.RESET:
            act = names["act"] if maker is None else maker().act
            return {}
        observation = fields.pop("observation")
        return {"action": _array(act(observation, fields))}  # type: ignore[misc]  # reset comes first

    return serve


def _model(order: Fields) -> Callable[[int, Fields], Fields]:
    """An ONNX model, by onnxruntime; its first output is the answer."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    wanted = order["providers"].split(",")
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    session = onnxruntime.InferenceSession(str(CODE / "model.onnx"), options, providers=providers)
    output = session.get_outputs()[0].name

    def serve(_: int, fields: Fields) -> Fields:
        return {"predictions": session.run([output], fields)[0]}

    return serve


def _weights(order: Fields) -> Callable[[int, Fields], Fields]:
    """Weights for the challenge's architecture: `build()` of the entry makes the empty network."""
    import torch
    from safetensors.torch import load_file

    network = _module(order)["build"]()
    network.load_state_dict(load_file(CODE / "model.safetensors"), strict=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(device).eval()

    @torch.inference_mode()
    def serve(_: int, fields: Fields) -> Fields:
        inputs = {name: torch.from_numpy(value).to(device) for name, value in fields.items()}
        whole = next(iter(inputs.values())) if len(inputs) == 1 else inputs
        return {"predictions": _array(network(whole))}

    return serve


def _array(value: Any) -> Any:
    """What a student returned, as an array; a torch tensor is taken from its device."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    return array if array.dtype in frames.CODES else np.ascontiguousarray(array)


ROLES = {"batch": _batch, "agent": _agent, "model": _model, "weights": _weights}

if __name__ == "__main__":
    main()
