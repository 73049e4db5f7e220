"""What is held on a GPU counts like other memory. The device is a stand-in: its driver is not here.

`tests/sandbox/test_gpu.py` asks a real one.
"""

import itertools
import threading

from podium.sandbox import Bubblewrap, Cause, Limits
from podium.sandbox.gpumemory import GpuMemory, used
from podium.sandbox.job import Device, Job
from podium.sandbox.watch import Watch

GPU = Device(0, 0, "GPU-0")
MIB = 1 << 20


def test_what_was_held_before_is_not_the_jobs():
    held = iter([300, 300, 350, 100])
    memory = GpuMemory((GPU,), lambda _: next(held))
    assert [memory.taken() for _ in range(3)] == [0, 50, 0]


def test_without_a_device_nothing_is_asked():
    assert GpuMemory((), lambda _: 1 / 0).taken() == 0


def test_without_a_driver_nothing_is_held():
    assert used(GPU) == 0


def test_a_job_that_takes_more_than_its_share_is_ended():
    grown = itertools.count(0, 100 * MIB)
    runner = Bubblewrap.here()
    limits = Limits(gpu_memory_mib=500)
    tree = runner.start(Job((runner.python, "-I", "-c", "import time; time.sleep(60)"), limits))
    try:
        watch = Watch(tree, limits, GpuMemory((GPU,), lambda _: next(grown)))
        watch.begin(None, threading.Event())
        outcome = watch.follow()
    finally:
        tree.close()
    assert outcome.cause is Cause.MEMORY_LIMIT
    assert outcome.limit == 500
    assert "500 MiB on the GPU" in outcome.reason
