"""Control groups of both versions, on folders that look like the kernel's."""

import os

import pytest

from podium.sandbox import cgroups

STAT = "anon 1000\nfile 5\nshmem 200\nkernel 34\n"


@pytest.fixture
def version_2(tmp_path):
    """A delegated group, as systemd hands it out, with the worker in a child."""
    above = tmp_path / "user.slice"
    (above / "worker.scope").mkdir(parents=True)
    (above / "cgroup.subtree_control").write_text("cpu memory pids\n")
    (above / "worker.scope" / "cgroup.subtree_control").write_text("\n")
    (above / "worker.scope" / "cgroup.subtree_control").chmod(0o444)
    return tmp_path


def fill(group, **files):
    for name, text in files.items():
        (group / name.replace("_dot_", ".")).write_text(text)


def test_version_2_is_used_where_the_controllers_are_handed_down(version_2):
    place = cgroups.find(version_2, "0::/user.slice\n")
    assert place == cgroups.Place(2, dict.fromkeys(("memory", "pids"), version_2 / "user.slice"))


def test_a_group_of_version_2_is_limited_and_read(version_2):
    place = cgroups.find(version_2, "0::/user.slice\n")
    group = cgroups.Group(place, memory_mib=64, processes=10)
    [folder] = (version_2 / "user.slice").glob("podium-*")
    assert (folder / "memory.max").read_text() == str(64 << 20)
    assert (folder / "memory.oom.group").read_text() == "1"
    assert (folder / "pids.max").read_text() == "10"
    group.add(123)
    assert (folder / "cgroup.procs").read_text() == "123"
    fill(
        folder,
        memory_dot_stat=STAT,
        cpu_dot_stat="usage_usec 1500000\n",
        memory_dot_events="low 0\noom_kill 1\n",
        pids_dot_events="max 3\n",
    )
    assert group.counted() == cgroups.Counted(1234, 1.5, 1, 3)


def test_version_1_is_used_where_memory_and_processes_can_be_limited(tmp_path):
    for name in ("memory", "pids"):
        (tmp_path / name / "own").mkdir(parents=True)
    own = "5:memory:/own\n4:pids:/own\n3:cpuacct:/none\n0::/\n"
    place = cgroups.find(tmp_path, own)
    assert place == cgroups.Place(1, {name: tmp_path / name / "own" for name in ("memory", "pids")})


def test_without_both_controllers_there_is_no_place(tmp_path):
    (tmp_path / "memory").mkdir()
    assert cgroups.find(tmp_path, "5:memory:/\n4:pids:/\n0::/\n") is None


def test_groups_of_owners_that_are_gone_are_removed_and_no_others(tmp_path):
    for name in ("memory", "pids"):
        (tmp_path / name).mkdir()
    birth = cgroups._birth(os.getpid())
    left = [
        tmp_path / "memory" / f"podium-{pid}-{born}-0"
        for pid, born in ((1 << 22, "5"), (os.getpid(), "5"))
    ]
    living = tmp_path / "memory" / f"podium-{os.getpid()}-{birth}-0"
    for folder in (*left, living):
        folder.mkdir()
    cgroups.find(tmp_path, "5:memory:/\n4:pids:/\n0::/\n")
    assert [folder.exists() for folder in (*left, living)] == [False, False, True]
