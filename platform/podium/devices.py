"""The GPUs of this machine: which there are, and whether they compute.

They are listed by `nvidia-smi`, which comes with every driver and speaks NVML: nothing to install,
and nothing that could fail to import where there is no GPU.
"""

import csv
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from podium.errors import ConfigError, FaultError
from podium.sandbox.job import Device

TOOL = "nvidia-smi"
FIELDS = ("index", "uuid", "name", "memory.total", "driver_version", "pci.bus_id")
KERNEL = Path("/proc/driver/nvidia/gpus")
TOOL_LIMIT_S = 30.0
TEST_LIMIT_S = 120.0
SIDE = 512  # of the matrices of the self-test
# Run in a process of its own: a device that hangs or faults must not take the worker along.
SELF_TEST = f"""
import torch
first, second = (torch.rand({SIDE}, {SIDE}, generator=torch.Generator().manual_seed(seed),
                            dtype=torch.float64) for seed in (0, 1))
found = (first.cuda() @ second.cuda()).cpu()
worst = (found - first @ second).abs().max().item()
assert worst < 1e-9 * {SIDE}, f"a product of matrices is off by {{worst}}"
"""
# Between two pieces of work, by the driver alone: importing torch would cost seconds each time.
QUICK_TEST = """
import ctypes
driver = ctypes.CDLL("libcuda.so.1")
def call(name, *values):
    status = getattr(driver, name)(*values)
    assert status == 0, f"{name} answered {status}"
call("cuInit", 0)
context, place, size = ctypes.c_void_p(), ctypes.c_uint64(), 1 << 24
call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
call("cuCtxSetCurrent", context)
call("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(size))
call("cuMemsetD8_v2", place, ctypes.c_ubyte(0x5A), ctypes.c_size_t(size))
back = ctypes.create_string_buffer(size)
call("cuMemcpyDtoH_v2", back, place, ctypes.c_size_t(size))
assert back.raw == b"\x5a" * size, "its memory gave back something else than was written"
"""


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA device."""

    index: int
    uuid: str
    name: str
    memory_mib: int
    driver: str
    minor: int  # of its file /dev/nvidiaN

    @property
    def in_sandbox(self) -> Device:
        """As a sandbox is given it."""
        return Device(self.index, self.minor, self.uuid)


def find(kernel: Path = KERNEL) -> list[Gpu]:
    """The devices in the order of the driver; none where there is no driver.

    FaultError if the driver is there and does not answer.
    """
    query = [f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            [TOOL, *query], capture_output=True, text=True, timeout=TOOL_LIMIT_S, check=False
        )
    except FileNotFoundError:
        return []
    except subprocess.TimeoutExpired:
        raise FaultError(f"{TOOL} did not answer within {TOOL_LIMIT_S:.0f} s.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise FaultError(f"{TOOL} failed: {said[0] if said else done.returncode}")
    rows = csv.reader(done.stdout.splitlines(), skipinitialspace=True)
    return [
        Gpu(int(index), uuid, name, int(memory), driver, _minor(kernel, bus, int(index)))
        for index, uuid, name, memory, driver, bus in rows
    ]


def _minor(kernel: Path, bus: str, index: int) -> int:
    """The number of a device's file: in a container with some devices it is not the index."""
    place = bus.lower()[
        -12:
    ]  # the driver's tool says the domain with eight digits, the kernel four
    try:
        text = (kernel / place / "information").read_text()
    except OSError:  # not shown here: then files are named as the driver counts
        return index
    found = re.search(r"Device Minor:\s*(\d+)", text)
    return int(found[1]) if found else index


def choose(device: str) -> list[Gpu | None]:
    """The devices that `--device` names, a worker each; None stands for the CPU.

    `auto` is every GPU, or the CPU where there is none; `cuda:N` is one GPU; `cpu` is the CPU.
    ConfigError for a device that is not here.
    """
    if device == "cpu":
        return [None]
    gpus = find()
    if device == "auto":
        return [*gpus] or [None]
    kind, _, number = device.partition(":")
    if kind != "cuda" or not number.isdigit():
        raise ConfigError(f"There is no device {device!r}. Say auto, cpu or cuda:0.")
    for gpu in gpus:
        if gpu.index == int(number):
            return [gpu]
    here = ", ".join(f"cuda:{gpu.index} ({gpu.name})" for gpu in gpus) or "none"
    raise ConfigError(f"There is no device {device!r} here. {TOOL} lists: {here}.")


def pin(gpu: Gpu) -> None:
    """Let this process and its children see one device only. Before torch is loaded."""
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu.uuid


def trouble(gpu: Gpu, python: str, test: str = SELF_TEST) -> str:
    """Why a device cannot be trusted with work; empty if it can.

    The self-test allocates, multiplies and compares with the CPU; QUICK_TEST, for a device that
    passed it before, only writes and reads its memory.
    """
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": gpu.uuid}
    try:
        done = subprocess.run(
            [python, "-P", "-c", test],
            capture_output=True,
            text=True,
            timeout=TEST_LIMIT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{gpu.name} did not answer within {TEST_LIMIT_S:.0f} s. Restart it or its machine."
    if not done.returncode:
        return ""
    said = (done.stderr.strip() or "no output").splitlines()[-1]
    return f"{gpu.name} failed its self-test: {said}"
