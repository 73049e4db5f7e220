"""What a sandbox holds on its GPUs, asked of the driver's own library (NVML).

A device serves one job at a time, so what it holds beyond what it held before is the job's.
"""

import ctypes
import functools
from typing import Any, Protocol

from podium.sandbox.job import Device

LIBRARY = "libnvidia-ml.so.1"
OK = 0


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class Meter(Protocol):
    """Reads a device."""

    def __call__(self, device: Device) -> int:
        """The bytes in use, whoever holds them; 0 if the driver does not say."""


class GpuMemory:
    """The bytes that were taken on some devices since this was made."""

    def __init__(self, gpus: tuple[Device, ...], meter: Meter | None = None) -> None:
        self._gpus = gpus
        self._meter = meter or used
        self._before = {gpu: self._meter(gpu) for gpu in gpus}

    def taken(self) -> int:
        """Now, on all devices together."""
        return sum(max(0, self._meter(gpu) - self._before[gpu]) for gpu in self._gpus)


def used(device: Device) -> int:
    """What NVML says of a device; 0 where there is no driver or it does not know the device."""
    library = _library()
    handle, memory = ctypes.c_void_p(), _Memory()
    if (
        library is None
        or library.nvmlDeviceGetHandleByUUID(device.uuid.encode(), ctypes.byref(handle)) != OK
        or library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) != OK
    ):
        return 0
    return int(memory.used)


@functools.cache
def _library() -> Any:
    """NVML, begun; None without a driver."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    return library if library.nvmlInit_v2() == OK else None
