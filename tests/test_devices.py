"""GPUs without one: a stand-in for nvidia-smi on the PATH says what a real one would."""

import sys

import pytest

from podium import devices
from podium.devices import Gpu
from podium.errors import ConfigError, FaultError

TWO = """0, GPU-aaaa, NVIDIA A100-SXM4-80GB, 81920, 550.54.15, 00000000:07:00.0
1, GPU-bbbb, Tesla T4, 15360, 550.54.15, 00000000:08:00.0
"""
A100 = Gpu(0, "GPU-aaaa", "NVIDIA A100-SXM4-80GB", 81920, "550.54.15", 0)
T4 = Gpu(1, "GPU-bbbb", "Tesla T4", 15360, "550.54.15", 1)


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Installs an nvidia-smi that prints this and ends with this status."""

    def install(printed: str, status: int = 0) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}END\nexit {status}\n")
        tool.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return install


def test_without_a_driver_there_is_no_gpu_and_auto_means_the_cpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.find() == []
    assert devices.choose("auto") == [None]


def test_the_drivers_devices_are_listed_with_memory_and_version(driver):
    driver(TWO)
    assert devices.find() == [A100, T4]


def test_a_device_is_named_by_its_file_where_a_container_has_some_of_them(driver, tmp_path):
    driver(TWO)
    place = tmp_path / "0000:08:00.0"
    place.mkdir()
    (place / "information").write_text("Model: \t Tesla T4\nDevice Minor: \t 5\n")
    assert [gpu.minor for gpu in devices.find(tmp_path)] == [0, 5]


def test_auto_is_a_worker_for_each_device(driver):
    driver(TWO)
    assert devices.choose("auto") == [A100, T4]
    assert devices.choose("cuda:1") == [T4]
    assert devices.choose("cpu") == [None]


def test_a_device_that_is_not_here_is_refused_with_those_that_are(driver):
    driver(TWO)
    with pytest.raises(ConfigError, match=r"cuda:0 \(NVIDIA A100"):
        devices.choose("cuda:7")
    with pytest.raises(ConfigError, match="auto, cpu or cuda:0"):
        devices.choose("gpu")


def test_a_driver_that_fails_is_said_in_its_words(driver):
    driver("NVIDIA-SMI has failed because it couldn't communicate with the driver.\n", status=9)
    with pytest.raises(FaultError, match="couldn't communicate"):
        devices.find()


def test_the_self_test_names_the_device_and_why_it_failed(monkeypatch):
    # A process without CUDA fails the test as a broken device does.
    assert "Tesla T4 failed its self-test" in devices.trouble(T4, sys.executable)


@pytest.mark.gpu
def test_a_real_device_passes_the_self_test():
    (gpu, *_) = devices.find()
    assert gpu.memory_mib > 1000
    assert devices.trouble(gpu, sys.executable) == ""
