"""Containers: the command lines, what is read of the kernel's counts, a suspicious stream."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from podium.sandbox import Bind, Container, Job, Limits, SandboxError, run
from podium.sandbox.arguments import INSIDE
from podium.sandbox.container import counted, unpack
from podium.sandbox.gauge import Usage
from podium.sandbox.job import Device
from podium.sandbox.outputs import Collected

LIMITS = Limits(wall_s=30, cpu_s=20, memory_mib=512, processes=8, disk_mib=64, output_mib=16)


def test_the_command_line_of_docker_with_gvisor_and_a_gpu():
    job = Job(
        ("true",), LIMITS, (Bind(Path("/srv/in"), "/data"),), {"A": "b"}, gpus=(Device(1, 3),)
    )
    command = Container("docker", "podium/env:1", runtime="runsc").create_command(job, "podium-x")
    assert command == [
        *("docker", "run", "--detach", "--rm", "--name", "podium-x", "--runtime", "runsc"),
        *("--network", "none", "--read-only", "--user", "65534:65534", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--ipc", "private", "--hostname", "sandbox"),
        *("--log-driver", "none", "--memory", "512m", "--memory-swap", "512m"),
        *("--pids-limit", "9", "--cpus", "1", "--ulimit", "core=0", "--ulimit", "cpu=21"),
        *("--ulimit", "nofile=1024", "--ulimit", "nproc=4096", "--shm-size", "64m"),
        *("--tmpfs", "/scratch:rw,nosuid,nodev,mode=1777,size=67108864"),
        *("--tmpfs", "/tmp:rw,nosuid,nodev,mode=1777,size=67108864"),
        *("--tmpfs", "/out:rw,nosuid,nodev,mode=1777,size=16777216"),
        *("--tmpfs", "/code:rw,nosuid,nodev,mode=1777,size=67108864"),
        *("--gpus", '"device=1"', "--volume", f"{INSIDE}:/runner:ro"),
        *("--volume", "/srv/in:/data:ro", "--env", "HOME=/scratch"),
        *("--env", "OMP_NUM_THREADS=1", "--env", "A=b"),
        *("--workdir", "/scratch", "podium/env:1", "sleep", "90"),
    ]


def test_podman_names_gpus_in_its_own_way_and_code_that_is_bound_is_not_hidden():
    job = Job(
        ("true",), LIMITS, (Bind(Path("/srv/code"), "/code"),), gpus=(Device(0, 0), Device(2, 1))
    )
    command = Container("podman", "env").create_command(job, "podium-x")
    assert command[command.index("--device") :][:4] == [
        *("--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=2")
    ]
    assert "/srv/code:/code:ro" in command
    assert not any(part.startswith("/code:rw") for part in command)
    assert "--runtime" not in command


def test_an_engine_that_is_not_there_is_told():
    with pytest.raises(SandboxError, match="no no-such-engine here"):
        Container("no-such-engine", "env").start(Job(("true",), LIMITS))


def test_the_counts_of_version_2_are_read():
    lines = (
        "/sys/fs/cgroup/memory.events:max 17\n/sys/fs/cgroup/memory.events:oom_kill 2\n"
        "/sys/fs/cgroup/memory.peak:5000\n/sys/fs/cgroup/pids.events:max 3\n"
        "/sys/fs/cgroup/cpu.stat:usage_usec 1500000\n/sys/fs/cgroup/cpu.stat:user_usec 1\n"
    )
    assert counted(lines) == Usage(memory=5000, cpu_s=1.5, out_of_memory=2, refused_forks=3)


def test_the_counts_of_version_1_are_read():
    lines = (
        "/sys/fs/cgroup/memory/memory.oom_control:oom_kill_disable 0\n"
        "/sys/fs/cgroup/memory/memory.oom_control:oom_kill 1\n"
        "/sys/fs/cgroup/memory/memory.max_usage_in_bytes:4096\n"
        "/sys/fs/cgroup/pids/pids.events:max 0\n/sys/fs/cgroup/cpuacct/cpuacct.usage:2000000000\n"
    )
    assert counted(lines) == Usage(memory=4096, cpu_s=2.0, out_of_memory=1)


def test_a_container_that_has_gone_tells_nothing():
    assert counted("") == Usage()


def archive(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/shadow"
            tar.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer, mode="r|")


def test_only_plain_files_come_out_of_a_stream(tmp_path):
    members = [
        ("./predictions.csv", tarfile.REGTYPE, b"id\n"),
        ("./sub/deep.txt", tarfile.REGTYPE, b"x"),
        ("../outside", tarfile.REGTYPE, b"x"),
        ("/absolute", tarfile.REGTYPE, b"x"),
        ("./link", tarfile.SYMTYPE, b""),
        ("./hard", tarfile.LNKTYPE, b""),
        ("./device", tarfile.CHRTYPE, b""),
        ("./pipe", tarfile.FIFOTYPE, b""),
        ("./large", tarfile.REGTYPE, b"x" * 200),
    ]
    collected = Collected(left_bytes=100, left_files=10)
    with archive(*members) as tar:
        unpack(tar, tmp_path, collected)
    assert collected.files == ["predictions.csv", "sub/deep.txt"]
    assert len(collected.refused) == 7
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"predictions.csv", "sub/deep.txt"}
    assert not (tmp_path.parent / "outside").exists()


@pytest.fixture(scope="module")
def busybox(tmp_path_factory):
    """An image of one program, made here. Needs: apt-get install podman runc busybox-static."""
    folder = tmp_path_factory.mktemp("image")
    for name in ("bin", "tmp"):
        (folder / name).mkdir()
    shutil.copy("/usr/bin/busybox", folder / "bin")
    for name in ("sh", "sleep", "tar", "kill", "id", "cat", "ls", "yes", "grep", "ln", "wget"):
        (folder / "bin" / name).symlink_to("busybox")
    with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run(
            ["podman", "import", "-", "podium-test"], stdin=packed.stdout, check=True, timeout=120
        )
    yield Container("podman", "localhost/podium-test", runtime="runc", python="sh")
    subprocess.run(["podman", "rmi", "--force", "podium-test"], check=True, timeout=120)


REAL = {
    "files come out": ("id -u; echo x > /out/a; ln -s /etc/passwd /out/l", "ok", "65534"),
    "no network": ("wget -T 2 http://192.0.2.1/ || echo contained", "ok", "contained"),
    "nothing can be written": ("echo x > /bin/y || echo contained", "ok", "contained"),
    "a status": ("exit 3", "exception", ""),
    "time": ("sleep 60", "time_limit", ""),
    "a flood": ("yes", "output_limit", "y"),
    "memory": ("x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done", "memory_limit", ""),
    "processes": ("for i in 1 2 3 4 5 6 7 8 9; do sleep 9 & done; wait", "process_limit", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_a_real_container_confines(busybox, name, tmp_path):
    program, cause, words = REAL[name]
    limits = Limits(wall_s=4, memory_mib=64, processes=6, log_kib=64)
    outcome = run(["sh", "-c", program], limits, outputs=tmp_path, runner=busybox)
    assert outcome.cause == cause
    assert words in outcome.log
    assert outcome.files == (("a",) if name == "files come out" else ())
    listed = subprocess.run(["podman", "ps", "-aq"], capture_output=True, text=True, check=True)
    assert listed.stdout == ""
