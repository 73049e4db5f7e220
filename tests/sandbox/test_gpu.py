"""What is confined on a machine with a GPU: it computes there, and holds nothing afterwards."""

import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from podium import devices
from podium.devices import Gpu
from podium.sandbox import Bubblewrap, Cause, Limits, run
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.job import Device
from podium.sandbox.served import Load, boot, serving_job

pytestmark = pytest.mark.gpu
LIMITS = Limits(wall_s=120, cpu_s=240, memory_mib=8192, processes=256)
COMPUTE = """
import torch
a = torch.rand(256, 256, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
print(torch.cuda.device_count(), ((a.cuda() @ a.cuda()).cpu() - a @ a).abs().max().item() < 1e-9)
"""
FILL = "import torch\nkept = [torch.empty(1 << 30, device='cuda') for _ in range(1000)]\n"
HOLD = """
import time, torch
kept = torch.zeros(1 << 30, device="cuda")
torch.cuda.synchronize()
print("held", flush=True)
time.sleep(600)
"""
NETWORK = """
import torch
def build():
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3)
"""


@pytest.fixture
def gpu() -> Gpu:
    return devices.find()[0]


@pytest.fixture
def device(gpu) -> Device:
    return gpu.in_sandbox


def lines(code: str, *gpus: Device, **options):
    runner = Bubblewrap.here()
    command = [runner.python, "-I", "-u", "-c", code]
    return run(command, LIMITS, runner=runner, gpus=gpus, **options)


def used_mib(gpu: Gpu) -> int:
    query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", gpu.uuid]
    done = subprocess.run([devices.TOOL, *query], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_torch_computes_on_the_one_device_that_it_was_given(device):
    outcome = lines(COMPUTE, device)
    assert (outcome.cause, outcome.log) == (Cause.OK, "1 True\n")


def test_who_was_given_none_sees_none():
    code = "import os, torch\nprint(torch.cuda.is_available(), sorted(os.listdir('/dev')))"
    outcome = lines(code)
    assert outcome.cause is Cause.OK
    assert outcome.log.startswith("False")
    assert "nvidia" not in outcome.log


def test_what_fills_the_device_fails_and_the_device_is_empty_and_well(gpu, device):
    before = used_mib(gpu)
    outcome = lines(FILL, device)
    assert outcome.cause is Cause.EXCEPTION
    assert "OutOfMemoryError" in outcome.log
    assert used_mib(gpu) <= before + 100
    assert lines(COMPUTE, device).ok


def test_what_is_killed_in_the_middle_gives_its_memory_back(gpu, device):
    before = used_mib(gpu)
    seen = []

    def look(text: str) -> None:
        if "held" in text:
            seen.append(used_mib(gpu))

    outcome = run(
        [Bubblewrap.here().python, "-I", "-u", "-c", HOLD],
        Limits(wall_s=20, cpu_s=60, memory_mib=8192, processes=256),
        gpus=(device,),
        on_log=look,
    )
    assert outcome.cause is Cause.TIME_LIMIT
    assert seen[0] >= before + 4096
    deadline = time.monotonic() + 5
    while used_mib(gpu) > before + 100:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_more_than_its_share_of_the_device_ends_a_job(device):
    code = "import time, torch\nkept = torch.zeros(1 << 29, device='cuda')\ntime.sleep(60)\n"
    runner = Bubblewrap.here()
    limits = replace(LIMITS, gpu_memory_mib=1500)
    outcome = run([runner.python, "-I", "-c", code], limits, runner=runner, gpus=(device,))
    assert (outcome.cause, outcome.limit) == (Cause.MEMORY_LIMIT, 1500)


def test_weights_are_served_on_the_device_with_the_answers_of_the_cpu(device):
    torch.manual_seed(1)
    network = torch.nn.Linear(4, 3)
    rows = np.random.default_rng(0).random((8, 4), dtype=np.float32)
    files = {"net.py": NETWORK.encode(), "model.safetensors": save(network.state_dict())}
    runner = Bubblewrap.here()
    with boot(runner, serving_job(runner, LIMITS, gpus=(device,))) as served:
        served.load(Load("weights", files, "net.py"))
        outcome, found = predict(served, {"rows": rows}, Expected((3,)), 8)
    assert outcome.ok, outcome.log
    expected = network(torch.from_numpy(rows)).detach().numpy()
    assert found == pytest.approx(expected, abs=1e-5)
